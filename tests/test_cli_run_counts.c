// SPDX-License-Identifier: MIT
// HARNESS
/*
 * What becomes of connections under safeclose run, and what --fail-on-reset counts of that, in whom, and
 * leaves behind.
 */
#include "harness/deadline.h"
#include "harness/folder.h"
#include "harness/runner.h"
#include "harness/stage.h"
#include "harness/text.h"
#include "harness/unit.h"
#include "harness/verdict.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define ACTOR PROGRAM_FOLDER "actor"

enum { FAILED_ON_RESET = 86 };

/* The runner's words, then the actor's. */
static struct stage_end run_actor(const char *options, const char *words, size_t connections)
{
	struct stage *stage;
	char *placed;

	runner_skip_for_sanitizer();
	stage = stage_open(PEER_IPV4);
	placed = text_replaced(words, "TARGET", stage->peer.target);
	program_start(&stage->program, &(struct program_options){.executable = SAFECLOSE},
		"run %s %s %s", options, ACTOR, placed);
	free(placed);
	for (size_t i = 0; i < connections; i++) {
		if (i > 0) {
			peer_hang_up(&stage->peer);
		}
		peer_accept(&stage->peer);
		peer_send(&stage->peer, 100);
	}
	return stage_finish(stage, false);
}

#define CLOSES_AT "connect 3 %s await-unread 3 100 close 3"
#define CLOSES "connect 3 TARGET await-unread 3 100 close 3"

static void assert_sum(const struct stage_end *end, const char *count)
{
	char wanted[128];

	snprintf(wanted, sizeof(wanted), "safeclose: %s reset by a close\n", count);
	assert_contains(end->errors, wanted);
	assert_null(strstr(end->errors, "by the kernel's count"));
}

static void test_cli_run_warns(void **state)
{
	struct stage_end end;

	(void)state;
	end = run_actor("", CLOSES, 1);
	assert_was_reset(&end);
	assert_reported(&end, ": 100 unread", "rst (unread)");
	assert_int_equal(end.status, 0);
}

static void test_cli_run_fin_cures(void **state)
{
	struct stage_end end;

	(void)state;
	end = run_actor("--mode fin", CLOSES, 1);
	assert_was_fin(&end);
	end = run_actor("--mode fin --fail-on-reset", CLOSES, 1);
	assert_was_fin(&end);
	assert_int_equal(end.status, 0);
	assert_null(strstr(end.errors, "reset by a close"));
}

static void test_cli_run_fails_on_a_reset(void **state)
{
	struct stage_end end;

	(void)state;
	end = run_actor("--fail-on-reset", CLOSES, 1);
	assert_int_equal(end.status, FAILED_ON_RESET);
	assert_was_reset(&end);
	assert_sum(&end, "1 connection was");
	assert_int_equal(
		text_lines_with(end.errors, "       1         100               0  actor+0x",
			", close: unread"),
		1);
	/* The report is as it would be. */
	assert_int_equal(text_lines_with(end.errors, "]: close(3) ", "rst (unread)"), 1);
	end = run_actor("--fail-on-reset --summary 1", CLOSES, 1);
	assert_sum(&end, "1 connection was");
	/* Nobody has asked for what others did. */
	end = run_actor("--fail-on-reset", "unsetenv LD_PRELOAD exec " CLOSES, 1);
	assert_int_equal(end.status, 0);
	assert_null(strstr(end.errors, "safeclose: "));
	end = run_actor("--fail-on-reset=7", CLOSES, 1);
	assert_int_equal(end.status, 7);
}

static void test_cli_run_never_makes_a_failure_a_success(void **state)
{
	struct stage_end end;

	(void)state;
	end = run_actor("--fail-on-reset", CLOSES " exit 3", 1);
	assert_int_equal(end.status, 3);
	assert_sum(&end, "1 connection was");
	end = run_actor("--fail-on-reset", CLOSES " raise 9", 1);
	assert_int_equal(end.status, 128 + SIGKILL);
	assert_sum(&end, "1 connection was");
}

static void test_cli_run_counts_whatever_is_reported_where(void **state)
{
	static const char *const logs[] = {"--log /dev/null", "--log /dev/full", "--log /nowhere/x",
		"--report all", "--log syslog"};

	(void)state;
	for (size_t i = 0; i < sizeof(logs) / sizeof(logs[0]); i++) {
		char options[128];
		struct stage_end end;

		snprintf(options, sizeof(options), "--fail-on-reset %s", logs[i]);
		end = run_actor(options, CLOSES, 1);
		assert_int_equal(end.status, FAILED_ON_RESET);
		assert_sum(&end, "1 connection was");
	}
}

