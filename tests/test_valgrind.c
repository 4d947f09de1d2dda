// SPDX-License-Identifier: MIT
// HARNESS
/*
 * Programs under the library and valgrind's memcheck: it finds no error, on the library's own thread
 * neither, and each connection ends as the mode has it.
 */
#include "harness/crowd.h"
#include "harness/folder.h"
#include "harness/rows.h"
#include "harness/sanitizer.h"
#include "harness/text.h"

#include <stdio.h>
#include <unistd.h>

#define VALGRIND "/usr/bin/valgrind"
/* On a busy machine valgrind's threads, one at a time, need more than the 2 s that exit waits. */
#define PATIENT "SAFECLOSE_EXIT_TIMEOUT=30s"
#define OPTIONS "VALGRIND_OPTS=-q --vgdb=no --fair-sched=try --error-exitcode=99"

static const struct row {
	const char *name;
	const char *executable;
	const char *words;
	size_t unread; /* closed with unread bytes */
	size_t clean;  /* closed with all read */
} rows[] = {
	{"sole", "plight", "dial close", 1, 0},
	{"duplicated", "plight", "dial dup close close", 1, 0},
	{"after_a_fork", "plight", "dial fork close", 1, 0},
	{"at_exit", "plight", "dial dial", 2, 0},
	{"close_range", "plight", "dial dial close-all", 2, 0},
	{"threads", "threads", "same", 60, 0},
	{"many_threads", "threads", "churn", 240, 120},
};

static struct crowd_end run(const struct row *row, const char *mode)
{
	struct crowd_end end;

	sanitizer_skip_if(sanitizer_is_any(), "it is not for valgrind");
	if (access(VALGRIND, X_OK) < 0) {
		print_message("there is no valgrind here\n");
		skip();
	}
	end = crowd_run(&(struct crowd_options){.program = {.executable = row->executable,
							.under = VALGRIND,
							.mode = mode,
							.environment = {OPTIONS, PATIENT}}},
		"%s", row->words);
	if (end.status != 0 || text_lines_with(end.report, "==", NULL) > 0) {
		fputs(end.report, stderr); /* a message would be cut */
		fail_msg("status %d:\n%s", end.status, end.output);
	}
	return end;
}

static void assert_resets(const struct row *row, const struct crowd_end *end)
{
	assert_int_equal(end->connections, row->unread + row->clean);
	assert_int_equal(end->grown.aborts_on_close, row->unread);
}

static void test_valgrind_control_resets(void **state)
{
	struct crowd_end end = run(*state, NULL);

	assert_resets(*state, &end);
}

static void test_valgrind_warn_is_clean(void **state)
{
	struct crowd_end end = run(*state, "warn");

	assert_resets(*state, &end);
}

static void test_valgrind_drain_is_clean(void **state)
{
	const struct row *row = *state;
	struct crowd_end end = run(row, "drain");

	assert_crowd_was_fin(&end, row->unread + row->clean);
}

static void test_valgrind_fin_is_clean(void **state)
{
	const struct row *row = *state;
	struct crowd_end end = run(row, "fin");

	assert_crowd_was_fin(&end, row->unread + row->clean);
}

static const struct rows_subject subjects[] = {
	ROWS_SUBJECT(test_valgrind_control_resets, rows),
	ROWS_SUBJECT(test_valgrind_warn_is_clean, rows),
	ROWS_SUBJECT(test_valgrind_drain_is_clean, rows),
	ROWS_SUBJECT(test_valgrind_fin_is_clean, rows),
};

int main(void)
{
	int failed = rows_run_between(subjects, sizeof(subjects) / sizeof(subjects[0]),
		folder_make_for_temporaries, folder_remove);

	crowd_teardown(NULL);
	return failed;
}
