// SPDX-License-Identifier: MIT
#include "audit.h"
#include "clock.h"
#include "floods.h"
#include "memory.h"
#include "sink.h"
#include "sites.h"
#include "totals.h"

enum { LINE_SIZE = 768 }; /* the longest names, and all numbers */

static struct sc_floods *floods; /* NULL: nothing is held back */
static struct sc_totals *totals; /* NULL: nothing is counted */

void sc_audit_init(void)
{
	if (sc_config.format == SC_FORMAT_TEXT) {
		floods = sc_memory_map_wiped(sizeof(*floods));
	}
	if (sc_config.summary == SC_SUMMARY_AT_EXIT) {
		totals = sc_memory_map_wiped(sizeof(*totals));
	}
}

static uint64_t now_ms(void)
{
	return sc_clock_ns(CLOCK_MONOTONIC) / 1000000;
}

static void tell_rest(const struct sc_flood_rest *rest, int pid)
{
	struct sc_site site;
	char line[LINE_SIZE];
	sc_sites_get(rest->kind.site, &site);
	size_t length = sc_report_format_rest(rest, &site, pid, line, sizeof(line));
	sc_sink_write(line, length, pid);
}

static void tell_rests(uint64_t now, bool is_end, int pid)
{
	struct sc_flood_rest rest;
	size_t at = 0;
	while (sc_floods_take(floods, &at, now, is_end, &rest)) {
		tell_rest(&rest, pid);
	}
}

bool sc_audit_admit(unsigned site, const struct sc_conn *conn, enum sc_outcome outcome,
	const char *why, int pid)
{
	if (totals != NULL) {
		sc_totals_add(totals, site, conn, outcome);
	}
	if (floods == NULL) {
		return true;
	}
	struct sc_flood_kind kind = {site, outcome, why};
	struct sc_flood_rest rest;
	uint64_t now = now_ms();
	bool is_admitted = sc_floods_admit(floods, &kind, now, &rest);
	if (rest.count > 0) {
		tell_rest(&rest, pid);
	}
	if (sc_floods_is_due(floods, now)) {
		tell_rests(now, false, pid);
	}
	return is_admitted;
}

/* A log of JSON has reports alone: there the table is for people, on stderr. */
static void tell(const char *line, size_t length, int pid)
{
	if (sc_config.format == SC_FORMAT_JSON) {
		sc_sink_write_stderr(line, length);
	} else {
		sc_sink_write(line, length, pid);
	}
}

/* At most as many rows as there were: other threads may go on closing. */
static void tell_totals(int pid)
{
	struct sc_totals_table table;
	char line[LINE_SIZE];
	sc_totals_measure(totals, &table);
	if (table.site_count == 0) {
		return;
	}
	tell(line, sc_totals_format_head(&table, pid, line, sizeof(line)), pid);
	for (uint32_t i = 0; i < table.site_count; i++) {
		struct sc_totals_row row = {{0}};
		struct sc_site site;
		int number = sc_totals_take(totals, &row);
		if (number < 0) {
			break;
		}
		sc_sites_get((unsigned)number, &site);
		tell(line, sc_totals_format_row(&table, &row, &site, pid, line, sizeof(line)), pid);
	}
	tell(line, sc_totals_format_sum(&table, pid, line, sizeof(line)), pid);
}

void sc_audit_finish(int pid)
{
	if (floods != NULL) {
		tell_rests(now_ms(), true, pid);
	}
	if (totals != NULL) {
		tell_totals(pid);
	}
	sc_sink_finish(pid);
}
