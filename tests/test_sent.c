// SPDX-License-Identifier: MIT
// HARNESS
/*
 * Connections that travel: in messages (SCM_RIGHTS) and by pidfd_getfd(). Whoever has a descriptor,
 * a message on its way included, holds the connection.
 */
#include "harness/rows.h"
#include "harness/sharing.h"
#include "harness/text.h"
#include "harness/verdict.h"

#include <string.h>

#define CLOSE_3 AWAIT_UNREAD "close 3 say closed "

/* The parent keeps 4, the child 5, over which the child says that it is ready. */
#define PAIR "open 3 /dev/null unix 4 5 close 3 "
#define AWAIT_CHILD "await-unread 4 1 "
#define READY "write 5 1 "

/* A child made before the connection, which gets it by a message. */
#define RECEIVER(words) PAIR "fork receive-fd 5 3 " READY words " end " CONNECT "send-fd 4 3 "

/* The same by other calls. */
#define NOT_TAKEN(way)                                                                  \
	CONNECT "unix 4 5 send-fd-by " way " 4 3 " CLOSE_3 "hear on receive-fd-by " way \
		" 5 3 read 3 1000 write 3 5000 close 3"
#define TAKEN_HERE(way) CONNECT "unix 4 5 send-fd-by " way " 4 3 receive-fd-by " way " 5 6 "
#define RECEIVER_BY(way)                                                                        \
	PAIR "fork receive-fd-by " way " 5 3 " READY USE("3") " end " CONNECT "send-fd-by " way \
							      " 4 3 "

static const struct sharing_row in_messages[] = {
	{"not_taken_yet", CONNECT "unix 4 5 send-fd 4 3 " CLOSE_3
				  "hear on receive-fd 5 3 read 3 1000 write 3 5000 close 3"},
	{"not_taken_by_a_child",
		PAIR "fork hear on receive-fd 5 3 read 3 1000 write 3 5000 close 3 end " CONNECT
		     "send-fd 4 3 " CLOSE_3 "wait"},
	{"not_taken_sender_gone",
		CONNECT "unix 4 5 fork send-fd 4 3 end wait close 4 " CLOSE_3
			"hear on receive-fd 5 3 read 3 1000 write 3 5000 close 3"},
	{"taken_here", CONNECT "unix 4 5 send-fd 4 3 receive-fd 5 6 " CLOSE_3 USE("6")},
	{"taken_here_closed_first", CONNECT "unix 4 5 send-fd 4 3 receive-fd 5 6 " AWAIT_UNREAD
					    "close 6 say closed " USE("3")},
	{"many_not_taken_yet", NOT_TAKEN("many")},
	{"number_not_taken_yet", NOT_TAKEN("number")},
	{"number_many_not_taken_yet", NOT_TAKEN("number-many")},
	{"many_taken_here", TAKEN_HERE("many") CLOSE_3 USE("6")},
	{"number_taken_here", TAKEN_HERE("number") CLOSE_3 USE("6")},
	{"number_many_taken_here", TAKEN_HERE("number-many") CLOSE_3 USE("6")},
	{"many_taken_by_a_child", RECEIVER_BY("many") AWAIT_CHILD CLOSE_3 "wait"},
	{"number_taken_by_a_child", RECEIVER_BY("number") AWAIT_CHILD CLOSE_3 "wait"},
	{"number_many_taken_by_a_child", RECEIVER_BY("number-many") AWAIT_CHILD CLOSE_3 "wait"},
	{"taken_by_a_child", RECEIVER(USE("3")) AWAIT_CHILD CLOSE_3 "wait"},
	{"taken_by_another_program", RECEIVER("exec " USE("3")) AWAIT_CHILD CLOSE_3 "wait"},
	{"taken_by_a_program_without_library",
		RECEIVER("unsetenv LD_PRELOAD exec " USE("3")) AWAIT_CHILD CLOSE_3 "wait"},
	{"receiver_closes", RECEIVER(CLOSE_3) "wait " USE("3")},
	{"receiver_is_another_program_that_closes", RECEIVER("exec " CLOSE_3) "wait " USE("3")},
	/* In flight to a connection of the unix listener that nobody has accepted: no process has a
	 * descriptor of that. */
	{"in_an_unaccepted_connection",
		CONNECT "unix-listen 4 unix-connect 5 4 send-fd 5 3 close 5 " CLOSE_3
			"hear on accept 4 3 receive-fd 3 5 read 5 1000 write 5 5000 close 5"},
	/* A message within a message. */
	{"in_a_socket_in_a_message",
		CONNECT "unix 4 5 unix 6 7 send-fd 4 3 send-fd 6 5 close 5 " CLOSE_3
			"hear on receive-fd 7 3 receive-fd 3 5 read 5 1000 write 5 5000 close 5"},
};

