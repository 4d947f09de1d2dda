// SPDX-License-Identifier: MIT
// HARNESS
/*
 * The audit is exact: in warn, the reports of a reset for unread bytes are as many as the kernel
 * counted, over a long mix of closes that reset, closes that do not and closes that are not the last.
 */
#include "harness/deadline.h"
#include "harness/netns.h"
#include "harness/stage.h"
#include "harness/text.h"
#include "harness/unit.h"
#include "harness/verdict.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* One round of the mix; %1$s is a peer that sends a byte, %2$s one that keeps still. */
static const char round_format[] =
	/* reset: the only holder */
	"connect 3 %1$s await-unread 3 1 close 3 "
	/* FIN: nothing came, or all was read */
	"connect 3 %2$s close 3 "
	"connect 3 %1$s read 3 1 close 3 "
	/* reset at the second close */
	"connect 3 %1$s dup 3 4 await-unread 3 1 close 3 close 4 "
	/* not a connection */
	"pipe 3 4 write 3 0 close 3 close 4 socket 3 4 close 3 close 3 "
	/* reset at the parent's close, after the child's */
	"connect 3 %1$s fork await-unread 3 1 close 3 end wait close 3 "
	/* FIN: the child reads what its parent left */
	"connect 3 %1$s await-unread 3 1 dup 3 4 close 3 read 4 1 close 4 "
	/* reset behind the program's half-close */
	"connect 3 %1$s await-unread 3 1 shutdown 3 wr close 3 "
	/* reset at the child's exit-less close, after the parent's */
	"connect 3 %1$s await-unread 3 1 pipe 4 5 fork close 5 read-end 4 close 3 end close 3 "
	"close 5 wait close 4 ";

/* Each by a child of its own, all at once; the connection at 3 has a byte unread. */
static const char *const ways[] = {
	"close 3",
	"other-close 3",
	"close-range 3 3 0",
	"close-range 3 -1 0",
	"closefrom 3",
	"open 4 /dev/null dup2 4 3",
	"open 4 /dev/null dup3 4 3 0",
	"fdopen 3 r+ fclose 3",
	"fdopen 3 r+ freopen 3 /dev/null",
	"fdopen 3 r+ freopen64 3 /dev/null",
	"fdopen 3 r+ fcloseall exit 0",
	"syscall-close 3",
	"syscall-close-range 3 3 0",
	"open 4 /dev/null syscall-dup2 4 3",
	"open 4 /dev/null syscall-dup3 4 3 0",
	"exit 7",
	"thread exit 7 end join",
	"pthread-exit",
	"thread await-main-ended pthread-exit end pthread-exit",
	"exit-now 7",
	"c-exit-now 7",
	"quick-exit 7",
	"abort",
	"syscall-exit 7",
	"syscall-exit-group 7",
	"cloexec 3 exec-by execve /bin/true",
	"cloexec 3 exec-by execv /bin/true",
	"cloexec 3 exec-by execvp /bin/true",
	"cloexec 3 exec-by syscall /bin/true",
	/* Once: at the second close, after the child's, and after it went away and came back. */
	"dup 3 4 close 3 close 4",
	"fork close 3 end wait close 3",
	"unix 4 5 send-fd 4 3 close 3 receive-fd 5 6 close 6",
	/* In a message that nobody receives. */
	"unix 4 5 send-fd 4 3 close 3 close 5",
	"unix 4 5 send-fd 4 3 close 3 close 4 exit 0",
	"unix 4 5 send-fd 4 3 close 3 open 3 /dev/null dup2 3 5",
	"unix 4 5 pipe 6 7 fork close 3 close 4 close 7 read-end 6 exit-now 0 end close 5 send-fd "
	"4 "
	"3 close 3 close 6 close 7 wait",
};

enum { WAYS = sizeof(ways) / sizeof(ways[0]), WAY_ROUNDS = 6 };

enum { ROUNDS = 12, RESETS_PER_ROUND = 5, ACCEPTED_MAX = 1024 };

/* What the two peers have accepted; closed by the teardown. */
static struct {
	int fds[ACCEPTED_MAX];
	size_t count;
} accepted;

static char *write_ways(const struct stage *stage)
{
	char *script = NULL;
	size_t size;
	FILE *stream = open_memstream(&script, &size);

	assert_non_null(stream);
	for (size_t round = 0; round < WAY_ROUNDS; round++) {
		for (size_t i = 0; i < WAYS; i++) {
			fprintf(stream, "fork connect 3 %s await-unread 3 1 %s end ",
				stage->peer.target, ways[i]);
		}
		for (size_t i = 0; i < WAYS; i++) {
			fputs("wait ", stream);
		}
	}
	fprintf(stream, "say done hear go");
	fclose(stream);
	return script;
}

