// SPDX-License-Identifier: MIT
// HARNESS
// LIBS: -lutil
/*
 * The table of `safeclose report` in a terminal and in a pipe: its width, its columns, and the progress
 * before it.
 */
#include "harness/deadline.h"
#include "harness/logs.h"
#include "harness/reporter.h"
#include "harness/text.h"
#include "harness/unit.h"

#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct terminal {
	int master, slave;
	char *text;
	size_t size;
	FILE *file;
};

static void open_terminal(struct terminal *terminal, unsigned short columns)
{
	const struct winsize size = {.ws_row = 50, .ws_col = columns};

	assert_int_equal(openpty(&terminal->master, &terminal->slave, NULL, NULL, &size), 0);
	fcntl(terminal->master, F_SETFD, FD_CLOEXEC);
	fcntl(terminal->slave, F_SETFD, FD_CLOEXEC);
	terminal->file = open_memstream(&terminal->text, &terminal->size);
	assert_non_null(terminal->file);
	fflush(terminal->file); /* sets text */
}

/* What has come since, for at most wait_ms. False: nobody writes there any more. */
static bool read_terminal(struct terminal *terminal, int wait_ms)
{
	struct pollfd polled = {.fd = terminal->master, .events = POLLIN};
	char bytes[4096];
	ssize_t got;

	if (poll(&polled, 1, wait_ms) <= 0) {
		return true;
	}
	got = read(terminal->master, bytes, sizeof(bytes));
	if (got > 0) {
		fwrite(bytes, 1, (size_t)got, terminal->file);
		fflush(terminal->file);
	}
	return got > 0;
}

static void close_terminal(struct terminal *terminal)
{
	close(terminal->master);
	fclose(terminal->file);
	free(terminal->text);
}

/* The command writes to the terminal until it ends. */
static int run_in_terminal(
	struct terminal *terminal, struct reporter_setting *setting, const char *form)
{
	char *text = strdup(form), *words[REPORTER_WORDS_MAX];
	int64_t deadline = deadline_in(DEADLINE_MS);
	struct reporter_outcome outcome;
	pid_t pid;

	reporter_split(text, words);
	setting->terminal = terminal->slave;
	pid = reporter_start(setting, words, -1, -1);
	close(terminal->slave);
	while (read_terminal(terminal, deadline_left_ms(deadline))) {
		assert_true(deadline_left_ms(deadline) > 0);
	}
	reporter_await_end(pid, &outcome);
	free(text);
	return outcome.status;
}

/* Columns of the widest line, where each character takes one. */
static size_t widest(const char *text)
{
	size_t most = 0, width = 0;

	for (; *text; text++) {
		if (*text == '\n') {
			most = width > most ? width : most;
			width = 0;
		} else if (*text != '\r' && (*text & 0xc0) != 0x80) {
			width++;
		}
	}
	return most;
}

static struct reporter_setting wide_sample(void)
{
	struct reporter_setting setting = {0};
	struct logs_file log;

	logs_begin(&log);
	logs_write_sample(log.file);
	logs_write_line(log.file,
		&(struct logs_line){
			.site = "gr\xc3\xbc\xc3\x9f-gr\xc3\xbc\xc3\x9f-gr\xc3\xbc\xc3\x9f+0x1234",
			.symbol =
				"a_function_with_a_very_long_name_indeed_that_goes_on_and_on+0x10",
			.peer = "[2001:db8:1111:2222:3333:4444:5555:6666]:50000",
			.guess = "tls application data"});
	setting.input = logs_end(&log);
	return setting;
}

static void test_report_fits_the_terminal(void **state)
{
	static const unsigned short widths[] = {200, 132, 100, 80, 60};

	(void)state;
	for (size_t i = 0; i < sizeof(widths) / sizeof(widths[0]); i++) {
		for (int is_ascii = 0; is_ascii < 2; is_ascii++) {
			struct reporter_setting setting = wide_sample();
			struct terminal terminal;

			setting.locale = is_ascii ? "C" : NULL;
			open_terminal(&terminal, widths[i]);
			assert_int_equal(run_in_terminal(&terminal, &setting, ""), 0);
			/* The head is a sentence, which may be wider. */
			const char *table = strstr(terminal.text, "CALL SITE");
			assert_non_null(table);
			assert_true(widest(table) <= widths[i]);
			assert_int_equal(text_lines(table), 7);
			/* What matters is always there. */
			assert_int_equal(text_lines_with(table, "REPORTS", "LOST"), 1);
			assert_int_equal(strstr(table, "GUESS") != NULL, widths[i] >= 132);
			assert_true(strstr(table, is_ascii ? "..." : "…") || widths[i] == 200);
			close_terminal(&terminal);
			close(setting.input);
		}
	}
}