/* Without a close() to be reported. */
static const struct sharing_row in_messages_otherwise[] = {
	{"receiver_exits", RECEIVER(AWAIT_UNREAD "exit 0") "wait say closed " USE("3")},
};

/* Sent by a child, or by another program that has inherited it, of which the family hears
 * nothing. It has ended: killed, so that nothing is told of its end. */
#define NOW_TAKEN "hear on receive-fd 5 3 read 3 1000 write 3 5000 close 3"
#define SENT_BY_OTHER(start, fd) \
	"unix 4 5 " start "send-fd 4 " fd " raise 9 end wait close 4 " CLOSE_3 NOW_TAKEN

static const struct sharing_row sent_by_others[] = {
	{"child", CONNECT SENT_BY_OTHER("fork ", "3")},
	{"child_that_may_not_ask", CONNECT SENT_BY_OTHER("fork deny fstat ", "3")},
	{"exec", CONNECT SENT_BY_OTHER("fork exec ", "3")},
	{"exec_that_may_not_ask", CONNECT SENT_BY_OTHER("fork deny fstat exec ", "3")},
	{"exec_in_a_vfork_child", CONNECT SENT_BY_OTHER("vfork exec ", "3")},
	{"posix_spawn", CONNECT SENT_BY_OTHER("spawn posix_spawn ", "3")},
	{"posix_spawnp", CONNECT SENT_BY_OTHER("spawn posix_spawnp ", "3")},
	{"exec_of_one_made_by_number",
		"syscall-connect 3 TARGET " SENT_BY_OTHER("fork exec ", "3")},
	{"posix_spawn_of_one_made_by_number",
		"syscall-connect 3 TARGET " SENT_BY_OTHER("spawn posix_spawn ", "3")},
	{"exec_that_has_it_as_0", CONNECT_CLOEXEC SENT_BY_OTHER("fork dup2 3 0 exec ", "0")},
	{"exec_in_a_vfork_child_that_has_it_as_0",
		CONNECT_CLOEXEC SENT_BY_OTHER("vfork dup2 3 0 exec ", "0")},
	{"posix_spawn_under_a_number_that_another_had",
		"socket 3 4 spawn posix_spawn end wait close 3 " CONNECT SENT_BY_OTHER(
			"spawn posix_spawn ", "3")},
	{"posix_spawn_that_has_it_as_0",
		CONNECT_CLOEXEC SENT_BY_OTHER("spawn-with dup2:3:0 ", "0")},
};

static const struct sharing_row last_of_messages[] = {
	{"taken_here", CONNECT "unix 4 5 send-fd 4 3 receive-fd 5 6 " CLOSE_3 "hear on close 6"},
	{"many_taken_here", TAKEN_HERE("many") CLOSE_3 "hear on close 6"},
	{"number_taken_here", TAKEN_HERE("number") CLOSE_3 "hear on close 6"},
	{"number_many_taken_here", TAKEN_HERE("number-many") CLOSE_3 "hear on close 6"},
	{"taken_by_a_child", RECEIVER("hear on close 3") AWAIT_CHILD CLOSE_3 "wait"},
	{"taken_by_a_child_that_exits", RECEIVER("hear on exit-now 0") AWAIT_CHILD CLOSE_3 "wait"},
	{"sender_closes_last", RECEIVER(CLOSE_3) "wait hear on close 3"},
	{"taken_by_another_program", RECEIVER("exec hear on close 3") AWAIT_CHILD CLOSE_3 "wait"},
	{"taken_by_another_program_that_exits",
		RECEIVER("exec hear on exit 0") AWAIT_CHILD CLOSE_3 "wait"},
	{"taken_from_an_unaccepted_connection",
		CONNECT "unix-listen 4 unix-connect 5 4 send-fd 5 3 close 5 " CLOSE_3
			"hear on accept 4 3 receive-fd 3 5 close 5"},
};

