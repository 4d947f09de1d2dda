// SPDX-License-Identifier: MIT
/*
 * Totals of a process per call site, and the table of them (SAFECLOSE_SUMMARY). Pure; lock-free;
 * async-signal-safe; bounded: sites past the table's size are counted as one that is unknown.
 */
#ifndef SC_TOTALS_H
#define SC_TOTALS_H

#include "policy.h"
#include "report.h"
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

enum {
	SC_TOTALS_SITES = 1025,                /* 0: unknown */
	SC_TOTALS_OUTCOMES = SC_OUTCOME_LIMIT, /* SC_OUTCOME_RST is the first */
	SC_TOTALS_UNREAD = SC_TOTALS_OUTCOMES, /* bytes that were unread at the close */
	SC_TOTALS_LOST,                        /* written ones that a reset threw away */
	SC_TOTALS_COLUMNS,
};

struct sc_totals_row {
	uint64_t columns[SC_TOTALS_COLUMNS];
};

/* Zeroed memory is an empty one. */
struct sc_totals {
	_Atomic uint64_t counts[SC_TOTALS_SITES][SC_TOTALS_COLUMNS];
};

/* What makes the lines of a table stand in columns. */
struct sc_totals_table {
	struct sc_totals_row sum;
	uint8_t widths[SC_TOTALS_COLUMNS];
	uint32_t site_count;
};

/* Count a close. site: of sites.h. */
void sc_totals_add(struct sc_totals *totals, unsigned site, const struct sc_conn *conn,
	enum sc_outcome outcome);

/* What there is now. */
void sc_totals_measure(const struct sc_totals *totals, struct sc_totals_table *table);

/* Take away the counts of a site: of the one with most resets, then most closes. Returns its number; -1:
 * there is none. */
int sc_totals_take(struct sc_totals *totals, struct sc_totals_row *row);

/* Lines of the table, newline included. Each returns its length. */
size_t sc_totals_format_head(const struct sc_totals_table *table, int pid, char *buf, size_t size);
size_t sc_totals_format_row(const struct sc_totals_table *table, const struct sc_totals_row *row,
	const struct sc_site *site, int pid, char *buf, size_t size);
size_t sc_totals_format_sum(const struct sc_totals_table *table, int pid, char *buf, size_t size);

#endif
