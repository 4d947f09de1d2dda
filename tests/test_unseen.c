// SPDX-License-Identifier: MIT
// HARNESS
/*
 * The program cannot tell that connections linger: its descriptors, its epoll sets, its signals, its
 * close loops and its processor time are as they were.
 */
#include "harness/deadline.h"
#include "harness/netns.h"
#include "harness/peers.h"
#include "harness/process.h"
#include "harness/sanitizer.h"
#include "harness/stage.h"
#include "harness/text.h"
#include "harness/unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>

enum { SILENCE_MS = 1000, FEW_DESCRIPTORS = 64, STACK_MAX_BYTES = 64 * 1024 };

#define FOREVER "SAFECLOSE_LINGER_TIME=60s", "SAFECLOSE_LINGER_TIMEOUT=60s"

static struct peers peers;

static int end_test(void **state)
{
	peers_close(&peers);
	return stage_teardown(state);
}

/* The program listens: connect, and send a byte each. It may close at once, so that may be reset. */
static void join(struct stage *stage, size_t count)
{
	stage->peer.program_port = (uint16_t)program_hear_number(&stage->program, "port ");
	peers_connect(&peers, stage->peer.program_port, count);
	peers_send(&peers, 1);
}

/* The program accepts count peers, each of which has sent a byte. */
static struct stage *start(const char *mode, size_t count, const char *words)
{
	struct stage *stage = stage_open(PEER_IPV4);

	program_start(&stage->program,
		&(struct program_options){.mode = mode,
			.wants_all_reports = true,
			.environment = {FOREVER, "SAFECLOSE_LINGER_MAX=30"},
			.executable = "server"},
		"listen accept %zu await-unread 1 %s", count, words);
	join(stage, count);
	return stage;
}

static void await_reports(struct stage *stage, size_t count, const char *text)
{
	int64_t deadline = deadline_in(DEADLINE_MS);

	while (text_lines_with(program_errors(&stage->program), text, NULL) < count) {
		if (!deadline_pause(deadline)) {
			fail_msg("waited for %zu lines with \"%s\":\n%s", count, text,
				program_errors(&stage->program));
		}
	}
}

static void assert_ends(struct stage *stage)
{
	struct counters grown;

	program_say(&stage->program, "go");
	assert_int_equal(program_await_exit(&stage->program), 0);
	netns_settle();
	grown = counters_since(&stage->before);
	assert_int_equal(grown.aborts_on_close, 0);
	assert_int_equal(grown.aborts_on_data, 0);
}

/* All linger, take late bytes, and end with FIN when the peers finish. */
static void assert_all_linger_and_end(struct stage *stage)
{
	assert_int_equal(peers_receive_end(&peers, 0), peers.count);
	assert_int_equal(peers_send(&peers, 10), 0);
	peers_finish(&peers);
	await_reports(stage, peers.count, "drained 11, fin in ");
}

/* ---- epoll --------------------------------------------------------------------------------- */

static long look(struct stage *stage)
{
	netns_settle();
	program_say(&stage->program, "look");
	return program_hear_number(&stage->program, "events ");
}

/* Nothing that the peer does after the close is an event. */
static void watch(const char *mode, const char *words)
{
	struct stage *stage = stage_open(PEER_IPV4);

	print_message("watcher %s, mode %s\n", words, mode ? mode : "none");
	program_start(&stage->program,
		&(struct program_options){.mode = mode,
			.environment = {FOREVER},
			.executable = "watcher",
			.wants_all_reports = true},
		"%s", words);
	join(stage, 1);
	program_hear(&stage->program, "closed");
	assert_int_equal(look(stage), 0);
	peer_try_send(&peers.list[0], 100);
	assert_int_equal(look(stage), 0);
	if (mode && strcmp(mode, "fin") == 0) {
		peer_receive_end(&peers.list[0]);
		assert_int_equal(peers.list[0].error, 0);
		peer_finish(&peers.list[0]);
		assert_int_equal(look(stage), 0);
		await_reports(stage, 1, "fin in ");
		assert_int_equal(look(stage), 0);
	}
	program_say(&stage->program, "go");
	assert_int_equal(program_await_exit(&stage->program), 0);
	peers_close(&peers);
	stage_close(stage);
}

