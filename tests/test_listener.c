// SPDX-License-Identifier: MIT
// HARNESS
/*
 * A listener closed with connections that nobody has accepted: the kernel resets them, and nothing
 * can be done about it, so it is said in every mode, with their number.
 */
#include "harness/netns.h"
#include "harness/rows.h"
#include "harness/stage.h"
#include "harness/verdict.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const char *const modes[] = {"warn", "drain", "fin"};

/* What ends the listener at descriptor 3. */
static const struct row {
	const char *name;
	const char *words;
	const char *via;
} rows[] = {
	{"close", "close 3 say closed hear go", "]: close(3) "},
	{"syscall", "syscall-close 3 say closed hear go", "]: close(3) "},
	{"dup2", "open 4 /dev/null dup2 4 3 say closed hear go", "]: dup2(3) "},
	{"close_range", "close-range 3 -1 0 say closed hear go", "]: close_range(3) "},
	{"exit", "say closed hear go", "]: exit(3) "},
	{"_exit", "say closed hear go exit-now 0", "]: _exit(3) "},
	{"exec", "cloexec 3 exec say closed hear go", "]: execv(3) "},
};

static void connect_two(struct stage *stage)
{
	uint16_t port = (uint16_t)program_hear_number(&stage->program, "port ");

	peer_close(&stage->peer);
	peer_connect(&stage->peer, PEER_IPV4, port);
	peer_connect(&stage->other_peer, PEER_IPV4, port);
}

static struct stage_end close_listener(const char *words, const char *mode, char line[96])
{
	struct stage *stage = stage_open(PEER_IPV4);
	struct stage_end end;
	int status;

	program_start(&stage->program, &(struct program_options){.mode = mode, .is_alone = true},
		"listen 3 4 port 3 await-backlog 3 2 %s", words);
	connect_two(stage);
	snprintf(line, 96, "listener 127.0.0.1:%u: 2 not accepted; rst (listener) in ",
		stage->peer.program_port);
	program_hear(&stage->program, "closed");
	program_say(&stage->program, "go");
	status = program_await_exit(&stage->program);
	peer_receive_end(&stage->peer);
	peer_receive_end(&stage->other_peer);
	end = stage_judge(stage, status);
	assert_int_equal(end.status, 0);
	assert_int_equal(end.peer_error, ECONNRESET);
	assert_int_equal(stage->other_peer.error, ECONNRESET);
	return end;
}

static void test_listener_control_resets(void **state)
{
	const struct row *row = *state;
	char line[96];

	close_listener(row->words, NULL, line);
}

static void test_listener_is_reported_with_their_number(void **state)
{
	const struct row *row = *state;

	for (size_t i = 0; i < 3; i++) {
		char line[96];
		struct stage_end end = close_listener(row->words, modes[i], line);

		assert_reported(&end, row->via, line);
		assert_int_equal(end.grown.aborts_on_close, 0);
	}
}

/* ---- shared -------------------------------------------------------------------------------- */

static void test_listener_that_a_child_has_is_not_reset(void **state)
{
	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct stage *stage = stage_open(PEER_IPV4);
		struct stage_end end;

		program_start(&stage->program,
			&(struct program_options){.mode = modes[i], .is_alone = true},
			"listen 3 4 fork hear on accept 3 4 accept 3 5 close 4 close 5 close 3 end "
			"port 3 await-backlog 3 2 close 3 say closed wait");
		connect_two(stage);
		program_hear(&stage->program, "closed");
		netns_settle();
		assert_int_equal(peer_late_error(&stage->peer), 0);
		program_say(&stage->program, "on");
		peer_receive_end(&stage->peer);
		peer_receive_end(&stage->other_peer);
		end = stage_judge(stage, program_await_exit(&stage->program));
		assert_int_equal(end.status, 0);
		assert_int_equal(end.peer_error, 0);
		assert_int_equal(stage->other_peer.error, 0);
		assert_not_reported(&end);
	}
}

static void test_listener_is_reported_by_the_last_holder(void **state)
{
	(void)state;
	for (size_t i = 0; i < 3; i++) {
		char line[96];
		struct stage_end end =
			close_listener("fork hear go end close 3 say closed wait", modes[i], line);

		assert_reported(&end, "]: _exit(3) ", line);
	}
}

static void test_listener_without_connections_is_silent(void **state)
{
	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct stage *stage = stage_open(PEER_IPV4);
		struct stage_end end;

		program_start(&stage->program, &(struct program_options){.mode = modes[i]},
			"listen 3 4 listen 4 6 close 3");
		end = stage_judge(stage, program_await_exit(&stage->program));
		assert_output(&end, "close 3 -> 0 errno 4242\n");
		assert_not_reported(&end);
	}
}

static const struct rows_subject subjects[] = {
	ROWS_SUBJECT(test_listener_control_resets, rows),
	ROWS_SUBJECT(test_listener_is_reported_with_their_number, rows),
	ROWS_PLAIN(test_listener_that_a_child_has_is_not_reset),
	ROWS_PLAIN(test_listener_is_reported_by_the_last_holder),
	ROWS_PLAIN(test_listener_without_connections_is_silent),
};

int main(void)
{
	return ROWS_RUN(subjects);
}
