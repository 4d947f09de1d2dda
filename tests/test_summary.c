// SPDX-License-Identifier: MIT
// HARNESS
/*
 * Many closes of one call site: a log of text shows some and says how many more there were, that of JSON
 * shows all. SAFECLOSE_SUMMARY: the totals at the end, however the process ends, once, and of each
 * process its own.
 */
#include "harness/crowd.h"
#include "harness/deadline.h"
#include "harness/rows.h"
#include "harness/stage.h"
#include "harness/text.h"
#include "harness/verdict.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const modes[] = {"warn", "drain", "fin"};

enum {
	MODE_COUNT = sizeof(modes) / sizeof(modes[0]),
	MANY = 60,
	SHOWN = 10, /* a second */
};

#define SUMMARY "SAFECLOSE_SUMMARY=1"
#define TEXT "SAFECLOSE_FORMAT=text"
#define JSON "SAFECLOSE_FORMAT=json"

/* ---- floods ---------------------------------------------------------------------------------- */

/* Lines of text that stand for closes: themselves, or for as many as they say. */
static size_t closes_told(const char *text)
{
	size_t count = text_lines_with(text, ": 1000 unread", NULL);

	for (const char *at = text; (at = strstr(at, "]: ... and "));) {
		at += strlen("]: ... and ");
		count += strtoul(at, NULL, 10);
	}
	return count;
}

/* plight, with many connections, then these words. */
static struct crowd_end close_many(
	const char *words, const char *mode, const char *format, const char *summary)
{
	char all_words[MANY * 8 + 256] = "";

	for (size_t i = 0; i < MANY; i++) {
		strcat(all_words, "dial ");
	}
	strcat(all_words, words);
	return crowd_run(&(struct crowd_options){.program = {.executable = "plight",
							 .mode = mode,
							 .environment = {format, summary}}},
		"%s", all_words);
}

static void assert_flood_is_told(const struct crowd_end *end, size_t mode, double seconds)
{
	size_t shown = text_lines_with(end->report, ": 1000 unread", NULL);

	assert_int_equal(end->status, 0);
	if (closes_told(end->report) != end->connections || shown > SHOWN * (seconds + 1) ||
		shown + text_lines_with(end->report, " more like this in ", NULL) !=
			text_lines(end->report)) {
		fail_msg("%s: %zu connections:\n%s", modes[mode], end->connections, end->report);
	}
}

static void test_flood_shows_some_and_tells_of_the_rest(void **state)
{
	static const char *const words[] = {"close-all", ""};

	(void)state;
	for (size_t i = 0; i < 2 * MODE_COUNT; i++) {
		int64_t begin = deadline_now();
		struct crowd_end end =
			close_many(words[i / MODE_COUNT], modes[i % MODE_COUNT], TEXT, NULL);

		assert_flood_is_told(&end, i % MODE_COUNT, (double)(deadline_now() - begin) / 1000);
		assert_true(text_lines_with(end.report, "]: ... and ", " more like this in ") > 0);
		assert_int_equal(text_lines_with(end.report, " more like this in ",
					 i % MODE_COUNT == 0 ? " s; rst (unread); " : " s; fin"),
			text_lines_with(end.report, " more like this in ", NULL));
	}
}

/* The next line past the second tells of the second. */
static void test_flood_is_told_with_the_next_second(void **state)
{
	(void)state;
	for (size_t i = 0; i < MODE_COUNT; i++) {
		struct crowd_end end =
			close_many("close-all grow-old 1100 dial close", modes[i], TEXT, NULL);
		const char *rest = strstr(end.report, "]: ... and ");
		const char *last = strstr(end.report, ": 1000 unread");

		assert_int_equal(end.connections, MANY + 1);
		assert_int_equal(closes_told(end.report), MANY + 1);
		assert_non_null(rest);
		for (const char *at; (at = strstr(last + 1, ": 1000 unread"));) {
			last = at;
		}
		assert_true(rest < last);
		assert_non_null(strstr(rest, " more like this in 1.0 s; "));
	}
}

static void test_flood_in_json_is_complete(void **state)
{
	(void)state;
	for (size_t i = 0; i < MODE_COUNT; i++) {
		struct crowd_end end = close_many("close-all", modes[i], JSON, NULL);

		assert_int_equal(text_lines(end.report), MANY);
		assert_int_equal(
			text_lines_with(end.report, "{\"v\":1,", "\"unread\":1000,"), MANY);
	}
}

/* What a parent has held back is not its child's to tell. */
static void test_flood_is_told_by_its_own_process(void **state)
{
	(void)state;
	for (size_t i = 0; i < MODE_COUNT; i++) {
		struct crowd_end end = close_many("close-all part reap", modes[i], TEXT, NULL);

		assert_int_equal(end.connections, MANY);
		assert_int_equal(closes_told(end.report), MANY);
	}
}

