// SPDX-License-Identifier: MIT
// HARNESS
/*
 * What the library looks at in the queue of a unix socket whose last descriptor goes (see also
 * test_sent.c): the program cannot tell, and no child gets hold of it.
 */
#include "harness/sanitizer.h"
#include "harness/stage.h"
#include "harness/unit.h"

#include <stdlib.h>
#include <string.h>

/* What a program can see of it; its connections end as each mode says. */
static struct stage_end run_mailbox(const char *mode, const char *what)
{
	struct stage *stage = stage_open(PEER_IPV4);

	program_start(&stage->program,
		&(struct program_options){.executable = "mailbox",
			.mode = mode,
			.is_alone = true,
			.wants_all_reports = true},
		"%s", what);
	return stage_judge(stage, program_await_exit(&stage->program));
}

static void assert_cannot_tell(const char *what, int resets_min)
{
	static const char *const modes[] = {"off", "warn", "drain", "fin"};
	struct stage_end end = run_mailbox(NULL, what);
	char *expected = strdup(end.output);
	int resets = (int)end.grown.aborts_on_close;

	assert_int_equal(end.status, 0);
	assert_non_null(strstr(expected, "the end\n"));
	assert_in_range(resets, resets_min, INT32_MAX);
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		end = run_mailbox(modes[i], what);
		assert_int_equal(end.status, 0);
		assert_string_equal(end.output, expected);
		if (strcmp(modes[i], "warn") == 0) {
			assert_int_equal(end.grown.aborts_on_close, resets);
		}
	}
	free(expected);
}

static void test_mailbox_program_cannot_tell(void **state)
{
	(void)state;
	assert_cannot_tell("looks", 4);
}

static void test_mailbox_program_started_by_exec_cannot_tell(void **state)
{
	(void)state;
	assert_cannot_tell("inherits", 1);
}

static void test_mailbox_copies_are_no_child_s(void **state)
{
	static const char *const modes[] = {NULL, "warn", "drain", "fin"};

	(void)state;
	sanitizer_skip_if(sanitizer_is_for_threads(), "forks among threads");
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		struct stage_end end = run_mailbox(modes[i], "forks");

		assert_int_equal(end.status, 0);
		assert_string_equal(end.output, "0 copies\nthe end\n");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_mailbox_program_cannot_tell, stage_teardown),
		cmocka_unit_test_teardown(
			test_mailbox_program_started_by_exec_cannot_tell, stage_teardown),
		cmocka_unit_test_teardown(test_mailbox_copies_are_no_child_s, stage_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