static void test_report_columns_are_aligned(void **state)
{
	struct reporter_setting setting = {.input = logs_sample()};
	struct reporter_outcome told = reporter_run(&setting, " ");
	const char *head = strstr(told.output, "CALL SITE");
	size_t reports_end = (size_t)(strstr(head, "REPORTS") + 7 - head);
	size_t peer_begin = (size_t)(strstr(head, "TOP PEER") - head);
	const char *line = strchr(head, '\n') + 1;

	(void)state;
	for (int i = 0; i < 4; i++) {
		assert_true(strchr("0123456789", line[reports_end - 1]) != NULL);
		assert_int_equal(line[reports_end], ' ');
		assert_int_equal(line[peer_begin - 1], ' ');
		assert_int_not_equal(line[peer_begin], ' ');
		line = strchr(line, '\n') + 1;
	}
	assert_null(strstr(told.output, " \n"));
	reporter_end(&told);
	close(setting.input);
}

static void test_report_in_a_pipe_is_not_cut(void **state)
{
	struct reporter_setting setting = wide_sample();
	struct reporter_outcome told = reporter_run(&setting, " ");

	(void)state;
	assert_non_null(strstr(told.output, "that_goes_on_and_on+0x10)"));
	assert_non_null(strstr(told.output, "2001:db8:1111:2222:3333:4444:5555:6666"));
	assert_null(strstr(told.output, "…"));
	reporter_end(&told);
	close(setting.input);
}

static void test_report_shows_progress_in_a_terminal(void **state)
{
	struct reporter_setting setting = {0};
	struct terminal terminal;
	char *words[REPORTER_WORDS_MAX], none[] = "";
	int64_t deadline = deadline_in(DEADLINE_MS);
	struct reporter_outcome outcome;
	int ends[2];
	FILE *log;
	pid_t pid;

	(void)state;
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	open_terminal(&terminal, 80);
	reporter_split(none, words);
	setting.input = ends[0];
	setting.terminal = terminal.slave;
	pid = reporter_start(&setting, words, -1, -1);
	close(ends[0]);
	log = fdopen(ends[1], "w");
	setlinebuf(log);
	/* It appears while there is more to read, and not at once. */
	while (!strstr(terminal.text, " lines")) {
		logs_write_line(log, &(struct logs_line){.site = "a+0x1", .peer = "10.0.0.9:1"});
		assert_true(read_terminal(&terminal, 1));
		assert_true(deadline_left_ms(deadline) > 0);
	}
	fputs("broken\n", log);
	fclose(log);
	close(terminal.slave);
	while (read_terminal(&terminal, deadline_left_ms(deadline))) {
		assert_true(deadline_left_ms(deadline) > 0);
	}
	reporter_await_end(pid, &outcome);
	assert_int_equal(outcome.status, 1);
	/* It is gone before a broken line and before the table, in front of which it may have come back. */
	assert_non_null(strstr(terminal.text, "\r\033[Kstdin:"));
	for (const char *at = terminal.text; (at = strstr(at, " lines")); at += strlen(" lines")) {
		assert_memory_equal(at + strlen(" lines"), "\r\033[K", strlen("\r\033[K"));
	}
	close_terminal(&terminal);
}

static int ignore_sigpipe(void **state)
{
	(void)state;
	/* What it writes to a program that has ended is an error here. */
	signal(SIGPIPE, SIG_IGN);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_report_fits_the_terminal),
		cmocka_unit_test(test_report_columns_are_aligned),
		cmocka_unit_test(test_report_in_a_pipe_is_not_cut),
		cmocka_unit_test(test_report_shows_progress_in_a_terminal),
	};

	return cmocka_run_group_tests(tests, ignore_sigpipe, NULL);
}
