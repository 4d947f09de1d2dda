// SPDX-License-Identifier: MIT
// HARNESS
// LIBS: -lyajl -lutil
/*
 * `safeclose report` as its users have it: logs on stdin and in files, tables in a terminal and in a
 * pipe, JSON, OpenMetrics and HTML.
 */
#include "harness/deadline.h"
#include "harness/sanitizer.h"
#include "harness/stage.h"
#include "harness/text.h"
#include "harness/unit.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <link.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <yajl/yajl_tree.h>

#define COMMAND SC_BUILD_DIR "/safeclose"

enum { WORDS_MAX = 16, LONG_DEADLINE_MS = 300000 };

/* How it is run, beside its words. */
struct setting {
	int input;           /* descriptor, 0: /dev/null */
	const char *locale;  /* LC_ALL; NULL: C.UTF-8 */
	rlim_t memory_bytes; /* RLIMIT_AS, 0: none */
	int terminal;        /* descriptor for stdout and stderr, 0: files */
};

struct outcome {
	int status; /* 128 + N for a signal */
	char *output, *errors;
	long memory_kib; /* most that was resident */
};

static int file_with(const void *bytes, size_t size)
{
	int fd = memfd_create("log", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, size), size);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	return fd;
}

static char *content_of(int fd)
{
	off_t size = lseek(fd, 0, SEEK_END);
	char *text = calloc(1, (size_t)size + 1);

	assert_non_null(text);
	assert_int_equal(pread(fd, text, (size_t)size, 0), size);
	close(fd);
	return text;
}

/* In the child. */
static void become(const struct setting *setting, char *const *words, int output, int errors)
{
	static char path[64 + 4096];
	char locale[64];
	char *environment[] = {path, locale, NULL};
	int input = setting->input ? setting->input : open("/dev/null", O_RDONLY);

	snprintf(path, sizeof(path), "PATH=%s", getenv("PATH") ? getenv("PATH") : "/usr/bin:/bin");
	snprintf(
		locale, sizeof(locale), "LC_ALL=%s", setting->locale ? setting->locale : "C.UTF-8");
	dup2(input, 0);
	dup2(setting->terminal ? setting->terminal : output, 1);
	dup2(setting->terminal ? setting->terminal : errors, 2);
	if (setting->memory_bytes > 0) {
		const struct rlimit limit = {setting->memory_bytes, setting->memory_bytes};

		setrlimit(RLIMIT_AS, &limit);
	}
	execve(words[0], words, environment);
	_exit(127);
}

static pid_t start(const struct setting *setting, char *const *words, int output, int errors)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		become(setting, words, output, errors);
	}
	return pid;
}

static void await_end(pid_t pid, struct outcome *outcome)
{
	int64_t deadline = deadline_in(LONG_DEADLINE_MS);
	struct rusage usage;
	int status;
	pid_t ended;

	while ((ended = wait4(pid, &status, WNOHANG, &usage)) == 0) {
		if (!deadline_pause(deadline)) {
			kill(pid, SIGKILL);
			waitpid(pid, NULL, 0);
			fail_msg("safeclose report did not end");
		}
	}
	assert_int_equal(ended, pid);
	outcome->status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
	outcome->memory_kib = usage.ru_maxrss;
}

