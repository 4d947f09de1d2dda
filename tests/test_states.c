// SPDX-License-Identifier: MIT
// HARNESS
/*
 * close() of a connection with unread bytes in states other than the plain one: accepted rather than
 * connected, partly read, after the peer's FIN, after the program's own half-close, with SO_LINGER.
 */
#include "harness/sockets.h"
#include "harness/stage.h"
#include "harness/text.h"
#include "harness/unit.h"
#include "harness/verdict.h"

#include <errno.h>

/* ---- accepted ------------------------------------------------------------------------------ */

static struct stage_end close_accepted(enum peer_family family, const char *mode)
{
	struct stage *stage = stage_open(family);

	program_start(&stage->program, &(struct program_options){.mode = mode},
		"listen 3 %s port 3 accept 3 4 await-unread 4 100 close 4 say closed hear go",
		peer_family_word(family));
	peer_connect(&stage->peer, family, (uint16_t)program_hear_number(&stage->program, "port "));
	peer_send(&stage->peer, 100);
	return stage_finish(stage, true);
}

static void test_close_accepted_control_resets(void **state)
{
	(void)state;
	for (enum peer_family family = PEER_IPV4; family <= PEER_MPTCP; family++) {
		struct stage_end end;

		if (family == PEER_V4MAPPED) {
			continue; /* the same socket as IPv6 on this side */
		}
		end = close_accepted(family, NULL);
		assert_was_reset(&end);
	}
}

static void assert_accepted_cured(const char *mode)
{
	for (enum peer_family family = PEER_IPV4; family <= PEER_MPTCP; family++) {
		struct stage_end end;

		if (family == PEER_V4MAPPED) {
			continue;
		}
		end = close_accepted(family, mode);
		assert_was_fin(&end);
		assert_reported(&end, "close(4)", "drained 100, fin in ");
	}
}

static void test_close_accepted_drain_ends_with_fin(void **state)
{
	(void)state;
	assert_accepted_cured("drain");
}

static void test_close_accepted_fin_ends_with_fin(void **state)
{
	(void)state;
	assert_accepted_cured("fin");
}

/* ---- partly read --------------------------------------------------------------------------- */

static struct stage_end close_partly_read(const char *mode)
{
	struct stage *stage = stage_open(PEER_IPV4);

	program_start(&stage->program, &(struct program_options){.mode = mode},
		"connect 3 %s await-unread 3 5000 read 3 4999 close 3 say closed hear go",
		stage->peer.target);
	peer_accept(&stage->peer);
	peer_send(&stage->peer, 5000);
	return stage_finish(stage, true);
}

static void test_close_partly_read_control_resets(void **state)
{
	struct stage_end end = close_partly_read(NULL);

	(void)state;
	assert_was_reset(&end);
}

static void test_close_partly_read_reports_the_rest(void **state)
{
	static const char *const modes[] = {"drain", "fin"};
	struct stage_end end = close_partly_read("warn");

	(void)state;
	assert_was_reset(&end);
	assert_reported(&end, ": 1 unread", "rst (unread)");
	for (size_t i = 0; i < 2; i++) {
		end = close_partly_read(modes[i]);
		assert_was_fin(&end);
		assert_reported(&end, ": 1 unread", "drained 1, fin in ");
	}
}

/* ---- the peer has sent FIN ----------------------------------------------------------------- */

static struct stage_end close_behind_peer_fin(const char *mode)
{
	struct stage *stage = stage_open(PEER_IPV4);

	program_start(&stage->program, &(struct program_options){.mode = mode},
		"connect 3 %s await-unread 3 100 await-peer-fin 3 close 3 say closed hear go",
		stage->peer.target);
	peer_accept(&stage->peer);
	peer_send(&stage->peer, 100);
	peer_finish(&stage->peer);
	return stage_finish(stage, true);
}

static void test_close_behind_peer_fin_control_resets(void **state)
{
	struct stage_end end = close_behind_peer_fin(NULL);

	(void)state;
	assert_was_reset(&end);
}

static void test_close_behind_peer_fin_warn_counts_bytes_alone(void **state)
{
	struct stage_end end = close_behind_peer_fin("warn");

	(void)state;
	assert_was_reset(&end);
	assert_reported(&end, ": 100 unread", "rst (unread)");
}

static void test_close_behind_peer_fin_ends_with_fin(void **state)
{
	static const char *const modes[] = {"drain", "fin"};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct stage_end end = close_behind_peer_fin(modes[i]);

		assert_was_fin(&end);
		assert_reported(&end, ": 100 unread", "drained 100, fin in ");
	}
}

/* ---- the program has half-closed ----------------------------------------------------------- */

