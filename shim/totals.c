// SPDX-License-Identifier: MIT
#include "totals.h"
#include "line.h"
#include <stdbool.h>
#include <string.h>

static const char *title_of(int column)
{
	switch (column) {
	case SC_TOTALS_UNREAD:
		return "unread";
	case SC_TOTALS_LOST:
		return "lost";
	default:
		return sc_report_outcome_name((enum sc_outcome)(SC_OUTCOME_RST + column));
	}
}

static void add(_Atomic uint64_t *count, uint64_t value)
{
	atomic_fetch_add_explicit(count, value, memory_order_relaxed);
}

void sc_totals_add(struct sc_totals *totals, unsigned site, const struct sc_conn *conn,
	enum sc_outcome outcome)
{
	_Atomic uint64_t *counts = totals->counts[site < SC_TOTALS_SITES ? site : 0];
	add(&counts[SC_TOTALS_UNREAD], conn->unread_bytes);
	add(&counts[SC_TOTALS_LOST], outcome == SC_OUTCOME_RST ? conn->unacked_bytes : 0);
	add(&counts[outcome - SC_OUTCOME_RST], 1);
}

static void look(const struct sc_totals *totals, unsigned site, struct sc_totals_row *row)
{
	for (int i = 0; i < SC_TOTALS_COLUMNS; i++) {
		row->columns[i] =
			atomic_load_explicit(&totals->counts[site][i], memory_order_relaxed);
	}
}

static uint64_t closes_of(const struct sc_totals_row *row)
{
	uint64_t closes = 0;
	for (int i = 0; i < SC_TOTALS_OUTCOMES; i++) {
		closes += row->columns[i];
	}
	return closes;
}

static uint8_t max(size_t a, size_t b)
{
	return (uint8_t)(a > b ? a : b);
}

static size_t digits_of(uint64_t value)
{
	size_t digits = 1;
	for (; value >= 10; value /= 10) {
		digits++;
	}
	return digits;
}

void sc_totals_measure(const struct sc_totals *totals, struct sc_totals_table *table)
{
	memset(table, 0, sizeof(*table));
	for (unsigned site = 0; site < SC_TOTALS_SITES; site++) {
		struct sc_totals_row row;
		look(totals, site, &row);
		table->site_count += closes_of(&row) > 0;
		for (int i = 0; i < SC_TOTALS_COLUMNS; i++) {
			table->sum.columns[i] += row.columns[i];
		}
	}
	for (int i = 0; i < SC_TOTALS_COLUMNS; i++) {
		table->widths[i] = max(strlen(title_of(i)), digits_of(table->sum.columns[i]));
	}
}

static bool is_before(const struct sc_totals_row *a, const struct sc_totals_row *b)
{
	return a->columns[0] != b->columns[0] ? a->columns[0] > b->columns[0]
					      : closes_of(a) > closes_of(b);
}

int sc_totals_take(struct sc_totals *totals, struct sc_totals_row *row)
{
	int best = -1;
	memset(row, 0, sizeof(*row));
	for (unsigned site = 0; site < SC_TOTALS_SITES; site++) {
		struct sc_totals_row other;
		look(totals, site, &other);
		if (is_before(&other, row)) {
			best = (int)site;
			*row = other;
		}
	}
	for (int i = 0; best >= 0 && i < SC_TOTALS_COLUMNS; i++) {
		row->columns[i] = atomic_exchange(&totals->counts[best][i], 0);
	}
	return best;
}

static void begin(struct sc_line *line, int pid)
{
	sc_line_add(line, "safeclose[");
	sc_line_add_number(line, (uint64_t)pid);
	sc_line_add(line, "]: totals:");
}

static void pad(struct sc_line *line, size_t width, size_t length)
{
	for (sc_line_add(line, "  "); length < width; length++) {
		sc_line_add_char(line, ' ');
	}
}

static void add_numbers(
	struct sc_line *line, const struct sc_totals_table *table, const struct sc_totals_row *row)
{
	for (int i = 0; i < SC_TOTALS_COLUMNS; i++) {
		pad(line, table->widths[i], digits_of(row->columns[i]));
		sc_line_add_number(line, row->columns[i]);
	}
	sc_line_add(line, "  ");
}

size_t sc_totals_format_head(const struct sc_totals_table *table, int pid, char *buf, size_t size)
{
	struct sc_line line = {buf, size, 0};
	begin(&line, pid);
	for (int i = 0; i < SC_TOTALS_COLUMNS; i++) {
		pad(&line, table->widths[i], strlen(title_of(i)));
		sc_line_add(&line, title_of(i));
	}
	sc_line_add(&line, "  call site");
	sc_line_end(&line);
	return line.length;
}

size_t sc_totals_format_row(const struct sc_totals_table *table, const struct sc_totals_row *row,
	const struct sc_site *site, int pid, char *buf, size_t size)
{
	struct sc_line line = {buf, size, 0};
	begin(&line, pid);
	add_numbers(&line, table, row);
	sc_report_add_site(&line, site);
	sc_line_end(&line);
	return line.length;
}

size_t sc_totals_format_sum(const struct sc_totals_table *table, int pid, char *buf, size_t size)
{
	struct sc_line line = {buf, size, 0};
	begin(&line, pid);
	add_numbers(&line, table, &table->sum);
	sc_line_add(&line, "call sites: ");
	sc_line_add_number(&line, table->site_count);
	sc_line_end(&line);
	return line.length;
}
