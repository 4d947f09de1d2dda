// SPDX-License-Identifier: MIT
/*
 * Reports, counted by call site, peer, program or guess. Memory is bounded: at most
 * CLI_TABLE_GROUPS_MAX groups are kept. Past that the group with the fewest reports gives way to a
 * new one and is added to "the rest" (Space-Saving, see report_top.h), so the sums over all rows are
 * exact, and a row whose missed is not 0 is at most that many reports short.
 */
#ifndef CLI_REPORT_TABLE_H
#define CLI_REPORT_TABLE_H

#include "report_distinct.h"
#include "report_record.h"
#include "report_timeline.h"
#include "report_top.h"
#include <stdbool.h>
#include <stddef.h>

enum { CLI_TABLE_GROUPS_MAX = 10000 };

enum cli_by { CLI_BY_SITE, CLI_BY_PEER, CLI_BY_EXE, CLI_BY_GUESS, CLI_BY_COUNT };

struct cli_totals {
	uint64_t reports;
	uint64_t outcomes[CLI_OUTCOME_COUNT];
	uint64_t unread_bytes; /* sums stop at UINT64_MAX */
	uint64_t lost_bytes;   /* written, not acknowledged, and the outcome was rst */
	int64_t first_us, last_us;
};

/* Where in the source a call site is; filled by report_source.h. */
struct cli_source {
	char *function; /* or NULL */
	char *place;    /* file:line, or NULL */
};

struct cli_group {
	uint64_t hash;
	char *name; /* by what it is counted; empty: the reports say null */
	char *exe;  /* by site: the program of its first report */
	char *symbol;
	/* The call site is in exe itself. Programs of one name in different folders have sites of their
	 * own, a library's are the same in each program. */
	bool is_own;
	struct cli_totals totals;
	uint64_t missed;
	struct cli_distinct others; /* different peers; by peer: call sites */
	struct cli_top top_others;
	struct cli_top top_notes; /* guesses; by guess: call sites */
	struct cli_timeline timeline;
	struct cli_source source;
	size_t place; /* in the table's list, which is a heap once it is full */
};

struct cli_table {
	enum cli_by by;
	bool has_timelines;
	size_t groups_max;
	struct cli_totals all;
	struct cli_totals rest; /* of groups that gave way */
	uint64_t gave_way;
	struct cli_group **groups;
	size_t count, room;
	void *tree; /* tsearch(3): hash and name -> group */
};

const char *cli_report_by_name(enum cli_by by);

/* groups_max: CLI_TABLE_GROUPS_MAX, or less in a test. */
void cli_report_table_begin(
	struct cli_table *table, enum cli_by by, bool has_timelines, size_t groups_max);
void cli_report_table_add(struct cli_table *table, const struct cli_record *record);

void cli_report_table_add_totals(struct cli_totals *sum, const struct cli_totals *totals);

/* Sort the groups: most resets first, then most bytes lost, most reports, name. No add after it. */
void cli_report_table_sort(struct cli_table *table);

void cli_report_table_end(struct cli_table *table);

#endif