/* Words of the command behind "report", NULL-terminated. */
static void split_words(char *text, char *words[WORDS_MAX])
{
	static char command[] = COMMAND, report[] = "report";
	size_t count = 0;
	char *rest = NULL;

	words[count++] = command;
	words[count++] = report;
	for (char *word = strtok_r(text, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) {
		assert_true(count < WORDS_MAX - 1);
		words[count++] = word;
	}
	words[count] = NULL;
}

static struct outcome run(const struct setting *setting, const char *form, ...)
	__attribute__((format(printf, 2, 3)));

static struct outcome run(const struct setting *setting, const char *form, ...)
{
	struct outcome outcome;
	char *text, *words[WORDS_MAX];
	int output = memfd_create("output", MFD_CLOEXEC);
	int errors = memfd_create("errors", MFD_CLOEXEC);
	va_list values;

	va_start(values, form);
	assert_true(vasprintf(&text, form, values) >= 0);
	va_end(values);
	split_words(text, words);
	await_end(start(setting, words, output, errors), &outcome);
	outcome.output = content_of(output);
	outcome.errors = content_of(errors);
	free(text);
	return outcome;
}

static void end(struct outcome *outcome)
{
	free(outcome->output);
	free(outcome->errors);
}

/* A log that a test writes. */
struct log {
	FILE *file;
	char *text;
	size_t size;
};

static void begin_log(struct log *log)
{
	log->file = open_memstream(&log->text, &log->size);
	assert_non_null(log->file);
}

struct line {
	const char *exe, *site, *symbol, *local, *peer, *outcome, *why, *guess;
	uint64_t unread, unacked;
	unsigned second; /* of 2024-05-01 */
};

static void write_string(FILE *file, const char *key, const char *value)
{
	if (value) {
		fprintf(file, ",\"%s\":\"%s\"", key, value);
	} else {
		fprintf(file, ",\"%s\":null", key);
	}
}

static void write_line(FILE *file, const struct line *line)
{
	fprintf(file,
		"{\"v\":1,\"ts\":\"2024-05-01T%02u:%02u:%02u.000000Z\",\"pid\":42,\"tid\":42,"
		"\"comm\":\"c\"",
		line->second / 3600, line->second / 60 % 60, line->second % 60);
	write_string(file, "exe", line->exe ? line->exe : "/opt/server");
	write_string(file, "via", "close");
	fputs(",\"fd\":7,\"proto\":\"tcp\"", file);
	write_string(file, "local", line->local ? line->local : "10.0.0.5:8080");
	write_string(file, "peer", line->peer);
	fprintf(file, ",\"unread\":%" PRIu64 ",\"urgent\":false,\"unacked\":%" PRIu64, line->unread,
		line->unacked);
	write_string(file, "mode", "warn");
	write_string(file, "outcome", line->outcome ? line->outcome : "rst");
	write_string(file, "why", line->why);
	fputs(",\"drained\":0,\"elapsed_ms\":0.021", file);
	write_string(file, "site", line->site);
	write_string(file, "symbol", line->symbol);
	fputs(",\"stack\":[]", file);
	write_string(file, "guess", line->guess);
	fputs(",\"preview\":null}\n", file);
}

/* Three call sites, in two programs, of one client with many ports and some more. */
static void write_sample(FILE *file)
{
	for (unsigned i = 0; i < 10; i++) {
		char peer[32];

		snprintf(peer, sizeof(peer), "10.0.0.%u:%u", i < 8 ? 9 : i + 100, 40000 + i);
		write_line(file, &(struct line){.site = "server+0x1a2b",
					 .symbol = "reply+0x3c",
					 .peer = peer,
					 .unread = 100,
					 .unacked = 1000,
					 .guess = i < 9 ? "http request" : NULL,
					 .second = i});
	}
	write_line(file, &(struct line){.site = "server+0x2000",
				 .peer = "[2001:db8::1]:40000",
				 .outcome = "fin",
				 .unread = 5,
				 .unacked = 5,
				 .second = 100});
	write_line(file, &(struct line){.site = "libx.so.1+0x10",
				 .exe = "/opt/client",
				 .local = "10.0.0.5:50000",
				 .peer = "10.0.0.7:443",
				 .outcome = "timeout",
				 .guess = "tls alert",
				 .second = 3600});
	write_line(file, &(struct line){.site = "server+0x3000",
				 .why = "listener",
				 .unread = 3,
				 .unacked = 3,
				 .second = 7200});
}

static struct setting sample(void)
{
	struct log log;
	struct setting setting = {0};

	begin_log(&log);
	write_sample(log.file);
	fclose(log.file);
	setting.input = file_with(log.text, log.size);
	free(log.text);
	return setting;
}

/* The line of a table that begins so, its blanks made single. */
static char *row(const char *text, const char *beginning)
{
	const char *at = text;
	char *line, *to;

	while (strncmp(at, beginning, strlen(beginning)) != 0) {
		at = strchr(at, '\n');
		if (!at) {
			fail_msg("no line begins with %s in:\n%s", beginning, text);
		}
		at++;
	}
	line = strndup(at, strcspn(at, "\n"));
	to = line;
	for (char *from = line; *from; from++) {
		if (*from != ' ' || from[1] != ' ') {
			*to++ = *from;
		}
	}
	*to = 0;
	return line;
}

static void assert_row(const char *text, const char *beginning, const char *expected)
{
	char *line = row(text, beginning);

	assert_string_equal(line, expected);
	free(line);
}

static void test_report_counts_by_site(void **state)
{
	struct setting setting = sample();
	struct outcome told = run(&setting, " ");

	(void)state;
	assert_string_equal(told.errors, "");
	assert_int_equal(told.status, 0);
	assert_row(told.output, "13 reports",
		"13 reports, 11 resets, 9.8K lost; 2024-05-01 00:00:00 to 2024-05-01 02:00:00 UTC");
	assert_row(told.output, "CALL SITE",
		"CALL SITE REPORTS RST FIN TIMEOUT UNREAD LOST PEERS TOP PEER TOP GUESS");
	assert_row(told.output, "server+0x1a2b",
		"server+0x1a2b (reply+0x3c) 10 10 1000 9.8K 3 10.0.0.9 80% http request 90%");
	assert_row(told.output, "server+0x2000", "server+0x2000 1 1 5 0 1 2001:db8::1 -");
	assert_row(told.output, "libx.so.1", "libx.so.1+0x10 1 1 0 0 1 10.0.0.7:443 tls alert");
	assert_row(told.output, "server+0x3000", "server+0x3000 1 1 0 0 0 - -");
	assert_row(told.output, "(all)", "(all) 13 11 1 1 1005 9.8K");
	end(&told);
	close(setting.input);
}

static void test_report_counts_by_others(void **state)
{
	struct setting setting = sample();
	struct outcome told = run(&setting, "--by peer");

	(void)state;
	assert_row(told.output, "10.0.0.9", "10.0.0.9 8 8 800 7.8K 1 server+0x1a2b http request");
	assert_row(told.output, "10.0.0.7:443", "10.0.0.7:443 1 1 0 0 1 libx.so.1+0x10 tls alert");
	assert_row(told.output, "(unknown)", "(unknown) 1 1 0 0 1 server+0x3000 -");
	end(&told);
	lseek(setting.input, 0, SEEK_SET);
	told = run(&setting, "--by exe");
	assert_row(told.output, "/opt/server",
		"/opt/server 12 11 1 1005 9.8K 4 10.0.0.9 66% "
		"http request 75%");
	end(&told);
	lseek(setting.input, 0, SEEK_SET);
	told = run(&setting, "--by guess");
	assert_row(told.output, "http request",
		"http request 9 9 900 8.8K 2 10.0.0.9 88% server+0x1a2b");
	assert_row(
		told.output, "(none)", "(none) 3 2 1 105 1000 2 10.0.0.109 33% server+0x1a2b 33%");
	end(&told);
	close(setting.input);
}

static void test_report_top_adds_the_rest_up(void **state)
{
	struct setting setting = sample();
	struct outcome told = run(&setting, "--top 1");

	(void)state;
	assert_row(told.output, "(others)", "(others) 3 1 1 1 5 0");
	assert_row(told.output, "(all)", "(all) 13 11 1 1 1005 9.8K");
	assert_null(strstr(told.output, "libx"));
	end(&told);
	close(setting.input);
}

/* ---- JSON, OpenMetrics, HTML ---------------------------------------------------------------- */

static yajl_val member(yajl_val object, const char *name, yajl_type type)
{
	const char *path[] = {name, NULL};
	yajl_val value = yajl_tree_get(object, path, yajl_t_any);

	if (!value || (value->type != type && type != yajl_t_any)) {
		fail_msg("no %s, or another kind", name);
	}
	return value;
}

static const char *text_member(yajl_val object, const char *name)
{
	return member(object, name, yajl_t_string)->u.string;
}

static void assert_member(yajl_val object, const char *name, long long expected)
{
	assert_int_equal(YAJL_GET_INTEGER(member(object, name, yajl_t_number)), expected);
}

static yajl_val parse(const char *text)
{
	char problem[1024];
	yajl_val tree = yajl_tree_parse(text, problem, sizeof(problem));

	if (!tree) {
		fail_msg("%s in %s", problem, text);
	}
	return tree;
}

static void test_report_as_json(void **state)
{
	struct setting setting = sample();
	struct outcome told = run(&setting, "--json");
	yajl_val tree = parse(told.output);
	yajl_val rows = member(tree, "rows", yajl_t_array);
	yajl_val first = rows->u.array.values[0];

	(void)state;
	assert_int_equal(told.status, 0);
	assert_member(tree, "v", 1);
	assert_member(tree, "broken_lines", 0);
	assert_member(member(tree, "all", yajl_t_object), "reports", 13);
	assert_member(member(tree, "others", yajl_t_object), "reports", 0);
	assert_int_equal(rows->u.array.len, 4);
	assert_string_equal(text_member(first, "site"), "server+0x1a2b");
	assert_string_equal(text_member(first, "exe"), "/opt/server");
	member(first, "source", yajl_t_null);
	assert_member(first, "reports", 10);
	assert_member(member(first, "outcomes", yajl_t_object), "rst", 10);
	assert_member(member(first, "outcomes", yajl_t_object), "limit", 0);
	assert_member(first, "unread", 1000);
	assert_member(first, "lost", 10000);
	assert_member(first, "peers", 3);
	assert_true(YAJL_IS_TRUE(member(first, "peers_exact", yajl_t_any)));
	assert_member(member(first, "top_peer", yajl_t_object), "reports", 8);
	assert_string_equal(text_member(first, "first"), "2024-05-01T00:00:00.000000Z");
	assert_string_equal(text_member(first, "last"), "2024-05-01T00:00:09.000000Z");
	yajl_tree_free(tree);
	end(&told);
	close(setting.input);
}

/* Names that mean something to terminals, shells, browsers and readers of metrics. */
static struct setting hostile_names(void)
{
	static const char name[] =
		"<script>alert(1)</script>&amp;'\\\"\\n\\u001b[31m\\u202e\\ud83d\\ude00"
		"</title>\\\\+0x1";
	struct log log;
	struct setting setting = {0};

	begin_log(&log);
	write_line(log.file,
		&(struct line){
			.exe = name, .site = name, .symbol = name, .peer = name, .guess = name});
	fclose(log.file);
	setting.input = file_with(log.text, log.size);
	free(log.text);
	return setting;
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
	struct setting setting = sample();
	struct outcome told = run(&setting, "--openmetrics");

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
	end(&told);
	close(setting.input);
	setting = hostile_names();
	told = run(&setting, "--openmetrics");
	/* A newline in a label is two letters, a quote and a backslash are escaped. */
	assert_int_equal(
		text_lines_with(told.output, "safeclose_reports{", "&amp;'\\\"\\n\x1b[31m"), 1);
	assert_int_equal(text_lines_with(told.output, "safeclose_reports{",
				 "</title>\\\\+0x1\",source=\"\",outcome=\"rst\"} 1"),
		1);
	end(&told);
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
		struct setting setting = sample();
		struct outcome told = run(&setting, "--openmetrics %s", options[i]);

		assert_promtool_takes(told.output);
		end(&told);
		close(setting.input);
	}
	struct setting setting = hostile_names();
	struct outcome told = run(&setting, "--openmetrics");

	assert_promtool_takes(told.output);
	end(&told);
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

/* A name for a file that is not there yet, in a folder of the test's own. */
static char folder[] = "/tmp/safeclose-report-XXXXXX";

static char *path_in_folder(const char *name)
{
	char *path;

	assert_true(asprintf(&path, "%s/%s", folder, name) > 0);
	return path;
}

static void test_report_as_html(void **state)
{
	struct setting setting = sample();
	char *path = path_in_folder("table.html");
	struct outcome told = run(&setting, "--html %s", path);
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
	end(&told);
	free(path);
	close(setting.input);
}

static void test_report_html_of_nothing_has_no_chart(void **state)
{
	struct setting setting = {.input = file_with("", 0)};
	struct outcome told = run(&setting, "--html -");

	(void)state;
	assert_int_equal(told.status, 0);
	assert_non_null(strstr(told.output, "0 reports, 0 resets, 0 bytes lost; 0 broken lines"));
	assert_null(strstr(told.output, "a bar is"));
	assert_null(strstr(told.output, "<svg"));
	assert_int_equal(count_of(told.output, "<td"), count_of(told.output, "</td>"));
	end(&told);
	close(setting.input);
}

static void test_report_html_escapes_names(void **state)
{
	struct setting setting = hostile_names();
	struct outcome told = run(&setting, "--html -");

	(void)state;
	assert_int_equal(told.status, 0);
	assert_null(strstr(told.output, "<script"));
	assert_null(strchr(told.output, '\x1b'));
	assert_null(strstr(told.output, "\xe2\x80\xae"));
	assert_int_equal(count_of(told.output, "</title>"), 2); /* the page's, the bar's */
	assert_non_null(
		strstr(told.output, "&lt;script&gt;alert(1)&lt;/script&gt;&amp;amp;&#39;&quot;"
				    "\\x0a\\x1b[31m\\u202e\xf0\x9f\x98\x80"));
	end(&told);
	close(setting.input);
}

static void test_report_text_escapes_names(void **state)
{
	struct setting setting = hostile_names();
	struct outcome told = run(&setting, " ");

	(void)state;
	assert_null(strchr(told.output, '\x1b'));
	assert_null(strstr(told.output, "\xe2\x80\xae"));
	assert_non_null(strstr(told.output, "\\x0a\\x1b[31m\\u202e\xf0\x9f\x98\x80"));
	end(&told);
	lseek(setting.input, 0, SEEK_SET);
	setting.locale = "C";
	told = run(&setting, " ");
	assert_non_null(strstr(told.output, "\\u202e\\U0001f600"));
	for (const char *at = told.output; *at; at++) {
		assert_true((*at >= ' ' && *at < 0x7f) || *at == '\n');
	}
	end(&told);
	close(setting.input);
}

/* ---- files, broken lines, usage ------------------------------------------------------------- */

static void test_report_reads_files_and_stdin(void **state)
{
	struct setting setting = sample();
	char *path = path_in_folder("log");
	struct log log;
	FILE *file = fopen(path, "w");

	(void)state;
	write_sample(file);
	fclose(file);
	struct outcome told = run(&setting, "%s - %s", path, path);
	assert_row(told.output, "39 reports",
		"39 reports, 33 resets, 29K lost; 2024-05-01 00:00:00 to 2024-05-01 02:00:00 UTC");
	assert_int_equal(told.status, 0);
	end(&told);
	close(setting.input);
	/* No newline at the end, blank lines, carriage returns. */
	begin_log(&log);
	fputs("\n  \t\r\n", log.file);
	write_line(log.file, &(struct line){.site = "a+0x1", .peer = "10.0.0.9:1"});
	fclose(log.file);
	setting.input = file_with(log.text, log.size - 1);
	told = run(&setting, " ");
	assert_row(told.output, "a+0x1", "a+0x1 1 1 0 0 1 10.0.0.9:1 -");
	assert_string_equal(told.errors, "");
	assert_int_equal(told.status, 0);
	end(&told);
	close(setting.input);
	free(log.text);
	free(path);
}

static void test_report_of_nothing(void **state)
{
	static const char *const options[] = {"--json", "--openmetrics", "--html -", "--by peer"};
	struct setting setting = {0};
	struct outcome told = run(&setting, " ");

	(void)state;
	assert_string_equal(told.output, "no reports\n");
	assert_int_equal(told.status, 0);
	end(&told);
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		told = run(&setting, "%s", options[i]);
		assert_int_equal(told.status, 0);
		assert_string_equal(told.errors, "");
		end(&told);
	}
}

