// SPDX-License-Identifier: MIT
// HARNESS
/*
 * A parent and its child close the same connection at the same moment, with unread bytes that the
 * child reads just before in every other round: no reset is told that was none, none is missed, no
 * byte is stolen (the child fails where one is), and no end is told twice.
 */
#include "harness/crowd.h"
#include "harness/sanitizer.h"
#include "harness/text.h"
#include "harness/unit.h"

#include <stdio.h>
#include <string.h>

/* A fork takes ThreadSanitizer some 40 ms. */
static size_t rounds(void)
{
	return sanitizer_is_for_threads() ? 150 : 500;
}

static struct crowd_end run(const char *mode)
{
	struct crowd_end end =
		crowd_run(&(struct crowd_options){.program = {.executable = "race",
							  .mode = mode,
							  .is_alone = true,
							  .wants_all_reports = true}},
			"%zu", rounds());

	if (end.status != 0 || end.connections != rounds()) {
		fail_msg("status %d, %zu connections:\n%s%s", end.status, end.connections,
			end.output, end.report);
	}
	if (mode && strcmp(mode, "warn") != 0 && end.grown.aborts_on_close > 0) {
		fputs(end.report, stderr); /* a message would be cut */
	}
	return end;
}

static void test_race_control_resets_where_nobody_reads(void **state)
{
	struct crowd_end end = run(NULL);

	(void)state;
	assert_int_equal(end.grown.aborts_on_close, rounds() / 2);
}

static void test_race_warn_tells_each_reset_and_no_other(void **state)
{
	struct crowd_end end = run("warn");

	(void)state;
	assert_int_equal(end.grown.aborts_on_close, rounds() / 2);
	if (text_lines_with(end.report, "rst (unread)", NULL) != rounds() / 2) {
		fputs(end.report, stderr);
	}
	assert_int_equal(text_lines_with(end.report, "rst (unread)", NULL), rounds() / 2);
	assert_int_equal(text_lines(end.report), rounds() / 2);
}

static void test_race_drain_resets_none(void **state)
{
	struct crowd_end end = run("drain");

	(void)state;
	assert_crowd_was_fin(&end, rounds());
}

static void test_race_fin_resets_none(void **state)
{
	struct crowd_end end = run("fin");

	(void)state;
	assert_crowd_was_fin(&end, rounds());
}

/* Also of a connection with nothing unread one end is told, whoever of the two is the last. */
static void test_race_always_tells_one_end_of_each(void **state)
{
	struct crowd_end end = crowd_run(
		&(struct crowd_options){
			.program = {.executable = "race",
				.mode = "fin",
				.environment = {"SAFECLOSE_WHEN=always", "SAFECLOSE_REPORT=all"},
				.is_alone = true,
				.wants_all_reports = true}},
		"%zu", rounds());

	(void)state;
	if (text_lines_with(end.report, " fin in ", NULL) != rounds()) {
		fputs(end.report, stderr);
	}
	assert_crowd_was_fin(&end, rounds());
	assert_int_equal(text_lines_with(end.report, " fin in ", NULL), rounds());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(
			test_race_control_resets_where_nobody_reads, crowd_teardown),
		cmocka_unit_test_teardown(
			test_race_warn_tells_each_reset_and_no_other, crowd_teardown),
		cmocka_unit_test_teardown(test_race_drain_resets_none, crowd_teardown),
		cmocka_unit_test_teardown(test_race_fin_resets_none, crowd_teardown),
		cmocka_unit_test_teardown(test_race_always_tells_one_end_of_each, crowd_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
