// SPDX-License-Identifier: MIT
// HARNESS
/*
 * The variables as a user meets them: what cannot be used is named in one line and never keeps the
 * program from running; reports go where they are sent, and never into a descriptor that has become
 * the program's.
 */
#include "harness/stage.h"
#include "harness/text.h"
#include "harness/unit.h"
#include "harness/verdict.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct stage_end close_unread(const struct program_options *options)
{
	struct stage *stage = stage_open(PEER_IPV4);

	program_start(&stage->program, options,
		"connect 3 %s await-unread 3 100 close 3 say closed hear go", stage->peer.target);
	peer_accept(&stage->peer);
	peer_send(&stage->peer, 100);
	return stage_finish(stage, true);
}

/* One complaint, which contains all the texts, and one report. */
static void assert_complained(const struct stage_end *end, const char *const texts[])
{
	assert_output(end, "close 3 -> 0 errno 4242\nclosed\n");
	assert_int_equal(text_lines(end->errors), 2);
	assert_int_equal(text_lines_with(end->errors, ": 100 unread", "close(3)"), 1);
	for (; *texts; texts++) {
		if (text_lines_with(end->errors, *texts, "SAFECLOSE_") != 1) {
			fail_msg("no complaint with \"%s\":\n%s", *texts, end->errors);
		}
	}
}

static void test_settings_bad_mode_warns(void **state)
{
	static const char *const texts[] = {
		"SAFECLOSE_MODE", "nonsense", "off", "warn", "drain", "fin", NULL};
	struct stage_end end = close_unread(&(struct program_options){.mode = "nonsense"});

	(void)state;
	assert_complained(&end, texts);
	assert_was_reset(&end);
	assert_int_equal(text_lines_with(end.errors, "rst (unread)", NULL), 1);
}

static void test_settings_mode_with_junk_behind_warns(void **state)
{
	static const char *const texts[] = {"SAFECLOSE_MODE", "fin!", NULL};
	struct stage_end end = close_unread(&(struct program_options){.mode = "fin!"});

	(void)state;
	assert_complained(&end, texts);
	assert_was_reset(&end);
}

static void test_settings_bad_duration_acts_by_default(void **state)
{
	static const char *const texts[] = {"SAFECLOSE_LINGER_TIME", "5 parsecs", NULL};
	struct stage_end end = close_unread(&(struct program_options){
		.mode = "fin", .environment = {"SAFECLOSE_LINGER_TIME=5 parsecs"}});

	(void)state;
	assert_complained(&end, texts);
	assert_was_fin(&end);
}

static void test_settings_unknown_name_is_told_the_nearest(void **state)
{
	static const char *const texts[] = {"SAFECLOSE_MOED", "SAFECLOSE_MODE", NULL};
	struct stage_end end = close_unread(
		&(struct program_options){.mode = "", .environment = {"SAFECLOSE_MOED=fin"}});

	(void)state;
	assert_complained(&end, texts);
	assert_was_reset(&end);
}

/* A value cannot draw on the terminal or make a second line. */
static void test_settings_control_characters_are_escaped(void **state)
{
	static const char *const texts[] = {"SAFECLOSE_WHEN", NULL};
	struct stage_end end = close_unread(&(struct program_options){
		.mode = "warn", .environment = {"SAFECLOSE_WHEN=\033[2J\nsafeclose: forged"}});

	(void)state;
	assert_complained(&end, texts);
	assert_null(strchr(end.errors, '\033'));
}

static void test_settings_off_reads_variables_too(void **state)
{
	struct stage_end end = close_unread(&(struct program_options){
		.mode = "off", .environment = {"SAFECLOSE_WHEN=sometimes"}});

	(void)state;
	assert_reported(&end, "SAFECLOSE_WHEN", "sometimes");
	assert_was_reset(&end);
}

/* ---- where reports go ---------------------------------------------------------------------- */

static void test_settings_log_takes_the_reports(void **state)
{
	char folder[] = "/tmp/safeclose-test-XXXXXX";
	char variable[128];
	char path[64];
	struct stage_end end;
	char *text;

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/log", folder);
	snprintf(variable, sizeof(variable), "SAFECLOSE_LOG=%s", path);
	for (size_t i = 0; i < 2; i++) {
		end = close_unread(
			&(struct program_options){.mode = "warn", .environment = {variable}});
		assert_not_reported(&end);
	}
	text = text_of_file(path);
	unlink(path);
	rmdir(folder);
	/* A second run appends. */
	assert_int_equal(text_lines(text), 2);
	assert_int_equal(text_lines_with(text, ": 100 unread", "rst (unread)"), 2);
	free(text);
}

