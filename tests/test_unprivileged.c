// SPDX-License-Identifier: MIT
// HARNESS
/*
 * The proof that a connection is this process's alone works without privilege: a server's worker
 * that has dropped root while its master keeps it, and a service under a user of its own, end what
 * they have accepted or opened since their last fork, and do not look into /proc for it. Where a
 * relative may not be read, it cannot be known, and the connection is left alone.
 */
#include "harness/rows.h"
#include "harness/sharing.h"
#include "harness/text.h"
#include "harness/verdict.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DROP "drop-privileges 65534 "

/* What follows is not of the beginning, nor of the end. */
#define BEGIN "say begin "
#define FINISH "say closed hear go say over "

#define ACCEPTED "accept 3 4 await-unread 4 1000 write 4 5000 "
#define DIALLED "connect 4 TARGET await-unread 4 1000 write 4 5000 "

struct row {
	const char *name;
	const char *words; /* TARGET stands for where the peer is */
	bool is_own_user;  /* the whole program is unprivileged */
};

static const struct row rows[] = {
	{"worker_accepts",
		"listen 3 4 port 3 fork " DROP BEGIN ACCEPTED "close 4 " FINISH "end wait", false},
	{"worker_by_raw_clone_accepts",
		"listen 3 4 port 3 fork-by clone " DROP BEGIN ACCEPTED "close 4 " FINISH "end wait",
		false},
	{"worker_of_a_worker_accepts",
		"listen 3 4 port 3 fork fork " DROP BEGIN ACCEPTED "close 4 " FINISH
		"end wait end wait",
		false},
	{"worker_connects",
		"open 3 /dev/null fork " DROP BEGIN DIALLED "close 4 " FINISH "end wait", false},
	{"worker_that_dropped_late_accepts",
		"listen 3 4 port 3 fork " BEGIN "accept 3 4 " DROP
		"await-unread 4 1000 write 4 5000 close 4 " FINISH "end wait",
		false},
	{"worker_replaces",
		"listen 3 4 port 3 open 4 /dev/null fork " DROP BEGIN
		"accept 3 5 await-unread 5 1000 write 5 5000 dup2 4 5 " FINISH "end wait",
		false},
	{"service_accepts", "listen 3 4 port 3 " BEGIN ACCEPTED "close 4 " FINISH, true},
	{"service_connects", "open 3 /dev/null " BEGIN DIALLED "close 4 " FINISH, true},
	{"service_with_a_child_made_before",
		"listen 3 4 port 3 pipe 4 5 fork close 5 read-end 4 end close 4 " BEGIN
		"accept 3 4 await-unread 4 1000 write 4 5000 close 4 " FINISH "close 5 wait",
		true},
};

/* ---- one run -------------------------------------------------------------------------------- */

/* Start the row's words behind a command line's beginning, and let the peer send. */
static struct stage *start(
	const struct row *row, const struct program_options *options, const char *command)
{
	struct stage *stage;
	char *words;

	program_require_other_user();
	stage = stage_open(PEER_IPV4);
	words = text_replaced(row->words, "TARGET", stage->peer.target);
	program_start(&stage->program, options, "%s%s", command, words);
	free(words);
	if (strstr(row->words, "port 3")) {
		uint16_t port = (uint16_t)program_hear_number(&stage->program, "port ");

		peer_close(&stage->peer);
		peer_connect(&stage->peer, PEER_IPV4, port);
	} else {
		peer_accept(&stage->peer);
	}
	peer_send(&stage->peer, SHARING_UNREAD_BYTES);
	return stage;
}

static struct stage_end run(const struct row *row, const char *mode)
{
	struct stage *stage = start(row,
		&(struct program_options){.mode = mode, .is_unprivileged = row->is_own_user}, "");
	struct stage_end end = stage_finish(stage, true);

	assert_int_equal(end.status, 0);
	return end;
}

static void test_unprivileged_control_resets(void **state)
{
	const struct row *row = *state;
	struct stage_end end = run(row, NULL);

	assert_true(end.was_rst_sent);
	assert_int_equal(end.grown.aborts_on_close, 1);
}

static void test_unprivileged_warn_reports(void **state)
{
	struct stage_end end = run(*state, "warn");

	assert_int_equal(end.grown.aborts_on_close, 1);
	assert_reported(&end, ": 1000 unread", "; rst (unread) in ");
}

