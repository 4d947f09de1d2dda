// SPDX-License-Identifier: MIT
// HARNESS
/*
 * A connection that somebody else still holds keeps every byte and its open write side when one
 * holder closes; the close of the last holder is the one that acts. Here the holders are duplicates
 * and forked processes; test_programs has other programs, test_sent descriptors that travel.
 */
#include "harness/rows.h"
#include "harness/sharing.h"

#define CLOSE_3 AWAIT_UNREAD "close 3 say closed "
#define CHILD_USES " " USE("3") "end "

static const struct sharing_row left_alone[] = {
	{"dup", CONNECT "dup 3 4 " CLOSE_3 USE("4")},
	{"dup_closed_first", CONNECT "dup 3 4 " AWAIT_UNREAD "close 4 say closed " USE("3")},
	{"dupfd", CONNECT "dupfd 3 100 " CLOSE_3 USE("100")},
	{"dupfd_cloexec", CONNECT "dupfd-cloexec 3 100 " CLOSE_3 USE("100")},
	{"dup2_upwards", CONNECT "dup2 3 90 " CLOSE_3 USE("90")},
	{"parent_closes", CONNECT "fork" CHILD_USES CLOSE_3 "wait"},
	{"child_closes", CONNECT "fork " CLOSE_3 "end wait " USE("3")},
	{"child_of_an_old_parent_closes",
		CONNECT "grow-old 300 fork " CLOSE_3 "end wait " USE("3")},
	{"old_parent_closes", CONNECT "grow-old 300 fork" CHILD_USES CLOSE_3 "wait"},
	{"old_child_closes", CONNECT "fork grow-old 300 " CLOSE_3 "end wait " USE("3")},
	{"_Fork_parent_closes", CONNECT "fork-by _Fork" CHILD_USES CLOSE_3 "wait"},
	{"clone_parent_closes", CONNECT "fork-by clone" CHILD_USES CLOSE_3 "wait"},
	{"clone_child_closes", CONNECT "fork-by clone " CLOSE_3 "end wait " USE("3")},
	{"clone3_parent_closes", CONNECT "fork-by clone3" CHILD_USES CLOSE_3 "wait"},
	{"clone3_child_closes", CONNECT "fork-by clone3 " CLOSE_3 "end wait " USE("3")},
	{"libc_clone_parent_closes", CONNECT "clone" CHILD_USES CLOSE_3 "wait"},
	{"libc_clone_child_closes", CONNECT "clone " CLOSE_3 "end wait " USE("3")},
	{"forkpty_parent_closes", CONNECT "control 100 fork-by forkpty" CHILD_USES CLOSE_3 "wait"},
	{"forkpty_child_closes",
		CONNECT "control 100 fork-by forkpty " CLOSE_3 "end wait " USE("3")},
	{"syscall_fork_parent_closes", CONNECT "fork-by syscall" CHILD_USES CLOSE_3 "wait"},
#if defined(__x86_64__) || defined(__i386__)
	{"inline_fork_parent_closes", CONNECT "fork-by inline" CHILD_USES CLOSE_3 "wait"},
	{"inline_fork_child_closes", CONNECT "fork-by inline " CLOSE_3 "end wait " USE("3")},
	{"inline_fork_of_a_child_parent_closes",
		"fork " CONNECT "fork-by inline" CHILD_USES CLOSE_3 "wait end wait"},
#endif
	{"vfork_child_closes", CONNECT "vfork " CLOSE_3 "end wait " USE("3")},
	{"clone_vm_child_closes", CONNECT "clone-vm " CLOSE_3 "end wait " USE("3")},
	{"grandchild_holds", CONNECT "pipe 4 5 fork fork" CHILD_USES
				     "exit-now 0 end wait close 5 " CLOSE_3 "read-end 4"},
};

/* Behind "pipe 4 5" and forks: once all others have ended. */
#define GO_ON_LAST "close 5 read-end 4 say closed "