static void test_report_names_broken_lines(void **state)
{
	struct log log;
	char *path = path_in_folder("broken");
	struct setting setting = {0};
	FILE *file = fopen(path, "w");

	(void)state;
	write_line(file, &(struct line){.site = "a+0x1", .peer = "10.0.0.9:1"});
	fputs("what else the program wrote\n\n", file);
	fputs("safeclose[42]: close(7) 10.0.0.5:8080 -> ...\n", file);
	write_line(file, &(struct line){.site = "a+0x1", .peer = "10.0.0.9:1", .outcome = "eaten"});
	write_line(file, &(struct line){.site = "a+0x1", .peer = "10.0.0.9:1"});
	fputs("{\"v\":1,\"ts\":\"2024-", file);
	fclose(file);
	struct outcome told = run(&setting, "%s", path);
	assert_int_equal(told.status, 1);
	assert_row(told.output, "2 reports",
		"2 reports, 2 resets, 0 bytes lost; 2024-05-01 00:00:00 to 2024-05-01 00:00:00 "
		"UTC");
	assert_int_equal(text_lines(told.errors), 4);
	assert_int_equal(text_lines_with(told.errors, path, "/broken:2: not JSON"), 1);
	assert_int_equal(text_lines_with(told.errors, path, "/broken:4: a report as text"), 1);
	assert_int_equal(text_lines_with(told.errors, path, "/broken:5: \"outcome\" is none"), 1);
	assert_int_equal(text_lines_with(told.errors, path, "/broken:7: not JSON"), 1);
	assert_int_equal(text_lines_with(told.errors, "the file ends within", NULL), 1);
	end(&told);
	free(path);
	begin_log(&log);
	for (int i = 0; i < 1000; i++) {
		fputs("broken\n", log.file);
	}
	fclose(log.file);
	setting.input = file_with(log.text, log.size);
	told = run(&setting, "--json");
	assert_int_equal(told.status, 1);
	assert_int_equal(text_lines_with(told.errors, "stdin:", NULL), 20);
	assert_int_equal(text_lines_with(told.errors, "980 more broken lines", NULL), 1);
	assert_int_equal(text_lines(told.errors), 21);
	yajl_val tree = parse(told.output);
	assert_member(tree, "broken_lines", 1000);
	yajl_tree_free(tree);
	end(&told);
	close(setting.input);
	free(log.text);
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
	struct log log;
	struct setting setting = {0};
	unsigned broken;
	char more[64];

	(void)state;
	begin_log(&log);
	write_sample(log.file);
	broken = write_hostile_lines(log.file);
	write_sample(log.file);
	fclose(log.file);
	snprintf(more, sizeof(more), "%u more broken lines", broken - 20);
	setting.input = file_with(log.text, log.size);
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		lseek(setting.input, 0, SEEK_SET);
		struct outcome told = run(&setting, "%s", options[i]);

		assert_int_equal(told.status, 1);
		assert_int_equal(text_lines_with(told.errors, "stdin:", NULL), 20);
		assert_int_equal(text_lines_with(told.errors, more, NULL), 1);
		assert_int_equal(
			text_lines_with(told.errors, "stdin:15: longer than 1048576", NULL), 1);
		for (const char *at = told.errors; *at; at++) {
			assert_true((*at >= ' ' && *at < 0x7f) || *at == '\n');
		}
		if (i == 0) {
			assert_row(told.output, "server+0x1a2b",
				"server+0x1a2b (reply+0x3c) 20 20 2.0K 20K 3 10.0.0.9 80% "
				"http request 90%");
		}
		end(&told);
	}
	close(setting.input);
	free(log.text);
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
	struct setting setting = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct outcome told = run(&setting, "%s", cases[i].words);

		assert_int_equal(told.status, 2);
		assert_non_null(strstr(told.errors, cases[i].named));
		assert_int_equal(text_lines(told.errors), 1);
		end(&told);
	}
	setting.terminal = open("/dev/full", O_WRONLY);
	for (int i = 0; i < 2; i++) {
		struct outcome told = run(&setting, i > 0 ? "--help" : "");

		assert_int_equal(told.status, 2);
		end(&told);
	}
	close(setting.terminal);
}

