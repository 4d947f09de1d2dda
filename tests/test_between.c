// SPDX-License-Identifier: MIT
// HARNESS
/*
 * What happens between the library's look at a descriptor and its close, or between two of its
 * steps: strace makes one of them slow.
 */
#include "harness/counters.h"
#include "harness/folder.h"
#include "harness/stage.h"
#include "harness/text.h"
#include "harness/unit.h"
#include "harness/verdict.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

enum {
	ROUNDS = 1000,
	SLOW_ROUNDS = 40,
	LOCK_WAITS = 600, /* once */
	UNREAD_BYTES = 1000,
	TAKEN_FIRST = 940,
	TAKEN_LAST = 1023,
	WORDS_BYTES = 8192,
};

/* ---- the peer's FIN ------------------------------------------------------------------------ */

/* Both ends of each connection are the program's. */
static struct stage_end run_rounds(const char *executable, const char *mode)
{
	struct stage *stage = stage_open_uncaptured(PEER_IPV4);
	struct stage_end end = {0};

	program_start(&stage->program,
		&(struct program_options){
			.executable = executable, .mode = mode, .wants_all_reports = true},
		"%d", ROUNDS);
	end.status = program_await_exit(&stage->program);
	end.grown = counters_since(&stage->before);
	end.errors = program_errors(&stage->program);
	assert_int_equal(end.status, 0);
	return end;
}

static void assert_told_what_the_kernel_counts(const struct stage_end *end)
{
	size_t told = text_lines_with(end->errors, "; rst (unread) in ", NULL);

	print_message("%zu resets in %d rounds\n", told, ROUNDS);
	assert_int_equal(told, end->grown.aborts_on_close);
	assert_int_equal(told, text_lines(end->errors));
	assert_true(told > 0);
}

/* Behind the program's own FIN it ends the connection, and with it what a close would reset. */
static void test_between_fins_warn_tells_what_the_kernel_counts(void **state)
{
	struct stage_end end = run_rounds("halfway", "warn");

	(void)state;
	assert_told_what_the_kernel_counts(&end);
}

static void test_between_fins_fin_resets_none(void **state)
{
	struct stage_end end = run_rounds("halfway", "fin");

	(void)state;
	assert_int_equal(end.grown.aborts_on_close, 0);
	assert_int_equal(text_lines_with(end.errors, "; rst", NULL), 0);
}

/* ---- the peer's reset ---------------------------------------------------------------------- */

/* It comes while the library looks: one connection, one reset, and that was the peer's. */
static void test_between_reset_by_the_peer_is_not_the_program_s(void **state)
{
	struct stage *stage = stage_open(PEER_IPV4);
	struct stage_end end;

	(void)state;
	program_require_strace();
	program_start(&stage->program,
		&(struct program_options){.executable = PROGRAM_STRACE, .is_alone = true},
		"--seccomp-bpf -f -qq -o /dev/null -e trace=getsockname -e "
		"inject=getsockname:delay_exit=1000000 "
		"-E LD_PRELOAD=%s -E SAFECLOSE_MODE=warn %sactor connect 3 %s write 3 10 "
		"await-unread 3 %d thread close 3 end await-stopped say looking join",
		PROGRAM_LIBRARY, PROGRAM_FOLDER, stage->peer.target, UNREAD_BYTES);
	peer_accept(&stage->peer);
	peer_send(&stage->peer, UNREAD_BYTES);
	program_hear(&stage->program, "looking");
	peer_hang_up(&stage->peer);
	end = stage_judge(stage, program_await_exit(&stage->program));
	assert_int_equal(end.status, 0);
	assert_int_equal(end.grown.aborts_on_close, 1);
	assert_not_reported(&end);
}

/* Where both ends are the family's, also if it comes between the library's last look and the
 * close. */
static void test_between_closes_of_both_ends_warn_tells_what_the_kernel_counts(void **state)
{
	struct stage_end end = run_rounds("atonce", "warn");

	(void)state;
	assert_told_what_the_kernel_counts(&end);
}

/* ---- another's farewell -------------------------------------------------------------------- */

/* Two processes let go at about the same moment, also by an exec (farewell.c). strace, told to
 * slow down the exec, stops at no other call. What an exec closes it releases at its return. */
#define SLOW_EXEC(when)                                                                           \
	"--seccomp-bpf -f -qq -o /dev/null -e trace=execve -e inject=execve:delay_" when "=5000 " \
	"-E LD_PRELOAD=" PROGRAM_LIBRARY " -E SAFECLOSE_MODE=warn " PROGRAM_FOLDER "farewell "

