// SPDX-License-Identifier: MIT
// HARNESS
/*
 * close() with nothing unread: FIN in every mode and not a word about it. Bytes that arrive after it
 * meet a reset; fin with SAFECLOSE_WHEN=always waits for them.
 */
#include "harness/stage.h"
#include "harness/unit.h"
#include "harness/verdict.h"

static const char *const modes[] = {NULL, "off", "warn", "drain", "fin"};

enum { MODE_COUNT = sizeof(modes) / sizeof(modes[0]) };

static struct stage *start(
	enum peer_family family, const char *mode, const char *variable, const char *words)
{
	struct stage *stage = stage_open(family);

	program_start(&stage->program,
		&(struct program_options){.mode = mode, .environment = {variable}},
		"connect 3 %s %s close 3 say closed hear go", stage->peer.target, words);
	peer_accept(&stage->peer);
	return stage;
}

static void assert_clean(const struct stage_end *end)
{
	assert_output(end, "close 3 -> 0 errno 4242\nclosed\n");
	assert_was_fin(end);
	assert_not_reported(end);
}

static void test_clean_nothing_received_ends_with_fin(void **state)
{
	(void)state;
	for (enum peer_family family = PEER_IPV4; family <= PEER_MPTCP; family++) {
		for (size_t i = 0; i < MODE_COUNT; i++) {
			struct stage_end end =
				stage_finish(start(family, modes[i], NULL, ""), true);

			assert_clean(&end);
		}
	}
}

static void test_clean_all_read_ends_with_fin(void **state)
{
	(void)state;
	for (size_t i = 0; i < MODE_COUNT; i++) {
		struct stage *stage = start(PEER_IPV4, modes[i], NULL, "write 3 1000 read 3 5000");
		struct stage_end end;

		peer_send(&stage->peer, 5000);
		end = stage_finish(stage, true);
		assert_clean(&end);
		assert_int_equal(end.received_bytes, 1000);
	}
}

/* FIONREAD of MPTCP counts the peer's FIN as a byte. */
static void test_clean_peer_closed_first_ends_with_fin(void **state)
{
	(void)state;
	for (enum peer_family family = PEER_IPV4; family <= PEER_MPTCP; family++) {
		for (size_t i = 0; i < MODE_COUNT; i++) {
			struct stage *stage =
				start(family, modes[i], NULL, "read 3 100 await-peer-fin 3");
			struct stage_end end;

			peer_send(&stage->peer, 100);
			peer_finish(&stage->peer);
			end = stage_finish(stage, true);
			assert_clean(&end);
		}
	}
}

static void test_clean_fin_always_ends_with_fin(void **state)
{
	(void)state;
	for (enum peer_family family = PEER_IPV4; family <= PEER_MPTCP; family++) {
		struct stage_end end =
			stage_finish(start(family, "fin", "SAFECLOSE_WHEN=always", ""), true);

		assert_clean(&end);
	}
}

/* The peer sends a byte when it has seen the FIN. */
static struct stage_end send_late(const char *mode, const char *variable)
{
	struct stage *stage = start(PEER_IPV4, mode, variable, "");

	peer_receive_end(&stage->peer);
	assert_int_equal(stage->peer.error, 0);
	peer_try_send(&stage->peer, 1);
	peer_await_acked(&stage->peer);
	peer_hang_up(&stage->peer);
	program_say(&stage->program, "go");
	return stage_judge(stage, program_await_exit(&stage->program));
}

static void test_late_byte_control_meets_a_reset(void **state)
{
	struct stage_end end = send_late(NULL, NULL);

	(void)state;
	assert_true(end.was_fin_sent);
	assert_int_not_equal(end.peer_error, 0);
	assert_true(end.grown.out_rsts > 0);
	assert_int_equal(end.grown.aborts_on_close, 0);
}

static void test_late_byte_fin_always_is_discarded(void **state)
{
	struct stage_end end = send_late("fin", "SAFECLOSE_WHEN=always");

	(void)state;
	assert_was_fin(&end);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(
			test_clean_nothing_received_ends_with_fin, stage_teardown),
		cmocka_unit_test_teardown(test_clean_all_read_ends_with_fin, stage_teardown),
		cmocka_unit_test_teardown(
			test_clean_peer_closed_first_ends_with_fin, stage_teardown),
		cmocka_unit_test_teardown(test_clean_fin_always_ends_with_fin, stage_teardown),
		cmocka_unit_test_teardown(test_late_byte_control_meets_a_reset, stage_teardown),
		cmocka_unit_test_teardown(test_late_byte_fin_always_is_discarded, stage_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