static char *write_script(const struct stage *stage)
{
	char *script = NULL;
	size_t size;
	FILE *stream = open_memstream(&script, &size);

	assert_non_null(stream);
	for (int round = 0; round < ROUNDS; round++) {
		fprintf(stream, round_format, stage->peer.target, stage->other_peer.target);
	}
	fprintf(stream, "say done hear go");
	fclose(stream);
	return script;
}

/* Accept who waits; first_byte: send one of the pattern. */
static void accept_waiting(int listener, bool first_byte)
{
	while (deadline_poll(listener, POLLIN, deadline_now())) {
		int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

		assert_true(fd >= 0);
		assert_true(accepted.count < ACCEPTED_MAX);
		accepted.fds[accepted.count++] = fd;
		if (first_byte) {
			assert_int_equal(send(fd, "", 1, MSG_NOSIGNAL), 1);
		}
	}
}

/* Serve both peers until the program has said that it is done. */
static void serve(struct stage *stage)
{
	int64_t deadline = deadline_in(3 * DEADLINE_MS);

	while (!strstr(program_output(&stage->program), "done\n")) {
		struct pollfd polled[] = {
			{.fd = stage->peer.listener, .events = POLLIN},
			{.fd = stage->other_peer.listener, .events = POLLIN},
			{.fd = stage->program.output, .events = POLLIN},
		};

		if (poll(polled, 3, deadline_left_ms(deadline)) <= 0 ||
			!program_pump(&stage->program, 0)) {
			fail_msg("the program stopped at:\n%s", program_output(&stage->program));
		}
		accept_waiting(stage->peer.listener, true);
		accept_waiting(stage->other_peer.listener, false);
	}
}

static struct stage_end run_script(
	const char *mode, char *(*write_words)(const struct stage *stage))
{
	struct stage *stage = stage_open(PEER_IPV4);
	char *script;

	peer_listen(&stage->other_peer, PEER_IPV4);
	script = write_words(stage);
	program_start(&stage->program,
		&(struct program_options){
			.mode = mode, .is_alone = true, .wants_all_reports = true},
		"%s", script);
	free(script);
	serve(stage);
	program_say(&stage->program, "go");
	return stage_judge(stage, program_await_exit(&stage->program));
}

static struct stage_end run_mix(const char *mode)
{
	return run_script(mode, write_script);
}

static int close_accepted(void **state)
{
	while (accepted.count > 0) {
		close(accepted.fds[--accepted.count]);
	}
	return stage_teardown(state);
}

static void test_audit_control_counts_resets(void **state)
{
	struct stage_end end = run_mix(NULL);

	(void)state;
	assert_int_equal(end.status, 0);
	assert_int_equal(end.grown.aborts_on_close, ROUNDS * RESETS_PER_ROUND);
}

static void test_audit_warn_reports_each_reset(void **state)
{
	struct stage_end end = run_mix("warn");

	(void)state;
	assert_int_equal(end.status, 0);
	assert_int_equal(end.grown.aborts_on_close, ROUNDS * RESETS_PER_ROUND);
	assert_int_equal(
		text_lines_with(end.errors, "rst (unread)", NULL), end.grown.aborts_on_close);
	assert_int_equal(text_lines(end.errors), end.grown.aborts_on_close);
}

static void test_audit_drain_leaves_no_reset(void **state)
{
	struct stage_end end = run_mix("drain");

	(void)state;
	assert_int_equal(end.status, 0);
	assert_int_equal(end.grown.aborts_on_close, 0);
	assert_int_equal(end.grown.out_rsts, 0);
	assert_int_equal(text_lines_with(end.errors, "; drained 1, fin in ", NULL),
		ROUNDS * RESETS_PER_ROUND);
}

static void test_audit_of_each_way_at_once_control_counts_resets(void **state)
{
	struct stage_end end = run_script(NULL, write_ways);

	(void)state;
	assert_int_equal(end.status, 0);
	assert_int_equal(end.grown.aborts_on_close, WAY_ROUNDS * WAYS);
}

static void test_audit_of_each_way_at_once_is_exact(void **state)
{
	struct stage_end end = run_script("warn", write_ways);

	(void)state;
	assert_int_equal(end.status, 0);
	assert_int_equal(end.grown.aborts_on_close, WAY_ROUNDS * WAYS);
	if (text_lines_with(end.errors, "rst (unread)", NULL) != end.grown.aborts_on_close) {
		fail_msg("%zu reports of %d resets:\n%s",
			text_lines_with(end.errors, "rst (unread)", NULL), WAY_ROUNDS * WAYS,
			end.errors);
	}
	assert_int_equal(text_lines(end.errors), end.grown.aborts_on_close);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(
			test_audit_of_each_way_at_once_control_counts_resets, close_accepted),
		cmocka_unit_test_teardown(test_audit_of_each_way_at_once_is_exact, close_accepted),
		cmocka_unit_test_teardown(test_audit_control_counts_resets, close_accepted),
		cmocka_unit_test_teardown(test_audit_warn_reports_each_reset, close_accepted),
		cmocka_unit_test_teardown(test_audit_drain_leaves_no_reset, close_accepted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