/* It comes back under its old number, while something else is in flight, so that nobody but the
 * kernel can tell who holds it: warn asks the kernel. */
static const struct sharing_row last_beside_messages[] = {
	{"taken_here_again", CONNECT "unix 4 5 unix 6 7 send-fd 6 0 send-fd 4 3 " AWAIT_UNREAD
				     "close 3 receive-fd 5 3 say closed hear on close 3"},
};

/* ---- pidfd_getfd --------------------------------------------------------------------------- */

/* A child made before the connection at 8, which takes that as 3. */
#define TAKER(take, words)                                                     \
	"open 3 /dev/null unix 4 5 unix 6 7 fork read 7 1 " take " 8 3 " words \
	" end connect 8 TARGET write 6 1 "
#define CLOSE_8 AWAIT_CHILD "await-unread 8 1000 close 8 say closed "

static const struct sharing_row taken[] = {
	{"by_a_child", TAKER("take", READY USE("3")) CLOSE_8 "wait"},
	{"by_a_child_by_number", TAKER("syscall-take", READY USE("3")) CLOSE_8 "wait"},
	{"by_a_child_that_closes", TAKER("take", CLOSE_3) "wait " USE("8")},
	{"by_a_child_that_exits",
		TAKER("take", AWAIT_UNREAD "exit-now 0") "wait say closed " USE("8")},
	{"by_a_child_that_has_it", CONNECT "fork take 3 4 " AWAIT_UNREAD
					   "close 4 close 3 say closed end wait " USE("3")},
};

static const struct sharing_row last_of_taken[] = {
	{"by_a_child", TAKER("take", READY "hear on close 3") CLOSE_8 "wait"},
	{"by_a_child_by_number", TAKER("syscall-take", READY "hear on exit 0") CLOSE_8 "wait"},
	{"by_a_child_closed_first", TAKER("take", CLOSE_3) "wait hear on close 8"},
};

/* A child that comes for the connection when its parent has closed it: there is nothing to take,
 * and the close has acted. */
static struct stage_end take_late(const char *mode)
{
	struct stage *stage = stage_open(PEER_IPV4);

	program_start(&stage->program, &(struct program_options){.mode = mode, .is_alone = true},
		"open 3 /dev/null unix 4 5 fork read 5 1 take 6 7 end connect 6 %s await-unread 6 "
		"1000 close 6 "
		"write 4 1 wait say closed hear go",
		stage->peer.target);
	peer_accept(&stage->peer);
	peer_send(&stage->peer, SHARING_UNREAD_BYTES);
	return stage_finish(stage, true);
}

static void test_taken_after_the_close_control_resets(void **state)
{
	struct stage_end end = take_late(NULL);

	(void)state;
	assert_was_reset(&end);
	assert_non_null(strstr(end.output, "take 6 -> errno 9\n"));
}

static void test_taken_after_the_close_ends_with_fin(void **state)
{
	static const char *const modes[] = {"drain", "fin"};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct stage_end end = take_late(modes[i]);

		assert_was_fin(&end);
		assert_non_null(strstr(end.output, "take 6 -> errno 9\n"));
		assert_reported(&end, ": 1000 unread", "; drained 1000, fin in ");
	}
}

/* ---- a stranger's messages ----------------------------------------------------------------- */

/*
 * What is in flight between others may be any connection of which is not known who made it. While
 * it is, one that came over an exec is left alone; one that the family made and has never sent is
 * not.
 */