static void test_settings_log_name_contains_the_pid(void **state)
{
	char folder[] = "/tmp/safeclose-test-XXXXXX";
	char variable[128];
	char path[64];
	struct stage_end end;
	struct stage *stage;
	pid_t pid;
	char *text;

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(variable, sizeof(variable), "SAFECLOSE_LOG=%s/%%p.log", folder);
	stage = stage_open(PEER_IPV4);
	program_start(&stage->program,
		&(struct program_options){.mode = "warn", .environment = {variable}},
		"connect 3 %s await-unread 3 100 close 3 say closed hear go", stage->peer.target);
	pid = stage->program.pid;
	peer_accept(&stage->peer);
	peer_send(&stage->peer, 100);
	end = stage_finish(stage, true);
	snprintf(path, sizeof(path), "%s/%d.log", folder, pid);
	text = text_of_file(path);
	unlink(path);
	rmdir(folder);
	assert_not_reported(&end);
	assert_int_equal(text_lines_with(text, ": 100 unread", "rst (unread)"), 1);
	free(text);
}

/* ---- stderr that has become something else ------------------------------------------------- */

/* Words that put a connection to the other peer on descriptor 2. */
static const char *const takeovers[] = {
	"close 2 connect 2 %s", "connect 3 %s dup2 3 2 close 3",
	"close 2 exec connect 2 %s", /* the library finds no stderr when it is loaded */
};

/* The other peer receives to the end what comes from descriptor 2: into *received_bytes. */
static struct stage_end close_unread_without_stderr(
	const char *takeover, const char *mode, uint64_t *received_bytes)
{
	struct stage_end end;
	struct stage *stage = stage_open(PEER_IPV4);
	char words[256];

	peer_listen(&stage->other_peer, PEER_IPV4);
	snprintf(words, sizeof(words), takeover, stage->other_peer.target);
	program_start(&stage->program,
		&(struct program_options){
			.mode = mode, .environment = {"SAFECLOSE_REPORT=all", "SAFECLOSE_MOED=1"}},
		"%s connect 3 %s await-unread 3 100 close 3 write 2 10 say closed hear go", words,
		stage->peer.target);
	peer_accept(&stage->other_peer);
	peer_accept(&stage->peer);
	peer_send(&stage->peer, 100);
	end = stage_finish(stage, true);
	peer_receive_end(&stage->other_peer);
	*received_bytes = stage->other_peer.received_bytes;
	return end;
}

static void test_settings_client_on_stderr_receives_no_report(void **state)
{
	static const char *const modes[] = {"off", "warn", "drain", "fin"};

	(void)state;
	for (size_t t = 0; t < sizeof(takeovers) / sizeof(takeovers[0]); t++) {
		for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
			uint64_t received_bytes;
			struct stage_end end = close_unread_without_stderr(
				takeovers[t], modes[i], &received_bytes);

			assert_int_equal(end.status, 0);
			assert_int_equal(received_bytes, 10);
		}
	}
}

static void test_settings_report_goes_to_the_stderr_of_the_start(void **state)
{
	(void)state;
	for (size_t t = 0; t < 2; t++) {
		uint64_t received_bytes;
		struct stage_end end =
			close_unread_without_stderr(takeovers[t], "warn", &received_bytes);

		assert_int_equal(text_lines_with(end.errors, ": 100 unread", "rst (unread)"), 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_settings_bad_mode_warns, stage_teardown),
		cmocka_unit_test_teardown(
			test_settings_mode_with_junk_behind_warns, stage_teardown),
		cmocka_unit_test_teardown(
			test_settings_bad_duration_acts_by_default, stage_teardown),
		cmocka_unit_test_teardown(
			test_settings_unknown_name_is_told_the_nearest, stage_teardown),
		cmocka_unit_test_teardown(
			test_settings_control_characters_are_escaped, stage_teardown),
		cmocka_unit_test_teardown(test_settings_off_reads_variables_too, stage_teardown),
		cmocka_unit_test_teardown(test_settings_log_takes_the_reports, stage_teardown),
		cmocka_unit_test_teardown(test_settings_log_name_contains_the_pid, stage_teardown),
		cmocka_unit_test_teardown(
			test_settings_client_on_stderr_receives_no_report, stage_teardown),
		cmocka_unit_test_teardown(
			test_settings_report_goes_to_the_stderr_of_the_start, stage_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
