// SPDX-License-Identifier: MIT
// HARNESS
/*
 * The ordinary library in a program that was built with a sanitizer, whose run-time library has
 * definitions of its own of what ours calls, and needs thread storage for them that our thread does
 * not have.
 */
#include "harness/crowd.h"
#include "harness/rows.h"
#include "harness/sanitizer.h"
#include "harness/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct row {
	const char *name;
	const char *compiler;
	const char *sanitizer;
} rows[] = {
	{"gcc, address", "gcc", "address"},
	{"gcc, thread", "gcc", "thread"},
	{"clang, address", "clang", "address"},
	{"clang, thread", "clang", "thread"},
};

/* gcc's asks to be the first library of all, and leaks are not looked for in a namespace. */
#define OPTIONS "ASAN_OPTIONS=verify_asan_link_order=0:detect_leaks=0"

static char executable[64];

static int make_program(void **state)
{
	const struct row *row = *state;
	char command[1024];
	int file;

	snprintf(executable, sizeof(executable), "/tmp/sanitized-XXXXXX");
	file = mkstemp(executable);
	assert_true(file >= 0);
	close(file);
	snprintf(command, sizeof(command),
		"exec >/dev/null 2>&1; %s -g -O1 -D_GNU_SOURCE -fsanitize=%s -o %s "
		"%s/tests/programs/threads.c -lpthread && env " OPTIONS " %s 0 nothing",
		row->compiler, row->sanitizer, executable, SC_SOURCE_DIR, executable);
	if (sanitizer_is_any() || system(command) != 0) {
		unlink(executable);
		*executable = '\0';
	}
	return 0;
}

static int remove_program(void **state)
{
	unlink(executable);
	return crowd_teardown(state);
}

static struct crowd_end run(const char *mode, const char *words)
{
	sanitizer_skip_if(sanitizer_is_any(), "the library has one itself");
	if (!*executable) {
		print_message("such programs cannot be built or run here\n");
		skip();
	}
	return crowd_run(&(struct crowd_options){.program = {.executable = executable,
							 .mode = mode,
							 .wants_all_reports = true,
							 .environment = {OPTIONS}}},
		"%s", words);
}

static void assert_sites(const struct crowd_end *end, size_t count)
{
	char site[96];

	snprintf(site, sizeof(site), "; %s+0x", strrchr(executable, '/') + 1);
	assert_int_equal(text_lines(end->report), count);
	assert_int_equal(text_lines_with(end->report, site, NULL), count);
}

static void test_sanitized_control_resets(void **state)
{
	struct crowd_end end = run(NULL, "churn");

	(void)state;
	assert_int_equal(end.status, 0);
	assert_int_equal(end.grown.aborts_on_close, 240);
	assert_string_equal(end.report, "");
}

static void test_sanitized_warn_reports_each_reset(void **state)
{
	struct crowd_end end = run("warn", "churn");

	(void)state;
	assert_int_equal(end.status, 0);
	assert_int_equal(end.grown.aborts_on_close, 240);
	assert_sites(&end, 240);
}

static void test_sanitized_drain_ends_with_fin(void **state)
{
	struct crowd_end end = run("drain", "churn");

	(void)state;
	assert_crowd_was_fin(&end, 360);
	assert_sites(&end, 240);
}

static void test_sanitized_fin_ends_with_fin(void **state)
{
	struct crowd_end end = run("fin", "churn");

	(void)state;
	assert_crowd_was_fin(&end, 360);
	assert_sites(&end, 240);
}

static const struct rows_subject subjects[] = {
	ROWS_SUBJECT(test_sanitized_control_resets, rows),
	ROWS_SUBJECT(test_sanitized_warn_reports_each_reset, rows),
	ROWS_SUBJECT(test_sanitized_drain_ends_with_fin, rows),
	ROWS_SUBJECT(test_sanitized_fin_ends_with_fin, rows),
};

int main(void)
{
	return rows_run_between(
		subjects, sizeof(subjects) / sizeof(subjects[0]), make_program, remove_program);
}
