// SPDX-License-Identifier: MIT
// HARNESS
/*
 * close() with unread bytes wherever a program may call it: in signal handlers, in several threads,
 * before main and behind the last handler of exit, under cancellation, on small stacks. It must not
 * hang, crash or touch errno, and each connection ends as the mode has it.
 */
#include "harness/crowd.h"
#include "harness/sanitizer.h"
#include "harness/text.h"
#include "harness/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A program, its arguments behind the port, and the connections that it closes. */
struct row {
	const char *executable;
	const char *words;
	size_t unread; /* closed with unread bytes */
	size_t clean;  /* closed with all read */
};

static const struct row rows[] = {
	{"handler", "malloc 1", 100, 0},
	{"handler", "library 1", 200, 0},
	{"handler", "malloc 4", 400, 0},
	{"handler", "library 4", 800, 0},
	{"threads", "churn", 240, 120},
	{"threads", "same", 60, 0},
	{"threads", "cancel-pending", 1, 0},
	{"threads", "cancel-during", 720, 0},
	{"threads", "forks leave", 240, 0},
	{"threads", "forks close", 240, 0},
	{"threads", "polled 1", 1, 0},
	{"threads", "stack sole", 1, 0},
	{"threads", "stack dup", 1, 0},
	{"threads", "stack fork", 1, 0},
	{"threads", "stack exit", 1, 0},
	{"early", "preinit", 1, 0},
	{"early", "pipe-first", 1, 0},
	{"early", "constructor", 1, 0},
	{"early", "atexit", 1, 0},
	{"early", "destructor", 1, 0},
	{"early", "late", 1, 0},
	{"allocator", "", 1, 0},
};

enum { ROW_COUNT = sizeof(rows) / sizeof(rows[0]) };

enum { STATUS_RACED = 66 }; /* ThreadSanitizer's */

/* Two closes of one descriptor are a race, of which ThreadSanitizer tells; for that it opens
 * files, which the second close then closes. It is so without our library. */
#define OPENS_FILES "it opens files when it sees one descriptor closed twice"

/* To linger, or to look again who holds what the child closed or had at its end. */
static bool begins_thread_in_child(const char *mode)
{
	return strcmp(mode, "warn") != 0;
}

/* What a sanitizer's run-time library has no way to do. */
static void skip_if_sanitized(const struct row *row, const char *mode)
{
	const char *why = NULL;

	if (!sanitizer_is_any() || !mode) {
		return;
	}
	if (strncmp(row->words, "stack", 5) == 0) {
		why = "it needs larger stacks";
	} else if (strcmp(row->executable, "handler") == 0 && strcmp(mode, "fin") == 0) {
		why = "it allocates where a thread begins, here in a handler";
	} else if (strcmp(row->executable, "handler") == 0 && sanitizer_is_for_threads()) {
		why = "it leaves all signals blocked when one follows closely on another";
	} else if (strcmp(row->executable, "allocator") == 0) {
		why = "it has an allocator of its own";
	} else if (strcmp(row->words, "same") == 0 && sanitizer_is_for_threads()) {
		why = OPENS_FILES;
	} else if (strncmp(row->words, "forks", 5) == 0 &&
		   (sanitizer_is_for_threads() || begins_thread_in_child(mode))) {
		why = "the allocator of a child that was forked among threads may be locked";
	}
	if (why) {
		print_message("not with a sanitizer: %s\n", why);
		skip();
	}
}

/* After the library's last wait. */
static bool is_late(const struct row *row)
{
	return strcmp(row->words, "late") == 0;
}

static struct crowd_end run(const struct row *row, const char *mode)
{
	skip_if_sanitized(row, mode);
	/* However late a busy machine lets the peers hang up. */
	return crowd_run(&(struct crowd_options){.program = {.executable = row->executable,
							 .mode = mode,
							 .wants_all_reports = true,
							 .environment = {"SAFECLOSE_LINGER_TIMEOUT="
									 "30s"}},
				 .stays = is_late(row)},
		"%s", row->words);
}

