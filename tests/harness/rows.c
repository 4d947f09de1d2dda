// SPDX-License-Identifier: MIT
#include "rows.h"
#include "stage.h"

#include <stdio.h>
#include <stdlib.h>

static size_t tests_of(const struct rows_subject *subject)
{
	return subject->rows ? subject->row_count : 1;
}

static struct CMUnitTest make_test(const struct rows_subject *subject, size_t row)
{
	struct CMUnitTest test = {
		.name = subject->name,
		.test_func = subject->test,
		.teardown_func = stage_teardown,
	};

	if (subject->rows) {
		const char *place = (const char *)subject->rows + row * subject->row_bytes;
		char *name = NULL;

		if (asprintf(&name, "%s (%s)", subject->name, *(const char *const *)place) < 0) {
			abort();
		}
		test.name = name;
		test.initial_state = (void *)(uintptr_t)place;
	}
	return test;
}

int rows_run(const struct rows_subject *subjects, size_t count)
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
			tests[filled++] = make_test(&subjects[s], row);
		}
	}
	failed = _cmocka_run_group_tests("tests", tests, test_count, NULL, NULL);
	for (size_t i = 0; i < test_count; i++) {
		if (tests[i].initial_state) {
			free((char *)(uintptr_t)tests[i].name);
		}
	}
	free(tests);
	return failed;
}