static void test_report_goes_on_behind_a_file_that_is_not_there(void **state)
{
	struct setting setting = sample();
	struct outcome told = run(&setting, "/nowhere/log -");

	(void)state;
	assert_int_equal(told.status, 2);
	assert_int_equal(text_lines_with(told.output, "13 reports", NULL), 1);
	end(&told);
	close(setting.input);
}

static void test_report_help_is_one_screen(void **state)
{
	struct setting setting = {0};
	struct outcome told = run(&setting, "--help");

	(void)state;
	assert_int_equal(told.status, 0);
	assert_true(text_lines(told.output) <= 24);
	assert_int_equal(text_lines_with(told.output, "--openmetrics", NULL), 1);
	end(&told);
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

		signal(SIGPIPE, SIG_DFL);
		for (unsigned i = 0; file && i < MILLION; i++) {
			char site[32], peer[32];

			snprintf(site, sizeof(site), "server+0x%x", 0x1000 + i % SITES);
			snprintf(peer, sizeof(peer), "10.%u.%u.%u:40000", i >> 16, i >> 8 & 255,
				i & 255);
			write_line(file, &(struct line){.site = site,
						 .peer = peer,
						 .unread = 1,
						 .unacked = 2,
						 .second = i / 12});
		}
		_exit(file && fclose(file) == 0 ? 0 : 1);
	}
	return pid;
}

