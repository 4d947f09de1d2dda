// SPDX-License-Identifier: MIT
// HARNESS
/*
 * A connection that somebody else still holds keeps every byte and its open write side when one
 * holder closes; the close of the last holder is the one that acts.
 */
#include "harness/netns.h"
#include "harness/stage.h"
#include "harness/text.h"
#include "harness/unit.h"
#include "harness/verdict.h"

#include <stdio.h>
#include <string.h>

enum { UNREAD_BYTES = 1000, WRITTEN_BYTES = 5000 };

/*
 * Scripts with two holders. Where TARGET stands comes the peer's address. Between "closed" and
 * "read" one holder has closed and the other has not; the other then reads all and writes.
 */
struct row {
	const char *name;
	const char *before; /* words that share descriptor 3, connected */
	const char *behind;
};

static const struct row rows[] = {
	{"dup", "dup 3 4 await-unread 3 1000 close 3",
		"say closed hear read read 4 1000 write 4 5000 close 4"},
	{"dup_closed_first", "dup 3 4 await-unread 3 1000 close 4",
		"say closed hear read read 3 1000 write 3 5000 close 3"},
	{"dupfd", "dupfd 3 100 await-unread 3 1000 close 3",
		"say closed hear read read 100 1000 write 100 5000 close 100"},
	{"dupfd_cloexec", "dupfd-cloexec 3 100 await-unread 3 1000 close 3",
		"say closed hear read read 100 1000 write 100 5000 close 100"},
	{"parent_closes", "fork hear read read 3 1000 write 3 5000 close 3 end await-unread 3 1000",
		"close 3 say closed wait"},
	{"child_closes", "fork await-unread 3 1000 close 3 say closed end wait",
		"hear read read 3 1000 write 3 5000 close 3"},
	{"raw_child_closes", "fork-raw await-unread 3 1000 close 3 say closed end wait",
		"hear read read 3 1000 write 3 5000 close 3"},
	{"vfork_child_closes", "vfork await-unread 3 1000 close 3 say closed end wait",
		"hear read read 3 1000 write 3 5000 close 3"},
	{"grandchild_holds",
		"pipe 4 5 fork fork hear read read 3 1000 write 3 5000 close 3 end exit-now 0 end "
		"wait close 5 await-unread 3 1000",
		"close 3 say closed read-end 4"},
};

enum { ROW_COUNT = sizeof(rows) / sizeof(rows[0]) };

static struct stage_end share(const struct row *row, const char *mode, const char *variable)
{
	struct stage *stage = stage_open(PEER_IPV4);

	program_start(&stage->program,
		&(struct program_options){.mode = mode, .environment = {variable}},
		"connect 3 %s %s %s hear go", stage->peer.target, row->before, row->behind);
	peer_accept(&stage->peer);
	peer_send(&stage->peer, UNREAD_BYTES);
	program_hear(&stage->program, "closed");
	if (variable) {
		/* What it says, it says before the other holder goes on. */
		program_await_errors(&stage->program, "close(");
	}
	netns_settle();
	assert_false(
		capture_saw(&stage->capture, stage->peer.program_port, SEGMENT_FIN | SEGMENT_RST));
	program_say(&stage->program, "read");
	return stage_finish(stage, true);
}

static void assert_untouched(const struct stage_end *end)
{
	assert_int_equal(end->status, 0);
	assert_was_fin(end);
	assert_int_equal(end->received_bytes, WRITTEN_BYTES);
}

static const char *const modes[] = {NULL, "off", "warn", "drain", "fin"};

static void test_shared_connection_is_left_alone(void **state)
{
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		struct stage_end end = share(*state, modes[i], NULL);

		assert_untouched(&end);
		assert_not_reported(&end);
	}
}

/* The close is reported as shared; so may be the exit of a process that held a copy. */
static void assert_all_shared(const struct stage_end *end)
{
	size_t shared_lines = text_lines_with(end->errors, ": 1000 unread", "; shared ");

	if (text_lines_with(end->errors, "close(", "; shared ") != 1 ||
		text_lines(end->errors) != shared_lines) {
		fail_msg("not one close, shared:\n%s", end->errors);
	}
}

static void test_shared_connection_is_reported_where_all_is(void **state)
{
	for (size_t i = 3; i < sizeof(modes) / sizeof(modes[0]); i++) {
		struct stage_end end = share(*state, modes[i], "SAFECLOSE_REPORT=all");

		assert_untouched(&end);
		assert_all_shared(&end);
	}
}

/* ---- the last holder ----------------------------------------------------------------------- */

/* Two holders that close one after the other and never read; "first" is said between. */
static const struct row last_rows[] = {
	{"dup", "dup 3 4 await-unread 3 1000 close 3", "say first hear close close 4"},
	{"parent_first", "fork hear close close 3 end await-unread 3 1000 close 3",
		"say first wait"},
	{"child_first", "fork await-unread 3 1000 close 3 say first end wait",
		"hear close close 3"},
	{"dup_then_child", "dup 3 4 fork await-unread 3 1000 close 3 close 4 say first end wait",
		"close 3 hear close close 4"},
};

enum { LAST_ROW_COUNT = sizeof(last_rows) / sizeof(last_rows[0]) };

static struct stage_end close_by_all(const struct row *row, const char *mode)
{
	struct stage *stage = stage_open(PEER_IPV4);

