// SPDX-License-Identifier: MIT
/* Tests that run for each row of a table. */
#ifndef HARNESS_ROWS_H
#define HARNESS_ROWS_H

#include "unit.h"

#include <stddef.h>

/* A test and its rows, each of which begins with its name (const char *); *state is the row. No rows:
 * a test of its own. */
struct rows_subject {
	const char *name;
	CMUnitTestFunction test;
	const void *rows;
	size_t row_bytes;
	size_t row_count;
};

#define ROWS_NAMED(name, test, rows)                                                  \
	{                                                                             \
		name, test, rows, sizeof((rows)[0]), sizeof(rows) / sizeof((rows)[0]) \
	}
#define ROWS_SUBJECT(test, rows) ROWS_NAMED(#test, test, rows)
#define ROWS_PLAIN(test)                \
	{                               \
#test, test, NULL, 0, 0 \
	}

/* Run them as one group, each test with stage_teardown(). Returns what main() is to return. With
 * HARNESS_ROWS="NAME NAME" in the environment, of the rows these alone. */
int rows_run(const struct rows_subject *subjects, size_t count);

/* The same, each test between these two. */
int rows_run_between(const struct rows_subject *subjects, size_t count, CMFixtureFunction setup,
	CMFixtureFunction teardown);

#define ROWS_RUN(subjects) rows_run(subjects, sizeof(subjects) / sizeof((subjects)[0]))

#endif
