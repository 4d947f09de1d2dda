// SPDX-License-Identifier: MIT
// HARNESS
/*
 * One sweep of /proc serves every connection that waits for it: what is opened there, as strace sees
 * it, does not grow with the closes.
 */
#include "harness/netns.h"
#include "harness/peers.h"
#include "harness/stage.h"
#include "harness/text.h"
#include "harness/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What only a sweep calls takes a while, some 100 ms in all: the closes are quicker, however busy the
 * machine is, and have to wait for it. */
#define SLOWLY "-e trace=openat,getdents64 -e inject=getdents64:delay_enter=10000 "
#define FOREVER "-E SAFECLOSE_LINGER_TIME=60s -E SAFECLOSE_LINGER_TIMEOUT=60s"

enum {
	CONNECTIONS = 400,
	SWEEPS_MAX = 20,
	OTHER_LOOKS_MAX = 100, /* at one holder, all through its youth of 200 ms */
};

static char trace_path[64];
static struct peers peers;

static int make_trace(void **state)
{
	int fd;

	(void)state;
	snprintf(trace_path, sizeof(trace_path), "/tmp/sweeps.XXXXXX");
	fd = mkstemp(trace_path);
	return fd < 0 ? -1 : close(fd);
}

static int end_test(void **state)
{
	peers_close(&peers);
	unlink(trace_path);
	return stage_teardown(state);
}

/* A sweep begins with the process itself. */
static void assert_sweeps_are_few(void)
{
	char *trace = text_of_file(trace_path);
	size_t sweeps = text_lines_with(trace, ", \"self\", O_RDONLY", NULL);
	size_t looks = text_lines_with(trace, "AT_FDCWD, \"/proc\", ", NULL);

	free(trace);
	print_message("%zu sweeps and %zu looks for %d closes\n", sweeps, looks, CONNECTIONS);
	assert_in_range(sweeps, 1, SWEEPS_MAX);
	assert_in_range(looks, sweeps, sweeps + OTHER_LOOKS_MAX);
}

/*
 * The program accepts connections, forks, so that it cannot know without looking who holds them, and
 * closes them in fin by the words. So does its child, at its end.
 */
static void run(const char *words)
{
	struct stage *stage = stage_open(PEER_IPV4);

	program_start(&stage->program,
		&(struct program_options){.executable = PROGRAM_STRACE, .is_alone = true},
		"-f -qq --seccomp-bpf " SLOWLY "-o %s -E LD_PRELOAD=%s -E SAFECLOSE_MODE=fin "
		"-E SAFECLOSE_LINGER_MAX=1000 " FOREVER
		" %sserver listen accept %d await-unread 1 fork-and-wait %s",
		trace_path, PROGRAM_LIBRARY, PROGRAM_FOLDER, CONNECTIONS, words);
	stage->peer.program_port = (uint16_t)program_hear_number(&stage->program, "port ");
	peers_connect(&peers, stage->peer.program_port, CONNECTIONS);
	assert_int_equal(peers_send(&peers, 1), 0);
	program_hear(&stage->program, "closed");
	assert_int_equal(peers_receive_end(&peers, 0), CONNECTIONS);
	assert_int_equal(counters_since(&stage->before).aborts_on_close, 0);
	peers_finish(&peers);
	program_say(&stage->program, "go");
	assert_int_equal(program_await_exit(&stage->program), 0);
	assert_sweeps_are_few();
}

static void test_sweeps_of_many_closes_are_few(void **state)
{
	(void)state;
	program_require_strace();
	run("close 400 say closed hear go");
}

static void test_sweeps_of_one_close_range_are_few(void **state)
{
	(void)state;
	program_require_strace();
	run("close-range 3 say closed hear go");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_sweeps_of_many_closes_are_few, make_trace, end_test),
		cmocka_unit_test_setup_teardown(
			test_sweeps_of_one_close_range_are_few, make_trace, end_test),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