static struct stage_end close_beside_message(const char *mode, const char *words)
{
	return sharing_run(words,
		&(struct sharing_options){.mode = mode, .environment = {"SAFECLOSE_REPORT=all"}});
}

#define SENDER(words) \
	PAIR "fork close 4 unix 3 4 " words "send-fd 3 0 write 5 1 read-end 5 end close 5 "

static void test_stranger_in_flight_leaves_it_unknown(void **state)
{
	static const char *const modes[] = {"drain", "fin"};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct stage_end end = close_beside_message(modes[i], SENDER("") CONNECT AWAIT_CHILD
			"exec " AWAIT_UNREAD "say closed hear on close 3");

		assert_was_reset(&end);
		assert_int_equal(
			text_lines_with(end.errors, "]: close(3) ", "; rst (holders unknown) in "),
			1);
	}
}

static void assert_is_drained_beside(const char *words)
{
	static const char *const modes[] = {"drain", "fin"};

	for (size_t i = 0; i < 2; i++) {
		struct stage_end end = close_beside_message(modes[i], words);

		assert_was_fin(&end);
		assert_int_equal(text_lines_with(end.errors, "]: close(3) ", "; drained 1000"), 1);
	}
}

#define LAST_3 AWAIT_UNREAD "say closed hear on close 3"

/* But not if a library of theirs has sent it: copies hold nothing. */
static void test_library_in_flight_is_no_stranger(void **state)
{
	(void)state;
	assert_is_drained_beside(SENDER("mark 4 ") CONNECT AWAIT_CHILD "exec " LAST_3);
}

static void test_in_flight_is_nothing_that_was_never_sent(void **state)
{
	(void)state;
	assert_is_drained_beside(SENDER("") CONNECT AWAIT_CHILD "fork end wait " LAST_3);
}

/* Nor what another program that was started here has not got. */
static void test_in_flight_is_nothing_that_is_close_on_exec(void **state)
{
	(void)state;
	assert_is_drained_beside(
		SENDER("") CONNECT_CLOEXEC AWAIT_CHILD "fork exec end wait " LAST_3);
	assert_is_drained_beside(
		SENDER("") CONNECT_CLOEXEC AWAIT_CHILD "spawn posix_spawn end wait " LAST_3);
}

/* ---- nobody receives it ---------------------------------------------------------------------- */

/* The last descriptor of the unix socket goes, and its messages with it. */
#define UNRECEIVED CONNECT "unix 4 5 send-fd 4 3 " CLOSE_3

/* The same in a child, which alone has 5 in the end. */
#define UNRECEIVED_BY_CHILD(words) \
	PAIR "fork close 4 hear on " words " end close 5 " CONNECT "send-fd 4 3 " CLOSE_3 "wait"

#define UNRECEIVED_BEHIND_A_FILE_BY_CHILD(words)                                       \
	PAIR "fork close 4 hear on " words " end close 5 " CONNECT "open 5 /dev/null " \
	     "send-fd 4 5 close 5 send-fd 4 3 " CLOSE_3 "wait"

/* Neither the child's program nor who has started that has made the pair. The first process waits for
 * the child's end, too. */
#define SENT_BY_ONE_THAT_IS_GONE(words)                                                         \
	"open 3 /dev/null open 4 /dev/null open 5 /dev/null pipe 6 7 close 3 close 4 close 5 "  \
	"fork " PAIR "fork close 4 close 6 hear on await-orphan " words " end close 5 " CONNECT \
	"send-fd 4 3 " CLOSE_3 "end wait close 7 read-end 6"

/* One that is in the queue of another unix socket meanwhile. */
#define OTHER_MESSAGE(from, to, sent) \
	"unix " #from " " #to " socket " #sent " 4 send-fd " #from " " #sent " close " #sent " "

#define TEN_TIMES(words) words words words words words words words words words words