/* Where a busy machine lets the program's end come before a peer's, that is told too. */
static bool is_of(const char *line, const char *outcome)
{
	char *at_exit = text_replaced(outcome, "fin in ", "fin (exit) in ");
	bool is_one =
		strstr(line, ": 1000 unread") && (strstr(line, outcome) || strstr(line, at_exit));

	free(at_exit);
	return is_one;
}

/* As many lines as closes with unread bytes, all of this outcome. */
static void assert_reports(const struct crowd_end *end, size_t unread, const char *outcome)
{
	size_t lines = text_lines(end->report);
	size_t wanted = 0;
	char *text = strdup(end->report);
	char *rest;

	assert_non_null(text);
	for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		if (is_of(line, outcome)) {
			wanted++;
		} else {
			print_message("%s\n", line);
		}
	}
	free(text);
	if (lines != unread || wanted != unread) {
		fail_msg("%zu closes, but %zu lines, %zu of them of %s", unread, lines, wanted,
			outcome);
	}
}

static void assert_resets(const struct row *row, const struct crowd_end *end)
{
	if (end->status != 0) {
		fail_msg("status %d:\n%s%s", end->status, end->output, end->report);
	}
	assert_int_equal(end->connections, row->unread + row->clean);
	assert_int_equal(end->grown.aborts_on_close, row->unread);
	assert_int_equal(end->errors, row->unread);
}

static void test_close_control_resets(void **state)
{
	const struct row *row = *state;
	struct crowd_end end = run(row, NULL);

	assert_resets(row, &end);
	assert_string_equal(end.report, "");
}

static void test_close_warn_reports_every_reset(void **state)
{
	const struct row *row = *state;
	struct crowd_end end = run(row, "warn");

	assert_resets(row, &end);
	if (strcmp(row->words, "same") != 0) {
		assert_reports(&end, row->unread, "; rst (unread) in ");
	}
}

/*
 * A thread that is inside a call with the same descriptor still holds the connection, for an
 * instant or for as long as it is not given a processor: then shared is the truth when asked.
 */
static void test_same_descriptor_warn_reports_each_close_once(void **state)
{
	struct crowd_end end;

	(void)state;
	sanitizer_skip_if(sanitizer_is_for_threads(), OPENS_FILES);
	end = crowd_run(&(struct crowd_options){.program = {.executable = "threads",
							.mode = "warn",
							.wants_all_reports = true,
							.environment = {"SAFECLOSE_REPORT=all"}}},
		"same");
	assert_crowd_was_reset(&end, 60);
	assert_reports(&end, 60, "");
	assert_in_range(text_lines_with(end.report, "; rst (unread) in ", NULL), 20, 60);
}

static void assert_cured(const struct row *row, const char *mode)
{
	struct crowd_end end = run(row, mode);

	bool is_cut = is_late(row) && strcmp(mode, "fin") == 0; /* nothing lingers any more */

	assert_crowd_was_fin(&end, row->unread + row->clean);
	assert_reports(&end, row->unread,
		is_cut ? "; drained 1000, limit (no thread) in " : "; drained 1000, fin in ");
}

static void test_close_drain_ends_with_fin(void **state)
{
	assert_cured(*state, "drain");
}

static void test_close_fin_ends_with_fin(void **state)
{
	assert_cured(*state, "fin");
}

/* The kernel releases a connection when the call that let go of it last returns to the program. */
static void test_call_returns_late_close_is_told(void **state)
{
	struct crowd_end end;

	(void)state;
	sanitizer_skip_if(sanitizer_is_any(), "its memory is not held back");
	end = crowd_run(&(struct crowd_options){.program = {.executable = "returning",
							.mode = "warn",
							.wants_all_reports = true,
							.environment = {"SAFECLOSE_REPORT=all"}}},
		"%s", "");
	if (strstr(end.output, "no userfaultfd")) {
		print_message("no permission for userfaultfd\n");
		skip();
	}
	assert_crowd_was_reset(&end, 5);
	assert_reports(&end, 5, "");
	/* Or the call lasted longer than is waited for, on a busy machine. */
	assert_in_range(text_lines_with(end.report, "; rst (unread) in ", NULL), 1, 5);
}

