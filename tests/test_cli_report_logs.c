// SPDX-License-Identifier: MIT
// HARNESS
// LIBS: -lyajl
/*
 * What `safeclose report` makes of its words and its logs: several of them, broken, hostile and very
 * large ones, and none.
 */
#include "harness/folder.h"
#include "harness/logs.h"
#include "harness/reporter.h"
#include "harness/sanitizer.h"
#include "harness/text.h"
#include "harness/tree.h"
#include "harness/unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void test_report_reads_files_and_stdin(void **state)
{
	struct reporter_setting setting = {.input = logs_sample()};
	char *path = folder_path("log");
	struct logs_file log;
	FILE *file = fopen(path, "w");

	(void)state;
	logs_write_sample(file);
	fclose(file);
	struct reporter_outcome told = reporter_run(&setting, "%s - %s", path, path);
	reporter_assert_row(told.output, "39 reports",
		"39 reports, 33 resets, 29K lost; 2024-05-01 00:00:00 to 2024-05-01 02:00:00 UTC");
	assert_int_equal(told.status, 0);
	reporter_end(&told);
	close(setting.input);
	/* No newline at the end, blank lines, carriage returns. */
	logs_begin(&log);
	fputs("\n  \t\r\n", log.file);
	logs_write_line(log.file, &(struct logs_line){.site = "a+0x1", .peer = "10.0.0.9:1"});
	fclose(log.file);
	setting.input = logs_input(log.text, log.size - 1);
	told = reporter_run(&setting, " ");
	reporter_assert_row(told.output, "a+0x1", "a+0x1 1 1 0 0 1 10.0.0.9:1 -");
	assert_string_equal(told.errors, "");
	assert_int_equal(told.status, 0);
	reporter_end(&told);
	close(setting.input);
	free(log.text);
	free(path);
}

static void test_report_of_nothing(void **state)
{
	static const char *const options[] = {"--json", "--openmetrics", "--html -", "--by peer"};
	struct reporter_setting setting = {0};
	struct reporter_outcome told = reporter_run(&setting, " ");

	(void)state;
	assert_string_equal(told.output, "no reports\n");
	assert_int_equal(told.status, 0);
	reporter_end(&told);
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		told = reporter_run(&setting, "%s", options[i]);
		assert_int_equal(told.status, 0);
		assert_string_equal(told.errors, "");
		reporter_end(&told);
	}
}

static void test_report_names_broken_lines(void **state)
{
	struct logs_file log;
	char *path = folder_path("broken");
	struct reporter_setting setting = {0};
	FILE *file = fopen(path, "w");

	(void)state;
	logs_write_line(file, &(struct logs_line){.site = "a+0x1", .peer = "10.0.0.9:1"});
	fputs("what else the program wrote\n\n", file);
	fputs("safeclose[42]: close(7) 10.0.0.5:8080 -> ...\n", file);
	logs_write_line(file,
		&(struct logs_line){.site = "a+0x1", .peer = "10.0.0.9:1", .outcome = "eaten"});
	logs_write_line(file, &(struct logs_line){.site = "a+0x1", .peer = "10.0.0.9:1"});
	fputs("{\"v\":1,\"ts\":\"2024-", file);
	fclose(file);
	struct reporter_outcome told = reporter_run(&setting, "%s", path);
	assert_int_equal(told.status, 1);
	reporter_assert_row(told.output, "2 reports",
		"2 reports, 2 resets, 0 bytes lost; 2024-05-01 00:00:00 to 2024-05-01 00:00:00 "
		"UTC");
	assert_int_equal(text_lines(told.errors), 4);
	assert_int_equal(text_lines_with(told.errors, path, "/broken:2: not JSON"), 1);
	assert_int_equal(text_lines_with(told.errors, path, "/broken:4: a report as text"), 1);
	assert_int_equal(text_lines_with(told.errors, path, "/broken:5: \"outcome\" is none"), 1);
	assert_int_equal(text_lines_with(told.errors, path, "/broken:7: not JSON"), 1);
	assert_int_equal(text_lines_with(told.errors, "the file ends within", NULL), 1);
	reporter_end(&told);
	free(path);
	logs_begin(&log);
	for (int i = 0; i < 1000; i++) {
		fputs("broken\n", log.file);
	}
	setting.input = logs_end(&log);
	told = reporter_run(&setting, "--json");
	assert_int_equal(told.status, 1);
	assert_int_equal(text_lines_with(told.errors, "stdin:", NULL), 20);
	assert_int_equal(text_lines_with(told.errors, "980 more broken lines", NULL), 1);
	assert_int_equal(text_lines(told.errors), 21);
	yajl_val tree = tree_parse(told.output);
	tree_assert_number(tree, "broken_lines", 1000);
	yajl_tree_free(tree);
	reporter_end(&told);
	close(setting.input);
}

