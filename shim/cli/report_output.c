// SPDX-License-Identifier: MIT
#include "report_output.h"
#include "report_memory.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *cli_report_output_noun(enum cli_by by)
{
	static const char *const nouns[CLI_BY_COUNT] = {
		[CLI_BY_SITE] = "call site",
		[CLI_BY_PEER] = "peer",
		[CLI_BY_EXE] = "program",
		[CLI_BY_GUESS] = "guess",
	};
	return nouns[by];
}

const char *cli_report_output_others(enum cli_by by)
{
	return by == CLI_BY_PEER ? "site" : "peer";
}

const char *cli_report_output_notes(enum cli_by by)
{
	return by == CLI_BY_GUESS ? "site" : "guess";
}

/* "server.c:123 (reply) app+0x1a2b", "app+0x1a2b (reply+0x3c)" */
static char *site_name(const struct cli_group *group)
{
	char *name;
	const char *symbol = group->symbol;
	int length;
	if (group->source.place != NULL) {
		const char *slash = strrchr(group->source.place, '/');
		const char *function = group->source.function;
		function = function != NULL ? function : symbol[0] != 0 ? symbol : NULL;
		length = asprintf(&name, "%s%s%s%s %s",
			slash != NULL ? slash + 1 : group->source.place,
			function != NULL ? " (" : "", function != NULL ? function : "",
			function != NULL ? ")" : "", group->name);
	} else if (symbol[0] != 0) {
		length = asprintf(&name, "%s (%s)", group->name, symbol);
	} else {
		length = asprintf(&name, "%s", group->name);
	}
	if (length < 0) {
		cli_report_memory_fail();
	}
	return name;
}

char *cli_report_output_name(const struct cli_table *table, const struct cli_group *group)
{
	if (group->name[0] == 0) {
		return cli_report_memory_copy(table->by == CLI_BY_GUESS ? "(none)" : "(unknown)");
	}
	return table->by == CLI_BY_SITE ? site_name(group) : cli_report_memory_copy(group->name);
}

struct cli_totals cli_report_output_rest(const struct cli_view *view)
{
	struct cli_totals rest = view->table->rest;
	for (size_t i = view->rows; i < view->table->count; i++) {
		cli_report_table_add_totals(&rest, &view->table->groups[i]->totals);
	}
	return rest;
}