/* Whoever comes first: what is told is what the kernel has counted. */
static void test_read_meanwhile_warn_tells_what_was_reset(void **state)
{
	struct crowd_end end;

	(void)state;
	sanitizer_skip_if(sanitizer_is_for_threads(), "it tells of the program's race");
	end = crowd_run(&(struct crowd_options){.program = {.executable = "threads",
							.mode = "warn",
							.wants_all_reports = true,
							.environment = {"SAFECLOSE_REPORT=all"}}},
		"read");
	assert_int_equal(end.status, 0);
	assert_int_equal(end.connections, 60);
	assert_int_equal(
		text_lines_with(end.report, "; rst (unread) in ", NULL), end.grown.aborts_on_close);
}

/* The program may have any number; the library keeps out of its way, and tells each close all
 * the same. */
static void test_numbers_taken_each_close_is_told_once(void **state)
{
	static const char *const all_modes[] = {"warn", "drain", "fin"};

	(void)state;
	sanitizer_skip_if(sanitizer_is_any(), "its library has files of its own");
	for (size_t i = 0; i < sizeof(all_modes) / sizeof(all_modes[0]); i++) {
		struct crowd_end end =
			crowd_run(&(struct crowd_options){.program = {.executable = "threads",
								  .mode = all_modes[i],
								  .wants_all_reports = true}},
				"taken");

		if (end.status != 0) {
			fail_msg("%s: status %d:\n%s%s", all_modes[i], end.status, end.output,
				end.report);
		}
		assert_int_equal(end.connections, 240);
		assert_int_equal(text_lines_with(end.report, "]: close(", NULL), 240);
		assert_int_equal(
			text_lines_with(end.report, "; rst (", NULL), end.grown.aborts_on_close);
	}
}

/* ---- what is particular --------------------------------------------------------------------- */

static const char *const modes[] = {"warn", "drain", "fin"};

enum { MODE_COUNT = sizeof(modes) / sizeof(modes[0]) };

/* Else the rows of handlers prove nothing. */
static void test_handler_interrupts_the_library(void **state)
{
	(void)state;
	for (size_t i = 0; i < MODE_COUNT; i++) {
		struct crowd_end end = run(&rows[1], modes[i]);

		assert_true(text_number_after(end.output, "nested ") > 0);
	}
}

/* In each mode the program threads says this, and has as many descriptors as at its begin. */
static void assert_threads_say(const char *words, const char *line)
{
	const struct row row = {"threads", words, 0, 0};

	for (size_t i = 0; i < MODE_COUNT; i++) {
		struct crowd_end end = run(&row, modes[i]);

		if (!strstr(end.output, line) || !strstr(end.output, "descriptors +0\n")) {
			fail_msg("%s, not \"%s\":\n%s%s", modes[i], line, end.output, end.report);
		}
	}
}

static void test_cancel_pending_close_closes(void **state)
{
	(void)state;
	assert_threads_say("cancel-pending", "closed 1 open 0\n");
}

static void test_cancel_during_close_closes(void **state)
{
	(void)state;
	assert_threads_say("cancel-during", "left open 0\n");
}

static void test_churn_leaves_no_descriptor(void **state)
{
	(void)state;
	assert_threads_say("churn", "");
}

static void test_same_descriptor_leaves_no_descriptor(void **state)
{
	(void)state;
	sanitizer_skip_if(sanitizer_is_for_threads(), OPENS_FILES);
	assert_threads_say("same", "");
}