static void test_unprivileged_ends_with_fin(void **state)
{
	static const char *const modes[] = {"drain", "fin"};

	for (size_t i = 0; i < 2; i++) {
		struct stage_end end = run(*state, modes[i]);

		assert_was_fin(&end);
		assert_int_equal(end.received_bytes, SHARING_WRITTEN_BYTES);
		assert_reported(&end, ": 1000 unread", "; drained 1000, fin in ");
	}
}

/* ---- no look into /proc --------------------------------------------------------------------- */

static char trace_path[64];

static int make_trace(void)
{
	int fd;

	strcpy(trace_path, "/tmp/safeclose-test-XXXXXX");
	fd = mkstemp(trace_path);
	return fd < 0 || fchmod(fd, 0666) != 0 ? -1 : close(fd);
}

/* The lines between those of the program that say begin and over: they name no file of /proc. */
static void assert_trace_has_no_proc(const char *mode)
{
	char *trace = text_of_file(trace_path);
	char *begin = strstr(trace, "write(1, \"begin\\n\"");
	char *over = strstr(trace, "write(1, \"over\\n\"");
	char *proc;

	if (!begin || !over) {
		fail_msg("the trace lacks the lines that the program wrote");
	}
	*over = '\0';
	proc = strstr(begin, "\"/proc");
	if (proc || strstr(begin, "getdents")) {
		fail_msg("%s looks into /proc: %.60s", mode, proc ? proc : "getdents");
	}
	if (!strstr(begin, "recvfrom(")) {
		fail_msg("the trace lacks what is looked for");
	}
	free(trace);
}

static void trace_run(const struct row *row, const char *mode)
{
	char command[1024];
	struct stage *stage;
	struct stage_end end;

	snprintf(command, sizeof(command),
		"-f -qq -o %s -E LD_PRELOAD=%s -E SAFECLOSE_MODE=%s %sactor ", trace_path,
		PROGRAM_LIBRARY, mode, PROGRAM_FOLDER);
	stage = start(row,
		&(struct program_options){
			.executable = PROGRAM_STRACE, .is_unprivileged = row->is_own_user},
		command);
	peer_receive_end(&stage->peer);
	peer_finish(&stage->peer);
	program_await_errors(&stage->program, "fin in ");
	end = stage_finish(stage, true);
	assert_was_fin(&end);
	assert_int_equal(end.received_bytes, SHARING_WRITTEN_BYTES);
	assert_trace_has_no_proc(mode);
}

static void test_unprivileged_does_not_look_into_proc(void **state)
{
	const struct row *row = *state;

	program_require_strace();
	assert_int_equal(make_trace(), 0);
	trace_run(row, "drain");
	trace_run(row, "fin");
	unlink(trace_path);
}

/* ---- relatives that may not be read ---------------------------------------------------------- */

#define CLOSE_3 AWAIT_UNREAD "close 3 say closed "
#define WORKER_CLOSES CONNECT "fork " DROP CLOSE_3 "end wait " USE("3")
#define WORKER_EXECS_AND_CLOSES CONNECT "fork " DROP "exec " CLOSE_3 "end wait " USE("3")

static const struct sharing_row unreadable[] = {
	{"worker_closes", WORKER_CLOSES},
	{"worker_of_a_worker_closes",
		CONNECT "fork fork " DROP CLOSE_3 "end wait end wait " USE("3")},
	{"worker_execs_and_closes", WORKER_EXECS_AND_CLOSES},
};

static void test_unreadable_holder_leaves_it_alone(void **state)
{
	program_require_other_user();
	sharing_test_left_alone(state);
}

static void test_unreadable_holder_leaves_it_unknown(void **state)
{
	program_require_other_user();
	sharing_test_left_unknown(state);
}

/* The master, which only root may read, has closed when nothing was unread; but who can tell? */
static void test_unreadable_relative_last_close_resets(void **state)
{
	static const char *const modes[] = {"drain", "fin"};

	(void)state;
	program_require_other_user();
	for (size_t i = 0; i < 2; i++) {
		struct stage *stage = stage_open(PEER_IPV4);
		struct stage_end end;

		program_start(&stage->program,
			&(struct program_options){.mode = modes[i],
				.environment = {"SAFECLOSE_REPORT=all"},
				.is_alone = true},
			"connect 3 %s fork await-unread 3 1000 " DROP
			"close 3 say closed end close 3 say left wait hear go",
			stage->peer.target);
		peer_accept(&stage->peer);
		program_hear(&stage->program, "left");
		peer_send(&stage->peer, SHARING_UNREAD_BYTES);
		end = stage_finish(stage, true);
		assert_int_equal(end.status, 0);
		assert_was_reset(&end);
		assert_reported(&end, ": 1000 unread", "; rst (holders unknown) in ");
	}
}