static void write_repeated(FILE *file, const char *piece, size_t times)
{
	for (size_t i = 0; i < times; i++) {
		fputs(piece, file);
	}
}

/* Between good lines; each line of it is broken. Returns how many lines. */
static unsigned write_hostile_lines(FILE *file)
{
	unsigned seed = 1;

	write_repeated(file, "x", (1 << 20) - 1);
	fputs("\n", file);
	write_repeated(file, "x", (1 << 20) + 1);
	fputs("\n", file);
	write_repeated(file, "\"a", 3 << 20);
	fputs("\n{\"v\":1,\"site\":\"", file);
	write_repeated(file, "a", 1 << 20);
	fputs("\"}\n{\"v\":", file);
	write_repeated(file, "9", 1 << 19);
	fputs("}\n", file);
	write_repeated(file, "[", 1 << 20);
	fputs("\n", file);
	write_repeated(file, "{\"a\":", 1 << 17);
	fputs("\n", file);
	for (int i = 0; i < 1000; i++) {
		fputc(0, file);
	}
	fputs("\n{\"v\":1,\"site\":\"\xff\xfe\"}\n{\"v\":1,\"site\":\"\xed\xa0\x80\"}\n", file);
	fputs("{\"v\":1,\"ts\":{\"v\":[]}}\n[]\n{}\nnull\n\"\n", file);
	for (int line = 0; line < 200; line++) {
		for (int i = 0; i < 500; i++) {
			seed = seed * 1103515245 + 12345;
			fputc((seed >> 16 & 0xff) == '\n' ? 0 : (int)(seed >> 16 & 0xff), file);
		}
		fputs("\n", file);
	}
	return 8 + 2 + 5 + 200;
}

static void test_report_survives_hostile_logs(void **state)
{
	static const char *const options[] = {
		"", "--by peer", "--by exe", "--by guess", "--json", "--openmetrics", "--html -"};
	struct logs_file log;
	struct reporter_setting setting = {0};
	unsigned broken;
	char more[64];

	(void)state;
	logs_begin(&log);
	logs_write_sample(log.file);
	broken = write_hostile_lines(log.file);
	logs_write_sample(log.file);
	snprintf(more, sizeof(more), "%u more broken lines", broken - 20);
	setting.input = logs_end(&log);
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		lseek(setting.input, 0, SEEK_SET);
		struct reporter_outcome told = reporter_run(&setting, "%s", options[i]);

		assert_int_equal(told.status, 1);
		assert_int_equal(text_lines_with(told.errors, "stdin:", NULL), 20);
		assert_int_equal(text_lines_with(told.errors, more, NULL), 1);
		assert_int_equal(
			text_lines_with(told.errors, "stdin:15: longer than 1048576", NULL), 1);
		for (const char *at = told.errors; *at; at++) {
			assert_true((*at >= ' ' && *at < 0x7f) || *at == '\n');
		}
		if (i == 0) {
			reporter_assert_row(told.output, "server+0x1a2b",
				"server+0x1a2b (reply+0x3c) 20 20 2.0K 20K 3 10.0.0.9 80% "
				"http request 90%");
		}
		reporter_end(&told);
	}
	close(setting.input);
}

