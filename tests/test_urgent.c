// SPDX-License-Identifier: MIT
// HARNESS
/*
 * Urgent bytes: FIONREAD says 0 where a lone one waits, even after recv(MSG_OOB) has read it, and
 * the close resets all the same.
 */
#include "harness/stage.h"
#include "harness/unit.h"
#include "harness/verdict.h"

#include <string.h>

/* Pattern bytes before and behind the urgent one, and what the program does before it closes. */
struct row {
	size_t before_bytes;
	size_t behind_bytes;
	const char *words;
};

static const struct row rows[] = {
	{0, 0, ""},
	{0, 0, "read-urgent 3"},
	{0, 100, ""},
	{0, 100, "read-urgent 3"},
	{100, 0, ""},
	{100, 0, "read 3 100"},
	{100, 0, "read 3 100 read-urgent 3"},
	{100, 100, "read 3 100"},
};

enum { ROW_COUNT = sizeof(rows) / sizeof(rows[0]) };

static struct stage_end close_urgent(const struct row *row, const char *mode)
{
	struct stage *stage = stage_open(PEER_IPV4);

	program_start(&stage->program, &(struct program_options){.mode = mode},
		"connect 3 %s hear sent await-urgent 3 %s close 3 say closed hear go",
		stage->peer.target, row->words);
	peer_accept(&stage->peer);
	if (row->before_bytes > 0) {
		peer_send(&stage->peer, row->before_bytes);
	}
	peer_send_urgent(&stage->peer);
	if (row->behind_bytes > 0) {
		peer_send(&stage->peer, row->behind_bytes);
	}
	program_say(&stage->program, "sent");
	return stage_finish(stage, true);
}

static void test_urgent_control_resets(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROW_COUNT; i++) {
		struct stage_end end = close_urgent(&rows[i], NULL);

		assert_was_reset(&end);
	}
}

static void test_urgent_off_resets_silently(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROW_COUNT; i++) {
		struct stage_end end = close_urgent(&rows[i], "off");

		assert_was_reset(&end);
		assert_not_reported(&end);
	}
}

static void test_urgent_warn_resets_and_reports(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROW_COUNT; i++) {
		struct stage_end end = close_urgent(&rows[i], "warn");

		assert_was_reset(&end);
		assert_reported(&end, "close(3)", "rst (unread) in ");
	}
}

static void test_urgent_alone_is_named(void **state)
{
	struct stage_end end = close_urgent(&rows[0], "warn");

	(void)state;
	assert_reported(&end, "urgent", NULL);
}

static void assert_cured(const char *mode)
{
	for (size_t i = 0; i < ROW_COUNT; i++) {
		struct stage_end end = close_urgent(&rows[i], mode);

		assert_output(&end, "close 3 -> 0 errno 4242\nclosed\n");
		assert_was_fin(&end);
		assert_reported(&end, "close(3)", "fin in ");
	}
}

static void test_urgent_drain_ends_with_fin(void **state)
{
	(void)state;
	assert_cured("drain");
}

static void test_urgent_fin_ends_with_fin(void **state)
{
	(void)state;
	assert_cured("fin");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_urgent_control_resets, stage_teardown),
		cmocka_unit_test_teardown(test_urgent_off_resets_silently, stage_teardown),
		cmocka_unit_test_teardown(test_urgent_warn_resets_and_reports, stage_teardown),
		cmocka_unit_test_teardown(test_urgent_alone_is_named, stage_teardown),
		cmocka_unit_test_teardown(test_urgent_drain_ends_with_fin, stage_teardown),
		cmocka_unit_test_teardown(test_urgent_fin_ends_with_fin, stage_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