static void test_unseen_by_level_triggered_epoll(void **state)
{
	(void)state;
	watch(NULL, "level one");
	watch("fin", "level one");
	watch("drain", "level one");
}

static void test_unseen_by_edge_triggered_epoll(void **state)
{
	(void)state;
	watch("fin", "edge one");
}

static void test_unseen_by_oneshot_epoll(void **state)
{
	(void)state;
	watch("fin", "oneshot one");
}

static void test_unseen_by_two_epoll_sets(void **state)
{
	(void)state;
	watch(NULL, "level two");
	watch("fin", "level two");
	watch("fin", "edge two");
}

static void test_unseen_by_epoll_set_added_to_by_another_number(void **state)
{
	(void)state;
	watch(NULL, "level dup");
	watch("fin", "level dup");
}

static void test_unseen_by_epoll_set_that_had_two_numbers_before(void **state)
{
	(void)state;
	watch(NULL, "level dup-first");
	watch("fin", "level dup-first");
}

static void test_unseen_by_epoll_set_whose_number_is_another_sets_now(void **state)
{
	(void)state;
	watch(NULL, "level dup-reused");
	watch("fin", "level dup-reused");
}

static void test_unseen_by_nested_epoll_set(void **state)
{
	(void)state;
	watch(NULL, "level nested");
	watch("fin", "level nested");
}

static void test_unseen_by_epoll_set_after_a_child_that_is_gone(void **state)
{
	(void)state;
	watch(NULL, "level forked");
	watch("fin", "level forked");
	watch("fin", "edge forked");
}

static void test_unseen_by_epoll_set_added_to_by_syscall(void **state)
{
	(void)state;
	watch("fin", "level raw");
}

static void test_unseen_by_epoll_set_changed_by_the_program(void **state)
{
	(void)state;
	watch("fin", "level modified");
}

/*
 * A child holds the connection and the set: the parent's close must not take it out of that. is_late: the
 * child comes to wait for its events only when the parent's close is settled.
 */
static void watch_shared(const char *mode, const char *words, bool is_late, long events)
{
	struct stage *stage = stage_open(PEER_IPV4);

	print_message("watcher %s, mode %s\n", words, mode ? mode : "none");
	program_start(&stage->program,
		&(struct program_options){.mode = mode,
			.environment = {FOREVER, "SAFECLOSE_REPORT=all"},
			.executable = "watcher",
			.wants_all_reports = true},
		"%s", words);
	join(stage, 1);
	program_hear(&stage->program, "closed");
	if (is_late) {
		await_reports(stage, 1, "shared");
	}
	program_say(&stage->program, "look");
	assert_int_equal(program_hear_number(&stage->program, "events "), events);
	program_say(&stage->program, "go");
	assert_int_equal(program_await_exit(&stage->program), 0);
	peers_close(&peers);
	stage_close(stage);
}

static void test_unseen_by_epoll_set_shared_with_a_child(void **state)
{
	(void)state;
	watch_shared(NULL, "level fork", false, 1);
	watch_shared("warn", "level fork", true, 1);
	watch_shared("drain", "level fork", false, 1);
	watch_shared("drain", "level fork", true, 1);
	watch_shared("fin", "level fork", false, 1);
	watch_shared("fin", "level fork", true, 1);
}

static void test_unseen_by_epoll_set_that_the_child_has_changed(void **state)
{
	(void)state;
	watch_shared(NULL, "level fork-modified", false, 0);
	watch_shared("drain", "level fork-modified", true, 0);
	watch_shared("fin", "level fork-modified", true, 0);
}

