// SPDX-License-Identifier: MIT
// HARNESS
/*
 * Connections that a ring of io_uring keeps (io_uring_register(2)): no table shows them, and the
 * program goes on with them when it has closed the descriptor.
 */
#include "harness/rows.h"
#include "harness/sharing.h"

#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

#define CLOSE_3 AWAIT_UNREAD "close 3 say closed "
#define USE_RING "hear on ring-read 4 1000 ring-write 4 5000 ring-end 4"
#define KEPT(way) CONNECT "ring 4 ring-keep 4 " way " 3 " CLOSE_3 USE_RING

static const struct sharing_row kept[] = {
	{"files", KEPT("files")},
	{"files2", KEPT("files2")},
	{"update", KEPT("update")},
	{"update2", KEPT("update2")},
	{"a_duplicate", CONNECT "ring 4 dup 3 5 ring-keep 4 files 5 close 5 " CLOSE_3 USE_RING},
	{"what_has_a_duplicate",
		CONNECT "ring 4 dup 3 5 ring-keep 4 files 3 close 5 " CLOSE_3 USE_RING},
	{"made_before_a_fork",
		CONNECT "fork end wait ring 4 ring-keep 4 files 3 " CLOSE_3 USE_RING},
	{"by_a_child", CONNECT "unix 4 5 fork ring 6 ring-keep 6 files 3 close 3 write 5 1 hear on "
			       "ring-read 6 1000 ring-write 6 5000 ring-end 6 end "
			       "await-unread 4 1 " CLOSE_3 "wait"},
};

/* The ring has another; this one is closed as ever. */
static const struct sharing_row beside[] = {
	{"another", CONNECT "ring 4 socket 5 4 ring-keep 4 files 5 " AWAIT_UNREAD
			    "say closed hear on close 3"},
	{"another_before_a_fork",
		CONNECT "ring 4 socket 5 4 ring-keep 4 files 5 fork close 3 end wait " AWAIT_UNREAD
			"say closed hear on close 3"},
	{"none", CONNECT "ring 4 ring-keep 4 files -1 " AWAIT_UNREAD "say closed hear on close 3"},
};

static void test_rings_are_not_to_be_had(void **state)
{
	(void)state;
	skip();
}

static const struct rows_subject no_subjects[] = {ROWS_PLAIN(test_rings_are_not_to_be_had)};

/* A filter (of a container) or the administrator may forbid them. */
static bool has_rings(void)
{
	return syscall(SYS_io_uring_setup, 0, NULL) >= 0 || (errno != ENOSYS && errno != EPERM);
}

static const struct rows_subject subjects[] = {
	ROWS_NAMED("test_rings_what_is_kept_is_left_alone", sharing_test_left_alone, kept),
	ROWS_NAMED("test_rings_what_is_kept_is_left_unknown", sharing_test_left_unknown, kept),
	ROWS_NAMED("test_rings_what_is_not_kept_control_resets", sharing_test_last_control_resets,
		beside),
	ROWS_NAMED("test_rings_what_is_not_kept_warn_reports_once",
		sharing_test_last_warn_reports_once, beside),
	ROWS_NAMED("test_rings_what_is_not_kept_drain_ends_with_fin",
		sharing_test_last_drain_ends_with_fin, beside),
	ROWS_NAMED("test_rings_what_is_not_kept_fin_ends_with_fin",
		sharing_test_last_fin_ends_with_fin, beside),
};

int main(void)
{
	return has_rings() ? ROWS_RUN(subjects) : ROWS_RUN(no_subjects);
}
