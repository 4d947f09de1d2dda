// SPDX-License-Identifier: MIT
/*
 * Gauges, no counters: a log is rotated, so what is counted from one can become less. A gauge's name
 * is the same in OpenMetrics and in the older text format of Prometheus, a counter's is not, so
 * readers of either take it.
 */
#include "report_output.h"
#include <inttypes.h>

/* A label's value: the escapes of both formats. */
static void write_escaped(FILE *file, const char *text)
{
	for (; *text != 0; text++) {
		switch (*text) {
		case '\\':
			fputs("\\\\", file);
			break;
		case '"':
			fputs("\\\"", file);
			break;
		case '\n':
			fputs("\\n", file);
			break;
		default:
			fputc(*text, file);
			break;
		}
	}
}

static void write_label(FILE *file, const char *before, const char *name, const char *value)
{
	fprintf(file, "%s%s=\"", before, name);
	write_escaped(file, value);
	fputc('"', file);
}

/* Different rows have different labels. */
static void write_labels(FILE *file, const struct cli_table *table, const struct cli_group *group)
{
	write_label(file, "{", cli_report_by_name(table->by), group->name);
	if (table->by == CLI_BY_SITE) {
		write_label(file, ",", "exe", group->exe);
		write_label(file, ",", "symbol", group->symbol);
		write_label(file, ",", "source",
			group->source.place != NULL ? group->source.place : "");
	}
}

static void write_family(FILE *file, const char *name, const char *unit, const char *help)
{
	fprintf(file, "# TYPE %s gauge\n", name);
	if (unit != NULL) {
		fprintf(file, "# UNIT %s %s\n", name, unit);
	}
	fprintf(file, "# HELP %s %s\n", name, help);
}

static void write_outcomes(FILE *file, const struct cli_view *view)
{
	static const char name[] = "safeclose_reports";
	const struct cli_table *table = view->table;
	write_family(file, name, NULL, "Closes of connections that were reported.");
	for (size_t i = 0; i < view->rows; i++) {
		const struct cli_group *group = table->groups[i];
		for (enum cli_outcome outcome = 0; outcome < CLI_OUTCOME_COUNT; outcome++) {
			if (group->totals.outcomes[outcome] > 0) {
				fputs(name, file);
				write_labels(file, table, group);
				write_label(file, ",", "outcome", cli_report_outcome_name(outcome));
				fprintf(file, "} %" PRIu64 "\n", group->totals.outcomes[outcome]);
			}
		}
	}
}

static uint64_t unread_of(const struct cli_group *group)
{
	return group->totals.unread_bytes;
}

static uint64_t lost_of(const struct cli_group *group)
{
	return group->totals.lost_bytes;
}

static uint64_t others_of(const struct cli_group *group)
{
	bool is_exact;
	return cli_report_distinct_count(&group->others, &is_exact);
}

static void write_values(FILE *file, const struct cli_view *view, const char *name,
	uint64_t (*value_of)(const struct cli_group *))
{
	for (size_t i = 0; i < view->rows; i++) {
		const struct cli_group *group = view->table->groups[i];
		fputs(name, file);
		write_labels(file, view->table, group);
		fprintf(file, "} %" PRIu64 "\n", value_of(group));
	}
}

void cli_report_openmetrics_write(FILE *file, const struct cli_view *view)
{
	write_outcomes(file, view);
	write_family(file, "safeclose_unread_bytes", "bytes",
		"Bytes that were received and not read when their connections were closed.");
	write_values(file, view, "safeclose_unread_bytes", unread_of);
	write_family(file, "safeclose_lost_bytes", "bytes",
		"Bytes that were written and thrown away by resets.");
	write_values(file, view, "safeclose_lost_bytes", lost_of);
	if (view->table->by == CLI_BY_PEER) {
		write_family(
			file, "safeclose_sites", NULL, "Different call sites, estimated past 512.");
		write_values(file, view, "safeclose_sites", others_of);
	} else {
		write_family(file, "safeclose_peers", NULL, "Different peers, estimated past 512.");
		write_values(file, view, "safeclose_peers", others_of);
	}
	write_family(
		file, "safeclose_other_reports", NULL, "Reports that are in no row listed here.");
	fprintf(file, "safeclose_other_reports %" PRIu64 "\n",
		cli_report_output_rest(view).reports);
	write_family(
		file, "safeclose_broken_lines", NULL, "Lines of the log that were no reports.");
	fprintf(file, "safeclose_broken_lines %" PRIu64 "\n", view->broken);
	fputs("# EOF\n", file);
}
