// SPDX-License-Identifier: MIT
#include "rows.h"
#include "stage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* HARNESS_ROWS="NAME NAME": these rows alone, of every subject that has rows. */
static bool is_wanted(const char *name)
{
	const char *wanted = getenv("HARNESS_ROWS");
	size_t length = strlen(name);

	for (const char *place = wanted; place && (place = strstr(place, name)); place++) {
		if ((place == wanted || place[-1] == ' ') &&
			(place[length] == ' ' || place[length] == '\0')) {
			return true;
		}
	}
	return !wanted;
}

static size_t tests_of(const struct rows_subject *subject)
{
	return subject->rows ? subject->row_count : 1;
}

/* A row begins with its name. NULL: the subject has no rows. */
static const char *const *row_of(const struct rows_subject *subject, size_t row)
{
	const char *rows = subject->rows;

	return rows ? (const void *)(rows + row * subject->row_bytes) : NULL;
}

static struct CMUnitTest make_test(const struct rows_subject *subject, const char *const *row,
	CMFixtureFunction setup, CMFixtureFunction teardown)
{
	struct CMUnitTest test = {
		.name = subject->name,
		.test_func = subject->test,
		.setup_func = setup,
		.teardown_func = teardown,
	};

	if (row) {
		char *name = NULL;

		if (asprintf(&name, "%s (%s)", subject->name, *row) < 0) {
			abort();
		}
		test.name = name;
		test.initial_state = (void *)(uintptr_t)row;
	}
	return test;
}

int rows_run(const struct rows_subject *subjects, size_t count)
{
	return rows_run_between(subjects, count, NULL, stage_teardown);
}

int rows_run_between(const struct rows_subject *subjects, size_t count, CMFixtureFunction setup,
	CMFixtureFunction teardown)
{
	struct CMUnitTest *tests;
	size_t test_count = 0;
	size_t filled = 0;
	int failed;

	for (size_t s = 0; s < count; s++) {
		test_count += tests_of(&subjects[s]);
	}
	tests = calloc(test_count, sizeof(*tests));
	if (!tests) {
		abort();
	}
	for (size_t s = 0; s < count; s++) {
		for (size_t row = 0; row < tests_of(&subjects[s]); row++) {
			const char *const *name = row_of(&subjects[s], row);

			if (!name || is_wanted(*name)) {
				tests[filled++] = make_test(&subjects[s], name, setup, teardown);
			}
		}
	}
	failed = _cmocka_run_group_tests("tests", tests, filled, NULL, NULL);
	for (size_t i = 0; i < filled; i++) {
		if (tests[i].initial_state) {
			free((char *)(uintptr_t)tests[i].name);
		}
	}
	free(tests);
	return failed;
}