/* ---- strangers that may not be read
 * ----------------------------------------------------------- */

/*
 * A service and a process of root's that began together, and what the service does with a
 * connection that it makes later. The other cannot have it, for it is older and did not make it.
 */
#define BESIDE_A_STRANGER(words)                                 \
	"open 3 /dev/null pipe 4 5 pipe 6 7 close 3 fork " DROP  \
	"exec read 4 1 close 7 await-tick " CONNECT words "end " \
	"fork close 7 read-end 6 end write 5 1 wait "
#define LAST "say closed hear on close 3 "

static const struct sharing_row beside_a_stranger[] = {
	{"parent_closes", BESIDE_A_STRANGER("fork end wait " AWAIT_UNREAD LAST)},
	{"child_closes", BESIDE_A_STRANGER("fork close 3 end wait " AWAIT_UNREAD LAST)},
	{"parent_closes_last", BESIDE_A_STRANGER("fork " AWAIT_UNREAD "close 3 end wait " LAST)},
	{"child_closes_last", BESIDE_A_STRANGER("fork " AWAIT_UNREAD LAST "end close 3 wait ")},
	{"child_exits_last", BESIDE_A_STRANGER("fork " AWAIT_UNREAD
					       "say closed hear on exit-now 0 end close 3 wait ")},
	{"grandchild_exits_last",
		BESIDE_A_STRANGER("fork fork " AWAIT_UNREAD
				  "say closed hear on exit 0 end wait end close 3 wait ")},
};

static void test_stranger_control_resets(void **state)
{
	program_require_other_user();
	sharing_test_last_control_resets(state);
}

static void test_stranger_drain_ends_with_fin(void **state)
{
	program_require_other_user();
	sharing_test_last_drain_ends_with_fin(state);
}

static void test_stranger_fin_ends_with_fin(void **state)
{
	program_require_other_user();
	sharing_test_last_fin_ends_with_fin(state);
}

/* The same two, and the other has been given the connection: not by the process that closes, but
 * by a child of that one, or by a program that has inherited it; which is killed then, so that
 * nothing is told of it. */
#define SENT_TO_A_STRANGER(start)                                                         \
	"open 3 /dev/null pipe 4 5 unix 6 7 close 3 fork " DROP                           \
	"exec read 4 1 close 6 await-tick " CONNECT start "send-fd 7 3 raise 9 end wait " \
	"await-unread 7 1 " CLOSE_3 "end "                                                \
	"fork close 7 receive-fd 6 3 write 6 1 " USE("3") "end close 7 write 5 1 wait wait "

static const struct sharing_row sent_to_a_stranger[] = {
	{"by_a_child", SENT_TO_A_STRANGER("fork ")},
	{"by_a_program", SENT_TO_A_STRANGER("fork exec ")},
	{"by_a_program_in_a_vfork_child", SENT_TO_A_STRANGER("vfork exec ")},
	{"by_a_spawned_program", SENT_TO_A_STRANGER("spawn posix_spawn ")},
};

/* Hidden descendants of a service, which do hold it; one has lost its parent, another is older
 * than the connection's second descriptor. */
#define SERVICE(words)                                                                \
	"open 3 /dev/null pipe 4 5 pipe 6 7 close 3 fork " DROP "exec " CONNECT words \
	"end close 7 wait "
#define HIDDEN "hide close 6 write 5 1 " USE("3")
#define BESIDE_HIDDEN "read 4 1 close 7 " CLOSE_3 "read-end 6 "
#define HIDDEN_CHILD SERVICE("fork " HIDDEN "end " BESIDE_HIDDEN)

static const struct sharing_row hidden[] = {
	{"child", HIDDEN_CHILD},
	{"child_before_a_dup", SERVICE("fork " HIDDEN "end await-tick dup 3 8 close 3 dup 8 3 "
				       "close 8 " BESIDE_HIDDEN)},
	{"orphan",
		SERVICE("fork fork await-orphan " HIDDEN "end exit-now 0 end wait " BESIDE_HIDDEN)},
	{"sibling", SERVICE("fork " HIDDEN "end fork await-tick " BESIDE_HIDDEN "end close 3 "
			    "close 7 wait wait ")},
	{"parent", SERVICE("fork await-tick " BESIDE_HIDDEN "end " HIDDEN "close 7 wait ")},
};

/* In a /proc that shows to each user none but his own, the first process among them. */
#define HIDDEN_PIDS(words) "hidden-pids " words "hear go end"

