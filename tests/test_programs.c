// SPDX-License-Identifier: MIT
// HARNESS
/*
 * Other programs that hold the connection: started by this one, inherited over exec, on the
 * standard descriptors. It is left alone while they hold it, and the last of them acts.
 */
#include "harness/netns.h"
#include "harness/rows.h"
#include "harness/sharing.h"
#include "harness/text.h"
#include "harness/verdict.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CLOSE_3 AWAIT_UNREAD "close 3 say closed "
#define PROGRAM_CLOSES(how) CONNECT "control 100 spawn " how " talk 100 " CLOSE_3 "end "
#define PROGRAM_USES(how) \
	CONNECT "control 100 spawn " how " talk 100 " USE("3") "end " CLOSE_3 "wait"
#define PROGRAM_ENDS(how, end) \
	CONNECT "control 100 spawn " how " talk 100 hear on " end " end " CLOSE_3

/* No child of this one's: a pipe tells of its end. */
#define BACKGROUND(words)                                                      \
	CONNECT "control 100 pipe 4 5 spawn system-background talk 100 " words \
		" end close 5 " CLOSE_3 "read-end 4"

/*
 * posix_spawn() with actions on the child's descriptors, which nothing can see. A number that is
 * free then is the next one which the child gets; and what is opened there instead, it may read.
 */
#define ACTION_CLOSES(actions, words) \
	CONNECT AWAIT_UNREAD "spawn-with " actions " " words "say closed end wait " USE("3")
#define ACTION_MOVES(actions, words) \
	CONNECT "control 100 spawn-with " actions " talk 100 " words " end " CLOSE_3

/* A server's child with its connection on 0, 1 and 2, as inetd starts it. */
#define INETD(words)                                                                       \
	CONNECT "fork control 100 dup2 3 0 dup2 3 1 dup2 3 2 close 3 exec talk 100 " words \
		" end " CLOSE_3 "wait"

static const struct sharing_row left_alone[] = {
	{"posix_spawn", PROGRAM_USES("posix_spawn")},
	{"posix_spawnp", PROGRAM_USES("posix_spawnp")},
	{"popen", PROGRAM_USES("popen")},
	{"system_in_the_background", BACKGROUND(USE("3"))},
	{"closed_by_posix_spawn", PROGRAM_CLOSES("posix_spawn") "wait " USE("3")},
	{"closed_by_posix_spawnp", PROGRAM_CLOSES("posix_spawnp") "wait " USE("3")},
	{"closed_by_popen", PROGRAM_CLOSES("popen") "wait " USE("3")},
	{"closed_by_system", PROGRAM_CLOSES("system") USE("3")},
	{"file_action_close", ACTION_CLOSES("close:3", "pipe 3 4 ")},
	{"file_action_closefrom", ACTION_CLOSES("closefrom:3", "pipe 3 4 ")},
	{"file_action_dup2_over_it", ACTION_CLOSES("read:4:/dev/null,dup2:4:3", "read-end 3 ")},
	{"file_action_open_over_it", ACTION_CLOSES("read:3:/dev/null", "read-end 3 ")},
	{"file_action_dup2_to_2", ACTION_CLOSES("dup2:3:2,close:3", "pipe 3 4 ")},
	{"file_action_dup2_to_0_and_1",
		ACTION_MOVES("dup2:3:0,dup2:3:1,close:3",
			"hear on read 0 1000 write 1 5000 close 0 close 1") "wait"},
	{"exec_in_a_child", CONNECT "fork exec " USE("3") "end " CLOSE_3 "wait"},
	{"exec_in_a_vfork_child",
		CONNECT "control 100 vfork exec talk 100 " USE("3") "end " CLOSE_3 "wait"},
	{"exec_in_a_vfork_child_closes", CONNECT "vfork exec " CLOSE_3 "end wait " USE("3")},
	{"over_exec", CONNECT "fork hear on read 3 1000 write 3 5000 end exec " AWAIT_UNREAD
			      "close 3 say closed wait"},
	{"standard_descriptors",
		CONNECT "control 100 dup2 3 0 dup2 3 1 dup2 3 2 " CLOSE_3
			"hear on read 0 1000 write 1 5000 close 2 close 1 close 0"},
	{"inetd", INETD("hear on read 0 1000 write 1 5000 close 2 close 1 close 0")},
	{"inetd_exits", INETD("hear on read 0 1000 write 1 5000")},
};