static void test_report_trouble_is_2(void **state)
{
	static const struct {
		const char *words, *named;
	} cases[] = {
		{"--by", "--by"},
		{"--by colour", "colour"},
		{"--nonsense", "--nonsense"},
		{"-x", "-x"},
		{"--top 0", "0"},
		{"--top -5", "-5"},
		{"--top 7k", "7k"},
		{"--top 99999999999999999999999", "99999999999999999999999"},
		{"--html", "--html"},
		{"--json --openmetrics", "--openmetrics"},
		{"/nowhere/log", "/nowhere/log: No such file"},
		{"/", "/: Is a directory"},
		{"--html /nowhere/page", "/nowhere/page: No such file"},
		{"--html /dev/full", "/dev/full: No space left"},
	};
	struct reporter_setting setting = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct reporter_outcome told = reporter_run(&setting, "%s", cases[i].words);

		assert_int_equal(told.status, 2);
		assert_non_null(strstr(told.errors, cases[i].named));
		assert_int_equal(text_lines(told.errors), 1);
		reporter_end(&told);
	}
	setting.terminal = open("/dev/full", O_WRONLY);
	for (int i = 0; i < 2; i++) {
		struct reporter_outcome told = reporter_run(&setting, i > 0 ? "--help" : "");

		assert_int_equal(told.status, 2);
		reporter_end(&told);
	}
	close(setting.terminal);
}

static void test_report_goes_on_behind_a_file_that_is_not_there(void **state)
{
	struct reporter_setting setting = {.input = logs_sample()};
	struct reporter_outcome told = reporter_run(&setting, "/nowhere/log -");

	(void)state;
	assert_int_equal(told.status, 2);
	assert_int_equal(text_lines_with(told.output, "13 reports", NULL), 1);
	reporter_end(&told);
	close(setting.input);
}

static void test_report_help_is_one_screen(void **state)
{
	struct reporter_setting setting = {0};
	struct reporter_outcome told = reporter_run(&setting, "--help");

	(void)state;
	assert_int_equal(told.status, 0);
	assert_true(text_lines(told.output) <= 24);
	assert_int_equal(text_lines_with(told.output, "--openmetrics", NULL), 1);
	reporter_end(&told);
}

/* ---- a million reports ---------------------------------------------------------------------- */

enum { MILLION = 1000000, SITES = 40, MEMORY_MAX_KIB = 16 << 10, PEERS_MEMORY_MAX_KIB = 64 << 10 };

/* In a child: each report is of a peer of its own. */
static pid_t write_million(int fd)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		FILE *file = fdopen(fd, "w");

		for (unsigned i = 0; file && i < MILLION; i++) {
			char site[32], peer[32];

			snprintf(site, sizeof(site), "server+0x%x", 0x1000 + i % SITES);
			snprintf(peer, sizeof(peer), "10.%u.%u.%u:40000", i >> 16, i >> 8 & 255,
				i & 255);
			logs_write_line(file, &(struct logs_line){.site = site,
						      .peer = peer,
						      .unread = 1,
						      .unacked = 2,
						      .second = i / 12});
		}
		_exit(file && fclose(file) == 0 ? 0 : 1);
	}
	return pid;
}

static struct reporter_outcome run_million(const char *words)
{
	int ends[2], status;
	struct reporter_setting setting = {0};
	struct reporter_outcome told;
	pid_t writer;

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	writer = write_million(ends[1]);
	close(ends[1]);
	setting.input = ends[0];
	/* A sanitizer's shadow memory is terabytes. */
	setting.memory_bytes = sanitizer_is_any() ? 0 : 256 << 20;
	told = reporter_run(&setting, "%s", words);
	close(ends[0]);
	assert_int_equal(waitpid(writer, &status, 0), writer);
	assert_int_equal(status, 0);
	return told;
}