static const struct sharing_row last_of_unreceived[] = {
	{"unreceived_close", UNRECEIVED "hear on close 5"},
	{"unreceived_sender_closes_first", UNRECEIVED "close 4 hear on close 5"},
	{"unreceived_sender_closes_last", UNRECEIVED "dup 5 3 close 5 hear on close 3"},
	{"unreceived_dup2", UNRECEIVED "open 3 /dev/null hear on dup2 3 5"},
	{"unreceived_close_range", UNRECEIVED "hear on close-range 4 -1 0"},
	{"unreceived_fclose", UNRECEIVED "fdopen 5 r hear on fclose 5"},
	{"unreceived_behind_bytes",
		CONNECT "unix 4 5 write 4 100000 send-fd 4 3 " CLOSE_3 "hear on close 5"},
	{"unreceived_behind_messages", CONNECT "unix 4 5 socket 6 4 listen 7 4 send-fd 4 6 write 4 "
					       "3 send-fd 4 7 send-fd 4 3 close 6 close "
					       "7 " CLOSE_3 "hear on close 5"},
	{"unreceived_behind_another_socket", CONNECT
		"unix 4 5 unix 6 7 send-fd 4 7 close 7 send-fd 4 3 " CLOSE_3 "hear on close 5"},
	{"unreceived_behind_a_pipe", CONNECT
		"unix 4 5 pipe 6 7 send-fd 4 7 close 7 send-fd 4 3 " CLOSE_3 "hear on close 5"},
	{"unreceived_behind_an_epoll_set", CONNECT
		"unix 4 5 epoll 6 send-fd 4 6 close 6 send-fd 4 3 " CLOSE_3 "hear on close 5"},
	{"unreceived_behind_forty_others",
		CONNECT "unix 4 5 socket 6 4 " TEN_TIMES(
			"send-fd 4 6 send-fd 4 6 send-fd 4 6 send-fd 4 6 ") "send-fd 4 3 close "
									    "6 " CLOSE_3
									    "hear on close 5"},
	{"unreceived_behind_a_file",
		CONNECT "unix 4 5 open 6 /dev/null send-fd 4 6 close 6 send-fd 4 3 " CLOSE_3
			"hear on close 5"},
	{"unreceived_twice", CONNECT "unix 4 5 send-fd 4 3 send-fd 4 3 " CLOSE_3 "hear on close 5"},
	{"unreceived_and_received", CONNECT "unix 4 5 send-fd 4 3 send-fd 4 3 " CLOSE_3
					    "receive-fd 5 3 hear on close 5 close 3"},
	{"unreceived_child_closes", UNRECEIVED_BY_CHILD("close 5")},
	{"unreceived_child_exits", UNRECEIVED_BY_CHILD("exit 0")},
	{"unreceived_child_exits_now", UNRECEIVED_BY_CHILD("exit-now 0")},
	{"unreceived_behind_a_file_child_exits", UNRECEIVED_BEHIND_A_FILE_BY_CHILD("exit 0")},
	{"unreceived_behind_a_file_child_exits_now",
		UNRECEIVED_BEHIND_A_FILE_BY_CHILD("exit-now 0")},
	{"unreceived_other_program_exits", UNRECEIVED_BY_CHILD("exec exit 0")},
	{"unreceived_other_program_exits_now", UNRECEIVED_BY_CHILD("exec exit-now 0")},
	{"unreceived_other_program_closes", UNRECEIVED_BY_CHILD("exec close 5")},
	{"unreceived_other_program_closes_by_dup2",
		UNRECEIVED_BY_CHILD("exec open 3 /dev/null dup2 3 5")},
	{"unreceived_behind_a_file_other_program_closes",
		UNRECEIVED_BEHIND_A_FILE_BY_CHILD("exec close 5")},
	{"unreceived_child_of_other_program_closes",
		PAIR "exec fork close 4 hear on close 5 end close 5 " CONNECT "send-fd 4 3 " CLOSE_3
		     "wait"},
	{"unreceived_exit_sender_gone", SENT_BY_ONE_THAT_IS_GONE("exec exit 0")},
	{"unreceived_exit_now_sender_gone", SENT_BY_ONE_THAT_IS_GONE("exec exit-now 0")},
	{"unreceived_close_sender_gone", SENT_BY_ONE_THAT_IS_GONE("exec close 5")},
	{"unreceived_exit_beside_another_message",
		PAIR "fork exec " CONNECT "send-fd 4 3 " OTHER_MESSAGE(6, 7, 8) CLOSE_3
		"hear on exit 0 end close 4 close 5 wait"},
	{"unreceived_other_program_exits_beside_another_message",
		UNRECEIVED_BY_CHILD(
			"exec open 3 /dev/null open 4 /dev/null " OTHER_MESSAGE(6, 7, 8) "exit 0")},
	{"unreceived_other_program_exits_now_beside_another_message",
		UNRECEIVED_BY_CHILD("exec open 3 /dev/null open 4 /dev/null " OTHER_MESSAGE(
			6, 7, 8) "exit-now 0")},
	{"unreceived_child_of_child_exits",
		UNRECEIVED_BY_CHILD("fork exit-now 0 end close 5 wait")},
	{"unreceived_child_closes_first", CONNECT
		"unix 4 5 send-fd 4 3 fork close 3 close 5 end wait " CLOSE_3 "hear on close 5"},
	{"unreceived_sent_by_a_child",
		CONNECT "unix 4 5 fork send-fd 4 3 end wait " CLOSE_3 "hear on close 5"},
};