/* Closed by other calls, most by an end of the process. */
static const struct sharing_row left_alone_otherwise[] = {
#if defined(__x86_64__) || defined(__i386__)
	{"inline_fork_of_what_was_duplicated", CONNECT
		"dup 3 4 fork-by inline" CHILD_USES AWAIT_UNREAD "close 4 close 3 say closed wait"},
#endif
	{"dup_replaced", CONNECT "dup 3 4 open 5 /dev/null " AWAIT_UNREAD
				 "dup2 5 4 close 4 say closed " USE("3")},
	{"child_exits", CONNECT "fork " AWAIT_UNREAD "exit 0 end wait say closed " USE("3")},
	{"child_of_an_old_parent_exits_now", CONNECT "grow-old 300 fork " AWAIT_UNREAD
						     "exit-now 0 end wait say closed " USE("3")},
	{"child_exits_now",
		CONNECT "fork " AWAIT_UNREAD "exit-now 0 end wait say closed " USE("3")},
	{"child_aborts", CONNECT "fork " AWAIT_UNREAD "abort end wait say closed " USE("3")},
	{"child_is_killed", CONNECT "fork " AWAIT_UNREAD "raise 9 end wait say closed " USE("3")},
	{"vfork_child_exits",
		CONNECT "vfork " AWAIT_UNREAD "exit-now 0 end wait say closed " USE("3")},
	{"clone_vm_child_exits",
		CONNECT "clone-vm " AWAIT_UNREAD "exit-now 0 end wait say closed " USE("3")},
	/* A shared descriptor table: the end of one process closes nothing in it. */
	{"sharing_child_exits",
		CONNECT "fork-by clone-files " AWAIT_UNREAD "exit 0 end wait say closed " USE("3")},
	{"sharing_child_exits_now", CONNECT "fork-by clone3-files " AWAIT_UNREAD
					    "exit-now 0 end wait say closed " USE("3")},
	{"sharing_child_exits_before",
		"open 3 /dev/null fork-by clone-files exit-now 0 end wait "
		"close 3 " CONNECT AWAIT_UNREAD "fork close 3 end wait say closed " USE("3")},
	{"sharing_child_aborts",
		CONNECT "fork-by clone-files " AWAIT_UNREAD "abort end wait say closed " USE("3")},
	{"sharing_child_execs", CONNECT "cloexec 3 fork-by clone-files " AWAIT_UNREAD
					"exec exit 0 end wait say closed " USE("3")},
	{"sharing_parent_exits",
		CONNECT AWAIT_UNREAD "fork fork-by clone-files await-orphan say closed " USE(
			"3") "hear go end exit 0 end exit 0"},
	{"sharing_vm_child_exits",
		CONNECT "clone-vm-files " AWAIT_UNREAD "exit-now 0 end wait say closed " USE("3")},
	/* The runner's child ends, and with it the second parent; a grandchild goes on. */
	{"daemon_by_two_forks", CONNECT AWAIT_UNREAD
		"pipe 4 5 fork setsid fork " GO_ON_LAST USE("3") "hear go end exit 0 end exit 0"},
	{"daemon_by_two_raw_forks",
		CONNECT AWAIT_UNREAD "pipe 4 5 fork-by clone setsid fork-by clone " GO_ON_LAST USE(
			"3") "hear go end exit-now 0 end exit-now 0"},
	{"daemon", CONNECT AWAIT_UNREAD "pipe 4 5 daemon " GO_ON_LAST USE("3")},
};

/* Whoever closes has a /proc in which the other does not show, or under another number. Those who have
 * closed are waited for before the last one reads: see Limits in README. */
static const struct sharing_row in_other_numbers[] = {
	{"first_of_a_numbering",
		CONNECT "fork first-pid " CLOSE_3 "end close 3 wait end wait " USE("3")},
	{"first_of_a_numbering_execs",
		CONNECT "fork first-pid exec " CLOSE_3 "end close 3 wait end wait " USE("3")},
	{"child_of_the_first", CONNECT "fork first-pid fork close 3 end wait " CLOSE_3
				       "end close 3 wait end wait " USE("3")},
	{"numbered_otherwise",
		CONNECT "fork first-pid-unseen " CLOSE_3 "end close 3 wait end wait " USE("3")},
	{"numbered_otherwise_parent_closes",
		CONNECT "pipe 4 5 fork first-pid-unseen close 5 " USE(
			"3") "end close 3 close 5 wait end close 5 read-end 4 " CLOSE_3 "wait"},
	{"numbered_otherwise_and_duplicated",
		"open 3 /dev/null fork close 3 first-pid-unseen " CONNECT
		"dup 3 4 " CLOSE_3 USE("4") "end wait end wait"},
	{"in_a_foreign_proc", CONNECT "pipe 4 5 fork close 5 " USE(
				      "3") "end fork close 5 read-end 4 foreign-proc " CLOSE_3
					   "end close 3 close 5 wait wait"},
	{"in_a_foreign_proc_and_duplicated", CONNECT "foreign-proc dup 3 4 " CLOSE_3 USE("4")},
};

