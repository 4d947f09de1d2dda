// SPDX-License-Identifier: MIT
// HARNESS
// LIBS: -lyajl
/*
 * `safeclose report` as its users have it: what is counted, as a table, JSON, OpenMetrics and HTML.
 */
#include "harness/folder.h"
#include "harness/logs.h"
#include "harness/reporter.h"
#include "harness/text.h"
#include "harness/tree.h"
#include "harness/unit.h"

#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void test_report_counts_by_site(void **state)
{
	struct reporter_setting setting = {.input = logs_sample()};
	struct reporter_outcome told = reporter_run(&setting, " ");

	(void)state;
	assert_string_equal(told.errors, "");
	assert_int_equal(told.status, 0);
	reporter_assert_row(told.output, "13 reports",
		"13 reports, 11 resets, 9.8K lost; 2024-05-01 00:00:00 to 2024-05-01 02:00:00 UTC");
	reporter_assert_row(told.output, "CALL SITE",
		"CALL SITE REPORTS RST FIN TIMEOUT UNREAD LOST PEERS TOP PEER TOP GUESS");
	reporter_assert_row(told.output, "server+0x1a2b",
		"server+0x1a2b (reply+0x3c) 10 10 1000 9.8K 3 10.0.0.9 80% http request 90%");
	reporter_assert_row(told.output, "server+0x2000", "server+0x2000 1 1 5 0 1 2001:db8::1 -");
	reporter_assert_row(
		told.output, "libx.so.1", "libx.so.1+0x10 1 1 0 0 1 10.0.0.7:443 tls alert");
	reporter_assert_row(told.output, "server+0x3000", "server+0x3000 1 1 0 0 0 - -");
	reporter_assert_row(told.output, "(all)", "(all) 13 11 1 1 1005 9.8K");
	reporter_end(&told);
	close(setting.input);
}

static void test_report_counts_by_others(void **state)
{
	struct reporter_setting setting = {.input = logs_sample()};
	struct reporter_outcome told = reporter_run(&setting, "--by peer");

	(void)state;
	reporter_assert_row(
		told.output, "10.0.0.9", "10.0.0.9 8 8 800 7.8K 1 server+0x1a2b http request");
	reporter_assert_row(
		told.output, "10.0.0.7:443", "10.0.0.7:443 1 1 0 0 1 libx.so.1+0x10 tls alert");
	reporter_assert_row(told.output, "(unknown)", "(unknown) 1 1 0 0 1 server+0x3000 -");
	reporter_end(&told);
	lseek(setting.input, 0, SEEK_SET);
	told = reporter_run(&setting, "--by exe");
	reporter_assert_row(told.output, "/opt/server",
		"/opt/server 12 11 1 1005 9.8K 4 10.0.0.9 66% "
		"http request 75%");
	reporter_end(&told);
	lseek(setting.input, 0, SEEK_SET);
	told = reporter_run(&setting, "--by guess");
	reporter_assert_row(told.output, "http request",
		"http request 9 9 900 8.8K 2 10.0.0.9 88% server+0x1a2b");
	reporter_assert_row(
		told.output, "(none)", "(none) 3 2 1 105 1000 2 10.0.0.109 33% server+0x1a2b 33%");
	reporter_end(&told);
	close(setting.input);
}

static void test_report_top_adds_the_rest_up(void **state)
{
	struct reporter_setting setting = {.input = logs_sample()};
	struct reporter_outcome told = reporter_run(&setting, "--top 1");

	(void)state;
	reporter_assert_row(told.output, "(others)", "(others) 3 1 1 1 5 0");
	reporter_assert_row(told.output, "(all)", "(all) 13 11 1 1 1005 9.8K");
	assert_null(strstr(told.output, "libx"));
	reporter_end(&told);
	close(setting.input);
}

/* ---- JSON, OpenMetrics, HTML ---------------------------------------------------------------- */

