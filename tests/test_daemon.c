// SPDX-License-Identifier: MIT
// HARNESS
/*
 * daemon(): its parent ends in it, and what was on 0, 1 and 2 is replaced in its child. Each closes a
 * connection with unread bytes last.
 */
#include "harness/rows.h"
#include "harness/stage.h"
#include "harness/text.h"
#include "harness/unit.h"
#include "harness/verdict.h"

#include <string.h>

enum { UNREAD_BYTES = 1000 };

struct row {
	const char *name;
	const char *words; /* after the connection is 3 and has them */
};

/* The program is old enough, and has run for long enough, not to be taken for a child on its way to an exec. */
static const struct row rows[] = {
	{"parent_ends_last", "daemon close 3"},
	{"input_is_replaced_last", "dup2 3 0 close 3 daemon-silent"},
	{"parent_ends_before", "daemon await-orphan close 3"},
	{"input_is_replaced_by_the_program",
		"dup2 3 0 close 3 daemon await-orphan open 3 /dev/null dup2 3 0"},
};

/* The parent comes back from its fork long after its child has done all. */
static const char slow_parent[] = "-e trace=clone,fork -e inject=clone,fork:delay_exit=700000 ";

static struct stage_end run(const struct row *row, const char *mode)
{
	struct stage *stage = stage_open(PEER_IPV4);
	bool is_slow = !strstr(row->words, "await-orphan");

	program_require_strace();
	program_start(&stage->program,
		&(struct program_options){.executable = PROGRAM_STRACE, .is_alone = true},
		"-f -qq -o /dev/null %s %s%s %s%s %sactor connect 3 %s grow-old 300 work 30 "
		"await-unread 3 %d %s",
		is_slow ? slow_parent : "-e trace=none", mode ? "-E LD_PRELOAD=" : "",
		mode ? PROGRAM_LIBRARY : "", mode ? "-E SAFECLOSE_MODE=" : "", mode ? mode : "",
		PROGRAM_FOLDER, stage->peer.target, UNREAD_BYTES, row->words);
	peer_accept(&stage->peer);
	peer_send(&stage->peer, UNREAD_BYTES);
	return stage_finish(stage, false);
}

static void test_daemon_control_resets(void **state)
{
	struct stage_end end = run(*state, NULL);

	assert_was_reset(&end);
	assert_not_reported(&end);
}

static bool is_of_daemon(const struct row *row)
{
	return !strstr(row->words, "await-orphan");
}

static void test_daemon_warn_reports_once(void **state)
{
	struct stage_end end = run(*state, "warn");

	assert_was_reset(&end);
	assert_reported(&end, "; rst (unread) in ", is_of_daemon(*state) ? ": daemon(" : NULL);
}

static void assert_cured(const struct row *row, const char *mode)
{
	struct stage_end end = run(row, mode);

	assert_was_fin(&end);
	assert_reported(&end, "; drained 1000, fin in ", is_of_daemon(row) ? ": daemon(" : NULL);
}

static void test_daemon_drain_ends_with_fin(void **state)
{
	assert_cured(*state, "drain");
}

static void test_daemon_fin_ends_with_fin(void **state)
{
	assert_cured(*state, "fin");
}

static const struct rows_subject subjects[] = {
	ROWS_SUBJECT(test_daemon_control_resets, rows),
	ROWS_SUBJECT(test_daemon_warn_reports_once, rows),
	ROWS_SUBJECT(test_daemon_drain_ends_with_fin, rows),
	ROWS_SUBJECT(test_daemon_fin_ends_with_fin, rows),
};

int main(void)
{
	return ROWS_RUN(subjects);
}