/* By a program that was started by an exec, whose unix sockets may all be in that other message. */
static const struct sharing_row last_of_unreceived_beside_another[] = {
	{"unreceived_close_beside_another_message", PAIR
		"exec " CONNECT "send-fd 4 3 " OTHER_MESSAGE(6, 7, 8) CLOSE_3 "hear on close 5"},
	{"unreceived_exit_beside_another_s_message",
		PAIR "fork close 4 exec hear on exit 0 end close 5 " CONNECT
		     "send-fd 4 3 " OTHER_MESSAGE(5, 6, 7) CLOSE_3 "wait"},
};

/* Somebody else still holds it, or receives it in time. */
static const struct sharing_row unreceived[] = {
	{"unreceived_sender_goes_on",
		CONNECT "unix 4 5 send-fd 4 3 " AWAIT_UNREAD "close 5 say closed " USE("3")},
};

static const struct sharing_row unreceived_otherwise[] = {
	{"unreceived_behind_what_goes_on",
		CONNECT "unix 4 5 dup 3 6 send-fd 4 6 send-fd 4 3 close 6 " AWAIT_UNREAD
			"close 5 say closed " USE("3")},
	{"unreceived_exit_sender_goes_on",
		CONNECT "unix 4 5 pipe 6 7 send-fd 4 3 " AWAIT_UNREAD
			"fork close 3 close 7 read-end 6 exit 0 end close 5 close 6 close 7 wait "
			"say closed " USE("3")},
	{"received_by_a_duplicate",
		CONNECT "unix 4 5 dup 5 6 send-fd 4 3 " AWAIT_UNREAD
			"close 3 close 5 say closed hear on receive-fd 6 3 read 3 "
			"1000 write 3 5000 close 3"},
	{"received_by_a_child",
		CONNECT "unix 4 5 send-fd 4 3 " AWAIT_UNREAD
			"fork close 3 hear on receive-fd 5 3 read 3 1000 write 3 5000 "
			"close 3 end close 3 close 5 say closed wait"},
	{"received_by_another_program",
		CONNECT "unix 4 5 send-fd 4 3 " AWAIT_UNREAD
			"fork close 3 exec hear on receive-fd 5 3 read 3 1000 write 3 5000 "
			"close 3 end close 3 close 5 say closed wait"},
	{"received_by_a_parent_of_another_program",
		CONNECT "unix 4 5 send-fd 4 3 " AWAIT_UNREAD
			"fork exec exit 0 end close 3 say closed wait hear on receive-fd 5 3 read "
			"3 1000 write 3 5000 close 3"},
	{"received_by_a_parent", CONNECT "unix 4 5 send-fd 4 3 " AWAIT_UNREAD
					 "fork close 3 exit 0 end wait close 3 say closed hear on "
					 "receive-fd 5 3 read 3 1000 write 3 5000 close 3"},
};