static struct outcome run_million(const char *words)
{
	int ends[2], status;
	struct setting setting = {0};
	struct outcome told;
	pid_t writer;

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	writer = write_million(ends[1]);
	close(ends[1]);
	setting.input = ends[0];
	/* A sanitizer's shadow memory is terabytes. */
	setting.memory_bytes = sanitizer_is_any() ? 0 : 256 << 20;
	told = run(&setting, "%s", words);
	close(ends[0]);
	assert_int_equal(waitpid(writer, &status, 0), writer);
	assert_int_equal(status, 0);
	return told;
}

static void test_report_of_a_million_in_bounded_memory(void **state)
{
	struct outcome told = run_million("--json --html /dev/null");
	yajl_val tree = parse(told.output);
	yajl_val rows = member(tree, "rows", yajl_t_array);

	(void)state;
	assert_int_equal(told.status, 0);
	assert_string_equal(told.errors, ""); /* no progress: that is for terminals */
	assert_member(member(tree, "all", yajl_t_object), "reports", MILLION);
	assert_member(member(tree, "all", yajl_t_object), "lost", 2 * MILLION);
	assert_int_equal(rows->u.array.len, SITES);
	for (int i = 0; i < SITES; i++) {
		yajl_val one = rows->u.array.values[i];

		assert_member(one, "reports", MILLION / SITES);
		assert_member(one, "unread", MILLION / SITES);
		/* Four standard errors. */
		assert_in_range(YAJL_GET_INTEGER(member(one, "peers", yajl_t_number)),
			MILLION / SITES * 0.936, MILLION / SITES * 1.064);
		assert_true(YAJL_IS_FALSE(member(one, "peers_exact", yajl_t_any)));
	}
	if (!sanitizer_is_any()) {
		assert_in_range(told.memory_kib, 1, MEMORY_MAX_KIB);
	}
	yajl_tree_free(tree);
	end(&told);
}