static size_t part(
	const char *executable, const char *mode, const char *before, const char *way, int rounds)
{
	struct stage *stage = stage_open_uncaptured(PEER_IPV4);
	size_t told;

	program_start(&stage->program,
		&(struct program_options){.executable = executable,
			.mode = mode,
			.is_alone = true,
			.wants_all_reports = true},
		"%s%s %d", before, way, rounds);
	assert_int_equal(program_await_exit(&stage->program), 0);
	assert_int_equal(counters_since(&stage->before).aborts_on_close, rounds);
	told = text_lines_with(program_errors(&stage->program), "; rst (unread) in ", NULL);
	stage_close(stage);
	return told;
}

/* With the library and without, a reset in each round; told, and once. */
static void assert_farewells(const char *way, int rounds)
{
	assert_int_equal(part("farewell", NULL, "", way, rounds), 0);
	assert_int_equal(part("farewell", "warn", "", way, rounds), rounds);
}

static void assert_slow_farewells(const char *way)
{
	program_require_strace();
	assert_farewells(way, SLOW_ROUNDS);
	assert_int_equal(
		part(PROGRAM_STRACE, NULL, SLOW_EXEC("enter"), way, SLOW_ROUNDS), SLOW_ROUNDS);
	assert_int_equal(
		part(PROGRAM_STRACE, NULL, SLOW_EXEC("exit"), way, SLOW_ROUNDS), SLOW_ROUNDS);
}

static void test_between_an_exec_and_a_close_warn_tells_of_the_last(void **state)
{
	(void)state;
	assert_slow_farewells("exec");
}

static void test_between_two_execs_warn_tells_of_the_last(void **state)
{
	(void)state;
	assert_slow_farewells("both");
}

static void test_between_a_spawn_and_a_close_warn_tells_of_the_last(void **state)
{
	static const char *const ways[] = {"spawn", "vfork", "popen"};

	(void)state;
	program_require_strace();
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		print_message("%s\n", ways[i]);
		assert_farewells(ways[i], ROUNDS / 5);
		assert_int_equal(
			part(PROGRAM_STRACE, NULL, SLOW_EXEC("exit"), ways[i], SLOW_ROUNDS),
			SLOW_ROUNDS);
	}
}

static void test_between_closes_of_strangers_warn_tells_of_the_last(void **state)
{
	(void)state;
	assert_farewells("stranger", 2 * ROUNDS / 5);
}

static int end_in_folder(void **state)
{
	folder_remove(state);
	return stage_teardown(state);
}

/* Whoever may look into the namespace may lock its file, and never give that back. */
static void test_between_closes_a_lock_is_waited_for_once(void **state)
{
	struct stage *stage = stage_open_uncaptured(PEER_IPV4);
	int namespace = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	char trace[256];
	char *calls;
	size_t waits;

	(void)state;
	program_require_strace();
	assert_return_code(flock(namespace, LOCK_EX | LOCK_NB), errno);
	snprintf(trace, sizeof(trace), "%s/trace", folder_name());
	program_start(&stage->program,
		&(struct program_options){.executable = PROGRAM_STRACE, .wants_all_reports = true},
		"-qq -o %s -e trace=nanosleep -E LD_PRELOAD=%s -E SAFECLOSE_MODE=warn %sfarewell "
		"spawn %d",
		trace, PROGRAM_LIBRARY, PROGRAM_FOLDER, SLOW_ROUNDS);
	assert_int_equal(program_await_exit(&stage->program), 0);
	close(namespace);
	calls = text_of_file(trace);
	waits = text_lines_with(calls, "nanosleep(", NULL);
	free(calls);
	print_message("%zu waits in %d rounds\n", waits, SLOW_ROUNDS);
	assert_true(waits >= LOCK_WAITS && waits < 2 * LOCK_WAITS);
}

/* ---- another's accept ---------------------------------------------------------------------- */

/*
 * One of two holders of a listener lets go, with a connection to be accepted; the other one accepts
 * it before the close. Who has no /proc cannot tell whether the listener still has a holder.
 */
static void test_between_accept_by_another_is_no_reset(void **state)
{
	struct stage *stage = stage_open(PEER_IPV4);
	struct stage_end end;

	(void)state;
	program_require_strace();
	program_start(&stage->program,
		&(struct program_options){.executable = PROGRAM_STRACE, .is_alone = true},
		"--seccomp-bpf -f -qq -o /dev/null -e trace=epoll_ctl -e "
		"inject=epoll_ctl:delay_enter=500000 "
		"-E LD_PRELOAD=%s -E SAFECLOSE_MODE=warn %sactor listen 3 4 port 3 "
		"fork chroot %s await-backlog 3 1 close 3 end "
		"await-backlog 3 1 await-stopped accept 3 4 wait close 3 write 4 10 close 4",
		PROGRAM_LIBRARY, PROGRAM_FOLDER, folder_name());
	peer_connect(
		&stage->peer, PEER_IPV4, (uint16_t)program_hear_number(&stage->program, "port "));
	end = stage_finish(stage, false);
	assert_int_equal(end.status, 0);
	assert_int_equal(end.received_bytes, 10);
	assert_was_fin(&end);
	assert_not_reported(&end);
}

