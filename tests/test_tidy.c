// SPDX-License-Identifier: MIT
// HARNESS
/*
 * The program cannot tell that the library is there: its descriptors have the numbers they would
 * have, nothing is left behind, and it cannot take away what the library needs.
 */
#include "harness/crowd.h"
#include "harness/sanitizer.h"
#include "harness/stage.h"
#include "harness/text.h"
#include "harness/unit.h"
#include "harness/verdict.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const modes[] = {"warn", "drain", "fin"};

enum {
	MODE_COUNT = sizeof(modes) / sizeof(modes[0]),
	UNREAD_BYTES = 1000,
	TAKEN_FIRST = 900,
	TAKEN_LAST = 1023,
	TAKEN_BYTES = 2048,
};

/* A sanitizer has threads and descriptors of its own. */
static void skip_if_sanitized(void)
{
	if (sanitizer_is_any()) {
		print_message("not with a sanitizer\n");
		skip();
	}
}

static struct crowd_end run(const char *what, const char *mode, bool sends_late)
{
	struct crowd_end end = crowd_run(
		&(struct crowd_options){
			.program = {.executable = "tidy", .mode = mode, .wants_all_reports = true},
			.sends_late = sends_late},
		"%s", what);

	if (end.status != 0) {
		fail_msg("status %d:\n%s%s", end.status, end.output, end.report);
	}
	return end;
}

static void test_numbers_are_those_without_the_library(void **state)
{
	char *expected = strdup(run("numbers", NULL, false).output);

	(void)state;
	assert_true(text_lines(expected) > 100);
	for (size_t i = 0; i < MODE_COUNT; i++) {
		struct crowd_end end = run("numbers", modes[i], false);

		assert_string_equal(end.output, expected);
		assert_true(text_lines(end.report) > 20);
	}
	free(expected);
}

static void test_leftovers_there_are_none(void **state)
{
	(void)state;
	skip_if_sanitized();
	for (size_t i = 0; i < MODE_COUNT; i++) {
		struct crowd_end end = run("leftovers", modes[i], false);

		assert_string_equal(end.output, "tidy\n");
		assert_int_equal(text_lines(end.report), 100);
	}
}

/* What arrives while the connection lingers, raises no signal in the program. */
static void test_leftovers_late_bytes_raise_no_signal(void **state)
{
	struct crowd_end end;

	(void)state;
	skip_if_sanitized();
	end = run("leftovers", "fin", true);
	assert_string_equal(end.output, "tidy\n");
	assert_crowd_was_fin(&end, 100);
	assert_int_equal(text_lines_with(end.report, "; drained 100", "fin in "), 100);
}

/* Two connections: closed before the program closes all, and after. */
static void close_all(const char *way)
{
	char *expected = strdup(run(way, NULL, false).output);

	for (size_t i = 0; i < MODE_COUNT; i++) {
		struct crowd_end end = run(way, modes[i], false);

		assert_string_equal(end.output, expected);
		assert_int_equal(text_lines(end.report), 2);
		assert_int_equal(text_lines_with(end.report, "close(", ": 1000 unread"), 2);
		if (strcmp(modes[i], "warn") == 0) {
			assert_crowd_was_reset(&end, 2);
		} else {
			assert_crowd_was_fin(&end, 2);
		}
	}
	free(expected);
}

static void test_close_all_by_loop_leaves_the_library(void **state)
{
	(void)state;
	close_all("loop");
}

static void test_close_all_by_walk_leaves_the_library(void **state)
{
	(void)state;
	close_all("walk");
}

static void test_close_all_by_closefrom_leaves_the_library(void **state)
{
	(void)state;
	close_all("closefrom");
}

static void test_close_all_by_range_leaves_the_library(void **state)
{
	(void)state;
	close_all("range");
}

static void test_close_all_numbers_taken_leaves_the_library(void **state)
{
	(void)state;
	close_all("take");
}

/*
 * The library's thread finds by their numbers what it takes along into a table of its own. It is slow there,
 * while the program takes all numbers that may be the library's.
 */
static void test_numbers_taken_while_the_thread_begins_lose_nothing(void **state)
{
	struct stage *stage = stage_open(PEER_IPV4);
	char words[TAKEN_BYTES] = "";
	size_t length = 0;
	struct stage_end end;

	(void)state;
	program_require_strace();
	for (int fd = TAKEN_FIRST; fd <= TAKEN_LAST; fd++) {
		length +=
			(size_t)snprintf(words + length, sizeof(words) - length, "dup2 0 %d ", fd);
	}
	program_start(&stage->program,
		&(struct program_options){.executable = PROGRAM_STRACE, .is_alone = true},
		"-f -qq -o /dev/null -e trace=close_range -e inject=close_range:delay_enter=100000 "
		"-E LD_PRELOAD=%s -E SAFECLOSE_MODE=fin %sactor connect 3 %s await-unread 3 %d "
		"close 3 %shear go",
		PROGRAM_LIBRARY, PROGRAM_FOLDER, stage->peer.target, UNREAD_BYTES, words);
	peer_accept(&stage->peer);
	peer_send(&stage->peer, UNREAD_BYTES);
	end = stage_finish(stage, true);
	assert_was_fin(&end);
	assert_reported(&end, "]: close(3) ", "; drained 1000, fin in ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(
			test_numbers_are_those_without_the_library, crowd_teardown),
		cmocka_unit_test_teardown(test_leftovers_there_are_none, crowd_teardown),
		cmocka_unit_test_teardown(
			test_leftovers_late_bytes_raise_no_signal, crowd_teardown),
		cmocka_unit_test_teardown(
			test_close_all_by_loop_leaves_the_library, crowd_teardown),
		cmocka_unit_test_teardown(
			test_close_all_by_walk_leaves_the_library, crowd_teardown),
		cmocka_unit_test_teardown(
			test_close_all_by_closefrom_leaves_the_library, crowd_teardown),
		cmocka_unit_test_teardown(
			test_close_all_by_range_leaves_the_library, crowd_teardown),
		cmocka_unit_test_teardown(
			test_close_all_numbers_taken_leaves_the_library, crowd_teardown),
		cmocka_unit_test_teardown(
			test_numbers_taken_while_the_thread_begins_lose_nothing, stage_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
