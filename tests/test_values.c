// SPDX-License-Identifier: MIT
// HARNESS
/*
 * close() of all that is not a connection with unread bytes: result and errno are the kernel's, in
 * every mode, and nothing is said. Each script's output is compared with that of the control, which
 * is compared with what is known to be right.
 */
#include "harness/deadline.h"
#include "harness/stage.h"
#include "harness/unit.h"
#include "harness/verdict.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct row {
	const char *name;
	const char *script;
	const char *output;
};

/* 4242 is errno as the program left it, 9 is EBADF. */
#define CLOSED(fd) "close " fd " -> 0 errno 4242\n"
#define BAD(fd) "close " fd " -> -1 errno 9\n"

static const struct row rows[] = {
	{"listener", "listen 3 4 close 3 close 3", CLOSED("3") BAD("3")},
	{"listener_ipv6", "listen 3 6 close 3 close 3", CLOSED("3") BAD("3")},
	{"listener_mptcp", "listen 3 m close 3 close 3", CLOSED("3") BAD("3")},
	{"unconnected", "socket 3 4 close 3 close 3", CLOSED("3") BAD("3")},
	{"unconnected_ipv6", "socket 3 6 close 3", CLOSED("3")},
	{"unconnected_mptcp", "socket 3 m close 3", CLOSED("3")},
	{"refused", "socket 3 4 try-connect 3 4 127.0.0.1 1 close 3 close 3",
		"connect 3 -> -1 errno 111\n" CLOSED("3") BAD("3")},
	{"udp", "udp 3 try-write 3 await-unread 3 1 close 3 close 3",
		"write 3 -> 1 errno 0\n" CLOSED("3") BAD("3")},
	{"unix", "unix 3 4 write 3 10 await-unread 4 10 close 4 close 3 close 4",
		CLOSED("4") CLOSED("3") BAD("4")},
	{"pipe", "pipe 3 4 write 4 10 await-unread 3 10 close 3 close 4 close 3",
		CLOSED("3") CLOSED("4") BAD("3")},
	{"file", "open-read 3 /proc/self/status close 3 close 3", CLOSED("3") BAD("3")},
	{"folder", "open-read 3 / close 3 close 3", CLOSED("3") BAD("3")},
	{"device", "open 3 /dev/null close 3 close 3", CLOSED("3") BAD("3")},
	{"tty", "tty 3 4 write 3 10 close 4 close 3 close 4", CLOSED("4") CLOSED("3") BAD("4")},
	{"epoll", "epoll 3 pipe 4 5 epoll-add 3 4 close 4 close 3 close 5 close 3",
		CLOSED("4") CLOSED("3") CLOSED("5") BAD("3")},
	{"closed_twice", "pipe 3 4 close 3 close 3 close 3", CLOSED("3") BAD("3") BAD("3")},
	{"never_open", "close 3 close 700 close 1023 close 1024",
		BAD("3") BAD("700") BAD("1023") BAD("1024")},
	{"negative", "close -1 close -2 close -2147483648", BAD("-1") BAD("-2") BAD("-2147483648")},
	{"huge", "close 10000000 close 2147483647", BAD("10000000") BAD("2147483647")},
	{"stdin", "close 0 close 0", CLOSED("0") BAD("0")},
	{"stderr", "close 2 close 2", CLOSED("2") BAD("2")},
	{"number_used_again", "pipe 3 4 close 3 open 3 /dev/null close 4 close 3",
		CLOSED("3") CLOSED("4") CLOSED("3")},
};

static const char *const modes[] = {NULL, "", "off", "warn", "drain", "fin"};

static void test_values_are_the_kernels(void **state)
{
	const struct row *row = *state;

	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		struct stage *stage = stage_open(PEER_IPV4);
		struct stage_end end;

		program_start(&stage->program, &(struct program_options){.mode = modes[i]}, "%s",
			row->script);
		end = stage_judge(stage, program_await_exit(&stage->program));
		assert_output(&end, row->output);
		assert_not_reported(&end);
		assert_int_equal(end.grown.aborts_on_close, 0);
	}
}

static void test_values_blocking_mode_stays(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		struct stage *stage = stage_open(PEER_IPV4);
		struct stage_end end;

		program_start(&stage->program, &(struct program_options){.mode = modes[i]},
			"connect 3 %s dup 3 4 await-unread 3 10 close 3 blocking 4 nonblock 4 "
			"dup 4 3 close 3 blocking 4 read 4 10 close 4 hear go",
			stage->peer.target);
		peer_accept(&stage->peer);
		peer_send(&stage->peer, 10);
		end = stage_finish(stage, true);
		assert_output(&end, CLOSED("3") "blocking 4 -> 1\n" CLOSED(
					    "3") "blocking 4 -> 0\n" CLOSED("4"));
	}
}

/* The peer's reset came first: nothing is left to save, nothing to report. */
static void test_values_reset_by_peer_stays_silent(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		struct stage *stage = stage_open(PEER_IPV4);
		struct stage_end end;

		program_start(&stage->program, &(struct program_options){.mode = modes[i]},
			"connect 3 %s write 3 10 await-peer-fin 3 close 3", stage->peer.target);
		peer_accept(&stage->peer);
		assert_int_equal(
			deadline_poll(stage->peer.fd, POLLIN, deadline_in(DEADLINE_MS)), POLLIN);
		peer_hang_up(&stage->peer); /* with bytes unread */
		end = stage_judge(stage, program_await_exit(&stage->program));
		assert_output(&end, CLOSED("3"));
		assert_not_reported(&end);
		assert_int_equal(end.grown.aborts_on_close, 1);
	}
}

enum { ROW_COUNT = sizeof(rows) / sizeof(rows[0]) };

int main(void)
{
	static char names[ROW_COUNT][96];
	static struct CMUnitTest tests[ROW_COUNT + 2] = {
		cmocka_unit_test_teardown(test_values_blocking_mode_stays, stage_teardown),
		cmocka_unit_test_teardown(test_values_reset_by_peer_stays_silent, stage_teardown),
	};

	for (size_t i = 0; i < ROW_COUNT; i++) {
		snprintf(names[i], sizeof(names[i]), "test_values_are_the_kernels (%s)",
			rows[i].name);
		tests[i + 2] = (struct CMUnitTest){
			.name = names[i],
			.test_func = test_values_are_the_kernels,
			.teardown_func = stage_teardown,
			.initial_state = (void *)(uintptr_t)&rows[i],
		};
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