static void test_report_of_a_million_peers_in_bounded_memory(void **state)
{
	struct outcome told = run_million("--by peer");

	(void)state;
	assert_int_equal(told.status, 0);
	/* All are counted, and none more than once: the rows that are kept, and the others. */
	assert_row(told.output, "(all)", "(all) 1000000 1000000 977K 1.9M");
	assert_row(told.output, "(others)", "(others) 990000 990000 967K 1.9M");
	assert_int_equal(text_lines_with(told.output, "10.", " 1+ "), 10000);
	assert_int_equal(
		text_lines_with(told.output, "+ at least: more than 10000 peers", NULL), 1);
	if (!sanitizer_is_any()) {
		assert_in_range(told.memory_kib, 1, PEERS_MEMORY_MAX_KIB);
	}
	end(&told);
}

static void test_report_without_memory_says_so(void **state)
{
	struct setting setting = {.memory_bytes = 24 << 20};
	struct log log;

	(void)state;
	sanitizer_skip_if(sanitizer_is_any(), "its shadow memory is terabytes");
	begin_log(&log);
	for (unsigned i = 0; i < 10000; i++) {
		char site[4096];

		snprintf(site, sizeof(site), "%04000u+0x1", i);
		write_line(log.file, &(struct line){.site = site, .peer = "10.0.0.9:1"});
	}
	fclose(log.file);
	setting.input = file_with(log.text, log.size);
	struct outcome told = run(&setting, "--json");
	assert_int_equal(told.status, 2);
	assert_string_equal(told.errors, "safeclose: report: out of memory\n");
	end(&told);
	close(setting.input);
	free(log.text);
}