/* Its one event came before the fork. */
static void test_unseen_by_oneshot_epoll_shared_with_a_child(void **state)
{
	(void)state;
	watch_shared(NULL, "oneshot fork", false, 0);
	watch_shared("drain", "oneshot fork", true, 0);
	watch_shared("fin", "oneshot fork", true, 0);
}

/*
 * And when the child is the last to close: while the connection lingers in the child, the set, which the
 * parent has too, reports nothing of it; as if that close had ended it, which it does without the library.
 */
static void watch_closed_by_child(const char *mode, const char *how)
{
	struct stage *stage = stage_open(PEER_IPV4);

	print_message("watcher level %s, mode %s\n", how, mode ? mode : "none");
	program_start(&stage->program,
		&(struct program_options){.mode = mode,
			.environment = {FOREVER, "SAFECLOSE_REPORT=all"},
			.executable = "watcher",
			.wants_all_reports = true},
		"level %s", how);
	join(stage, 1);
	program_hear(&stage->program, "closed");
	if (mode) {
		await_reports(stage, 1, "shared");
	}
	assert_int_equal(look(stage), 1);
	program_say(&stage->program, "close");
	peer_receive_end(&peers.list[0]);
	assert_int_equal(peers.list[0].error, mode ? 0 : ECONNRESET);
	assert_int_equal(look(stage), 0);
	if (mode) {
		peers_finish(&peers);
		await_reports(stage, 1, "fin in ");
		assert_int_equal(look(stage), 0);
		assert_ends(stage);
	} else {
		program_say(&stage->program, "go");
		assert_int_equal(program_await_exit(&stage->program), 0);
	}
	peers_close(&peers);
	stage_close(stage);
}

static void test_unseen_by_epoll_set_when_the_child_closes(void **state)
{
	static const char *const ways[] = {"fork-close", "fork-exit", "fork-exec"};

	(void)state;
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		watch_closed_by_child(NULL, ways[i]);
		watch_closed_by_child("fin", ways[i]);
	}
}

/* ---- signals and children ------------------------------------------------------------------ */

static void test_unseen_by_signal_handlers(void **state)
{
	struct stage *stage = start("fin", 20,
		"ask-for-signals close 20 say closed signals hear look signals wait-for-none hear "
		"go");
	long before;

	(void)state;
	before = program_hear_number(&stage->program, "signals ");
	for (size_t i = 0; i < peers.count; i++) {
		assert_int_equal(send(peers.list[i].fd, "!", 1, MSG_OOB | MSG_NOSIGNAL), 1);
	}
	assert_int_equal(peers_receive_end(&peers, 0), 20);
	peers_finish(&peers);
	await_reports(stage, 20, "fin in ");
	program_say(&stage->program, "look");
	assert_int_equal(program_hear_number(&stage->program, "signals "), before);
	assert_ends(stage);
}

/* ---- descriptors --------------------------------------------------------------------------- */

/*
 * Five connections linger, a sixth is open beside the listener. The program's habit of closing all
 * there is ends the one, and disturbs neither the others nor what comes later. Returns how many the
 * program found open, where it tells.
 */
static long close_all(const char *mode, const char *closing_words, const char *told)
{
	struct stage *stage = stage_open(PEER_IPV4);
	long found = 0;

	program_start(&stage->program,
		&(struct program_options){.mode = mode,
			.environment = {FOREVER},
			.executable = "server",
			.wants_all_reports = true},
		"listen accept 6 await-unread 1 close 5 %s "
		"listen accept 1 await-unread 1 close 1 say done hear go",
		closing_words);
	join(stage, 6);
	if (told) {
		found = program_hear_number(&stage->program, told);
	}
	join(stage, 1);
	program_hear(&stage->program, "done");
	if (mode) {
		assert_int_equal(peers_receive_end(&peers, 0), peers.count);
		assert_int_equal(peers_send(&peers, 10), 0);
		peers_finish(&peers);
		await_reports(stage, peers.count, "fin in ");
		assert_ends(stage);
	}
	peers_close(&peers);
	stage_close(stage);
	return found;
}