/* Half of 64 KiB is the program's own. */
static void test_stack_is_used_with_care(void **state)
{
	static const char *const hows[] = {"stack sole", "stack dup", "stack fork"};

	(void)state;
	for (size_t r = 0; r < sizeof(hows) / sizeof(hows[0]); r++) {
		const struct row row = {"threads", hows[r], 1, 0};

		for (size_t i = 0; i < MODE_COUNT; i++) {
			struct crowd_end end = run(&row, modes[i]);

			assert_int_equal(end.status, 0);
			assert_in_range(text_number_after(end.output, "stack "), 1, 32 * 1024);
		}
	}
}

/* ---- another library ------------------------------------------------------------------------ */

static char other_library[64];

static int make_library(void **state)
{
	char command[512];
	int fd;

	(void)state;
	snprintf(other_library, sizeof(other_library), "/tmp/safety.XXXXXX");
	fd = mkstemp(other_library);
	if (fd < 0) {
		return -1;
	}
	close(fd);
	snprintf(command, sizeof(command),
		"cc -shared -fPIC -D_GNU_SOURCE -o %s %s/tests/programs/early_library.c 2>&1",
		other_library, SC_SOURCE_DIR);
	if (system(command) != 0) {
		*other_library = '\0';
	}
	return 0;
}

static int remove_library(void **state)
{
	unlink(other_library);
	return crowd_teardown(state);
}

/* The dynamic linker begins with the last: named behind ours, its constructor runs before ours and
 * its destructor behind it; named before ours, the other way round. */
static struct crowd_end run_with_library(const char *mode, bool is_named_first)
{
	static char preload[1024];
	const char *ours = mode ? PROGRAM_LIBRARY : "";

	if (!*other_library) {
		print_message("no compiler to make a library with\n");
		skip();
	}
	snprintf(preload, sizeof(preload), "LD_PRELOAD=%s:%s:%s", SC_PRELOAD_FIRST,
		is_named_first ? other_library : ours, is_named_first ? ours : other_library);
	return crowd_run(
		&(struct crowd_options){
			.program = {.executable = "early", .mode = mode, .environment = {preload}}},
		"nothing");
}

static void test_other_library_control_resets(void **state)
{
	struct crowd_end end = run_with_library(NULL, false);

	(void)state;
	assert_crowd_was_reset(&end, 2);
}

static void assert_followed(bool is_named_first)
{
	for (size_t i = 0; i < MODE_COUNT; i++) {
		struct crowd_end end = run_with_library(modes[i], is_named_first);

		assert_reports(&end, 2, "");
		if (strcmp(modes[i], "warn") == 0) {
			assert_crowd_was_reset(&end, 2);
		} else {
			assert_crowd_was_fin(&end, 2);
		}
	}
}

static void test_other_library_around_ours_is_followed(void **state)
{
	(void)state;
	assert_followed(false);
}

static void test_other_library_within_ours_is_followed(void **state)
{
	(void)state;
	assert_followed(true);
}

/* ---- races ---------------------------------------------------------------------------------- */

/* It tells of the program's own race for a descriptor, if it sees it in time: of nothing else. */
static bool is_of_descriptors(const struct crowd_end *end)
{
	size_t warnings = text_lines_with(end->report, "WARNING: ThreadSanitizer", NULL);

	return end->status == STATUS_RACED && warnings > 0 &&
	       warnings == text_lines_with(end->report, "Location is file descriptor", NULL);
}

/*
 * All other tests look for races as well: a warning is a line too many, and 66 is the status. That
 * of the library's thread is but a status: there is no stderr in its table. No child may begin a
 * thread, see above.
 */
