// SPDX-License-Identifier: MIT
#include "report_memory.h"
#include "report_output.h"
#include "report_show.h"
#include <inttypes.h>
#include <string.h>
#include <yajl/yajl_gen.h>

static void add_text(yajl_gen gen, const char *text)
{
	if (text == NULL || text[0] == 0) {
		yajl_gen_null(gen);
	} else {
		yajl_gen_string(gen, (const unsigned char *)text, strlen(text));
	}
}

static void add_key(yajl_gen gen, const char *key)
{
	yajl_gen_string(gen, (const unsigned char *)key, strlen(key));
}

static void add_number(yajl_gen gen, const char *key, uint64_t value)
{
	char digits[32];
	int length = snprintf(digits, sizeof(digits), "%" PRIu64, value);
	add_key(gen, key);
	yajl_gen_number(gen, digits, (size_t)length);
}

static void add_time(yajl_gen gen, const char *key, const struct cli_totals *totals, int64_t us)
{
	char text[CLI_SHOW_TIME_SIZE] = "";
	if (totals->reports > 0) {
		cli_report_show_rfc3339(us, text);
	}
	add_key(gen, key);
	add_text(gen, text);
}

static void add_totals(yajl_gen gen, const struct cli_totals *totals)
{
	add_number(gen, "reports", totals->reports);
	add_key(gen, "outcomes");
	yajl_gen_map_open(gen);
	for (enum cli_outcome i = 0; i < CLI_OUTCOME_COUNT; i++) {
		add_number(gen, cli_report_outcome_name(i), totals->outcomes[i]);
	}
	yajl_gen_map_close(gen);
	add_number(gen, "unread", totals->unread_bytes);
	add_number(gen, "lost", totals->lost_bytes);
	add_time(gen, "first", totals, totals->first_us);
	add_time(gen, "last", totals, totals->last_us);
}

/* The most frequent one: {"name", "reports" (at least)} or null. */
static void add_top(yajl_gen gen, const char *key, const struct cli_top *top)
{
	uint64_t count;
	const char *name = cli_report_top_first(top, &count);
	add_key(gen, key);
	if (name == NULL) {
		yajl_gen_null(gen);
		return;
	}
	yajl_gen_map_open(gen);
	add_key(gen, "name");
	add_text(gen, name);
	add_number(gen, "reports", count);
	yajl_gen_map_close(gen);
}

static void add_group(yajl_gen gen, const struct cli_table *table, const struct cli_group *group)
{
	bool is_exact;
	uint64_t others = cli_report_distinct_count(&group->others, &is_exact);
	bool is_peers = table->by != CLI_BY_PEER;
	yajl_gen_map_open(gen);
	add_key(gen, cli_report_by_name(table->by));
	add_text(gen, group->name);
	if (table->by == CLI_BY_SITE) {
		add_key(gen, "exe");
		add_text(gen, group->exe);
		add_key(gen, "symbol");
		add_text(gen, group->symbol);
		add_key(gen, "source");
		add_text(gen, group->source.place);
		add_key(gen, "function");
		add_text(gen, group->source.function);
	}
	add_totals(gen, &group->totals);
	add_number(gen, "missed_at_most", group->missed);
	add_number(gen, is_peers ? "peers" : "sites", others);
	add_key(gen, is_peers ? "peers_exact" : "sites_exact");
	yajl_gen_bool(gen, is_exact);
	add_top(gen, is_peers ? "top_peer" : "top_site", &group->top_others);
	add_top(gen, table->by == CLI_BY_GUESS ? "top_site" : "top_guess", &group->top_notes);
	yajl_gen_map_close(gen);
}

static void print(void *file, const char *text, size_t length)
{
	fwrite(text, 1, length, file);
}

void cli_report_json_write(FILE *file, const struct cli_view *view)
{
	const struct cli_table *table = view->table;
	yajl_gen gen = yajl_gen_alloc(cli_report_memory_yajl());
	yajl_gen_config(gen, yajl_gen_beautify, 1);
	yajl_gen_config(gen, yajl_gen_indent_string, "  ");
	yajl_gen_config(gen, yajl_gen_print_callback, print, (void *)file);
	yajl_gen_map_open(gen);
	add_number(gen, "v", 1);
	add_key(gen, "by");
	add_text(gen, cli_report_by_name(table->by));
	add_number(gen, "broken_lines", view->broken);
	add_key(gen, "all");
	yajl_gen_map_open(gen);
	add_totals(gen, &table->all);
	yajl_gen_map_close(gen);
	struct cli_totals rest = cli_report_output_rest(view);
	add_key(gen, "others");
	yajl_gen_map_open(gen);
	add_totals(gen, &rest);
	yajl_gen_map_close(gen);
	add_key(gen, "rows");
	yajl_gen_array_open(gen);
	for (size_t i = 0; i < view->rows; i++) {
		add_group(gen, table, table->groups[i]);
	}
	yajl_gen_array_close(gen);
	yajl_gen_map_close(gen);
	yajl_gen_free(gen);
}
