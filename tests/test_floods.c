// SPDX-License-Identifier: MIT
// LINK: floods.o
// HARNESS
/*
 * sc_floods_*: which lines are written, and that each that is not is told of once.
 */
#include "harness/rows.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "../shim/floods.h"

static const char unread[] = "unread";
static const struct sc_flood_kind kind = {7, SC_OUTCOME_RST, unread};

/* Thirty years of milliseconds after some boot fit. */
static const uint64_t moments[] = {1, 1000, 123456789, UINT64_C(30) * 366 * 86400 * 1000};

enum { MOMENT_COUNT = sizeof(moments) / sizeof(moments[0]) };

/* Ask for so many lines at a moment. Returns how many may be written; none of an earlier second must
 * have been left. */
static unsigned int ask(
	struct sc_floods *all, const struct sc_flood_kind *of, unsigned int count, uint64_t now_ms)
{
	unsigned int written = 0;

	for (unsigned int i = 0; i < count; i++) {
		struct sc_flood_rest rest;

		written += sc_floods_admit(all, of, now_ms, &rest);
		assert_int_equal(rest.count, 0);
	}
	return written;
}

static void test_floods_writes_the_first_of_a_second(void **state)
{
	(void)state;
	for (size_t i = 0; i < MOMENT_COUNT; i++) {
		static struct sc_floods all;

		memset(&all, 0, sizeof(all));
		assert_int_equal(ask(&all, &kind, SC_FLOODS_LINES, moments[i]), SC_FLOODS_LINES);
		assert_int_equal(ask(&all, &kind, 5, moments[i]), 0);
		assert_int_equal(ask(&all, &kind, 5, moments[i] + SC_FLOODS_MS - 1), 0);
	}
}

static void test_floods_tells_the_rest_with_the_next_second(void **state)
{
	(void)state;
	for (size_t i = 0; i < MOMENT_COUNT; i++) {
		static struct sc_floods all;
		struct sc_flood_rest rest;

		memset(&all, 0, sizeof(all));
		ask(&all, &kind, SC_FLOODS_LINES + 123, moments[i]);
		assert_true(sc_floods_admit(&all, &kind, moments[i] + SC_FLOODS_MS, &rest));
		assert_int_equal(rest.count, 123);
		assert_int_equal(rest.ms, SC_FLOODS_MS);
		assert_int_equal(rest.kind.site, 7);
		assert_int_equal(rest.kind.outcome, SC_OUTCOME_RST);
		assert_ptr_equal(rest.kind.why, unread);
		/* That line was the first of the new second. */
		assert_int_equal(
			ask(&all, &kind, 20, moments[i] + SC_FLOODS_MS), SC_FLOODS_LINES - 1);
	}
}

static void test_floods_without_too_many_tells_nothing(void **state)
{
	static struct sc_floods all;
	struct sc_flood_rest rest;
	size_t at = 0;

	(void)state;
	ask(&all, &kind, SC_FLOODS_LINES, 1000);
	assert_false(sc_floods_is_due(&all, 5000));
	assert_false(sc_floods_take(&all, &at, 5000, true, &rest));
	assert_int_equal(ask(&all, &kind, 1, 2000), 1);
}

static void test_floods_at_the_end_tells_the_present_second(void **state)
{
	static struct sc_floods all;
	struct sc_flood_rest rest;
	size_t at = 0;

	(void)state;
	ask(&all, &kind, SC_FLOODS_LINES + 3, 1000);
	assert_false(sc_floods_take(&all, &at, 1400, false, &rest));
	at = 0;
	assert_true(sc_floods_take(&all, &at, 1400, true, &rest));
	assert_int_equal(rest.count, 3);
	assert_int_equal(rest.ms, 400);
	assert_ptr_equal(rest.kind.why, unread);
	assert_false(sc_floods_take(&all, &at, 1400, true, &rest));
	/* It goes on after all: nothing twice. */
	assert_int_equal(ask(&all, &kind, 2, 1500), 0);
	at = 0;
	assert_true(sc_floods_take(&all, &at, 1600, true, &rest));
	assert_int_equal(rest.count, 2);
}

/* With a line of another kind, once a second. */
static void test_floods_is_due_once_a_second(void **state)
{
	static struct sc_floods all;
	static const struct sc_flood_kind other = {8, SC_OUTCOME_RST, unread};
	struct sc_flood_rest rest;
	size_t at = 0;

	(void)state;
	ask(&all, &kind, SC_FLOODS_LINES + 3, 1000);
	assert_true(sc_floods_is_due(&all, 1000));
	assert_false(sc_floods_is_due(&all, 1999));
	assert_int_equal(ask(&all, &other, 1, 2000), 1);
	assert_true(sc_floods_is_due(&all, 2000));
	assert_true(sc_floods_take(&all, &at, 2000, false, &rest));
	assert_int_equal(rest.kind.site, 7);
	assert_int_equal(rest.count, 3);
	assert_int_equal(rest.ms, SC_FLOODS_MS);
	assert_false(sc_floods_is_due(&all, 2000));
	/* What was told so is not told by the next line of its kind. */
	assert_int_equal(ask(&all, &kind, 1, 2100), 1);
}