/* The shell's command sends it to nobody yet. */
#define SENT_BY(how, end)                                                        \
	CONNECT "unix 4 5 spawn " how " send-fd 4 3 end " end "close 4 " CLOSE_3 \
		"hear on receive-fd 5 3 read 3 1000 write 3 5000 close 3"

static const struct sharing_row sent[] = {
	{"sent_by_popen", SENT_BY("popen", "wait ")},
	{"sent_by_system", SENT_BY("system", "")},
};

/* No word "closed" of a close(): what ends is a process. */
static const struct sharing_row last[] = {
	{"posix_spawn_closes", PROGRAM_ENDS("posix_spawn", "close 3") "wait"},
	{"posix_spawn_exits", PROGRAM_ENDS("posix_spawn", "exit 0") "wait"},
	{"posix_spawnp_ends", PROGRAM_ENDS("posix_spawnp", "exit-now 0") "wait"},
	{"file_action_closes",
		CONNECT AWAIT_UNREAD "pipe 4 5 spawn-with close:3 pipe 3 6 close 5 say closed "
				     "read-end 4 end hear on close 3 close 5 wait"},
	{"file_action_dup2_to_0_closes",
		ACTION_MOVES("dup2:3:0,close:3", "hear on close 0") "wait"},
	{"file_action_dup2_to_0_and_1_exits",
		ACTION_MOVES("dup2:3:0,dup2:3:1,close:3", "hear on exit 0") "wait"},
	{"popen_returns", PROGRAM_ENDS("popen", "") "wait"},
	{"system_in_the_background", BACKGROUND("hear on close 3")},
	{"over_exec_at_exit", CONNECT "fork exec hear on exit 0 end " CLOSE_3 "wait"},
	/* Its parent is the first process, which it may not look at, and which did not start it. */
	{"over_exec_in_an_orphan",
		/* The new program is there before its parent ends. */
		CONNECT AWAIT_UNREAD "pipe 4 5 new-users fork exec close 5 await-orphan say closed "
				     "hear on close 3 hear go end close 5 read-end 4 exit-now 0"},
	{"standard_descriptors", CONNECT "control 100 dup2 3 0 dup2 3 1 dup2 3 2 " CLOSE_3
					 "hear on close 0 close 1 close 2"},
};

/* ---- inetd --------------------------------------------------------------------------------- */

/*
 * A program whose stderr is the connection: what the library has to say must not go to the client,
 * and it must not keep the connection open. Reports are asked for in a file.
 */
static struct stage_end serve_as_inetd(const char *mode, const char *words, char *report_path)
{
	char log[96] = "";
	struct stage_end end;

	if (mode && report_path) {
		int fd = mkstemp(strcpy(report_path, "/tmp/safeclose-test-XXXXXX"));

		assert_true(fd >= 0);
		close(fd);
		snprintf(log, sizeof(log), "SAFECLOSE_LOG=%s", report_path);
	}
	end = sharing_run(
		words, &(struct sharing_options){.mode = mode, .environment = {*log ? log : NULL}});
	return end;
}

static const struct sharing_row inetd_last[] = {
	{"exit", INETD("hear on exit 0")},
	{"return", INETD("hear on")},
	{"_exit", INETD("hear on exit-now 0")},
	{"close_all_and_go_on", INETD("hear on close 0 close 1 close 2 hear go")},
};

static void test_inetd_control_resets(void **state)
{
	const struct sharing_row *row = *state;
	struct stage_end end = serve_as_inetd(NULL, row->words, NULL);

	assert_was_reset(&end);
}

static void test_inetd_program_ends_with_fin(void **state)
{
	static const char *const modes[] = {"drain", "fin"};
	const struct sharing_row *row = *state;

	for (size_t i = 0; i < 2; i++) {
		char path[64];
		struct stage_end end = serve_as_inetd(modes[i], row->words, path);
		char *report = text_of_file(path);

		unlink(path);
		assert_was_fin(&end);
		assert_int_equal(end.received_bytes, 0);
		assert_int_equal(text_lines(report), 1);
		assert_int_equal(text_lines_with(report, "; drained 1000, fin in ", NULL), 1);
		free(report);
	}
}

