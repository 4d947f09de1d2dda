// SPDX-License-Identifier: MIT
// HARNESS
/*
 * What the program wrote before it closed with bytes unread: a reset throws away all that the peer
 * has not acknowledged; after drain and fin it arrives whole.
 */
#include "harness/stage.h"
#include "harness/unit.h"
#include "harness/verdict.h"

enum { WRITTEN_BYTES = 200000 };

/*
 * The peer's window is small, so that most of what is written waits in the program's kernel. Not so
 * with MPTCP: its reset lies beyond a full window, which leaves the peer waiting for another path.
 */
static struct stage *write_and_close(enum peer_family family, const char *mode)
{
	struct stage *stage = stage_open(family);

	if (family != PEER_MPTCP) {
		peer_limit_window(&stage->peer, 8192);
	}
	program_start(&stage->program, &(struct program_options){.mode = mode},
		"socket 3 %s sndbuf 3 400000 connect-socket 3 %s await-unread 3 1000 write 3 %d "
		"close 3 say closed hear go",
		peer_family_word(family), stage->peer.target, WRITTEN_BYTES);
	peer_accept(&stage->peer);
	peer_send(&stage->peer, 1000);
	return stage;
}

/* The peer begins to read when the close has returned. */
static struct stage_end read_after_close(enum peer_family family, const char *mode)
{
	struct stage *stage = write_and_close(family, mode);

	program_hear(&stage->program, "closed");
	return stage_finish(stage, true);
}

static void assert_lost(const struct stage_end *end)
{
	assert_was_reset(end);
	assert_true(end->received_bytes < WRITTEN_BYTES);
}

static void test_written_control_loses_bytes(void **state)
{
	(void)state;
	for (enum peer_family family = PEER_IPV4; family <= PEER_MPTCP; family++) {
		struct stage_end end = read_after_close(family, NULL);

		assert_lost(&end);
	}
}

static void test_written_warn_tells_what_is_lost(void **state)
{
	struct stage_end end = read_after_close(PEER_IPV4, "warn");

	(void)state;
	assert_lost(&end);
	assert_reported(&end, ": 1000 unread, ", " unacknowledged; rst (unread) in ");
}

static void assert_arrived(const struct stage_end *end)
{
	assert_was_fin(end);
	assert_int_equal(end->received_bytes, WRITTEN_BYTES);
	assert_reported(end, ": 1000 unread, ", " unacknowledged; drained 1000, fin in ");
}

static void test_written_drain_all_arrives(void **state)
{
	(void)state;
	for (enum peer_family family = PEER_IPV4; family <= PEER_MPTCP; family++) {
		struct stage_end end = read_after_close(family, "drain");

		assert_arrived(&end);
	}
}

static void test_written_fin_all_arrives(void **state)
{
	(void)state;
	for (enum peer_family family = PEER_IPV4; family <= PEER_MPTCP; family++) {
		struct stage_end end = stage_finish(write_and_close(family, "fin"), true);

		assert_arrived(&end);
	}
}

/* The peer answers what it reads with more bytes, which nobody reads either. */
static struct stage_end talk_back(const char *mode)
{
	struct stage *stage = write_and_close(PEER_IPV4, mode);

	peer_receive(&stage->peer, WRITTEN_BYTES / 2);
	peer_send(&stage->peer, 5000);
	return stage_finish(stage, true);
}

static void test_written_fin_discards_what_the_peer_still_sends(void **state)
{
	struct stage_end end = talk_back("fin");

	(void)state;
	assert_was_fin(&end);
	assert_int_equal(end.received_bytes, WRITTEN_BYTES);
	assert_reported(&end, "drained 6000, fin in ", NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_written_control_loses_bytes, stage_teardown),
		cmocka_unit_test_teardown(test_written_warn_tells_what_is_lost, stage_teardown),
		cmocka_unit_test_teardown(test_written_drain_all_arrives, stage_teardown),
		cmocka_unit_test_teardown(test_written_fin_all_arrives, stage_teardown),
		cmocka_unit_test_teardown(
			test_written_fin_discards_what_the_peer_still_sends, stage_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
