// SPDX-License-Identifier: MIT
// LINK: totals.o report.o line.o
// HARNESS
/*
 * sc_totals_*: what is counted, and the table of it.
 */
#include "harness/rows.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "../shim/totals.h"

static struct sc_totals totals;

static void count(unsigned int site, enum sc_outcome outcome, uint32_t unread, uint32_t unacked)
{
	const struct sc_conn conn = {.unread_bytes = unread, .unacked_bytes = unacked};

	sc_totals_add(&totals, site, &conn, outcome);
}

static const struct sc_site sites[] = {
	{NULL, 0, NULL, 0, 0},
	{"app", 0x1a2b, "reply_and_close", 0x3c, 0x55e4c0de1a2b},
	{"libpq.so.5", 0x9f0, NULL, 0, 0x7f00000009f0},
};

/* The whole table. */
static const char *table_of(int pid)
{
	static char text[4096];
	struct sc_totals_table table;
	struct sc_totals_row row;
	size_t length;
	int site;

	sc_totals_measure(&totals, &table);
	length = sc_totals_format_head(&table, pid, text, sizeof(text));
	while ((site = sc_totals_take(&totals, &row)) >= 0) {
		assert_in_range(site, 0, 2);
		length += sc_totals_format_row(
			&table, &row, &sites[site], pid, text + length, sizeof(text) - length);
	}
	length += sc_totals_format_sum(&table, pid, text + length, sizeof(text) - length - 1);
	text[length] = '\0';
	return text;
}

static int empty(void **state)
{
	(void)state;
	memset(&totals, 0, sizeof(totals));
	return 0;
}

static void test_totals_table_is_aligned(void **state)
{
	(void)state;
	for (int i = 0; i < 12; i++) {
		count(1, SC_OUTCOME_RST, 312, 8192);
	}
	count(1, SC_OUTCOME_FIN, 100, 50);
	count(2, SC_OUTCOME_RST, 1, 0);
	count(2, SC_OUTCOME_SHARED, 5, 5);
	count(2, SC_OUTCOME_ABORTIVE, 0, 0);
	count(2, SC_OUTCOME_TIMEOUT, 0, 0);
	count(2, SC_OUTCOME_LIMIT, 4000000, 0);
	count(0, SC_OUTCOME_FIN, 7, 0);
	assert_string_equal(table_of(4242),
		"safeclose[4242]: totals:  rst  fin  shared  abortive  timeout  limit   unread   "
		"lost  call site\n"
		"safeclose[4242]: totals:   12    1       0         0        0      0     3844  "
		"98304  app+0x1a2b (reply_and_close+0x3c)\n"
		"safeclose[4242]: totals:    1    0       1         1        1      1  4000006   "
		"   0  libpq.so.5+0x9f0\n"
		"safeclose[4242]: totals:    0    1       0         0        0      0        7   "
		"   0  ?\n"
		"safeclose[4242]: totals:   13    2       1         1        1      1  4003857  "
		"98304  call sites: 3\n");
}

/* What was taken is not told again. */
static void test_totals_begin_again_with_nothing(void **state)
{
	struct sc_totals_table table;
	struct sc_totals_row row;

	(void)state;
	count(1, SC_OUTCOME_RST, 1, 1);
	assert_int_equal(sc_totals_take(&totals, &row), 1);
	assert_int_equal(row.columns[SC_TOTALS_LOST], 1);
	assert_int_equal(sc_totals_take(&totals, &row), -1);
	sc_totals_measure(&totals, &table);
	assert_int_equal(table.site_count, 0);
	count(2, SC_OUTCOME_FIN, 1, 1);
	assert_int_equal(sc_totals_take(&totals, &row), 2);
	assert_int_equal(row.columns[SC_TOTALS_LOST], 0);
}

static void test_totals_sites_past_its_size_are_unknown(void **state)
{
	struct sc_totals_row row;

	(void)state;
	count(SC_TOTALS_SITES - 1, SC_OUTCOME_RST, 1, 0);
	count(SC_TOTALS_SITES, SC_OUTCOME_RST, 1, 0);
	count(65535, SC_OUTCOME_RST, 1, 0);
	assert_int_equal(sc_totals_take(&totals, &row), 0);
	assert_int_equal(row.columns[0], 2);
	assert_int_equal(sc_totals_take(&totals, &row), SC_TOTALS_SITES - 1);
	assert_int_equal(sc_totals_take(&totals, &row), -1);
}

static void test_totals_huge_numbers_fit_a_line(void **state)
{
	static char name[256];
	const struct sc_site site = {name, UINT64_MAX, name, UINT64_MAX, UINT64_MAX};
	struct sc_totals_table table;
	struct sc_totals_row row;
	char line[768];
	size_t length;

	(void)state;
	memset(name, '\x1b', sizeof(name) - 1);
	for (int i = 0; i < SC_TOTALS_COLUMNS; i++) {
		atomic_store(&totals.counts[1][i], UINT64_MAX / 8);
	}
	sc_totals_measure(&totals, &table);
	assert_int_equal(sc_totals_take(&totals, &row), 1);
	length = sc_totals_format_row(&table, &row, &site, INT32_MAX, line, sizeof(line));
	assert_in_range(length, 1, sizeof(line) - 1);
	assert_int_equal(line[length - 1], '\n');
	for (size_t size = 0; size < length; size++) {
		assert_int_equal(
			sc_totals_format_row(&table, &row, &site, INT32_MAX, line, size), size);
		assert_true(size == 0 || line[size - 1] == '\n');
	}
}

enum { THREADS = 4, ROUNDS = 100000 };

static void *add_many(void *unused)
{
	for (int i = 0; i < ROUNDS; i++) {
		count((unsigned int)i % 2, SC_OUTCOME_RST, 3, 2);
	}
	return unused;
}

static void test_totals_of_threads_are_exact(void **state)
{
	pthread_t threads[THREADS];
	struct sc_totals_row row;

	(void)state;
	for (size_t i = 0; i < THREADS; i++) {
		assert_int_equal(pthread_create(&threads[i], NULL, add_many, NULL), 0);
	}
	for (size_t i = 0; i < THREADS; i++) {
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	}
	for (int i = 0; i < 2; i++) {
		assert_in_range(sc_totals_take(&totals, &row), 0, 1);
		assert_int_equal(row.columns[0], THREADS * ROUNDS / 2);
		assert_int_equal(row.columns[SC_TOTALS_UNREAD], 3 * THREADS * ROUNDS / 2);
		assert_int_equal(row.columns[SC_TOTALS_LOST], 2 * THREADS * ROUNDS / 2);
	}
}

static const struct rows_subject subjects[] = {
	ROWS_PLAIN(test_totals_table_is_aligned),
	ROWS_PLAIN(test_totals_begin_again_with_nothing),
	ROWS_PLAIN(test_totals_sites_past_its_size_are_unknown),
	ROWS_PLAIN(test_totals_huge_numbers_fit_a_line),
	ROWS_PLAIN(test_totals_of_threads_are_exact),
};

int main(void)
{
	return rows_run_between(subjects, sizeof(subjects) / sizeof(subjects[0]), empty, NULL);
}