static void test_report_as_json(void **state)
{
	struct reporter_setting setting = {.input = logs_sample()};
	struct reporter_outcome told = reporter_run(&setting, "--json");
	yajl_val tree = tree_parse(told.output);
	yajl_val rows = tree_member(tree, "rows", yajl_t_array);
	yajl_val first = rows->u.array.values[0];

	(void)state;
	assert_int_equal(told.status, 0);
	tree_assert_number(tree, "v", 1);
	tree_assert_number(tree, "broken_lines", 0);
	tree_assert_number(tree_member(tree, "all", yajl_t_object), "reports", 13);
	tree_assert_number(tree_member(tree, "others", yajl_t_object), "reports", 0);
	assert_int_equal(rows->u.array.len, 4);
	assert_string_equal(tree_text(first, "site"), "server+0x1a2b");
	assert_string_equal(tree_text(first, "exe"), "/opt/server");
	tree_member(first, "source", yajl_t_null);
	tree_assert_number(first, "reports", 10);
	tree_assert_number(tree_member(first, "outcomes", yajl_t_object), "rst", 10);
	tree_assert_number(tree_member(first, "outcomes", yajl_t_object), "limit", 0);
	tree_assert_number(first, "unread", 1000);
	tree_assert_number(first, "lost", 10000);
	tree_assert_number(first, "peers", 3);
	assert_true(YAJL_IS_TRUE(tree_member(first, "peers_exact", yajl_t_any)));
	tree_assert_number(tree_member(first, "top_peer", yajl_t_object), "reports", 8);
	assert_string_equal(tree_text(first, "first"), "2024-05-01T00:00:00.000000Z");
	assert_string_equal(tree_text(first, "last"), "2024-05-01T00:00:09.000000Z");
	yajl_tree_free(tree);
	reporter_end(&told);
	close(setting.input);
}

static bool is_installed(const char *program)
{
	char command[128];

	snprintf(command, sizeof(command), "command -v %s >/dev/null 2>&1", program);
	return system(command) == 0;
}

static void assert_promtool_takes(const char *text)
{
	FILE *file = popen("promtool check metrics >/dev/null 2>&1", "w");

	assert_non_null(file);
	fputs(text, file);
	assert_int_equal(pclose(file), 0);
}

static void test_report_as_openmetrics(void **state)
{
	struct reporter_setting setting = {.input = logs_sample()};
	struct reporter_outcome told = reporter_run(&setting, "--openmetrics");

	(void)state;
	assert_int_equal(told.status, 0);
	assert_int_equal(text_lines_with(told.output,
				 "safeclose_reports{site=\"server+0x1a2b\",exe=\"/opt/server\","
				 "symbol=\"reply+0x3c\",source=\"\",outcome=\"rst\"} 10",
				 NULL),
		1);
	assert_int_equal(text_lines_with(told.output, "safeclose_lost_bytes{", "0x1a2b"), 1);
	assert_int_equal(text_number_after(strstr(told.output, "# UNIT safeclose_lost_bytes"),
				 "source=\"\"} "),
		10000);
	assert_int_equal(text_lines_with(told.output, "safeclose_peers{", "} 3"), 1);
	assert_string_equal(told.output + strlen(told.output) - 6, "# EOF\n");
	assert_int_equal(text_lines_with(told.output, "# EOF", NULL), 1);
	reporter_end(&told);
	close(setting.input);
	setting.input = logs_hostile_names();
	told = reporter_run(&setting, "--openmetrics");
	/* A newline in a label is two letters, a quote and a backslash are escaped. */
	assert_int_equal(
		text_lines_with(told.output, "safeclose_reports{", "&amp;'\\\"\\n\x1b[31m"), 1);
	assert_int_equal(text_lines_with(told.output, "safeclose_reports{",
				 "</title>\\\\+0x1\",source=\"\",outcome=\"rst\"} 1"),
		1);
	reporter_end(&told);
	close(setting.input);
}

static void test_report_is_accepted_by_promtool(void **state)
{
	static const char *const options[] = {"", "--by peer", "--by exe", "--by guess", "--top 1"};

	(void)state;
	if (!is_installed("promtool")) {
		print_message("promtool is not installed (Debian's prometheus)\n");
		skip();
	}
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		struct reporter_setting setting = {.input = logs_sample()};
		struct reporter_outcome told =
			reporter_run(&setting, "--openmetrics %s", options[i]);

		assert_promtool_takes(told.output);
		reporter_end(&told);
		close(setting.input);
	}
	struct reporter_setting setting = {.input = logs_hostile_names()};
	struct reporter_outcome told = reporter_run(&setting, "--openmetrics");

	assert_promtool_takes(told.output);
	reporter_end(&told);
	close(setting.input);
}

