// SPDX-License-Identifier: MIT
// HARNESS
/*
 * A thread may lose the processor between any two system calls. Here strace holds up each call of one
 * kind, in the program and in the library's thread: connections that have to be looked for in /proc
 * still end with FIN, and are told of once.
 */
#include "harness/rows.h"
#include "harness/sharing.h"
#include "harness/text.h"
#include "harness/verdict.h"

#include <stdio.h>
#include <stdlib.h>

static const struct slow {
	const char *name;
	const char *call;
	const char *words;
} slows[] = {
#define ELDER "fork end wait await-unread 3 1000 close 3 say closed"
#define TWIN "dup 3 4 await-unread 3 1000 close 3 close 4 say closed"
#define CHILD "await-unread 3 1000 fork close 3 end close 3 wait say closed"
	{"close_after_a_fork", "close", ELDER},
	{"close_of_duplicates", "close", TWIN},
	{"close_beside_a_child", "close", CHILD},
	{"dup3_after_a_fork", "dup3", ELDER},
	{"dup3_of_duplicates", "dup3", TWIN},
	{"dup3_beside_a_child", "dup3", CHILD},
	{"sendmsg_after_a_fork", "sendmsg", ELDER},
	{"sendmsg_beside_a_child", "sendmsg", CHILD},
	{"recvmsg_after_a_fork", "recvmsg", ELDER},
	{"recvmsg_beside_a_child", "recvmsg", CHILD},
};

/* Each such call is held up by delay_us microseconds. */
static struct stage *start(
	const char *call, int delay_us, const char *preload, const char *mode, const char *words)
{
	struct stage *stage = stage_open(PEER_IPV4);

	program_require_strace();
	program_start(&stage->program,
		&(struct program_options){.executable = PROGRAM_STRACE, .is_alone = true},
		"-f -qq -o /dev/null -e inject=%s:delay_enter=%d -E LD_PRELOAD=%s "
		"-E SAFECLOSE_MODE=%s %sactor connect 3 %s %s hear go",
		call, delay_us, preload, mode, PROGRAM_FOLDER, stage->peer.target, words);
	peer_accept(&stage->peer);
	return stage;
}

static struct stage_end run(const struct slow *slow, const char *preload, const char *mode)
{
	struct stage *stage = start(slow->call, 5000, preload, mode, slow->words);
	struct stage_end end;

	peer_send(&stage->peer, SHARING_UNREAD_BYTES);
	end = stage_finish(stage, true);
	assert_int_equal(end.status, 0);
	return end;
}

static void test_slow_control_resets(void **state)
{
	struct stage_end end = run(*state, "", "off");

	assert_was_reset(&end);
}

/* strace may have something to say too. */
static void assert_reported_once(const struct stage_end *end)
{
	if (text_lines_with(end->errors, "safeclose[", NULL) != 1 ||
		text_lines_with(end->errors, ": 1000 unread", "; drained 1000, fin in ") != 1) {
		fail_msg("not one report:\n%s", end->errors);
	}
}

static void test_slow_ends_with_fin(void **state)
{
	static const char *const modes[] = {"drain", "fin"};

	for (size_t i = 0; i < 2; i++) {
		struct stage_end end = run(*state, PROGRAM_LIBRARY, modes[i]);

		assert_was_fin(&end);
		assert_reported_once(&end);
	}
}

/*
 * The parent may not be read, so the child's last close is left alone. The thread lets go of it while
 * the closing one is still held up behind the hand-over, and must not take that for another holder.
 */
static void test_slow_to_let_go_is_no_holder(void **state)
{
	static const char *const modes[] = {"drain", "fin"};

	(void)state;
	program_require_other_user();
	for (size_t i = 0; i < 2; i++) {
		struct stage *stage = start("fstat", 50000, PROGRAM_LIBRARY, modes[i],
			"fork await-unread 3 1000 drop-privileges 65534 close 3 end "
			"close 3 say left wait");
		struct stage_end end;

		program_hear(&stage->program, "left");
		peer_send(&stage->peer, SHARING_UNREAD_BYTES);
		end = stage_finish(stage, true);
		assert_int_equal(end.status, 0);
		assert_was_reset(&end);
		assert_int_equal(text_lines_with(end.errors, "safeclose[", NULL), 1);
		assert_int_equal(
			text_lines_with(end.errors, ": 1000 unread", "; rst (holders unknown) in "),
			1);
	}
}

/*
 * Between a thread's look and its close another one has closed the same descriptor, and what the library
 * opens for a third close has the number.
 */
static void test_slow_second_close_takes_nothing(void **state)
{
	static const char *const libraries[] = {"", PROGRAM_LIBRARY};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct stage *stage = stage_open(PEER_IPV4);
		struct stage_end end;

		program_require_strace();
		program_start(&stage->program,
			&(struct program_options){.executable = PROGRAM_STRACE, .is_alone = true},
			"-f -qq -o /dev/null -e inject=read:delay_exit=100000 "
			"-E LD_PRELOAD=%s -E SAFECLOSE_MODE=warn %stwice",
			libraries[i], PROGRAM_FOLDER);
		end = stage_judge(stage, program_await_exit(&stage->program));
		assert_int_equal(end.status, 0);
		assert_string_equal(end.output, "closed 1 times\n");
	}
}

static const struct rows_subject subjects[] = {
	ROWS_SUBJECT(test_slow_control_resets, slows),
	ROWS_SUBJECT(test_slow_ends_with_fin, slows),
	ROWS_PLAIN(test_slow_to_let_go_is_no_holder),
	ROWS_PLAIN(test_slow_second_close_takes_nothing),
};

int main(void)
{
	return ROWS_RUN(subjects);
}