static void test_unseen_by_close_loop(void **state)
{
	long found = close_all(NULL, "close-loop 65535", "closed-by-loop ");

	(void)state;
	assert_int_equal(close_all("fin", "close-loop 65535", "closed-by-loop "), found);
}

static void test_unseen_by_syscall_close_loop(void **state)
{
	long found = close_all(NULL, "syscall-close-loop 65535", "closed-by-loop ");

	(void)state;
	assert_int_equal(close_all("fin", "syscall-close-loop 65535", "closed-by-loop "), found);
}

static void test_unseen_by_closefrom(void **state)
{
	(void)state;
	close_all("fin", "closefrom 3", NULL);
}

static void test_unseen_by_close_range(void **state)
{
	(void)state;
	close_all("fin", "close-range 3", NULL);
}

static void test_unseen_by_close_walk(void **state)
{
	long found = close_all(NULL, "close-walk", "closed-by-walk ");

	(void)state;
	assert_int_equal(close_all("fin", "close-walk", "closed-by-walk "), found);
}

/* As a daemon does: 0 to 2 are closed, and a client's socket becomes number 2. The reports of what
 * lingers go elsewhere. */
static void test_unseen_by_client_at_descriptor_2(void **state)
{
	struct stage *stage = stage_open(PEER_IPV4);
	struct peer client;

	(void)state;
	program_start(&stage->program,
		&(struct program_options){.mode = "fin",
			.environment = {FOREVER},
			.executable = "server",
			.wants_all_reports = true},
		"control 100 listen accept 5 await-unread 1 close-standard accept-as 0 accept-as 1 "
		"accept-as 2 close 5 write-to 2 50 hear close close-fd 2 hear go");
	join(stage, 5);
	program_hear(&stage->program, "accepted");
	for (int fd = 0; fd < 3; fd++) {
		peer_connect(&client, PEER_IPV4, stage->peer.program_port);
		program_hear(&stage->program, "accepted");
	}
	assert_all_linger_and_end(stage);
	program_say(&stage->program, "close");
	peer_receive_end(&client);
	assert_int_equal(client.error, 0);
	assert_int_equal(client.received_bytes, 50);
	peer_close(&client);
	assert_ends(stage);
}

/* The program has used up its numbers: what it closes it has again at once, and all end with FIN.
 * (Before its end it gives some up: a sanitizer's last act needs them.) */
static void close_at_the_limit(const char *words)
{
	struct stage *stage = start("fin", 20, words);

	assert_int_equal(program_hear_number(&stage->program, "reused "), 20);
	assert_all_linger_and_end(stage);
	assert_ends(stage);
}

static void test_unseen_at_the_limit_of_descriptors(void **state)
{
	struct rlimit before;
	struct rlimit few;

	(void)state;
	assert_return_code(getrlimit(RLIMIT_NOFILE, &before), errno);
	few = (struct rlimit){FEW_DESCRIPTORS, before.rlim_max};
	print_message("the limit is there from the start\n");
	assert_return_code(setrlimit(RLIMIT_NOFILE, &few), errno);
	close_at_the_limit("hoard close-and-reuse hear go close-loop 63");
	assert_return_code(setrlimit(RLIMIT_NOFILE, &before), errno);
}

static void test_unseen_at_a_limit_that_the_program_has_set(void **state)
{
	(void)state;
	close_at_the_limit("rlimit 64 hoard close-and-reuse hear go close-loop 63");
}

/* ---- threads and time ---------------------------------------------------------------------- */

