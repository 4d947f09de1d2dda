// SPDX-License-Identifier: MIT
// HARNESS
/*
 * SAFECLOSE_SHUTDOWN: after the program's shutdown for reading and writing, bytes that come are
 * answered with a reset by the kernel. With half they wait for the close, which discards them.
 */
#include "harness/netns.h"
#include "harness/rows.h"
#include "harness/stage.h"
#include "harness/verdict.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define HALF "SAFECLOSE_SHUTDOWN=half"

static const struct row {
	const char *name;
	const char *how;
	bool is_reset_at_once; /* by the kernel, when the bytes come */
} rows[] = {
	{"rdwr", "rdwr", true},
	{"rd", "rd", false},
};

/* The bytes come between shutdown and close. */
static struct stage_end shut_down(const struct row *row, const char *mode, const char *variable)
{
	struct stage *stage = stage_open(PEER_IPV4);

	program_start(&stage->program,
		&(struct program_options){.mode = mode, .environment = {variable}},
		"connect 3 %s write 3 1000 await-acked 3 shutdown 3 %s say shut hear late close 3 "
		"say closed hear go",
		stage->peer.target, row->how);
	peer_accept(&stage->peer);
	program_hear(&stage->program, "shut");
	assert_true(peer_try_send(&stage->peer, 100) == 100);
	netns_settle();
	program_say(&stage->program, "late");
	program_hear(&stage->program, "closed");
	return stage_finish(stage, true);
}

static void assert_late_bytes_reset(const struct row *row, const struct stage_end *end)
{
	assert_true(end->was_rst_sent);
	assert_int_not_equal(end->peer_error, 0);
	assert_int_equal(end->grown.aborts_on_data, row->is_reset_at_once);
	assert_int_equal(end->grown.aborts_on_close, !row->is_reset_at_once);
}

static void test_shutdown_control_resets(void **state)
{
	struct stage_end end = shut_down(*state, NULL, NULL);

	assert_late_bytes_reset(*state, &end);
}

/* Only fin can wait for bytes. */
static void test_shutdown_half_in_other_modes_resets(void **state)
{
	static const char *const modes[] = {"off", "warn"};

	for (size_t i = 0; i < 2; i++) {
		struct stage_end end = shut_down(*state, modes[i], HALF);

		assert_late_bytes_reset(*state, &end);
	}
}

static void test_shutdown_keep_of_both_resets(void **state)
{
	struct stage_end end = shut_down(&rows[0], "fin", NULL);

	(void)state;
	assert_late_bytes_reset(&rows[0], &end);
}

static void test_shutdown_half_ends_with_fin(void **state)
{
	struct stage_end end = shut_down(*state, "fin", HALF);

	assert_was_fin(&end);
	assert_int_equal(end.received_bytes, 1000);
	assert_reported(&end, ": 100 unread", "; drained 100, fin in ");
}

/* ---- results ------------------------------------------------------------------------------- */

/* 0, 1, 2: SHUT_RD, SHUT_WR, SHUT_RDWR; 107 is ENOTCONN, 9 EBADF, 88 ENOTSOCK, 22 EINVAL. */
static void test_shutdown_half_results_are_the_kernels(void **state)
{
	static const char words[] =
		"socket 3 4 try-shutdown 3 2 try-shutdown 3 0 try-shutdown 77 2 unix 4 5 "
		"try-shutdown 4 2 read-end 5 open 6 /dev/null try-shutdown 6 2 listen 7 4 "
		"try-shutdown 7 2 try-shutdown 3 9";
	const char *control = NULL;
	char *expected = NULL;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct stage *stage = stage_open(PEER_IPV4);
		struct stage_end end;

		program_start(&stage->program,
			&(struct program_options){
				.mode = i == 0 ? NULL : "fin", .environment = {HALF}},
			"%s", words);
		end = stage_judge(stage, program_await_exit(&stage->program));
		assert_int_equal(end.status, 0);
		if (i == 0) {
			control = end.output;
			expected = strdup(control);
			assert_non_null(strstr(control, "shutdown 3 -> -1 errno 107\n"));
		} else {
			assert_string_equal(end.output, expected);
			assert_not_reported(&end);
		}
	}
	free(expected);
}

/* What is written after a shutdown for reading still arrives; after one for both it does not go. */
static void test_shutdown_half_leaves_the_writing_side(void **state)
{
	static const char *const variables[] = {NULL, HALF};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct stage *stage = stage_open(PEER_IPV4);
		struct stage_end end;

		program_start(&stage->program,
			&(struct program_options){.mode = "fin", .environment = {variables[i]}},
			"connect 3 %s shutdown 3 rd write 3 1000 try-shutdown 3 2 try-write 3 "
			"close 3 hear go",
			stage->peer.target);
		peer_accept(&stage->peer);
		end = stage_finish(stage, true);
		assert_output(&end, "shutdown 3 -> 0 errno 4242\nwrite 3 -> -1 errno 32\n"
				    "close 3 -> 0 errno 4242\n");
		assert_was_fin(&end);
		assert_int_equal(end.received_bytes, 1000);
	}
}

static const struct rows_subject subjects[] = {
	ROWS_SUBJECT(test_shutdown_control_resets, rows),
	ROWS_SUBJECT(test_shutdown_half_in_other_modes_resets, rows),
	ROWS_PLAIN(test_shutdown_keep_of_both_resets),
	ROWS_SUBJECT(test_shutdown_half_ends_with_fin, rows),
	ROWS_PLAIN(test_shutdown_half_results_are_the_kernels),
	ROWS_PLAIN(test_shutdown_half_leaves_the_writing_side),
};

int main(void)
{
	return ROWS_RUN(subjects);
}