/* ---- a terminal ----------------------------------------------------------------------------- */

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
static int run_in_terminal(struct terminal *terminal, struct setting *setting, const char *form)
{
	char *text = strdup(form), *words[WORDS_MAX];
	int64_t deadline = deadline_in(DEADLINE_MS);
	struct outcome outcome;
	pid_t pid;

	split_words(text, words);
	setting->terminal = terminal->slave;
	pid = start(setting, words, -1, -1);
	close(terminal->slave);
	while (read_terminal(terminal, deadline_left_ms(deadline))) {
		assert_true(deadline_left_ms(deadline) > 0);
	}
	await_end(pid, &outcome);
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

static struct setting wide_sample(void)
{
	struct setting setting = {0};
	struct log log;

	begin_log(&log);
	write_sample(log.file);
	write_line(log.file,
		&(struct line){
			.site = "gr\xc3\xbc\xc3\x9f-gr\xc3\xbc\xc3\x9f-gr\xc3\xbc\xc3\x9f+0x1234",
			.symbol =
				"a_function_with_a_very_long_name_indeed_that_goes_on_and_on+0x10",
			.peer = "[2001:db8:1111:2222:3333:4444:5555:6666]:50000",
			.guess = "tls application data"});
	fclose(log.file);
	setting.input = file_with(log.text, log.size);
	free(log.text);
	return setting;
}

static void test_report_fits_the_terminal(void **state)
{
	static const unsigned short widths[] = {200, 132, 100, 80, 60};

	(void)state;
	for (size_t i = 0; i < sizeof(widths) / sizeof(widths[0]); i++) {
		for (int is_ascii = 0; is_ascii < 2; is_ascii++) {
			struct setting setting = wide_sample();
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
	struct setting setting = sample();
	struct outcome told = run(&setting, " ");
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
	end(&told);
	close(setting.input);
}

static void test_report_in_a_pipe_is_not_cut(void **state)
{
	struct setting setting = wide_sample();
	struct outcome told = run(&setting, " ");

	(void)state;
	assert_non_null(strstr(told.output, "that_goes_on_and_on+0x10)"));
	assert_non_null(strstr(told.output, "2001:db8:1111:2222:3333:4444:5555:6666"));
	assert_null(strstr(told.output, "…"));
	end(&told);
	close(setting.input);
}

static void test_report_shows_progress_in_a_terminal(void **state)
{
	struct setting setting = {0};
	struct terminal terminal;
	char *words[WORDS_MAX], none[] = "";
	int64_t deadline = deadline_in(DEADLINE_MS);
	struct outcome outcome;
	int ends[2];
	FILE *log;
	pid_t pid;

	(void)state;
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	open_terminal(&terminal, 80);
	split_words(none, words);
	setting.input = ends[0];
	setting.terminal = terminal.slave;
	pid = start(&setting, words, -1, -1);
	close(ends[0]);
	log = fdopen(ends[1], "w");
	setlinebuf(log);
	/* It appears while there is more to read, and not at once. */
	while (!strstr(terminal.text, " lines")) {
		write_line(log, &(struct line){.site = "a+0x1", .peer = "10.0.0.9:1"});
		assert_true(read_terminal(&terminal, 1));
		assert_true(deadline_left_ms(deadline) > 0);
	}
	fputs("broken\n", log);
	fclose(log);
	close(terminal.slave);
	while (read_terminal(&terminal, deadline_left_ms(deadline))) {
		assert_true(deadline_left_ms(deadline) > 0);
	}
	await_end(pid, &outcome);
	assert_int_equal(outcome.status, 1);
	/* It is gone before the table and before a broken line. */
	assert_non_null(strstr(terminal.text, "\r\033[Kstdin:"));
	assert_int_equal(text_lines_with(terminal.text, "lines", "reports"), 0);
	close_terminal(&terminal);
}

/* ---- lines of source ------------------------------------------------------------------------ */

/* Where its caller goes on. */
static __attribute__((noinline)) const void *next_instruction(void)
{
	return __builtin_return_address(0);
}

struct here {
	uintptr_t address;
	uintptr_t base;
};

static int find_base(struct dl_phdr_info *info, size_t size, void *data)
{
	(void)size;
	((struct here *)data)->base = info->dlpi_addr;
	return 1; /* the first one is the program */
}

static bool has_debug_information(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char *bytes = content_of(fd);
	struct stat status;
	bool has = stat(path, &status) == 0 &&
		   memmem(bytes, (size_t)status.st_size, ".debug_line", 12) != NULL;

	free(bytes);
	return has;
}

/* A report of this program, of the call in line `line` of this file, made in that year. */
static struct outcome report_of_myself(
	const char *words, const char *exe, uintptr_t offset, int year)
{
	struct setting setting = {0};
	struct log log;
	char site[4096];
	const char *slash = strrchr(exe, '/');

	snprintf(site, sizeof(site), "%s+0x%" PRIxPTR, slash + 1, offset);
	begin_log(&log);
	fprintf(log.file,
		"{\"v\":1,\"ts\":\"%d-05-01T00:00:00Z\",\"via\":\"close\",\"exe\":\"%s\",\"local\":"
		"\"10.0.0.5:8080\","
		"\"peer\":\"10.0.0.9:40000\",\"unread\":1,\"unacked\":1,\"outcome\":\"rst\","
		"\"why\":"
		"\"unread\",\"site\":\"%s\",\"symbol\":null,\"guess\":null}\n",
		year, exe, site);
	fclose(log.file);
	setting.input = file_with(log.text, log.size);
	struct outcome told = run(&setting, "%s", words);
	close(setting.input);
	free(log.text);
	return told;
}

static void test_report_finds_lines_of_source(void **state)
{
	char exe[4096], expected[64], elsewhere[4096];
	struct here here;
	ssize_t length = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
	int line;

	(void)state;
	assert_true(length > 0);
	exe[length] = 0;
	if (!is_installed("addr2line") || !has_debug_information(exe)) {
		print_message("no addr2line, or built without -g\n");
		skip();
	}
	dl_iterate_phdr(find_base, &here);
	/* clang-format off */
	here.address = (uintptr_t)next_instruction(); line = __LINE__;
	/* clang-format on */
	snprintf(expected, sizeof(expected), "test_cli_report.c:%d (%s)", line, __func__);
	struct outcome told = report_of_myself("", exe, here.address - here.base, 2999);
	assert_int_equal(text_lines_with(told.output, expected, NULL), 1);
	end(&told);
	told = report_of_myself("--json", exe, here.address - here.base, 2999);
	yajl_val tree = parse(told.output);
	yajl_val first = member(tree, "rows", yajl_t_array)->u.array.values[0];
	assert_non_null(strstr(text_member(first, "source"), "tests/test_cli_report.c:"));
	assert_string_equal(text_member(first, "function"), __func__);
	yajl_tree_free(tree);
	end(&told);
	/* Left as it is: where that is asked for; where the file is newer than the report. */
	told = report_of_myself("--raw", exe, here.address - here.base, 2999);
	assert_null(strstr(told.output, "test_cli_report.c"));
	end(&told);
	told = report_of_myself("", exe, here.address - here.base, 1999);
	assert_null(strstr(told.output, "test_cli_report.c"));
	end(&told);
	/* Another file of that name, which is no program; a fifo, which would never end. */
	snprintf(elsewhere, sizeof(elsewhere), "%s%s", folder, strrchr(exe, '/'));
	assert_int_equal(mkfifo(elsewhere, 0600), 0);
	told = report_of_myself("", elsewhere, here.address - here.base, 2999);
	assert_int_equal(told.status, 0);
	assert_null(strstr(told.output, "test_cli_report.c"));
	end(&told);
	unlink(elsewhere);
}

/* That line of a file of source. */
static char *line_of_source(const char *place)
{
	const char *colon = strrchr(place, ':');
	char *path = strndup(place, (size_t)(colon - place));
	char *text = text_of_file(path), *line, *at = text;

	for (long number = strtol(colon + 1, NULL, 10); number > 1; number--) {
		at = strchr(at, '\n');
		assert_non_null(at);
		at++;
	}
	line = strndup(at, strcspn(at, "\n"));
	free(text);
	free(path);
	return line;
}

/* The actor closes over unread bytes; returns what the library wrote. */
static const char *close_over_unread(struct stage *stage)
{
	program_start(&stage->program,
		&(struct program_options){.mode = "warn", .environment = {"SAFECLOSE_FORMAT=json"}},
		"connect 3 %s await-unread 3 5 close 3 say closed hear go", stage->peer.target);
	peer_accept(&stage->peer);
	assert_int_equal(send(stage->peer.fd, "SSH-2", 5, MSG_NOSIGNAL), 5);
	program_hear(&stage->program, "closed");
	return stage_finish(stage, true).errors;
}

static void test_report_of_what_the_library_wrote(void **state)
{
	struct stage *stage = stage_open(PEER_IPV6);
	const char *log = close_over_unread(stage);
	struct setting setting = {.input = file_with(log, strlen(log))};
	struct outcome told = run(&setting, "--json");
	yajl_val tree = parse(told.output);
	yajl_val row = member(tree, "rows", yajl_t_array)->u.array.values[0];

	(void)state;
	assert_string_equal(told.errors, "");
	assert_int_equal(told.status, 0);
	assert_member(row, "reports", 1);
	assert_member(member(row, "outcomes", yajl_t_object), "rst", 1);
	assert_member(row, "unread", 5);
	assert_int_equal(strncmp(text_member(row, "site"), "actor+0x", 8), 0);
	assert_non_null(strstr(text_member(member(row, "top_peer", yajl_t_object), "name"), "::1"));
	if (is_installed("addr2line") && has_debug_information(PROGRAM_FOLDER "actor")) {
		char *line = line_of_source(text_member(row, "source"));

		assert_non_null(strstr(line, "close("));
		free(line);
	}
	yajl_tree_free(tree);
	end(&told);
	close(setting.input);
}

static int make_folder(void **state)
{
	(void)state;
	/* What it writes to a program that has ended is an error here. */
	signal(SIGPIPE, SIG_IGN);
	return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
	static const char *const names[] = {"table.html", "log", "broken"};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char *path = path_in_folder(names[i]);

		unlink(path);
		free(path);
	}
	return rmdir(folder);
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
		cmocka_unit_test(test_report_fits_the_terminal),
		cmocka_unit_test(test_report_columns_are_aligned),
		cmocka_unit_test(test_report_in_a_pipe_is_not_cut),
		cmocka_unit_test(test_report_shows_progress_in_a_terminal),
		cmocka_unit_test(test_report_finds_lines_of_source),
		cmocka_unit_test_teardown(test_report_of_what_the_library_wrote, stage_teardown),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