/* ---- summaries ------------------------------------------------------------------------------- */

/* How the actor ends. */
static const struct ending {
	const char *name;
	const char *words;
	size_t tables; /* all together */
	int status;
} endings[] = {
	{"return", "", 1, 0},
	{"exit", "exit 3", 1, 3},
	{"_exit", "exit-now 3", 1, 3},
	{"_Exit", "c-exit-now 3", 1, 3},
	{"quick_exit", "quick-exit 3", 1, 3},
	{"abort", "abort", 1, 134},
	{"syscall_exit", "syscall-exit 3", 1, 3},
	{"syscall_exit_group", "syscall-exit-group 3", 1, 3},
	{"last_pthread_exit", "pthread-exit", 1, 0},
	{"_exit_in_a_handler", "at-exit exit-now 3 end exit 4", 1, 3},
	{"exec", "exec exit 3", 1, 3},
	{"exec_that_fails", "try-exec execv /etc/passwd exit 3", 1, 3},
	{"child", "fork end wait exit 3", 1, 3},
	{"child_of_vfork", "vfork exit-now 0 end exit 3", 1, 3},
	{"killed", "raise 9", 0, 137},
};

/* Three connections end at two call sites, and then the program. */
static void test_summary_is_told_once_at_each_end(void **state)
{
	const struct ending *row = *state;

	for (size_t i = 0; i < MODE_COUNT; i++) {
		struct stage *stage = stage_open(PEER_IPV4);
		const char *errors;
		int status;

		peer_listen(&stage->other_peer, PEER_IPV4);
		program_start(&stage->program,
			&(struct program_options){.mode = modes[i], .environment = {SUMMARY}},
			"connect 3 %s connect 4 %s await-unread 3 100 await-unread 4 50 close 3 "
			"syscall-close 4 say closed hear on %s",
			stage->peer.target, stage->other_peer.target, row->words);
		peer_accept(&stage->peer);
		peer_accept(&stage->other_peer);
		peer_send(&stage->peer, 100);
		peer_send(&stage->other_peer, 50);
		program_hear(&stage->program, "closed");
		peer_receive_end(&stage->peer);
		peer_receive_end(&stage->other_peer);
		peer_hang_up(&stage->peer);
		peer_hang_up(&stage->other_peer);
		program_await_errors(&stage->program, ": 50 unread, ");
		program_await_errors(&stage->program, ": 100 unread, ");
		program_say(&stage->program, "on");
		status = program_await_exit(&stage->program);
		errors = program_errors(&stage->program);
		assert_int_equal(status, row->status);
		assert_int_equal(text_lines_with(errors, "]: totals:  rst  fin ", "  call site"),
			row->tables);
		assert_int_equal(
			text_lines_with(errors, "]: totals: ", "  call sites: 2"), row->tables);
		assert_int_equal(text_lines_with(errors, "]: totals:  ",
					 i == 0 ? ":    2    0  " : ":    0    2  "),
			row->tables);
		assert_int_equal(text_lines_with(errors, "]: totals:  ",
					 i == 0 ? ":    1    0  " : ":    0    1  "),
			2 * row->tables);
		assert_int_equal(
			text_lines_with(errors, "  150     0  call sites: ", NULL), row->tables);
		assert_int_equal(text_lines(errors), 2 + 4 * row->tables);
	}
}

static void test_summary_of_nothing_is_nothing(void **state)
{
	(void)state;
	for (size_t i = 0; i < MODE_COUNT; i++) {
		struct stage *stage = stage_open(PEER_IPV4);

		program_start(&stage->program,
			&(struct program_options){.mode = modes[i], .environment = {SUMMARY}},
			"connect 3 %s close 3 pipe 3 4 close 3 exec exit 0", stage->peer.target);
		peer_accept(&stage->peer);
		assert_int_equal(program_await_exit(&stage->program), 0);
		assert_string_equal(program_errors(&stage->program), "");
	}
}

/* Four processes, each with its own. */
static void test_summary_of_each_process_is_its_own(void **state)
{
	(void)state;
	for (size_t i = 0; i < MODE_COUNT; i++) {
		struct crowd_end end =
			crowd_run(&(struct crowd_options){.program = {.executable = "plight",
								  .mode = modes[i],
								  .environment = {SUMMARY}}},
				"dial close part part dial dial close-all reap");

		assert_int_equal(end.connections, 9);
		assert_int_equal(text_lines_with(end.report, "  rst  fin ", "  call site"), 4);
		assert_int_equal(
			text_lines_with(end.report, "]: totals: ", "     3000     0  call sites: "),
			0);
		assert_int_equal(
			text_lines_with(end.report, "]: totals: ", "  3000     0  call sites: "),
			1);
		assert_int_equal(
			text_lines_with(end.report, "]: totals: ", "  2000     0  call sites: "),
			3);
	}
}