static bool can_nobody_run_actor(void)
{
	int status = -1;
	pid_t pid = fork();

	if (pid == 0) {
		_exit(setresgid(65534, 65534, 65534) != 0 || setresuid(65534, 65534, 65534) != 0 ||
			access(ACTOR, X_OK) != 0);
	}
	waitpid(pid, &status, 0);
	return status == 0;
}

/* A script in the folder, which runs the command that it is given. Returns "sh FILE". */
static const char *script_that(const char *text)
{
	static char words[128];
	FILE *file;

	snprintf(words, sizeof(words), "sh %s/script", folder_name());
	file = fopen(words + 3, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
	return words;
}

/* Whoever resets in the tree, whatever became of it. */
static void test_cli_run_counts_in_the_whole_tree(void **state)
{
	static const struct {
		const char *script; /* NULL: the actor alone */
		const char *words;
		size_t connections;
		bool needs_nobody;
	} rows[] = {
		{NULL, CLOSES " " CLOSES " " CLOSES, 3, false},
		{NULL, "fork " CLOSES " end wait", 1, false},
		{NULL, "exec " CLOSES, 1, false},
		{NULL, "fork setsid fork closefrom 3 " CLOSES " end wait end wait", 1, false},
		{NULL, "closefrom 3 exec " CLOSES, 1, false},
		{NULL, "close 2 open 2 /dev/null " CLOSES, 1, false},
		{NULL, "connect 3 TARGET await-unread 3 100 exit-now 0", 1, false},
		{NULL, "connect-cloexec 3 TARGET await-unread 3 100 exec say closed", 1, false},
		{NULL, "unsetenv SAFECLOSE_TALLY unsetenv LD_PRELOAD fork " CLOSES " end wait", 1,
			false},
		{"\"$@\" & wait $!\n", CLOSES, 1, false},
		{"(cd /; exec setsid \"$@\" 0</dev/null 3>&-) & wait $!\n", CLOSES, 1, false},
		{"\"$@\" | cat\n", CLOSES, 1, false},
		{NULL, "drop-privileges 65534 " CLOSES, 1, true},
		{NULL, "drop-privileges 65534 exec " CLOSES, 1, true},
	};
	bool is_nobody_possible = can_nobody_run_actor();

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char options[256];
		char count[64];
		struct stage_end end;

		if (rows[i].needs_nobody && !is_nobody_possible) {
			continue;
		}
		snprintf(options, sizeof(options), "--fail-on-reset --log /dev/null %s",
			rows[i].script ? script_that(rows[i].script) : "");
		end = run_actor(options, rows[i].words, rows[i].connections);
		if (end.status != FAILED_ON_RESET) {
			fail_msg("%s: status %d\n%s%s", rows[i].words, end.status, end.output,
				end.errors);
		}
		assert_int_equal(end.grown.aborts_on_close, rows[i].connections);
		snprintf(count, sizeof(count), "%zu %s", rows[i].connections,
			rows[i].connections == 1 ? "connection was" : "connections were");
		assert_sum(&end, count);
	}
}

/* What only the kernel saw is told, and no reason to fail: it may have been anybody. */
static void test_cli_run_tells_what_the_kernel_counted_besides(void **state)
{
	static const struct {
		const char *words;
		size_t connections;
		int status;
		const char *more;
	} rows[] = {
		{"unsetenv LD_PRELOAD exec " CLOSES, 1, 0, " at least 1 more was "},
		{"unsetenv LD_PRELOAD exec " CLOSES " " CLOSES, 2, 0, " at least 2 more were "},
		{CLOSES " unsetenv LD_PRELOAD exec " CLOSES, 2, FAILED_ON_RESET,
			" at least 1 more was "},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct stage_end end = run_actor(
			"--fail-on-reset --summary 1", rows[i].words, rows[i].connections);

		assert_int_equal(end.status, rows[i].status);
		assert_int_equal(end.grown.aborts_on_close, rows[i].connections);
		assert_int_equal(
			text_lines_with(end.errors, "by the kernel's count", rows[i].more), 1);
	}
}

