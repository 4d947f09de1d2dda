// SPDX-License-Identifier: MIT
/* A sorted table -> text, JSON, OpenMetrics, HTML. What can be shown of a row is told here, once. */
#ifndef CLI_REPORT_OUTPUT_H
#define CLI_REPORT_OUTPUT_H

#include "report_table.h"
#include <stdio.h>

struct cli_view {
	const struct cli_table *table;
	size_t rows;     /* how many of the table's groups are shown, from the first */
	uint64_t broken; /* lines that were passed over */
};

/* "call site", "peer", ... */
const char *cli_report_output_noun(enum cli_by by);

/* What the different others of a row are ("peer" or "site"), and its notes ("guess" or "site"). */
const char *cli_report_output_others(enum cli_by by);
const char *cli_report_output_notes(enum cli_by by);

/* The name of a row, also where the reports say null; to be freed. */
char *cli_report_output_name(const struct cli_table *table, const struct cli_group *group);

/* What is not shown in rows of its own. */
struct cli_totals cli_report_output_rest(const struct cli_view *view);

/* width: columns of the terminal, 0: no limit. */
void cli_report_text_write(FILE *file, const struct cli_view *view, size_t width, bool utf8);
void cli_report_json_write(FILE *file, const struct cli_view *view);
void cli_report_openmetrics_write(FILE *file, const struct cli_view *view);
void cli_report_html_write(FILE *file, const struct cli_view *view);

#endif