/* Site, outcome and reason, each for itself. */
static void test_floods_keeps_kinds_apart(void **state)
{
	static struct sc_floods all;
	const struct sc_flood_kind kinds[] = {kind, {8, SC_OUTCOME_RST, unread},
		{7, SC_OUTCOME_FIN, unread}, {7, SC_OUTCOME_RST, NULL}, {0, SC_OUTCOME_RST, NULL},
		{0, SC_OUTCOME_LIMIT, NULL}, {1024, SC_OUTCOME_LIMIT, unread}};

	(void)state;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		assert_int_equal(ask(&all, &kinds[i], 50, 1000), SC_FLOODS_LINES);
	}
}

/* More kinds than there is room for: nothing is lost, and what is held back is told. */
static void test_floods_past_its_size_writes(void **state)
{
	static struct sc_floods all;
	struct sc_flood_rest rest;
	unsigned int written = 0, told = 0;
	size_t at = 0;
	enum { SITES = 4 * SC_FLOODS_KINDS, EACH = SC_FLOODS_LINES + 2 };

	(void)state;
	for (unsigned int site = 0; site < SITES; site++) {
		written += ask(
			&all, &(struct sc_flood_kind){site, SC_OUTCOME_RST, unread}, EACH, 1000);
	}
	while (sc_floods_take(&all, &at, 1500, true, &rest)) {
		assert_int_equal(rest.count, 2);
		assert_in_range(rest.kind.site, 0, SITES - 1);
		told += rest.count;
	}
	assert_true(told > 2 * SC_FLOODS_KINDS / 2);
	assert_in_range(told, 1, 2 * SC_FLOODS_KINDS);
	assert_int_equal(written + told, SITES * EACH);
}

/* The clock of another thread is a little ahead: no second begins anew backwards. */
static void test_floods_bears_a_clock_that_is_behind(void **state)
{
	static struct sc_floods all;

	(void)state;
	assert_int_equal(ask(&all, &kind, 50, 5000), SC_FLOODS_LINES);
	assert_int_equal(ask(&all, &kind, 50, 4999), 0);
	assert_int_equal(ask(&all, &kind, 50, 1), 0);
}

/* ---- threads --------------------------------------------------------------------------------- */

enum { THREADS = 4, ROUNDS = 200000 };

static struct sc_floods shared;
static _Atomic uint64_t clock_ms = 1;
static _Atomic uint64_t accounted;

static void *flood(void *unused)
{
	for (int i = 0; i < ROUNDS; i++) {
		const struct sc_flood_kind one = {(unsigned int)i % 3, SC_OUTCOME_RST, unread};
		struct sc_flood_rest rest;
		uint64_t now = atomic_fetch_add(&clock_ms, i % 16 == 0);
		size_t at = 0;

		atomic_fetch_add(&accounted, sc_floods_admit(&shared, &one, now, &rest));
		atomic_fetch_add(&accounted, rest.count);
		if (sc_floods_is_due(&shared, now)) {
			while (sc_floods_take(&shared, &at, now, i % 2 == 0, &rest)) {
				atomic_fetch_add(&accounted, rest.count);
			}
		}
	}
	return unused;
}

/* Every line was written or told of, none twice. */
static void test_floods_of_threads_account_for_each_line(void **state)
{
	pthread_t threads[THREADS];
	struct sc_flood_rest rest;
	size_t at = 0;

	(void)state;
	for (size_t i = 0; i < THREADS; i++) {
		assert_int_equal(pthread_create(&threads[i], NULL, flood, NULL), 0);
	}
	for (size_t i = 0; i < THREADS; i++) {
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	}
	while (sc_floods_take(&shared, &at, atomic_load(&clock_ms), true, &rest)) {
		atomic_fetch_add(&accounted, rest.count);
	}
	assert_int_equal(atomic_load(&accounted), THREADS * ROUNDS);
}

static const struct rows_subject subjects[] = {
	ROWS_PLAIN(test_floods_writes_the_first_of_a_second),
	ROWS_PLAIN(test_floods_tells_the_rest_with_the_next_second),
	ROWS_PLAIN(test_floods_without_too_many_tells_nothing),
	ROWS_PLAIN(test_floods_at_the_end_tells_the_present_second),
	ROWS_PLAIN(test_floods_is_due_once_a_second),
	ROWS_PLAIN(test_floods_keeps_kinds_apart),
	ROWS_PLAIN(test_floods_past_its_size_writes),
	ROWS_PLAIN(test_floods_bears_a_clock_that_is_behind),
	ROWS_PLAIN(test_floods_of_threads_account_for_each_line),
};

int main(void)
{
	return ROWS_RUN(subjects);
}