static void test_threads_are_free_of_races(void **state)
{
	static const struct row raced[] = {{"threads", "churn", 240, 120},
		{"threads", "same", 60, 0}, {"threads", "cancel-during", 720, 0},
		{"threads", "forks vanish", 240, 0}};

	(void)state;
	if (!sanitizer_is_for_threads()) {
		print_message("only with SANITIZE=thread\n");
		skip();
	}
	for (size_t r = 0; r < sizeof(raced) / sizeof(raced[0]); r++) {
		for (size_t i = 0; i < MODE_COUNT; i++) {
			struct crowd_end end = crowd_run(
				&(struct crowd_options){
					.program = {.executable = raced[r].executable,
						.mode = modes[i]}},
				"%s", raced[r].words);

			const char *warning = strstr(end.report, "WARNING: ThreadSanitizer");

			bool is_own_race =
				strcmp(raced[r].words, "same") == 0 && is_of_descriptors(&end);

			if ((end.status != 0 || warning) && !is_own_race) {
				fail_msg("%s: status %d: %s", modes[i], end.status,
					warning ? warning : end.output);
			}
		}
	}
}

/* ---- rows and subjects ---------------------------------------------------------------------- */

static const struct subject {
	const char *name;
	CMUnitTestFunction test;
} subjects[] = {
	{"test_close_control_resets", test_close_control_resets},
	{"test_close_warn_reports_every_reset", test_close_warn_reports_every_reset},
	{"test_close_drain_ends_with_fin", test_close_drain_ends_with_fin},
	{"test_close_fin_ends_with_fin", test_close_fin_ends_with_fin},
};

static const struct CMUnitTest plain_tests[] = {
	cmocka_unit_test_teardown(test_numbers_taken_each_close_is_told_once, crowd_teardown),
	cmocka_unit_test_teardown(test_read_meanwhile_warn_tells_what_was_reset, crowd_teardown),
	cmocka_unit_test_teardown(test_handler_interrupts_the_library, crowd_teardown),
	cmocka_unit_test_teardown(test_cancel_pending_close_closes, crowd_teardown),
	cmocka_unit_test_teardown(test_cancel_during_close_closes, crowd_teardown),
	cmocka_unit_test_teardown(test_churn_leaves_no_descriptor, crowd_teardown),
	cmocka_unit_test_teardown(test_same_descriptor_leaves_no_descriptor, crowd_teardown),
	cmocka_unit_test_teardown(
		test_same_descriptor_warn_reports_each_close_once, crowd_teardown),
	cmocka_unit_test_teardown(test_call_returns_late_close_is_told, crowd_teardown),
	cmocka_unit_test_teardown(test_stack_is_used_with_care, crowd_teardown),
	cmocka_unit_test_setup_teardown(
		test_other_library_control_resets, make_library, remove_library),
	cmocka_unit_test_setup_teardown(
		test_other_library_around_ours_is_followed, make_library, remove_library),
	cmocka_unit_test_setup_teardown(
		test_other_library_within_ours_is_followed, make_library, remove_library),
	cmocka_unit_test_teardown(test_threads_are_free_of_races, crowd_teardown),
};

enum {
	SUBJECT_COUNT = sizeof(subjects) / sizeof(subjects[0]),
	PLAIN_COUNT = sizeof(plain_tests) / sizeof(plain_tests[0]),
	TEST_COUNT = SUBJECT_COUNT * ROW_COUNT + PLAIN_COUNT,
};

int main(void)
{
	static char names[TEST_COUNT][96];
	static struct CMUnitTest tests[TEST_COUNT];
	size_t count = 0;

	for (size_t s = 0; s < SUBJECT_COUNT; s++) {
		for (size_t r = 0; r < ROW_COUNT; r++, count++) {
			snprintf(names[count], sizeof(names[count]), "%s (%s %s)", subjects[s].name,
				rows[r].executable, rows[r].words);
			tests[count] = (struct CMUnitTest){
				.name = names[count],
				.test_func = subjects[s].test,
				.teardown_func = crowd_teardown,
				.initial_state = (void *)(uintptr_t)&rows[r],
			};
		}
	}
	memcpy(&tests[count], plain_tests, sizeof(plain_tests));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