static size_t count_of(const char *text, const char *needle)
{
	size_t count = 0;

	for (const char *at = text; (at = strstr(at, needle)); at += strlen(needle)) {
		count++;
	}
	return count;
}
static void test_report_as_html(void **state)
{
	struct reporter_setting setting = {.input = logs_sample()};
	char *path = folder_path("table.html");
	struct reporter_outcome told = reporter_run(&setting, "--html %s", path);
	char *text = text_of_file(path);

	(void)state;
	assert_int_equal(told.status, 0);
	assert_string_equal(told.output, "");
	assert_string_equal(told.errors, "");
	assert_int_equal(strncmp(text, "<!DOCTYPE html>", 15), 0);
	assert_non_null(strstr(text, "server+0x1a2b (reply+0x3c)"));
	assert_non_null(strstr(text, "<td title=\"10000\">9.8K</td>"));
	/* Bars for each of the four call sites. All ten of the first lie in one of 2 minutes. */
	assert_int_equal(count_of(text, "<svg "), 4);
	assert_int_equal(count_of(text, "</svg>"), 4);
	assert_int_equal(count_of(text, "a bar is 120 s"), 1);
	assert_int_equal(
		count_of(text, "<title>2024-05-01T00:00:00.000000Z: 10 rst, 0 fin, 0 other"), 1);
	assert_int_equal(
		count_of(text, "<title>2024-05-01T01:00:00.000000Z: 0 rst, 0 fin, 1 other"), 1);
	assert_int_equal(count_of(text, "<tr>"), count_of(text, "</tr>"));
	assert_int_equal(count_of(text, "<td"), count_of(text, "</td>"));
	/* Over all columns, the times of the first bar and of the last at its foot. */
	assert_int_equal(count_of(text, "<td class=\"chart\" colspan=\"10\">"), 4);
	assert_int_equal(count_of(text, "<b>2024-05-01 00:00:00</b>"), 4);
	assert_int_equal(count_of(text, "<b>2024-05-01 02:02:00</b>"), 4);
	/* Nothing is fetched, nothing runs. */
	assert_null(strstr(text, "http:"));
	assert_null(strstr(text, "https:"));
	assert_null(strstr(text, "<script"));
	assert_null(strstr(text, "src="));
	free(text);
	reporter_end(&told);
	free(path);
	close(setting.input);
}

static void test_report_html_of_nothing_has_no_chart(void **state)
{
	struct reporter_setting setting = {.input = logs_input("", 0)};
	struct reporter_outcome told = reporter_run(&setting, "--html -");

	(void)state;
	assert_int_equal(told.status, 0);
	assert_non_null(strstr(told.output, "0 reports, 0 resets, 0 bytes lost; 0 broken lines"));
	assert_null(strstr(told.output, "a bar is"));
	assert_null(strstr(told.output, "<svg"));
	assert_int_equal(count_of(told.output, "<td"), count_of(told.output, "</td>"));
	reporter_end(&told);
	close(setting.input);
}

static void test_report_html_escapes_names(void **state)
{
	struct reporter_setting setting = {.input = logs_hostile_names()};
	struct reporter_outcome told = reporter_run(&setting, "--html -");

	(void)state;
	assert_int_equal(told.status, 0);
	assert_null(strstr(told.output, "<script"));
	assert_null(strchr(told.output, '\x1b'));
	assert_null(strstr(told.output, "\xe2\x80\xae"));
	assert_int_equal(count_of(told.output, "</title>"), 2); /* the page's, the bar's */
	assert_non_null(
		strstr(told.output, "&lt;script&gt;alert(1)&lt;/script&gt;&amp;amp;&#39;&quot;"
				    "\\x0a\\x1b[31m\\u202e\xf0\x9f\x98\x80"));
	reporter_end(&told);
	close(setting.input);
}

static void test_report_text_escapes_names(void **state)
{
	struct reporter_setting setting = {.input = logs_hostile_names()};
	struct reporter_outcome told = reporter_run(&setting, " ");

	(void)state;
	assert_null(strchr(told.output, '\x1b'));
	assert_null(strstr(told.output, "\xe2\x80\xae"));
	assert_non_null(strstr(told.output, "\\x0a\\x1b[31m\\u202e\xf0\x9f\x98\x80"));
	reporter_end(&told);
	lseek(setting.input, 0, SEEK_SET);
	setting.locale = "C";
	told = reporter_run(&setting, " ");
	assert_non_null(strstr(told.output, "\\u202e\\U0001f600"));
	for (const char *at = told.output; *at; at++) {
		assert_true((*at >= ' ' && *at < 0x7f) || *at == '\n');
	}
	reporter_end(&told);
	close(setting.input);
}

static int set_up(void **state)
{
	/* What promtool does not read is an error here. */
	signal(SIGPIPE, SIG_IGN);
	return folder_make(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_report_counts_by_site),
		cmocka_unit_test(test_report_counts_by_others),
		cmocka_unit_test(test_report_top_adds_the_rest_up),
		cmocka_unit_test(test_report_as_json),
		cmocka_unit_test(test_report_as_openmetrics),
		cmocka_unit_test(test_report_is_accepted_by_promtool),
		cmocka_unit_test(test_report_as_html),
		cmocka_unit_test(test_report_html_of_nothing_has_no_chart),
		cmocka_unit_test(test_report_html_escapes_names),
		cmocka_unit_test(test_report_text_escapes_names),
	};

	return cmocka_run_group_tests(tests, set_up, folder_remove);
}
