// SPDX-License-Identifier: MIT
// HARNESS
/*
 * Children beside their parent's memory or in its descriptor table: of vfork, and of clone with
 * CLONE_VM or CLONE_FILES. In one table a close in one process closes for both; what a child beside its
 * parent's memory opens is its own. Nobody follows that, so nothing is done to it, but each reset is
 * told once; and the parent's library goes on as if there had been no child.
 */
#include "harness/rows.h"
#include "harness/stage.h"
#include "harness/text.h"
#include "harness/verdict.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define AWAIT "await-unread 3 1000 "
#define CONNECT "connect 3 TARGET "
#define FINISH "say closed hear go"

/* One connection with unread bytes, TARGET's, which ends by a reset. */
static const struct row {
	const char *name;
	const char *words;
	const char *via;
} rows[] = {
	{"child_closes_in_one_table",
		CONNECT "fork-by clone-files " AWAIT "close 3 end wait " FINISH, "]: close(3) "},
	{"parent_closes_in_one_table",
		CONNECT "pipe 4 5 fork-by clone-files read-end 4 end " AWAIT "close 3 close 5 "
			"wait " FINISH,
		"]: close(3) "},
	{"child_opens_and_parent_closes",
		"open 3 /dev/null close 3 fork-by clone-files " CONNECT "end wait " AWAIT
		"close 3 " FINISH,
		"]: close(3) "},
	{"child_duplicates_and_parent_closes",
		CONNECT "fork-by clone-files dup 3 4 end wait " AWAIT "close 3 close 4 " FINISH,
		"]: close("},
	{"parent_exits_last", CONNECT "fork-by clone-files end wait " AWAIT "exit 0",
		"]: exit(3) "},
	{"child_exits_last",
		"open 3 /dev/null pipe 4 5 fork close 3 " CONNECT AWAIT
		"fork-by clone-files await-orphan exit-now 0 end exit 0 end wait close 5 "
		"read-end 4 " FINISH,
		"]: _exit(3) "},
	{"child_opens_a_high_number_and_parent_exits",
		"open 3 /dev/null close 3 fork-by clone-files " CONNECT
		"dupfd 3 90 close 3 end wait await-unread 90 1000 exit 0",
		"]: exit(90) "},
	{"child_beside_the_memory_closes_in_one_table",
		CONNECT "clone-vm-files " AWAIT "close 3 end wait " FINISH, "]: close(3) "},
	{"vfork_child_closes_its_own", "vfork " CONNECT AWAIT "close 3 end wait " FINISH,
		"]: close(3) "},
	{"vfork_child_replaces_its_own",
		"vfork " CONNECT AWAIT "open 4 /dev/null dup2 4 3 end wait " FINISH, "]: dup2(3) "},
	{"vfork_child_closes_all", "vfork " CONNECT AWAIT "close-range 3 -1 0 end wait " FINISH,
		"]: close_range(3) "},
	{"vfork_child_ends_with_its_own", "vfork " CONNECT AWAIT "exit-now 0 end wait " FINISH,
		"]: _exit(3) "},
	{"vfork_child_closes_under_a_known_number",
		"socket 3 4 vfork close 3 " CONNECT AWAIT "close 3 end wait close 3 " FINISH,
		"]: close(3) "},
	{"clone_vm_child_closes_its_own", "clone-vm " CONNECT AWAIT "close 3 end wait " FINISH,
		"]: close(3) "},
	{"clone_vm_child_ends_with_its_own",
		"clone-vm " CONNECT AWAIT "exit-now 0 end wait " FINISH, "]: _exit(3) "},
};

/* Words behind "TARGET" replaced, up to the end of the run. */
static struct stage *start(const char *words, const char *mode)
{
	struct stage *stage = stage_open(PEER_IPV4);
	char *script = text_replaced(words, "TARGET", stage->peer.target);

	program_start(&stage->program, &(struct program_options){.mode = mode, .is_alone = true},
		"%s", script);
	free(script);
	peer_accept(&stage->peer);
	peer_send(&stage->peer, 1000);
	return stage;
}

static struct stage_end run(const struct row *row, const char *mode)
{
	struct stage_end end =
		stage_finish(start(row->words, mode), strstr(row->words, "hear go") != NULL);

	assert_int_equal(end.status, 0);
	return end;
}