/* All are counted, also those whose lines were held back. */
static void test_summary_counts_what_was_held_back(void **state)
{
	static const char *const formats[] = {TEXT, JSON};

	(void)state;
	for (size_t i = 0; i < 2 * MODE_COUNT; i++) {
		char sum[64];
		struct crowd_end end =
			close_many("close-all", modes[i / 2], formats[i % 2], SUMMARY);

		snprintf(sum, sizeof(sum), "  %d     0  call sites: 1", MANY * 1000);
		assert_int_equal(end.connections, MANY);
		assert_int_equal(text_lines_with(end.report, sum, NULL), 1);
		assert_int_equal(text_lines_with(end.report, "]: totals: ", NULL), 3);
		assert_int_equal(text_lines_with(end.report, "\"unread\":1000,", NULL),
			i % 2 == 1 ? MANY : 0);
	}
}

/* In JSON the log has reports alone, and the table is on stderr. */
static void test_summary_stays_out_of_a_log_of_json(void **state)
{
	char path[] = "/tmp/safeclose-test-XXXXXX";
	char variable[64];
	struct stage *stage = stage_open(PEER_IPV4);
	struct stage_end end;
	char *text;

	(void)state;
	assert_int_equal(close(mkstemp(path)), 0);
	snprintf(variable, sizeof(variable), "SAFECLOSE_LOG=%s", path);
	program_start(&stage->program,
		&(struct program_options){.mode = "warn", .environment = {SUMMARY, JSON, variable}},
		"connect 3 %s await-unread 3 100 close 3 say closed hear go", stage->peer.target);
	peer_accept(&stage->peer);
	peer_send(&stage->peer, 100);
	end = stage_finish(stage, true);
	text = text_of_file(path);
	unlink(path);
	assert_int_equal(text_lines(text), 1);
	assert_int_equal(text_lines_with(text, "{\"v\":1,", "\"unread\":100,"), 1);
	free(text);
	assert_int_equal(text_lines(end.errors), 3);
	assert_int_equal(text_lines_with(end.errors, "]: totals: ", NULL), 3);
}

/* The bytes that a reset threw away: as many as the report says, and none where there was a FIN. */
static void test_summary_tells_what_was_lost(void **state)
{
	(void)state;
	for (size_t i = 0; i < MODE_COUNT; i++) {
		struct stage *stage = stage_open(PEER_IPV4);
		struct stage_end end;
		char lost[64];

		peer_limit_window(&stage->peer, 8192);
		program_start(&stage->program,
			&(struct program_options){.mode = modes[i], .environment = {SUMMARY}},
			"socket 3 4 sndbuf 3 400000 connect-socket 3 %s await-unread 3 1000 write "
			"3 "
			"200000 close 3 say closed hear go",
			stage->peer.target);
		peer_accept(&stage->peer);
		peer_send(&stage->peer, 1000);
		program_hear(&stage->program, "closed");
		end = stage_finish(stage, true);
		assert_int_equal(end.status, 0);
		snprintf(lost, sizeof(lost), "    1000  %.0f  call sites: 1",
			i == 0 ? text_number_after(end.errors, " unread, ") : 0);
		if (i > 0) {
			snprintf(lost, sizeof(lost), "  1000     0  call sites: 1");
		}
		if (text_lines_with(end.errors, strstr(lost, "1000 "), NULL) != 1) {
			fail_msg("%s: no \"%s\":\n%s", modes[i], lost, end.errors);
		}
	}
}

static const struct rows_subject subjects[] = {
	ROWS_PLAIN(test_flood_shows_some_and_tells_of_the_rest),
	ROWS_PLAIN(test_flood_is_told_with_the_next_second),
	ROWS_PLAIN(test_flood_in_json_is_complete),
	ROWS_PLAIN(test_flood_is_told_by_its_own_process),
	ROWS_SUBJECT(test_summary_is_told_once_at_each_end, endings),
	ROWS_PLAIN(test_summary_of_nothing_is_nothing),
	ROWS_PLAIN(test_summary_of_each_process_is_its_own),
	ROWS_PLAIN(test_summary_counts_what_was_held_back),
	ROWS_PLAIN(test_summary_stays_out_of_a_log_of_json),
	ROWS_PLAIN(test_summary_tells_what_was_lost),
};

int main(void)
{
	return rows_run_between(
		subjects, sizeof(subjects) / sizeof(subjects[0]), NULL, crowd_teardown);
}