static void test_report_of_a_million_in_bounded_memory(void **state)
{
	struct reporter_outcome told = run_million("--json --html /dev/null");
	yajl_val tree = tree_parse(told.output);
	yajl_val rows = tree_member(tree, "rows", yajl_t_array);

	(void)state;
	assert_int_equal(told.status, 0);
	assert_string_equal(told.errors, ""); /* no progress: that is for terminals */
	tree_assert_number(tree_member(tree, "all", yajl_t_object), "reports", MILLION);
	tree_assert_number(tree_member(tree, "all", yajl_t_object), "lost", 2 * MILLION);
	assert_int_equal(rows->u.array.len, SITES);
	for (int i = 0; i < SITES; i++) {
		yajl_val one = rows->u.array.values[i];

		tree_assert_number(one, "reports", MILLION / SITES);
		tree_assert_number(one, "unread", MILLION / SITES);
		/* Four standard errors. */
		assert_in_range(YAJL_GET_INTEGER(tree_member(one, "peers", yajl_t_number)),
			MILLION / SITES * 0.936, MILLION / SITES * 1.064);
		assert_true(YAJL_IS_FALSE(tree_member(one, "peers_exact", yajl_t_any)));
	}
	if (!sanitizer_is_any()) {
		assert_in_range(told.memory_kib, 1, MEMORY_MAX_KIB);
	}
	yajl_tree_free(tree);
	reporter_end(&told);
}

static void test_report_of_a_million_peers_in_bounded_memory(void **state)
{
	struct reporter_outcome told = run_million("--by peer");

	(void)state;
	assert_int_equal(told.status, 0);
	/* All are counted, and none more than once: the rows that are kept, and the others. */
	reporter_assert_row(told.output, "(all)", "(all) 1000000 1000000 977K 1.9M");
	reporter_assert_row(told.output, "(others)", "(others) 990000 990000 967K 1.9M");
	assert_int_equal(text_lines_with(told.output, "10.", " 1+ "), 10000);
	assert_int_equal(
		text_lines_with(told.output, "+ at least: more than 10000 peers", NULL), 1);
	if (!sanitizer_is_any()) {
		assert_in_range(told.memory_kib, 1, PEERS_MEMORY_MAX_KIB);
	}
	reporter_end(&told);
}

static void test_report_without_memory_says_so(void **state)
{
	struct reporter_setting setting = {.memory_bytes = 24 << 20};
	struct logs_file log;

	(void)state;
	sanitizer_skip_if(sanitizer_is_any(), "its shadow memory is terabytes");
	logs_begin(&log);
	for (unsigned i = 0; i < 10000; i++) {
		char site[4096];

		snprintf(site, sizeof(site), "%04000u+0x1", i);
		logs_write_line(log.file, &(struct logs_line){.site = site, .peer = "10.0.0.9:1"});
	}
	setting.input = logs_end(&log);
	struct reporter_outcome told = reporter_run(&setting, "--json");
	assert_int_equal(told.status, 2);
	assert_string_equal(told.errors, "safeclose: report: out of memory\n");
	reporter_end(&told);
	close(setting.input);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_report_reads_files_and_stdin),
		cmocka_unit_test(test_report_of_nothing),
		cmocka_unit_test(test_report_names_broken_lines),
		cmocka_unit_test(test_report_survives_hostile_logs),
		cmocka_unit_test(test_report_trouble_is_2),
		cmocka_unit_test(test_report_goes_on_behind_a_file_that_is_not_there),
		cmocka_unit_test(test_report_help_is_one_screen),
		cmocka_unit_test(test_report_of_a_million_in_bounded_memory),
		cmocka_unit_test(test_report_of_a_million_peers_in_bounded_memory),
		cmocka_unit_test(test_report_without_memory_says_so),
	};

	return cmocka_run_group_tests(tests, folder_make, folder_remove);
}
