// SPDX-License-Identifier: MIT
// HARNESS
/*
 * The limits of drain and fin: a peer that keeps still, one that sends for ever and one that dribbles
 * cost no more than was set. What arrives after the end of the lingering may meet a reset.
 */
#include "harness/deadline.h"
#include "harness/netns.h"
#include "harness/stage.h"
#include "harness/text.h"
#include "harness/unit.h"
#include "harness/verdict.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

/* The defaults are 5 s and more: an end before this is due to the limit that was set. */
enum { SET_MS = 300, FAR_BELOW_DEFAULT_MS = 4000 };

static struct stage *start_unread(
	const char *mode, const char *variable, const char *other_variable, const char *words)
{
	struct stage *stage = stage_open(PEER_IPV4);

	program_start(&stage->program,
		&(struct program_options){.mode = mode, .environment = {variable, other_variable}},
		"connect 3 %s %s await-unread 3 100 close 3 say closed hear go", stage->peer.target,
		words);
	peer_accept(&stage->peer);
	peer_send(&stage->peer, 100);
	return stage;
}

/* When the report has come: a limit ended it, not earlier than at_least_ms. */
static void assert_ended_by_limit(struct stage *stage, const char *outcome, double at_least_ms)
{
	const char *errors;
	double elapsed_ms;

	program_await_errors(&stage->program, outcome);
	errors = program_errors(&stage->program);
	elapsed_ms = text_number_after(errors, " in ");
	assert_int_equal(text_lines(errors), 1);
	assert_true(elapsed_ms >= at_least_ms - 5);
	assert_true(elapsed_ms < FAR_BELOW_DEFAULT_MS);
	assert_true(capture_saw(&stage->capture, stage->peer.program_port, SEGMENT_FIN));
}

static struct stage_end finish(struct stage *stage)
{
	peer_hang_up(&stage->peer);
	program_say(&stage->program, "go");
	return stage_judge(stage, program_await_exit(&stage->program));
}

/* The peer sees the FIN and keeps its own side open. */
static void keep_still(const char *variable, const char *words, double at_least_ms)
{
	struct stage *stage = start_unread("fin", variable, NULL, words);
	struct stage_end end;

	peer_receive_end(&stage->peer);
	assert_ended_by_limit(stage, "timeout (", at_least_ms);
	program_hear(&stage->program, "closed");
	assert_false(capture_saw(&stage->capture, stage->peer.program_port, SEGMENT_RST));
	end = finish(stage);
	assert_was_fin(&end);
	assert_reported(&end, "drained 100, timeout (", NULL);
}

static void test_limit_of_silence_ends_lingering(void **state)
{
	(void)state;
	keep_still("SAFECLOSE_LINGER_TIMEOUT=300ms", "", SET_MS);
}

static void test_limit_of_time_ends_lingering(void **state)
{
	(void)state;
	keep_still("SAFECLOSE_LINGER_TIME=300ms", "", SET_MS);
}

static void test_limit_of_so_linger_ends_lingering(void **state)
{
	(void)state;
	keep_still(NULL, "linger 3 1 1", 1000);
}

/* A few bytes at a time: the silence never lasts, the time does. */
static void test_limit_of_time_ends_a_dribble(void **state)
{
	struct stage *stage = start_unread(
		"fin", "SAFECLOSE_LINGER_TIME=300ms", "SAFECLOSE_LINGER_TIMEOUT=20s", "");
	int64_t deadline = deadline_in(DEADLINE_MS);
	struct stage_end end;

	(void)state;
	while (!strstr(program_errors(&stage->program), "timeout (")) {
		peer_try_send(&stage->peer, 10);
		assert_true(deadline_pause(deadline));
	}
	assert_ended_by_limit(stage, "timeout (", SET_MS);
	end = finish(stage);
	assert_int_equal(end.status, 0);
}

/* Send until the connection breaks. */
static void flood(struct stage *stage)
{
	int64_t deadline = deadline_in(DEADLINE_MS);
	long sent = 0;

	while (sent >= 0) {
		sent = peer_try_send(&stage->peer, 16384);
		capture_take(&stage->capture);
		if (sent == 0) {
			deadline_poll(stage->peer.fd, POLLOUT, deadline);
		}
		if (deadline_left_ms(deadline) == 0) {
			fail_msg("the peer could send for ever");
		}
	}
}

static void test_limit_of_bytes_ends_a_flood(void **state)
{
	struct stage *stage = start_unread("fin", "SAFECLOSE_DRAIN_MAX=1M", NULL, "");
	struct stage_end end;

	(void)state;
	flood(stage);
	assert_ended_by_limit(stage, "limit (", 0);
	end = finish(stage);
	assert_int_equal(end.status, 0);
	assert_true(text_number_after(end.errors, "; drained ") <= 1 << 20);
	assert_true(text_number_after(end.errors, "; drained ") >= 1 << 19);
}

static void test_limit_of_time_ends_a_flood(void **state)
{
	struct stage *stage =
		start_unread("fin", "SAFECLOSE_LINGER_TIME=300ms", "SAFECLOSE_DRAIN_MAX=1000G", "");
	struct stage_end end;

	(void)state;
	flood(stage);
	assert_ended_by_limit(stage, "timeout (", SET_MS);
	end = finish(stage);
	assert_int_equal(end.status, 0);
}

/* More is unread than drain may discard: the rest resets, and the report says so. */
static void test_limit_of_bytes_drain_resets_and_reports(void **state)
{
	struct stage *stage = stage_open(PEER_IPV4);
	struct stage_end end;

	(void)state;
	program_start(&stage->program,
		&(struct program_options){
			.mode = "drain", .environment = {"SAFECLOSE_DRAIN_MAX=4K"}},
		"connect 3 %s await-unread 3 10000 close 3 say closed hear go", stage->peer.target);
	peer_accept(&stage->peer);
	peer_send(&stage->peer, 10000);
	end = stage_finish(stage, true);
	assert_was_reset(&end);
	assert_reported(&end, ": 10000 unread", "rst (");
}

/* drain never waits: what keeps coming does not hold the program up. */
static void test_limit_of_drain_is_what_is_there(void **state)
{
	struct stage *stage = start_unread("drain", NULL, NULL, "");
	struct stage_end end;

	(void)state;
	program_hear(&stage->program, "closed");
	program_say(&stage->program, "go");
	assert_int_equal(program_await_exit(&stage->program), 0);
	end = stage_judge(stage, 0);
	assert_was_fin(&end);
	assert_reported(&end, "drained 100, fin in ", NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_limit_of_silence_ends_lingering, stage_teardown),
		cmocka_unit_test_teardown(test_limit_of_time_ends_lingering, stage_teardown),
		cmocka_unit_test_teardown(test_limit_of_so_linger_ends_lingering, stage_teardown),
		cmocka_unit_test_teardown(test_limit_of_time_ends_a_dribble, stage_teardown),
		cmocka_unit_test_teardown(test_limit_of_bytes_ends_a_flood, stage_teardown),
		cmocka_unit_test_teardown(test_limit_of_time_ends_a_flood, stage_teardown),
		cmocka_unit_test_teardown(
			test_limit_of_bytes_drain_resets_and_reports, stage_teardown),
		cmocka_unit_test_teardown(test_limit_of_drain_is_what_is_there, stage_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