static void test_unseen_when_nothing_lingers(void **state)
{
	struct stage *stage = start("fin", 5,
		"hear close close 5 hear wait wait-for-none hear again "
		"accept 1 await-unread 1 close 1 hear go");
	pid_t pid = stage->program.pid;

	(void)state;
	program_hear(&stage->program, "accepted");
	assert_int_equal(process_threads(pid), 1);
	program_say(&stage->program, "close");
	assert_int_equal(peers_receive_end(&peers, 0), 5);
	assert_int_equal(process_threads(pid), 2);
	program_say(&stage->program, "wait");
	peers_finish(&peers);
	await_reports(stage, 5, "drained 1, fin in ");
	process_await_single(pid);
	/* And once more. */
	peers_close(&peers);
	program_say(&stage->program, "again");
	peers_connect(&peers, stage->peer.program_port, 1);
	assert_int_equal(peers_send(&peers, 1), 0);
	assert_int_equal(peers_receive_end(&peers, 0), 1);
	assert_int_equal(process_threads(pid), 2);
	peers_finish(&peers);
	await_reports(stage, 6, "drained 1, fin in ");
	process_await_single(pid);
	assert_ends(stage);
}

static void test_unseen_by_signals_for_the_process(void **state)
{
	struct stage *stage = start("fin", 1, "close 1 hear go");
	/* What a pthread does not block: libc's own two. */
	unsigned long libc_own = sanitizer_is_any() ? 3UL << 31 : 0;
	unsigned long mask = 0;
	char path[64];
	char *status;
	char *line;

	(void)state;
	assert_int_equal(peers_receive_end(&peers, 0), 1);
	snprintf(path, sizeof(path), "/proc/%d/task/%d/status", stage->program.pid,
		process_background_tid(stage->program.pid));
	status = text_of_file(path);
	line = strstr(status, "\nSigBlk:");
	assert_non_null(line);
	assert_int_equal(sscanf(line, "\nSigBlk: %lx", &mask), 1);
	/* All but SIGKILL and SIGSTOP. */
	assert_int_equal(mask | libc_own, 0xfffffffffffbfeff);
	free(status);
	peers_finish(&peers);
	await_reports(stage, 1, "drained 1, fin in ");
	assert_ends(stage);
}

/* Where the thread's stack pointer is, as long as it waits for something. */
static unsigned long stack_pointer(pid_t pid, pid_t tid)
{
	int64_t deadline = deadline_in(DEADLINE_MS);
	unsigned long pointer = 0;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/task/%d/syscall", pid, tid);
	while (pointer == 0) {
		char *text = text_of_file(path);

		/* NUMBER, six arguments, the stack pointer; or "running". */
		if (sscanf(text, "%*s %*s %*s %*s %*s %*s %*s %lx", &pointer) != 1) {
			assert_true(deadline_pause(deadline));
		}
		free(text);
	}
	return pointer;
}

/* How far above a page that nobody may touch it is; 0: there is none below it. (The mapping may have
 * grown together with the one above.) */
static unsigned long bytes_above_guard(pid_t pid, unsigned long pointer)
{
	char path[64];
	char permissions[8] = "";
	unsigned long low, high, guarded = 0, distance = 0;
	char *text, *rest;

	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	text = text_of_file(path);
	for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		assert_int_equal(sscanf(line, "%lx-%lx %7s", &low, &high, permissions), 3);
		if (pointer >= low && pointer < high && low == guarded) {
			distance = pointer - low;
		}
		guarded = strncmp(permissions, "---", 3) == 0 ? high : 0;
	}
	free(text);
	return distance;
}

static void test_unseen_in_the_stack_that_the_thread_has(void **state)
{
	struct stage *stage = start("fin", 1, "close 1 hear go");
	pid_t pid = stage->program.pid;

	(void)state;
	sanitizer_skip_if(sanitizer_is_any(), "its thread is one of the ordinary kind there");
	assert_int_equal(peers_receive_end(&peers, 0), 1);
	assert_in_range(bytes_above_guard(pid, stack_pointer(pid, process_background_tid(pid))), 1,
		STACK_MAX_BYTES);
	peers_finish(&peers);
	await_reports(stage, 1, "drained 1, fin in ");
	assert_ends(stage);
}