	program_start(&stage->program, &(struct program_options){.mode = mode},
		"connect 3 %s %s %s hear go", stage->peer.target, row->before, row->behind);
	peer_accept(&stage->peer);
	peer_send(&stage->peer, UNREAD_BYTES);
	program_hear(&stage->program, "first");
	netns_settle();
	assert_false(
		capture_saw(&stage->capture, stage->peer.program_port, SEGMENT_FIN | SEGMENT_RST));
	program_say(&stage->program, "close");
	return stage_finish(stage, true);
}

static void test_last_holder_control_resets(void **state)
{
	struct stage_end end = close_by_all(*state, NULL);

	assert_was_reset(&end);
}

static void test_last_holder_warn_reports_once(void **state)
{
	struct stage_end end = close_by_all(*state, "warn");

	assert_was_reset(&end);
	assert_reported(&end, ": 1000 unread", "rst (unread) in ");
}

static void test_last_holder_drain_ends_with_fin(void **state)
{
	struct stage_end end = close_by_all(*state, "drain");

	assert_was_fin(&end);
	assert_reported(&end, ": 1000 unread", "drained 1000, fin in ");
}

static void test_last_holder_fin_ends_with_fin(void **state)
{
	struct stage_end end = close_by_all(*state, "fin");

	assert_was_fin(&end);
	assert_reported(&end, ": 1000 unread", "drained 1000, fin in ");
}

/* ---- without privilege --------------------------------------------------------------------- */

/* Nothing of another user can be looked at in /proc: what was born here needs no look. */
static struct stage_end close_unprivileged(const char *mode, const char *words)
{
	struct stage *stage = stage_open(PEER_IPV4);

	program_start(&stage->program,
		&(struct program_options){.mode = mode, .is_unprivileged = true},
		"%s connect 3 %s await-unread 3 1000 close 3 say closed hear go", words,
		stage->peer.target);
	peer_accept(&stage->peer);
	peer_send(&stage->peer, UNREAD_BYTES);
	return stage_finish(stage, true);
}

static void assert_unprivileged_cured(const char *mode)
{
	static const char *const before[] = {
		"", "fork end wait", "pipe 3 4 fork close 4 read-end 3 end close 3"};

	for (size_t i = 0; i < sizeof(before) / sizeof(before[0]); i++) {
		struct stage_end end = close_unprivileged(mode, before[i]);

		assert_was_fin(&end);
		assert_reported(&end, ": 1000 unread", "drained 1000, fin in ");
	}
}

static void test_unprivileged_control_resets(void **state)
{
	struct stage_end end = close_unprivileged(NULL, "");

	(void)state;
	assert_was_reset(&end);
}

static void test_unprivileged_drain_ends_with_fin(void **state)
{
	(void)state;
	assert_unprivileged_cured("drain");
}

static void test_unprivileged_fin_ends_with_fin(void **state)
{
	(void)state;
	assert_unprivileged_cured("fin");
}

/* ---- rows and subjects --------------------------------------------------------------------- */

static const struct subject {
	const char *name;
	CMUnitTestFunction test;
	const struct row *rows;
	size_t row_count;
} subjects[] = {
	{"test_shared_connection_is_left_alone", test_shared_connection_is_left_alone, rows,
		ROW_COUNT},
	{"test_shared_connection_is_reported_where_all_is",
		test_shared_connection_is_reported_where_all_is, rows, ROW_COUNT},
	{"test_last_holder_control_resets", test_last_holder_control_resets, last_rows,
		LAST_ROW_COUNT},
	{"test_last_holder_warn_reports_once", test_last_holder_warn_reports_once, last_rows,
		LAST_ROW_COUNT},
	{"test_last_holder_drain_ends_with_fin", test_last_holder_drain_ends_with_fin, last_rows,
		LAST_ROW_COUNT},
	{"test_last_holder_fin_ends_with_fin", test_last_holder_fin_ends_with_fin, last_rows,
		LAST_ROW_COUNT},
};

/* Tests without rows. */
static const struct CMUnitTest plain_tests[] = {
	cmocka_unit_test_teardown(test_unprivileged_control_resets, stage_teardown),
	cmocka_unit_test_teardown(test_unprivileged_drain_ends_with_fin, stage_teardown),
	cmocka_unit_test_teardown(test_unprivileged_fin_ends_with_fin, stage_teardown),
};

enum {
	PLAIN_COUNT = sizeof(plain_tests) / sizeof(plain_tests[0]),
	TEST_COUNT = 2 * ROW_COUNT + 4 * LAST_ROW_COUNT + PLAIN_COUNT,
};

int main(void)
{
	static char names[TEST_COUNT][96];
	static struct CMUnitTest tests[TEST_COUNT];
	size_t count = 0;

	for (size_t s = 0; s < sizeof(subjects) / sizeof(subjects[0]); s++) {
		for (size_t r = 0; r < subjects[s].row_count; r++, count++) {
			const struct row *row = &subjects[s].rows[r];

			snprintf(names[count], sizeof(names[count]), "%s (%s)", subjects[s].name,
				row->name);
			tests[count] = (struct CMUnitTest){
				.name = names[count],
				.test_func = subjects[s].test,
				.teardown_func = stage_teardown,
				.initial_state = (void *)(uintptr_t)row,
			};
		}
	}
	memcpy(&tests[count], plain_tests, sizeof(plain_tests));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