static void test_cli_run_counts_connections_nobody_accepted(void **state)
{
	struct stage *stage = stage_open(PEER_IPV4);
	struct stage_end end;

	(void)state;
	runner_skip_for_sanitizer();
	program_start(&stage->program, &(struct program_options){.executable = SAFECLOSE},
		"run --fail-on-reset %s listen 3 4 port 3 await-backlog 3 1 close 3", ACTOR);
	peer_connect(
		&stage->peer, PEER_IPV4, (uint16_t)program_hear_number(&stage->program, "port "));
	end = stage_judge(stage, program_await_exit(&stage->program));
	assert_int_equal(end.status, FAILED_ON_RESET);
	assert_sum(&end, "1 connection was");
	assert_contains(end.errors, ", close: listener");
}

static void test_cli_run_within_itself_counts_in_both(void **state)
{
	struct stage_end end;
	char options[512];

	(void)state;
	end = run_actor(
		"--fail-on-reset=9 --log /dev/null " SAFECLOSE " run --fail-on-reset=8", CLOSES, 1);
	assert_int_equal(end.status, 8);
	assert_int_equal(text_lines_with(end.errors, "1 connection was reset", NULL), 2);
	/* What becomes of the inner one's status is not the outer one's. */
	snprintf(options, sizeof(options),
		"--fail-on-reset=9 --log /dev/null %s " SAFECLOSE " run --fail-on-reset=8",
		script_that("\"$@\"\n[ $? -eq 8 ]\n"));
	end = run_actor(options, CLOSES, 1);
	assert_int_equal(end.status, 9);
}

/* Too deep is said, not passed over. */
static void test_cli_run_too_often_within_itself_is_refused(void **state)
{
	struct command_end end = command_run(RUN("--fail-on-reset", "true"),
		ENVIRONMENT("SAFECLOSE_TALLY=/1:/2:/3:/4:/5:/6:/7:/8"));

	(void)state;
	assert_refused(&end, "--fail-on-reset within 8 others");
}

/* A program that closes over unread bytes, and is to count in that file. Lines of complaint. */
static size_t complaints_of_file(const char *file)
{
	char entry[128];
	struct stage *stage = stage_open(PEER_IPV4);
	struct stage_end end;

	snprintf(entry, sizeof(entry), "SAFECLOSE_TALLY=%s", file);
	program_start(&stage->program,
		&(struct program_options){.mode = "warn", .environment = {entry}}, CLOSES_AT,
		stage->peer.target);
	peer_accept(&stage->peer);
	peer_send(&stage->peer, 100);
	end = stage_finish(stage, false);
	assert_int_equal(end.status, 0);
	assert_was_reset(&end);
	assert_int_equal(text_lines_with(end.errors, "rst (unread)", NULL), 1);
	return text_lines(end.errors) == 1
		       ? 0
		       : text_lines_with(end.errors, "cannot count resets in", file);
}

static void test_cli_run_file_that_is_none_is_complained_of(void **state)
{
	static const char *const files[] = {"/nowhere/x", "/etc/passwd", "/dev/null", "/tmp"};
	char path[64];

	(void)state;
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		assert_int_equal(complaints_of_file(files[i]), 1);
	}
	snprintf(path, sizeof(path), "/nowhere/%d-1234", getpid());
	assert_int_equal(complaints_of_file(path), 1);
}

/* Who lives on and executes a program is counted by nobody, and hears nothing of it. */
static void test_cli_run_file_of_a_run_that_has_ended_is_none(void **state)
{
	char path[64];
	pid_t pid = fork();

	(void)state;
	if (pid == 0) {
		_exit(0);
	}
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	snprintf(path, sizeof(path), "/nowhere/%d-1234", pid);
	assert_int_equal(complaints_of_file(path), 0);
}

/* The file is there while the command runs, nobody else can list its folder, and both are gone then. */
static void test_cli_run_leaves_nothing_behind(void **state)
{
	struct command_end end;
	char *path;

	(void)state;
	runner_skip_for_sanitizer();
	end = command_run(RUN("--fail-on-reset", "sh", "-c",
				  "set -e; test -f $SAFECLOSE_TALLY; stat -c %A "
				  "$(dirname $SAFECLOSE_TALLY); echo file=$SAFECLOSE_TALLY"),
		NULL);
	assert_int_equal(end.status, 0);
	assert_int_equal(strncmp(end.output, geteuid() == 0 ? "drwx--x--x" : "drwx------", 10), 0);
	path = runner_variable(&end, "file=");
	assert_int_equal(path[0], '/');
	assert_int_equal(access(path, F_OK), -1);
	*strrchr(path, '/') = '\0';
	assert_int_equal(access(path, F_OK), -1);
	free(path);
}