/* Two holders that close one after the other and never read. */
static const struct sharing_row last[] = {
	{"dup", CONNECT "dup 3 4 " CLOSE_3 "hear on close 4"},
	{"dup_and_exit", CONNECT "fork dup 3 4 close 3 hear on exit 0 end " CLOSE_3 "wait"},
	{"parent_first", CONNECT "fork hear on close 3 end " CLOSE_3 "wait"},
	{"child_first", CONNECT "fork " CLOSE_3 "end wait hear on close 3"},
	{"old_parent_behind_its_child",
		CONNECT "grow-old 300 fork " CLOSE_3 "end wait hear on close 3"},
	{"old_child_behind_its_parent",
		CONNECT "grow-old 300 fork grow-old 300 hear on close 3 end " CLOSE_3 "wait"},
	{"old_parent_behind_its_child",
		CONNECT "grow-old 300 fork " CLOSE_3 "end wait hear on close 3"},
	{"old_child_behind_its_parent",
		CONNECT "grow-old 300 fork grow-old 300 hear on close 3 end " CLOSE_3 "wait"},
	{"dupfd", CONNECT "dupfd 3 100 " CLOSE_3 "hear on close 100"},
	{"dupfd_cloexec", CONNECT "dupfd-cloexec 3 100 " CLOSE_3 "hear on close 100"},
	{"libc_clone_parent_first", CONNECT "clone hear on close 3 end " CLOSE_3 "wait"},
	{"libc_clone_at__exit", CONNECT "clone hear on exit-now 0 end " CLOSE_3 "wait"},
	{"vfork_child_first", CONNECT "vfork " CLOSE_3 "end wait hear on close 3"},
	{"clone_vm_child_first", CONNECT "clone-vm " CLOSE_3 "end wait hear on close 3"},
	{"dup_then_child", CONNECT "dup 3 4 fork " AWAIT_UNREAD
				   "close 3 close 4 say closed end wait close 3 hear on close 4"},
	{"child_at__exit", CONNECT "fork hear on exit-now 0 end " CLOSE_3 "wait"},
	{"child_at_exit", CONNECT "fork hear on exit 0 end " CLOSE_3 "wait"},
	{"raw_child_at__exit", CONNECT "fork-by clone hear on exit-now 0 end " CLOSE_3 "wait"},
	{"raw_child_at_exit", CONNECT "fork-by clone3 hear on exit 0 end " CLOSE_3 "wait"},
#if defined(__x86_64__) || defined(__i386__)
	{"inline_child_at_exit", CONNECT "fork-by inline hear on exit 0 end " CLOSE_3 "wait"},
	{"beside_an_inline_child",
		"open 3 /dev/null pipe 4 5 close 3 fork-by inline close 5 read-end 4 end " CONNECT
			AWAIT_UNREAD "say closed hear on close 3 close 5 wait"},
#endif
	{"raw_child_at_abort", CONNECT "fork-by clone hear on abort end " CLOSE_3 "wait"},
	{"daemon", CONNECT AWAIT_UNREAD "daemon await-orphan say closed hear on close 3"},
	{"daemon_by_two_forks", CONNECT AWAIT_UNREAD
		"fork setsid fork say closed hear on close 3 hear go end exit 0 end exit 0"},
	{"after_a_killed_child",
		CONNECT "fork " AWAIT_UNREAD "raise 9 end wait say closed hear on close 3"},
};

static const struct rows_subject subjects[] = {
	ROWS_NAMED("test_shared_connection_is_left_alone", sharing_test_left_alone, left_alone),
	ROWS_NAMED("test_shared_connection_is_left_alone", sharing_test_left_alone,
		left_alone_otherwise),
	ROWS_NAMED("test_shared_connection_is_reported_where_all_is",
		sharing_test_reported_as_shared, left_alone),
	ROWS_NAMED(
		"test_shared_connection_is_left_alone", sharing_test_left_alone, in_other_numbers),
	ROWS_NAMED("test_last_holder_control_resets", sharing_test_last_control_resets, last),
	ROWS_NAMED("test_last_holder_warn_reports_once", sharing_test_last_warn_reports_once, last),
	ROWS_NAMED("test_last_holder_drain_ends_with_fin", sharing_test_last_drain_ends_with_fin,
		last),
	ROWS_NAMED("test_last_holder_fin_ends_with_fin", sharing_test_last_fin_ends_with_fin, last),
};

int main(void)
{
	return ROWS_RUN(subjects);
}