static const struct rows_subject subjects[] = {
	ROWS_NAMED("test_sent_connection_is_left_alone", sharing_test_left_alone, in_messages),
	ROWS_NAMED("test_sent_connection_is_left_alone", sharing_test_left_alone,
		in_messages_otherwise),
	ROWS_NAMED("test_sent_connection_is_reported_as_shared", sharing_test_reported_as_shared,
		in_messages),
	ROWS_NAMED("test_connection_sent_by_others_is_left_alone", sharing_test_left_alone,
		sent_by_others),
	ROWS_NAMED("test_connection_sent_by_others_is_left_unknown", sharing_test_left_unknown,
		sent_by_others),
	ROWS_NAMED("test_last_of_sent_control_resets", sharing_test_last_control_resets,
		last_of_messages),
	ROWS_NAMED("test_last_of_sent_warn_reports_once", sharing_test_last_warn_reports_once,
		last_of_messages),
	ROWS_NAMED("test_last_of_sent_drain_ends_with_fin", sharing_test_last_drain_ends_with_fin,
		last_of_messages),
	ROWS_NAMED("test_last_of_sent_fin_ends_with_fin", sharing_test_last_fin_ends_with_fin,
		last_of_messages),
	ROWS_NAMED("test_last_of_sent_control_resets", sharing_test_last_control_resets,
		last_beside_messages),
	ROWS_NAMED("test_last_of_sent_warn_reports_once", sharing_test_last_warn_reports_once,
		last_beside_messages),
	ROWS_NAMED("test_unreceived_connection_is_left_alone", sharing_test_left_alone, unreceived),
	ROWS_NAMED("test_unreceived_connection_is_left_alone", sharing_test_left_alone,
		unreceived_otherwise),
	ROWS_NAMED("test_unreceived_connection_is_reported_as_shared",
		sharing_test_reported_as_shared, unreceived),
	ROWS_NAMED("test_last_of_unreceived_control_resets", sharing_test_last_control_resets,
		last_of_unreceived),
	ROWS_NAMED("test_last_of_unreceived_warn_reports_once", sharing_test_last_warn_reports_once,
		last_of_unreceived),
	ROWS_NAMED("test_last_of_unreceived_drain_ends_with_fin",
		sharing_test_last_drain_ends_with_fin, last_of_unreceived),
	ROWS_NAMED("test_last_of_unreceived_fin_ends_with_fin", sharing_test_last_fin_ends_with_fin,
		last_of_unreceived),
	ROWS_NAMED("test_last_of_unreceived_control_resets", sharing_test_last_control_resets,
		last_of_unreceived_beside_another),
	ROWS_NAMED("test_last_of_unreceived_warn_reports_once", sharing_test_last_warn_reports_once,
		last_of_unreceived_beside_another),
	ROWS_NAMED("test_taken_connection_is_left_alone", sharing_test_left_alone, taken),
	ROWS_NAMED("test_last_of_taken_control_resets", sharing_test_last_control_resets,
		last_of_taken),
	ROWS_NAMED("test_last_of_taken_warn_reports_once", sharing_test_last_warn_reports_once,
		last_of_taken),
	ROWS_NAMED("test_last_of_taken_drain_ends_with_fin", sharing_test_last_drain_ends_with_fin,
		last_of_taken),
	ROWS_NAMED("test_last_of_taken_fin_ends_with_fin", sharing_test_last_fin_ends_with_fin,
		last_of_taken),
	ROWS_PLAIN(test_taken_after_the_close_control_resets),
	ROWS_PLAIN(test_taken_after_the_close_ends_with_fin),
	ROWS_PLAIN(test_stranger_in_flight_leaves_it_unknown),
	ROWS_PLAIN(test_library_in_flight_is_no_stranger),
	ROWS_PLAIN(test_in_flight_is_nothing_that_was_never_sent),
	ROWS_PLAIN(test_in_flight_is_nothing_that_is_close_on_exec),
};

int main(void)
{
	return ROWS_RUN(subjects);
}
