// SPDX-License-Identifier: MIT
// HARNESS
/*
 * close() of a connection with unread bytes, in every mode, over every kind of TCP; and the control
 * without the library, which shows the reset. A row of the table at the end is a family and a number
 * of unread bytes.
 */
#include "harness/stage.h"
#include "harness/text.h"
#include "harness/unit.h"
#include "harness/verdict.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

struct row {
	enum peer_family family;
	size_t unread_bytes;
};

static const char closed_as_ever[] = "close 3 -> 0 errno 4242\nclosed\n";

/* The program connects; the peer's bytes arrive; the program closes. */
static struct stage_end close_unread(const struct row *row, const char *mode)
{
	struct stage *stage = stage_open(row->family);

	program_start(&stage->program, &(struct program_options){.mode = mode},
		"socket 3 %s rcvbuf 3 300000 connect-socket 3 %s "
		"await-unread 3 %zu close 3 say closed hear go",
		peer_family_word(row->family), stage->peer.target, row->unread_bytes);
	peer_accept(&stage->peer);
	peer_send(&stage->peer, row->unread_bytes);
	return stage_finish(stage, true);
}

static void test_close_control_resets(void **state)
{
	struct stage_end end = close_unread(*state, NULL);

	assert_output(&end, closed_as_ever);
	assert_was_reset(&end);
	assert_not_reported(&end);
}

static void test_close_off_resets_silently(void **state)
{
	struct stage_end end = close_unread(*state, "off");

	assert_output(&end, closed_as_ever);
	assert_was_reset(&end);
	assert_not_reported(&end);
}

static void assert_counts_unread(const struct stage_end *end, const struct row *row)
{
	char unread[64];

	snprintf(unread, sizeof(unread), ": %zu unread", row->unread_bytes);
	assert_reported(end, unread, "close(3)");
}

static void assert_warned(const struct stage_end *end, const struct row *row)
{
	assert_output(end, closed_as_ever);
	assert_was_reset(end);
	assert_counts_unread(end, row);
	assert_reported(end, "rst (unread) in ", NULL);
	assert_null(strstr(end->errors, "drained"));
}

static void test_close_warn_resets_and_reports(void **state)
{
	struct stage_end end = close_unread(*state, "warn");

	assert_warned(&end, *state);
}

static void test_close_unset_mode_warns(void **state)
{
	struct stage_end end = close_unread(*state, "");

	assert_warned(&end, *state);
}

static void assert_cured(const struct stage_end *end, const struct row *row)
{
	char drained[64];

	assert_output(end, closed_as_ever);
	assert_was_fin(end);
	assert_counts_unread(end, row);
	snprintf(drained, sizeof(drained), "drained %zu, fin in ", row->unread_bytes);
	assert_reported(end, drained, NULL);
}

static void test_close_drain_ends_with_fin(void **state)
{
	struct stage_end end = close_unread(*state, "drain");

	assert_cured(&end, *state);
}

static void test_close_fin_ends_with_fin(void **state)
{
	struct stage_end end = close_unread(*state, "fin");

	assert_cured(&end, *state);
}

static const struct row rows[] = {
	{PEER_IPV4, 1},
	{PEER_IPV4, 100000},
	{PEER_IPV6, 1},
	{PEER_IPV6, 100000},
	{PEER_V4MAPPED, 1},
	{PEER_V4MAPPED, 100000},
	{PEER_MPTCP, 1},
	{PEER_MPTCP, 100000},
};

static const struct {
	const char *name;
	CMUnitTestFunction test;
} subjects[] = {
	{"test_close_control_resets", test_close_control_resets},
	{"test_close_off_resets_silently", test_close_off_resets_silently},
	{"test_close_warn_resets_and_reports", test_close_warn_resets_and_reports},
	{"test_close_unset_mode_warns", test_close_unset_mode_warns},
	{"test_close_drain_ends_with_fin", test_close_drain_ends_with_fin},
	{"test_close_fin_ends_with_fin", test_close_fin_ends_with_fin},
};

enum {
	ROW_COUNT = sizeof(rows) / sizeof(rows[0]),
	SUBJECT_COUNT = sizeof(subjects) / sizeof(subjects[0]),
};

int main(void)
{
	static char names[SUBJECT_COUNT * ROW_COUNT][96];
	static struct CMUnitTest tests[SUBJECT_COUNT * ROW_COUNT];
	size_t count = 0;

	for (size_t s = 0; s < SUBJECT_COUNT; s++) {
		for (size_t r = 0; r < ROW_COUNT; r++, count++) {
			snprintf(names[count], sizeof(names[count]), "%s (%s, %zu unread)",
				subjects[s].name, peer_family_name(rows[r].family),
				rows[r].unread_bytes);
			tests[count] = (struct CMUnitTest){
				.name = names[count],
				.test_func = subjects[s].test,
				.teardown_func = stage_teardown,
				.initial_state = (void *)(uintptr_t)&rows[r],
			};
		}
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