/* ---- another's dup2 ------------------------------------------------------------------------ */

/* dup2 onto all numbers that the library may be about to use, and then their close. */
static const char *take_numbers(void)
{
	static char words[WORDS_BYTES];
	size_t length = 0;

	for (int fd = TAKEN_FIRST; fd <= TAKEN_LAST; fd++) {
		length +=
			(size_t)snprintf(words + length, sizeof(words) - length, "dup2 0 %d ", fd);
	}
	length += (size_t)snprintf(words + length, sizeof(words) - length, "join ");
	for (int fd = TAKEN_FIRST; fd <= TAKEN_LAST; fd++) {
		length += (size_t)snprintf(words + length, sizeof(words) - length, "close %d ", fd);
	}
	return words;
}

/* Which of them the program got, it has still; the others are closed by nobody. */
static void assert_numbers_are_kept(const char *output)
{
	size_t taken = 0;

	for (int fd = TAKEN_FIRST; fd <= TAKEN_LAST; fd++) {
		char got[64];
		char closed[64];

		snprintf(got, sizeof(got), "dup2 %d -> %d ", fd, fd);
		snprintf(closed, sizeof(closed), "close %d -> 0 ", fd);
		if (strstr(output, got)) {
			taken++;
			if (!strstr(output, closed)) {
				fail_msg("%d is gone:\n%s", fd, output);
			}
		}
	}
	assert_true(taken > (TAKEN_LAST - TAKEN_FIRST) / 2);
}

/* The number that the library's copy has got is not noted yet. */
static void test_between_dup2_by_another_takes_nothing(void **state)
{
	static const char *const modes[] = {"drain", "fin"};

	(void)state;
	program_require_strace();
	for (size_t i = 0; i < 2; i++) {
		struct stage *stage = stage_open(PEER_IPV4);
		struct stage_end end;

		program_start(&stage->program,
			&(struct program_options){.executable = PROGRAM_STRACE, .is_alone = true},
			"--seccomp-bpf -f -qq -o /dev/null -e trace=fcntl -e "
			"inject=fcntl:delay_exit=300000:when=1 "
			"-E LD_PRELOAD=%s -E SAFECLOSE_MODE=%s %sactor connect 3 %s dup 3 4 close "
			"4 "
			"await-unread 3 %d thread close 3 end await-stopped %shear go",
			PROGRAM_LIBRARY, modes[i], PROGRAM_FOLDER, stage->peer.target, UNREAD_BYTES,
			take_numbers());
		peer_accept(&stage->peer);
		peer_send(&stage->peer, UNREAD_BYTES);
		end = stage_finish(stage, true);
		assert_int_equal(end.status, 0);
		assert_numbers_are_kept(end.output);
		assert_was_fin(&end);
		assert_reported(&end, "]: close(3) ", "; drained 1000, fin in ");
		stage_close(stage);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(
			test_between_fins_warn_tells_what_the_kernel_counts, stage_teardown),
		cmocka_unit_test_teardown(test_between_fins_fin_resets_none, stage_teardown),
		cmocka_unit_test_teardown(
			test_between_reset_by_the_peer_is_not_the_program_s, stage_teardown),
		cmocka_unit_test_teardown(
			test_between_closes_of_both_ends_warn_tells_what_the_kernel_counts,
			stage_teardown),
		cmocka_unit_test_teardown(
			test_between_an_exec_and_a_close_warn_tells_of_the_last, stage_teardown),
		cmocka_unit_test_teardown(
			test_between_two_execs_warn_tells_of_the_last, stage_teardown),
		cmocka_unit_test_teardown(
			test_between_a_spawn_and_a_close_warn_tells_of_the_last, stage_teardown),
		cmocka_unit_test_teardown(
			test_between_closes_of_strangers_warn_tells_of_the_last, stage_teardown),
		cmocka_unit_test_setup_teardown(
			test_between_closes_a_lock_is_waited_for_once, folder_make, end_in_folder),
		cmocka_unit_test_setup_teardown(
			test_between_accept_by_another_is_no_reset, folder_make, end_in_folder),
		cmocka_unit_test_teardown(
			test_between_dup2_by_another_takes_nothing, stage_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