/* The same with SAFECLOSE_LOG as it is by default: stderr, which is the client. */
static void test_inetd_client_gets_no_report(void **state)
{
	static const char *const modes[] = {"warn", "drain", "fin"};
	const struct sharing_row *row = *state;

	for (size_t i = 0; i < 3; i++) {
		struct stage_end end = serve_as_inetd(modes[i], row->words, NULL);

		assert_int_equal(end.received_bytes, 0);
		if (i > 0) {
			assert_was_fin(&end);
		}
	}
}

/* ---- cat ----------------------------------------------------------------------------------- */

/* A filter that inherits the connection as stdout, writes what it gets to it, and closes it by the
 * fclose(stdout) of its end. */
static struct stage_end run_cat(const char *mode)
{
	/* Where cat lets go while the first close is still being looked into, that one ends it. */
	const char *settled = mode ? "]: close(3) " : NULL;

	return sharing_run(CONNECT "pipe 4 5 spawn-filter cat 4 3 close 4 " CLOSE_3
				   "hear on write 5 5000 close 5 wait",
		&(struct sharing_options){.mode = mode,
			.environment = {"SAFECLOSE_REPORT=all"},
			.closing = settled,
			.ending = mode ? "]: fclose(1) " : NULL});
}

static void assert_cat_is_reported(const struct stage_end *end, const char *outcome)
{
	if (text_lines_with(end->errors, "]: close(3) ", "; shared") != 1 ||
		text_lines_with(end->errors, "]: fclose(1) ", outcome) != 1) {
		fail_msg("not one close, shared, and one fclose, %s:\n%s", outcome, end->errors);
	}
}

static void test_cat_control_resets(void **state)
{
	struct stage_end end = run_cat(NULL);

	(void)state;
	assert_was_reset(&end);
}

static void test_cat_warn_reports_its_fclose(void **state)
{
	struct stage_end end = run_cat("warn");

	(void)state;
	assert_was_reset(&end);
	assert_cat_is_reported(&end, "; rst (unread) in ");
}

static void test_cat_ends_with_fin(void **state)
{
	static const char *const modes[] = {"drain", "fin"};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct stage_end end = run_cat(modes[i]);

		assert_was_fin(&end);
		assert_int_equal(end.received_bytes, SHARING_WRITTEN_BYTES);
		assert_cat_is_reported(&end, "; drained 1000, fin in ");
	}
}

/* The first close waits for cat, which is young, and then both libraries linger. One tells. */
static void test_cat_always_tells_one_end(void **state)
{
	struct stage_end end = sharing_run(CONNECT "pipe 4 5 spawn-filter cat 4 3 close 4 " CLOSE_3
						   "hear on close 5 wait",
		&(struct sharing_options){.mode = "fin",
			.environment = {"SAFECLOSE_WHEN=always", "SAFECLOSE_REPORT=all"},
			.ending = "]: fclose(1) "});

	(void)state;
	assert_was_fin(&end);
	if (text_lines_with(end.errors, " fin in ", NULL) != 1) {
		fail_msg("not one end:\n%s", end.errors);
	}
}

static const struct rows_subject subjects[] = {
	ROWS_NAMED("test_program_that_holds_it_is_left_alone", sharing_test_left_alone, left_alone),
	ROWS_NAMED("test_program_that_holds_it_is_left_alone", sharing_test_left_alone, sent),
	ROWS_NAMED(
		"test_connection_sent_by_program_is_left_unknown", sharing_test_left_unknown, sent),
	ROWS_NAMED("test_last_program_control_resets", sharing_test_last_control_resets, last),
	ROWS_NAMED(
		"test_last_program_warn_reports_once", sharing_test_last_warn_reports_once, last),
	ROWS_NAMED("test_last_program_drain_ends_with_fin", sharing_test_last_drain_ends_with_fin,
		last),
	ROWS_NAMED(
		"test_last_program_fin_ends_with_fin", sharing_test_last_fin_ends_with_fin, last),
	ROWS_SUBJECT(test_inetd_control_resets, inetd_last),
	ROWS_SUBJECT(test_inetd_program_ends_with_fin, inetd_last),
	ROWS_SUBJECT(test_inetd_client_gets_no_report, inetd_last),
	ROWS_PLAIN(test_cat_control_resets),
	ROWS_PLAIN(test_cat_warn_reports_its_fclose),
	ROWS_PLAIN(test_cat_ends_with_fin),
	ROWS_PLAIN(test_cat_always_tells_one_end),
};

int main(void)
{
	return ROWS_RUN(subjects);
}