/* Nothing happens, so nothing is done: the thread does not run at all. */
static void test_unseen_in_processor_time(void **state)
{
	struct stage *stage = start("fin", 20, "close 20 hear go");
	struct process_cost before;
	struct process_cost after;
	int64_t deadline;
	pid_t tid;

	(void)state;
	assert_int_equal(peers_receive_end(&peers, 0), 20);
	tid = process_background_tid(stage->program.pid);
	assert_true(tid > 0);
	netns_settle();
	deadline = deadline_in(DEADLINE_MS);
	/* It has come to rest: it looks at what it was given, and sleeps. */
	do {
		before = process_cost(stage->program.pid, tid);
		assert_true(deadline_left_ms(deadline) > 0);
		for (int64_t look = deadline_in(100); deadline_pause(look);) {
		}
		after = process_cost(stage->program.pid, tid);
	} while (after.switches != before.switches);
	for (int64_t silence = deadline_in(SILENCE_MS); deadline_pause(silence);) {
	}
	after = process_cost(stage->program.pid, tid);
	assert_int_equal(after.ticks, before.ticks);
	assert_int_equal(after.switches, before.switches);
	peers_finish(&peers);
	await_reports(stage, 20, "drained 1, fin in ");
	assert_ends(stage);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_unseen_by_level_triggered_epoll, end_test),
		cmocka_unit_test_teardown(test_unseen_by_edge_triggered_epoll, end_test),
		cmocka_unit_test_teardown(test_unseen_by_oneshot_epoll, end_test),
		cmocka_unit_test_teardown(test_unseen_by_two_epoll_sets, end_test),
		cmocka_unit_test_teardown(
			test_unseen_by_epoll_set_added_to_by_another_number, end_test),
		cmocka_unit_test_teardown(
			test_unseen_by_epoll_set_that_had_two_numbers_before, end_test),
		cmocka_unit_test_teardown(
			test_unseen_by_epoll_set_whose_number_is_another_sets_now, end_test),
		cmocka_unit_test_teardown(test_unseen_by_nested_epoll_set, end_test),
		cmocka_unit_test_teardown(
			test_unseen_by_epoll_set_after_a_child_that_is_gone, end_test),
		cmocka_unit_test_teardown(test_unseen_by_epoll_set_added_to_by_syscall, end_test),
		cmocka_unit_test_teardown(
			test_unseen_by_epoll_set_changed_by_the_program, end_test),
		cmocka_unit_test_teardown(test_unseen_by_epoll_set_shared_with_a_child, end_test),
		cmocka_unit_test_teardown(
			test_unseen_by_epoll_set_that_the_child_has_changed, end_test),
		cmocka_unit_test_teardown(
			test_unseen_by_oneshot_epoll_shared_with_a_child, end_test),
		cmocka_unit_test_teardown(test_unseen_by_epoll_set_when_the_child_closes, end_test),
		cmocka_unit_test_teardown(test_unseen_by_signal_handlers, end_test),
		cmocka_unit_test_teardown(test_unseen_by_close_loop, end_test),
		cmocka_unit_test_teardown(test_unseen_by_syscall_close_loop, end_test),
		cmocka_unit_test_teardown(test_unseen_by_closefrom, end_test),
		cmocka_unit_test_teardown(test_unseen_by_close_range, end_test),
		cmocka_unit_test_teardown(test_unseen_by_close_walk, end_test),
		cmocka_unit_test_teardown(test_unseen_by_client_at_descriptor_2, end_test),
		cmocka_unit_test_teardown(test_unseen_at_the_limit_of_descriptors, end_test),
		cmocka_unit_test_teardown(
			test_unseen_at_a_limit_that_the_program_has_set, end_test),
		cmocka_unit_test_teardown(test_unseen_when_nothing_lingers, end_test),
		cmocka_unit_test_teardown(test_unseen_by_signals_for_the_process, end_test),
		cmocka_unit_test_teardown(test_unseen_in_the_stack_that_the_thread_has, end_test),
		cmocka_unit_test_teardown(test_unseen_in_processor_time, end_test),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
