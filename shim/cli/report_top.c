// SPDX-License-Identifier: MIT
#include "report_top.h"
#include "report_memory.h"
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

void cli_report_top_add(struct cli_top *top, const char *name, uint64_t hash)
{
	struct cli_top_entry *rarest = &top->entries[0];
	top->seen++;
	for (int i = 0; i < CLI_TOP_SIZE; i++) {
		struct cli_top_entry *entry = &top->entries[i];
		if (entry->name == NULL) {
			*entry = (struct cli_top_entry){cli_report_memory_copy(name), hash, 1, 0};
			return;
		}
		if (entry->hash == hash && strcmp(entry->name, name) == 0) {
			entry->count++;
			return;
		}
		if (entry->count < rarest->count) {
			rarest = entry;
		}
	}
	free(rarest->name);
	*rarest = (struct cli_top_entry){
		cli_report_memory_copy(name), hash, rarest->count + 1, rarest->count};
}

static uint64_t certain(const struct cli_top_entry *entry)
{
	return entry->count - entry->doubt;
}

const char *cli_report_top_first(const struct cli_top *top, uint64_t *count)
{
	const struct cli_top_entry *best = NULL;
	bool is_crowded = false;
	for (int i = 0; i < CLI_TOP_SIZE && top->entries[i].name != NULL; i++) {
		const struct cli_top_entry *entry = &top->entries[i];
		is_crowded = is_crowded || entry->doubt > 0;
		if (best == NULL || certain(entry) > certain(best) ||
			(certain(entry) == certain(best) && strcmp(entry->name, best->name) < 0)) {
			best = entry;
		}
	}
	if (best == NULL || (is_crowded && certain(best) < top->seen / 100 + 1)) {
		return NULL;
	}
	*count = certain(best);
	return best->name;
}

void cli_report_top_end(struct cli_top *top)
{
	for (int i = 0; i < CLI_TOP_SIZE; i++) {
		free(top->entries[i].name);
	}
	*top = (struct cli_top){0};
}