static void test_unfollowed_control_resets(void **state)
{
	struct stage_end end = run(*state, NULL);

	assert_was_reset(&end);
}

static void test_unfollowed_warn_reports_once(void **state)
{
	const struct row *row = *state;
	struct stage_end end = run(row, "warn");

	assert_was_reset(&end);
	assert_reported(&end, row->via, ": 1000 unread, 0 unacknowledged; rst (unread) in ");
}

static void test_unfollowed_is_left_alone_and_told(void **state)
{
	static const char *const modes[] = {"drain", "fin"};
	const struct row *row = *state;

	for (size_t i = 0; i < 2; i++) {
		struct stage_end end = run(row, modes[i]);

		assert_was_reset(&end);
		assert_reported(&end, row->via,
			": 1000 unread, 0 unacknowledged; rst (holders unknown) in ");
	}
}

/* What an exec closes is looked up before, so it can be cured. */
static const struct row executed[] = {
	{"vfork_child_execs_with_its_own",
		"vfork connect-cloexec 3 TARGET " AWAIT "exec exit 0 end wait " FINISH,
		"]: execv(3) "},
	{"clone_vm_child_execs_with_its_own",
		"clone-vm connect-cloexec 3 TARGET " AWAIT "exec exit 0 end wait " FINISH,
		"]: execv(3) "},
};

static void test_unfollowed_exec_is_cured(void **state)
{
	static const char *const modes[] = {"drain", "fin"};
	static const char limit[] = "; drained 1000, limit (no thread) in ";
	const struct row *row = *state;

	for (size_t i = 0; i < 2; i++) {
		struct stage_end end = run(row, modes[i]);
		/* There is no thread in such a child; but the peer may have ended it as well. */
		bool is_limit = i == 1 && strstr(end.errors, limit) != NULL;

		assert_was_fin(&end);
		assert_reported(&end, row->via, is_limit ? limit : "; drained 1000, fin in ");
	}
}

/* ---- the parent afterwards ------------------------------------------------------------------ */

/* Children that end in some way before the parent closes a connection of its own. */
static const struct child {
	const char *name;
	const char *words;
} children[] = {
	{"vfork_ends", "vfork exit-now 0 end wait "},
	{"vfork_execs", "vfork exec exit 0 end wait "},
	{"vfork_opens_and_ends", "vfork socket 3 4 exit-now 0 end wait "},
	{"vfork_opens_and_execs", "vfork socket 3 4 exec exit 0 end wait "},
	{"clone_vm_ends", "clone-vm exit-now 0 end wait "},
	{"clone_vm_execs", "clone-vm exec exit 0 end wait "},
	{"clone_vm_fails_to_exec", "clone-vm try-exec execve /nowhere end wait "},
};

/* It lingers as ever: bytes that arrive after the close do not reset. */
static void test_parent_lingers_after_the_child(void **state)
{
	const struct child *child = *state;
	char words[256];
	struct stage *stage;
	struct stage_end end;

	snprintf(words, sizeof(words), "%s" CONNECT AWAIT "close 3 " FINISH, child->words);
	stage = start(words, "fin");
	program_hear(&stage->program, "closed");
	peer_receive_end(&stage->peer);
	peer_send(&stage->peer, 1000);
	assert_int_equal(peer_await_acked(&stage->peer), 0);
	peer_finish(&stage->peer);
	program_await_errors(&stage->program, "; drained 2000, fin in ");
	program_say(&stage->program, "go");
	end = stage_judge(stage, program_await_exit(&stage->program));
	assert_int_equal(end.status, 0);
	assert_was_fin(&end);
	assert_reported(&end, ": 1000 unread", "; drained 2000, fin in ");
}

static const struct rows_subject subjects[] = {
	ROWS_SUBJECT(test_unfollowed_control_resets, rows),
	ROWS_SUBJECT(test_unfollowed_warn_reports_once, rows),
	ROWS_SUBJECT(test_unfollowed_is_left_alone_and_told, rows),
	ROWS_SUBJECT(test_unfollowed_control_resets, executed),
	ROWS_SUBJECT(test_unfollowed_warn_reports_once, executed),
	ROWS_SUBJECT(test_unfollowed_exec_is_cured, executed),
	ROWS_SUBJECT(test_parent_lingers_after_the_child, children),
};

int main(void)
{
	return ROWS_RUN(subjects);
}