/* The connection that it was started with: the runner's copy is let go of, so that the command's close
 * is the last one. */
static void test_cli_run_holds_no_connection_of_the_commands(void **state)
{
	struct stage *stage = stage_open(PEER_IPV4);
	struct stage_end end;

	(void)state;
	runner_skip_for_sanitizer();
	program_start(&stage->program, &(struct program_options){.mode = NULL},
		"connect 3 %s await-unread 3 100 exec-by execv " SAFECLOSE
		" run --fail-on-reset --log /dev/null " ACTOR " close 3 say closed hear go",
		stage->peer.target);
	peer_accept(&stage->peer);
	peer_send(&stage->peer, 100);
	end = stage_finish(stage, true);
	assert_int_equal(end.status, FAILED_ON_RESET);
	assert_was_reset(&end);
	assert_sum(&end, "1 connection was");
}

/* Started without some of stdin, stdout and stderr it takes their numbers for nothing of its own, and
 * the command finds them as they were. */
static void test_cli_run_without_standard_descriptors_ends(void **state)
{
	static const struct {
		const char *redirections;
		int open; /* a bit for each number */
	} rows[] = {
		{"<&-", 6},
		{">&-", 5},
		{"2>&-", 3},
		{"<&- >&-", 4},
		{">&- 2>&-", 1},
		{"<&- >&- 2>&-", 0},
	};

	(void)state;
	runner_skip_for_sanitizer();
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char script[256];
		struct command_end end;

		snprintf(script, sizeof(script),
			"exec \"$0\" run --fail-on-reset sh -c 's=10; for n in 0 1 2; do "
			"test -e /proc/$$/fd/$n && s=$((s + (1 << n))); done; exit $s' %s",
			rows[i].redirections);
		end = command_run((const char *const[]){"sh", "-c", script, SAFECLOSE, NULL}, NULL);
		assert_int_equal(end.status, 10 + rows[i].open);
	}
}

/* Who reads the command's stdout learns when the command has closed it. */
static void test_cli_run_holds_no_pipe_of_the_commands(void **state)
{
	struct stage *stage = stage_open(PEER_IPV4);
	int64_t deadline = deadline_in(DEADLINE_MS);

	(void)state;
	runner_skip_for_sanitizer();
	program_start(&stage->program, &(struct program_options){.executable = SAFECLOSE},
		"run --fail-on-reset %s", script_that("exec 1>&-\nread word\n"));
	while (program_pump(&stage->program, deadline_left_ms(deadline))) {
		assert_true(deadline_left_ms(deadline) > 0);
	}
	assert_int_equal(kill(stage->program.pid, 0), 0);
	program_say(&stage->program, "go");
	assert_int_equal(program_await_exit(&stage->program), 0);
}

static int remove_folder(void **state)
{
	stage_teardown(state);
	return folder_remove(state);
}

#define PLAIN(test) cmocka_unit_test_teardown(test, stage_teardown)
#define WITH_FOLDER(test) cmocka_unit_test_setup_teardown(test, folder_make, remove_folder)

int main(void)
{
	const struct CMUnitTest tests[] = {
		PLAIN(test_cli_run_warns),
		PLAIN(test_cli_run_fin_cures),
		PLAIN(test_cli_run_fails_on_a_reset),
		PLAIN(test_cli_run_never_makes_a_failure_a_success),
		PLAIN(test_cli_run_counts_whatever_is_reported_where),
		WITH_FOLDER(test_cli_run_counts_in_the_whole_tree),
		PLAIN(test_cli_run_tells_what_the_kernel_counted_besides),
		PLAIN(test_cli_run_counts_connections_nobody_accepted),
		WITH_FOLDER(test_cli_run_within_itself_counts_in_both),
		PLAIN(test_cli_run_too_often_within_itself_is_refused),
		PLAIN(test_cli_run_file_that_is_none_is_complained_of),
		PLAIN(test_cli_run_file_of_a_run_that_has_ended_is_none),
		PLAIN(test_cli_run_leaves_nothing_behind),
		PLAIN(test_cli_run_holds_no_connection_of_the_commands),
		WITH_FOLDER(test_cli_run_holds_no_pipe_of_the_commands),
		PLAIN(test_cli_run_without_standard_descriptors_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