static const struct sharing_row hidden_by_proc[] = {
	{"worker_closes", HIDDEN_PIDS(WORKER_CLOSES)},
	{"worker_execs_and_closes", HIDDEN_PIDS(WORKER_EXECS_AND_CLOSES)},
	{"child", HIDDEN_PIDS(HIDDEN_CHILD)},
};

static void test_hidden_relative_leaves_it_alone(void **state)
{
	program_require_other_user();
	sharing_test_left_alone(state);
}

/*
 * A program that inherited the connection over exec closes it last. The options' program is given
 * the command, which ends with what runs the actor.
 */
static struct stage_end close_inherited(const struct program_options *options, const char *command)
{
	struct stage *stage = stage_open(PEER_IPV4);
	struct stage_end end;

	program_start(&stage->program, options,
		"%sconnect 3 %s fork exec hear on await-unread 3 1000 close 3 say closed end "
		"close 3 say left wait hear go",
		command, stage->peer.target);
	peer_accept(&stage->peer);
	program_hear(&stage->program, "left");
	peer_send(&stage->peer, SHARING_UNREAD_BYTES);
	program_say(&stage->program, "on");
	end = stage_finish(stage, true);
	assert_int_equal(end.status, 0);
	assert_was_reset(&end);
	return end;
}

/* Any process could have given it what it was started with, and not all may be read. */
static void test_inherited_over_exec_is_left_alone(void **state)
{
	static const char *const modes[] = {"drain", "fin"};

	(void)state;
	program_require_other_user();
	for (size_t i = 0; i < 2; i++) {
		struct stage_end end =
			close_inherited(&(struct program_options){.mode = modes[i],
						.environment = {"SAFECLOSE_REPORT=all"},
						.is_unprivileged = true},
				"");

		if (text_lines_with(end.errors, ": 1000 unread", "; rst (holders unknown) in ") !=
			1) {
			fail_msg("expected one reset, not:\n%s", end.errors);
		}
	}
}

/* The same, and the closing thread gets no processor for a while before it lets go of its copy, by
 * dup3(): that close resets, not the one of the library's thread. */
static void test_copy_let_go_late_is_waited_for(void **state)
{
	static const char *const modes[] = {"drain", "fin"};

	(void)state;
	program_require_other_user();
	program_require_strace();
	for (size_t i = 0; i < 2; i++) {
		char command[1024];
		struct stage_end end;

		snprintf(command, sizeof(command),
			"-f -qq -o /dev/null -e trace=dup3 -e inject=dup3:delay_enter=200000 "
			"-E LD_PRELOAD=%s -E SAFECLOSE_MODE=%s -E SAFECLOSE_REPORT=all %sactor ",
			PROGRAM_LIBRARY, modes[i], PROGRAM_FOLDER);
		end = close_inherited(&(struct program_options){.executable = PROGRAM_STRACE,
					      .is_unprivileged = true},
			command);
		assert_reported(&end, ": 1000 unread", "; rst (holders unknown) in ");
	}
}

static const struct rows_subject subjects[] = {
	ROWS_SUBJECT(test_unprivileged_control_resets, rows),
	ROWS_SUBJECT(test_unprivileged_warn_reports, rows),
	ROWS_SUBJECT(test_unprivileged_ends_with_fin, rows),
	ROWS_SUBJECT(test_unprivileged_does_not_look_into_proc, rows),
	ROWS_SUBJECT(test_unreadable_holder_leaves_it_alone, unreadable),
	ROWS_SUBJECT(test_unreadable_holder_leaves_it_unknown, unreadable),
	ROWS_PLAIN(test_unreadable_relative_last_close_resets),
	ROWS_PLAIN(test_inherited_over_exec_is_left_alone),
	ROWS_PLAIN(test_copy_let_go_late_is_waited_for),
	ROWS_SUBJECT(test_hidden_relative_leaves_it_alone, hidden),
	ROWS_SUBJECT(test_hidden_relative_leaves_it_alone, hidden_by_proc),
	ROWS_SUBJECT(test_stranger_control_resets, beside_a_stranger),
	ROWS_SUBJECT(test_stranger_drain_ends_with_fin, beside_a_stranger),
	ROWS_SUBJECT(test_stranger_fin_ends_with_fin, beside_a_stranger),
	ROWS_SUBJECT(test_unreadable_holder_leaves_it_alone, sent_to_a_stranger),
	ROWS_SUBJECT(test_unreadable_holder_leaves_it_unknown, sent_to_a_stranger),
};

int main(void)
{
	return ROWS_RUN(subjects);
}