/* The peer sees the FIN before the close, so it keeps the connection up until that has acted. */
static struct stage_end close_behind_own_fin(const char *mode)
{
	struct stage *stage = stage_open(PEER_IPV4);

	program_start(&stage->program, &(struct program_options){.mode = mode},
		"connect 3 %s write 3 1000 shutdown 3 wr await-unread 3 100 close 3 say closed "
		"hear go",
		stage->peer.target);
	peer_accept(&stage->peer);
	peer_send(&stage->peer, 100);
	sockets_await_drained(stage->peer.program_port);
	return stage_finish(stage, true);
}

static void test_close_behind_own_fin_control_resets(void **state)
{
	struct stage_end end = close_behind_own_fin(NULL);

	(void)state;
	assert_int_not_equal(end.peer_error, 0); /* EPIPE: its own side was half-closed */
	assert_true(end.was_rst_sent);
	assert_int_equal(end.grown.aborts_on_close, 1);
}

static void test_close_behind_own_fin_is_drained(void **state)
{
	static const char *const modes[] = {"drain", "fin"};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct stage_end end = close_behind_own_fin(modes[i]);

		assert_was_fin(&end);
		assert_int_equal(end.received_bytes, 1000);
		assert_reported(&end, ": 100 unread", "drained 100, fin in ");
	}
}

/* ---- SO_LINGER ----------------------------------------------------------------------------- */

static struct stage_end close_with_linger(
	const char *mode, const char *seconds, size_t unread_bytes, const char *variable)
{
	struct stage *stage = stage_open(PEER_IPV4);

	program_start(&stage->program,
		&(struct program_options){.mode = mode, .environment = {variable}},
		"connect 3 %s linger 3 1 %s await-unread 3 %zu close 3 say closed hear go",
		stage->peer.target, seconds, unread_bytes);
	peer_accept(&stage->peer);
	if (unread_bytes > 0) {
		peer_send(&stage->peer, unread_bytes);
	}
	return stage_finish(stage, true);
}

static void test_close_abortive_stays_a_reset(void **state)
{
	static const char *const modes[] = {NULL, "off", "warn", "drain", "fin"};

	(void)state;
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		for (size_t unread_bytes = 0; unread_bytes <= 100; unread_bytes += 100) {
			struct stage_end end = close_with_linger(modes[i], "0", unread_bytes, NULL);

			assert_output(&end, "close 3 -> 0 errno 4242\nclosed\n");
			assert_int_equal(end.peer_error, ECONNRESET);
			assert_true(end.was_rst_sent);
			assert_false(end.was_fin_sent);
			assert_not_reported(&end);
		}
	}
}

static void test_close_abortive_is_reported_where_all_is(void **state)
{
	static const char *const modes[] = {"warn", "drain", "fin"};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct stage_end end =
			close_with_linger(modes[i], "0", 100, "SAFECLOSE_REPORT=all");

		assert_reported(&end, ": 100 unread", "abortive");
	}
}

static void test_close_lingering_control_resets(void **state)
{
	struct stage_end end = close_with_linger(NULL, "5", 100, NULL);

	(void)state;
	assert_was_reset(&end);
}

static void test_close_lingering_ends_with_fin(void **state)
{
	static const char *const modes[] = {"drain", "fin"};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct stage_end end = close_with_linger(modes[i], "5", 100, NULL);

		assert_was_fin(&end);
		assert_reported(&end, ": 100 unread", "drained 100, fin in ");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_close_accepted_control_resets, stage_teardown),
		cmocka_unit_test_teardown(test_close_accepted_drain_ends_with_fin, stage_teardown),
		cmocka_unit_test_teardown(test_close_accepted_fin_ends_with_fin, stage_teardown),
		cmocka_unit_test_teardown(test_close_partly_read_control_resets, stage_teardown),
		cmocka_unit_test_teardown(test_close_partly_read_reports_the_rest, stage_teardown),
		cmocka_unit_test_teardown(
			test_close_behind_peer_fin_control_resets, stage_teardown),
		cmocka_unit_test_teardown(
			test_close_behind_peer_fin_warn_counts_bytes_alone, stage_teardown),
		cmocka_unit_test_teardown(test_close_behind_peer_fin_ends_with_fin, stage_teardown),
		cmocka_unit_test_teardown(test_close_behind_own_fin_control_resets, stage_teardown),
		cmocka_unit_test_teardown(test_close_behind_own_fin_is_drained, stage_teardown),
		cmocka_unit_test_teardown(test_close_abortive_stays_a_reset, stage_teardown),
		cmocka_unit_test_teardown(
			test_close_abortive_is_reported_where_all_is, stage_teardown),
		cmocka_unit_test_teardown(test_close_lingering_control_resets, stage_teardown),
		cmocka_unit_test_teardown(test_close_lingering_ends_with_fin, stage_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
