// SPDX-License-Identifier: MIT
// LIBS: -lyajl
// HARNESS
/*
 * Reports as JSON, from the program to the log: each outcome, listener and kind of TCP; what is said of
 * the program and of the unread bytes, which nobody loses by that; many processes with one log.
 */
#include "harness/crowd.h"
#include "harness/deadline.h"
#include "harness/netns.h"
#include "harness/sanitizer.h"
#include "harness/stage.h"
#include "harness/text.h"
#include "harness/unit.h"
#include "harness/verdict.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <yajl/yajl_tree.h>

#define JSON "SAFECLOSE_FORMAT=json"

static const char *const keys[] = {"v", "ts", "pid", "tid", "comm", "exe", "via", "fd", "proto",
	"local", "peer", "unread", "urgent", "unacked", "mode", "outcome", "why", "drained",
	"elapsed_ms", "site", "symbol", "stack", "guess", "preview"};

enum { KEY_COUNT = sizeof(keys) / sizeof(keys[0]), LINE_MAX_BYTES = 4096 };

static const char answer[] = "HTTP/1.1 413 Payload Too Large\r\n\r\n";

enum { ANSWER_BYTES = sizeof(answer) - 1 };

/* ---- reading ------------------------------------------------------------------------------- */

static yajl_val parse_line(const char *line, size_t length)
{
	char error[256] = "";
	char text[LINE_MAX_BYTES + 1];
	yajl_val object;

	assert_true(length <= LINE_MAX_BYTES);
	memcpy(text, line, length);
	text[length] = '\0';
	object = yajl_tree_parse(text, error, sizeof(error));
	if (!object) {
		fail_msg("%s in: %s", error, text);
	}
	assert_true(YAJL_IS_OBJECT(object));
	assert_int_equal(object->u.object.len, KEY_COUNT);
	for (size_t i = 0; i < KEY_COUNT; i++) {
		assert_string_equal(object->u.object.keys[i], keys[i]);
	}
	return object;
}

/* The only line. */
static yajl_val parse_only(const char *text)
{
	if (text_lines(text) != 1) {
		fail_msg("not one line: %s", text);
	}
	return parse_line(text, strlen(text));
}

static yajl_val value_at(yajl_val object, const char *key)
{
	const char *path[] = {key, NULL};
	yajl_val value = yajl_tree_get(object, path, yajl_t_any);

	assert_non_null(value);
	return value;
}

static const char *text_at(yajl_val object, const char *key)
{
	const char *text = YAJL_GET_STRING(value_at(object, key));

	assert_non_null(text);
	return text;
}

/* expected: NULL for null. */
static void assert_text(yajl_val object, const char *key, const char *expected)
{
	yajl_val value = value_at(object, key);
	const char *text = YAJL_GET_STRING(value);

	if (expected ? !text || strcmp(text, expected) != 0 : !YAJL_IS_NULL(value)) {
		fail_msg("%s is %s, not %s", key, text ? text : "no text",
			expected ? expected : "null");
	}
}

static void assert_number(yajl_val object, const char *key, long long expected)
{
	yajl_val value = value_at(object, key);

	assert_true(YAJL_IS_INTEGER(value));
	if (YAJL_GET_INTEGER(value) != expected) {
		fail_msg("%s is %lld, not %lld", key, YAJL_GET_INTEGER(value), expected);
	}
}

/* Microseconds since 1970. */
static int64_t time_at(yajl_val object)
{
	const char *text = text_at(object, "ts");
	struct tm tm = {0};
	unsigned int us;
	char zone;

	assert_int_equal(strlen(text), strlen("2026-11-22T12:49:34.000042Z"));
	assert_int_equal(sscanf(text, "%d-%d-%dT%d:%d:%d.%6u%c", &tm.tm_year, &tm.tm_mon,
				 &tm.tm_mday, &tm.tm_hour, &tm.tm_min, &tm.tm_sec, &us, &zone),
		8);
	assert_int_equal(zone, 'Z');
	tm.tm_year -= 1900;
	tm.tm_mon -= 1;
	return (int64_t)timegm(&tm) * 1000000 + us;
}

static int64_t now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* ---- each outcome --------------------------------------------------------------------------- */

struct row {
	const char *name;
	const char *mode;
	const char *variable; /* one more of the environment */
	const char *words;    /* behind "connect 3 TARGET await-unread 3 N" */
	const char *outcome;
	const char *why;
	int drained_bytes; /* of ANSWER_BYTES */
	bool is_left_open; /* the peer does not hang up before the report */
};

static const struct row rows[] = {
	{"warn", "warn", NULL, "close 3 say closed hear go", "rst", "unread", 0, false},
	{"drain", "drain", NULL, "close 3 say closed hear go", "fin", NULL, ANSWER_BYTES, false},
	{"fin", "fin", NULL, "close 3 say closed hear go", "fin", NULL, ANSWER_BYTES, false},
	{"shared", "fin", "SAFECLOSE_REPORT=all", "dup 3 4 close 3 say closed hear go", "shared",
		NULL, 0, true},
	{"abortive", "fin", "SAFECLOSE_REPORT=all", "linger 3 1 0 close 3 say closed hear go",
		"abortive", NULL, 0, false},
	{"timeout", "fin", "SAFECLOSE_LINGER_TIMEOUT=200ms", "close 3 say closed hear go",
		"timeout", "silence", ANSWER_BYTES, true},
	{"limit", "fin", "SAFECLOSE_DRAIN_MAX=10", "close 3 say closed hear go", "limit", "bytes",
		10, true},
	{"limit_of_drain", "drain", "SAFECLOSE_DRAIN_MAX=10", "close 3 say closed hear go", "rst",
		"limit", 10, false},
};

static struct stage *start(enum peer_family family, const struct row *row, const char *extra)
{
	struct stage *stage = stage_open(family);

	program_start(&stage->program,
		&(struct program_options){.mode = row->mode,
			/* The first one of a name counts. */
			.environment = {row->variable ? row->variable : JSON, JSON, extra}},
		"connect 3 %s await-unread 3 %d %s", stage->peer.target, ANSWER_BYTES, row->words);
	peer_accept(&stage->peer);
	assert_int_equal(send(stage->peer.fd, answer, ANSWER_BYTES, MSG_NOSIGNAL), ANSWER_BYTES);
	program_hear(&stage->program, "closed");
	return stage;
}

/* To the end of the connection and of the program. */
static struct stage_end finish(struct stage *stage, bool is_left_open)
{
	if (!is_left_open) {
		peer_receive_end(&stage->peer);
		peer_hang_up(&stage->peer);
	}
	program_await_errors(&stage->program, "\n");
	peer_hang_up(&stage->peer);
	program_say(&stage->program, "go");
	return stage_judge(stage, program_await_exit(&stage->program));
}

static void assert_ends(yajl_val report, enum peer_family family, const struct stage *stage)
{
	const char *format = family == PEER_IPV6 ? "[::1]:%u" : "127.0.0.1:%u";
	char text[64];

	snprintf(text, sizeof(text), format, stage->peer.program_port);
	assert_text(report, "local", text);
	snprintf(text, sizeof(text), format, stage->peer.port);
	assert_text(report, "peer", text);
	assert_text(report, "proto", family == PEER_MPTCP ? "mptcp" : "tcp");
}

static void assert_is_actors(yajl_val report, pid_t pid)
{
	char *exe = realpath(PROGRAM_FOLDER "actor", NULL);
	yajl_val stack = value_at(report, "stack");
	const char *site = text_at(report, "site");

	assert_number(report, "v", 1);
	assert_number(report, "pid", pid);
	assert_number(report, "tid", pid);
	assert_text(report, "comm", "actor");
	assert_text(report, "exe", exe);
	assert_number(report, "fd", 3);
	assert_text(report, "via", "close");
	/* ThreadSanitizer's close calls the library's. */
	assert_int_equal(strncmp(site, sanitizer_is_for_threads() ? "libtsan" : "actor+0", 7), 0);
	assert_true(YAJL_IS_ARRAY(stack));
	assert_int_equal(stack->u.array.len, 1);
	assert_string_equal(YAJL_GET_STRING(stack->u.array.values[0]), site);
	free(exe);
}

static void check_row(enum peer_family family, const struct row *row)
{
	int64_t begin_us = now_us();
	struct stage *stage = start(family, row, NULL);
	pid_t pid = stage->program.pid;
	struct stage_end end = finish(stage, row->is_left_open);
	yajl_val report = parse_line(end.errors, strcspn(end.errors, "\n") + 1);
	double elapsed_ms = YAJL_GET_DOUBLE(value_at(report, "elapsed_ms"));
	int64_t time_us = time_at(report);

	assert_int_equal(end.status, 0);
	/* The other holder's close is told too. */
	assert_int_equal(text_lines(end.errors), strcmp(row->outcome, "shared") == 0 ? 2 : 1);
	assert_is_actors(report, pid);
	assert_ends(report, family, stage);
	assert_text(report, "mode", row->mode);
	assert_text(report, "outcome", row->outcome);
	assert_text(report, "why", row->why);
	assert_number(report, "unread", ANSWER_BYTES);
	assert_true(YAJL_IS_FALSE(value_at(report, "urgent")));
	assert_number(report, "unacked", 0);
	assert_number(report, "drained", row->drained_bytes);
	assert_text(report, "guess", "HTTP response");
	assert_text(report, "preview", NULL);
	assert_true(elapsed_ms >= (strcmp(row->outcome, "timeout") == 0 ? 195 : 0));
	assert_true(time_us >= begin_us && time_us + (int64_t)(elapsed_ms * 1000) <= now_us());
	yajl_tree_free(report);
}

static void test_reports_tell_each_outcome(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		check_row(PEER_IPV4, &rows[i]);
	}
}

static void test_reports_tell_each_kind_of_tcp(void **state)
{
	(void)state;
	for (size_t i = 0; i < 3; i++) {
		check_row(PEER_IPV6, &rows[i]);
		check_row(PEER_V4MAPPED, &rows[i]);
		check_row(PEER_MPTCP, &rows[i]);
	}
}

static void test_reports_tell_of_listeners(void **state)
{
	struct stage *stage = stage_open(PEER_IPV4);
	struct stage_end end;
	yajl_val report;
	char local[64];
	uint16_t port;

	(void)state;
	program_start(&stage->program,
		&(struct program_options){.mode = "warn", .environment = {JSON}},
		"listen 3 4 port 3 await-backlog 3 2 close 3 say closed hear go");
	port = (uint16_t)program_hear_number(&stage->program, "port ");
	peer_close(&stage->peer);
	peer_connect(&stage->peer, PEER_IPV4, port);
	peer_connect(&stage->other_peer, PEER_IPV4, port);
	program_hear(&stage->program, "closed");
	program_say(&stage->program, "go");
	end = stage_judge(stage, program_await_exit(&stage->program));
	report = parse_only(end.errors);
	snprintf(local, sizeof(local), "127.0.0.1:%u", port);
	assert_text(report, "local", local);
	assert_text(report, "peer", NULL);
	assert_number(report, "unread", 2);
	assert_number(report, "unacked", 0);
	assert_text(report, "outcome", "rst");
	assert_text(report, "why", "listener");
	assert_text(report, "guess", NULL);
	yajl_tree_free(report);
}

/* The thread that closed, not the one that ended the connection. */
/* do_close, run_words, main, what libc calls that by, ...: the call site is the first. */
static void test_reports_list_the_stack(void **state)
{
	static const struct row row = {.mode = "warn", .words = "close 3 say closed hear go"};
	struct stage *stage;
	struct stage_end end;
	yajl_val report;
	yajl_val stack;

	(void)state;
	sanitizer_skip_if(sanitizer_is_for_threads(), "it has frames of its own");
	stage = start(PEER_IPV4, &row, "SAFECLOSE_STACK=5");
	end = finish(stage, true);
	report = parse_only(end.errors);
	stack = value_at(report, "stack");
	assert_true(YAJL_IS_ARRAY(stack));
	assert_int_equal(stack->u.array.len, 5);
	assert_string_equal(YAJL_GET_STRING(stack->u.array.values[0]), text_at(report, "site"));
	for (size_t i = 0; i < 5; i++) {
		const char *frame = YAJL_GET_STRING(stack->u.array.values[i]);

		assert_non_null(frame);
		assert_int_equal(strncmp(frame, "actor+0x", 8) == 0, i < 3);
		for (size_t k = 0; k < i; k++) {
			assert_string_not_equal(frame, YAJL_GET_STRING(stack->u.array.values[k]));
		}
	}
	yajl_tree_free(report);
}

static void test_reports_tell_the_thread(void **state)
{
	static const struct row row = {
		.mode = "fin", .words = "thread close 3 say closed end join hear go"};
	struct stage *stage = start(PEER_IPV4, &row, NULL);
	pid_t pid = stage->program.pid;
	struct stage_end end = finish(stage, false);
	yajl_val report = parse_only(end.errors);

	(void)state;
	assert_number(report, "pid", pid);
	assert_true(YAJL_GET_INTEGER(value_at(report, "tid")) > pid);
	yajl_tree_free(report);
}

/* ---- the unread bytes ----------------------------------------------------------------------- */

static void test_reports_show_the_preview(void **state)
{
	(void)state;
	for (size_t i = 0; i < 3; i++) {
		static const char *const previews[][2] = {
			{"SAFECLOSE_PREVIEW=256", "HTTP/1.1 413 Payload Too Large\r\n\r\n"},
			{"SAFECLOSE_PREVIEW=4", "HTTP"},
			{"SAFECLOSE_PREVIEW=32", "HTTP/1.1 413 Payload Too Large\r\n"},
		};
		struct stage *stage = start(PEER_IPV4, &rows[i], previews[i][0]);
		struct stage_end end = finish(stage, false);
		yajl_val report = parse_only(end.errors);

		assert_text(report, "preview", previews[i][1]);
		assert_text(report, "guess", "HTTP response");
		yajl_tree_free(report);
	}
}

static void test_reports_as_text_show_the_preview_too(void **state)
{
	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct row row = rows[i];
		struct stage_end end;

		row.variable = "SAFECLOSE_FORMAT=text";
		end = finish(start(PEER_IPV4, &row, "SAFECLOSE_PREVIEW=256"), false);
		assert_int_equal(text_lines(end.errors), 1);
		assert_non_null(
			strstr(end.errors, "; \"HTTP/1.1 413 Payload Too "
					   "Large\\x0d\\x0a\\x0d\\x0a\" (HTTP response)\n"));
	}
}

/* Who else holds the connection reads every byte, the urgent one at its place. */
static void test_reports_take_nothing_from_another_holder(void **state)
{
	static const char *const modes[] = {"warn", "drain", "fin"};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct stage *stage = stage_open(PEER_IPV4);
		struct stage_end end;
		yajl_val report;

		program_start(&stage->program,
			&(struct program_options){.mode = modes[i],
				.environment = {JSON, "SAFECLOSE_PREVIEW=256",
					"SAFECLOSE_REPORT=all"}},
			"connect 3 %s await-urgent 3 await-unread 3 3 dup 3 4 close 3 read 4 3 "
			"await-urgent 4 read-urgent 4 say closed hear go close 4",
			stage->peer.target);
		peer_accept(&stage->peer);
		peer_send(&stage->peer, 3);
		peer_send_urgent(&stage->peer);
		program_hear(&stage->program, "closed");
		program_await_errors(&stage->program, "\n");
		report = parse_only(program_errors(&stage->program));
		assert_text(report, "outcome", "shared");
		assert_number(report, "unread", 3);
		assert_non_null(strstr(
			program_errors(&stage->program), "\"preview\":\"\\u0000\\u0001\\u0002\"}"));
		yajl_tree_free(report);
		program_say(&stage->program, "go");
		end = stage_judge(stage, program_await_exit(&stage->program));
		assert_int_equal(end.status, 0);
	}
}

static void test_reports_of_a_lone_urgent_byte_leave_it(void **state)
{
	struct stage *stage = stage_open(PEER_IPV4);
	struct stage_end end;
	yajl_val report;

	(void)state;
	program_start(&stage->program,
		&(struct program_options){.mode = "warn",
			.environment = {JSON, "SAFECLOSE_PREVIEW=256", "SAFECLOSE_REPORT=all"}},
		"connect 3 %s await-urgent 3 dup 3 4 close 3 read-urgent 4 say closed hear go",
		stage->peer.target);
	peer_accept(&stage->peer);
	peer_send_urgent(&stage->peer);
	program_hear(&stage->program, "closed");
	program_await_errors(&stage->program, "\n");
	report = parse_only(program_errors(&stage->program));
	assert_true(YAJL_IS_TRUE(value_at(report, "urgent")));
	assert_number(report, "unread", 0);
	assert_text(report, "guess", NULL);
	assert_text(report, "preview", NULL);
	yajl_tree_free(report);
	program_say(&stage->program, "go");
	end = stage_judge(stage, program_await_exit(&stage->program));
	assert_int_equal(end.status, 0);
}

/* ---- what the reset throws away ------------------------------------------------------------- */

enum { WRITTEN_BYTES = 200000, TRIES = 5 };

static int arrived_bytes(const struct stage *stage)
{
	int bytes = 0;

	assert_return_code(ioctl(stage->peer.fd, FIONREAD, &bytes), errno);
	return bytes;
}

/* SEND queue of the program's end, as /proc/net/tcp has it: a FIN counts as one. */
static int queued_bytes(const struct stage *stage)
{
	char line[512];
	int bytes = -1;
	FILE *table = fopen("/proc/thread-self/net/tcp", "re");

	assert_non_null(table);
	while (fgets(line, sizeof(line), table)) {
		unsigned int port, sent;

		if (sscanf(line, "%*d: %*x:%x %*x:%*x %*x %x:", &port, &sent) == 2 &&
			port == stage->peer.program_port) {
			bytes = (int)sent;
		}
	}
	fclose(table);
	return bytes;
}

/* All that has arrived is acknowledged. */
static int await_acknowledged(const struct stage *stage, int fin)
{
	int64_t deadline = deadline_in(DEADLINE_MS);
	int arrived;

	while ((arrived = arrived_bytes(stage)) == 0 ||
		arrived + queued_bytes(stage) != WRITTEN_BYTES + fin) {
		if (!deadline_pause(deadline)) {
			fail_msg("%d arrived, %d queued", arrived, queued_bytes(stage));
		}
	}
	return arrived;
}

/* false: something moved between the look and the close. */
static bool check_unacked(const char *words, int fin)
{
	struct stage *stage = stage_open(PEER_IPV4);
	struct stage_end end;
	yajl_val report;
	int arrived;

	peer_limit_window(&stage->peer, 8192);
	program_start(&stage->program,
		&(struct program_options){.mode = "warn", .environment = {JSON}},
		"socket 3 ipv4 sndbuf 3 400000 connect-socket 3 %s await-unread 3 1 write 3 %d %s "
		"say written hear close close 3 say closed hear go",
		stage->peer.target, WRITTEN_BYTES, words);
	peer_accept(&stage->peer);
	peer_send(&stage->peer, 1);
	program_hear(&stage->program, "written");
	arrived = await_acknowledged(stage, fin);
	program_say(&stage->program, "close");
	program_hear(&stage->program, "closed");
	end = stage_finish(stage, true);
	report = parse_only(end.errors);
	assert_was_reset(&end);
	if (end.received_bytes != (uint64_t)arrived) {
		yajl_tree_free(report);
		return false;
	}
	assert_number(report, "unacked", WRITTEN_BYTES - arrived);
	yajl_tree_free(report);
	return true;
}

static void test_reports_tell_exactly_what_is_thrown_away(void **state)
{
	static const char *const words[] = {"", "shutdown 3 wr"};

	(void)state;
	for (int fin = 0; fin < 2; fin++) {
		int tries = 0;

		while (!check_unacked(words[fin], fin)) {
			assert_true(++tries < TRIES);
		}
	}
}

/* ---- names ---------------------------------------------------------------------------------- */

/* A control character, a quotation mark, a backslash, a line's end, a byte that is no UTF-8. */
#define HOSTILE "a\"\\\x1b[31m\xff\n\xc3\xb6"
#define AS_TEXT "a\"\\\x1b[31m\xef\xbf\xbd\n\xc3\xb6"

static void copy_actor(const char *path)
{
	int from = open(PROGRAM_FOLDER "actor", O_RDONLY | O_CLOEXEC);
	int to = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755);
	char bytes[65536];
	ssize_t count;

	assert_return_code(from, errno);
	assert_return_code(to, errno);
	while ((count = read(from, bytes, sizeof(bytes))) > 0) {
		assert_int_equal(write(to, bytes, (size_t)count), count);
	}
	close(from);
	close(to);
}

static void test_reports_of_a_program_with_a_hostile_name_are_whole(void **state)
{
	static const char *const modes[] = {"warn", "fin"};
	char folder[] = "/tmp/safeclose-test-XXXXXX";
	char path[128], text[128];

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/" HOSTILE, folder);
	copy_actor(path);
	for (size_t i = 0; i < 2; i++) {
		struct stage *stage = stage_open(PEER_IPV4);
		struct stage_end end;
		yajl_val report;

		program_start(&stage->program,
			&(struct program_options){
				.executable = path, .mode = modes[i], .environment = {JSON}},
			"connect 3 %s await-unread 3 100 close 3 say closed hear go",
			stage->peer.target);
		peer_accept(&stage->peer);
		peer_send(&stage->peer, 100);
		end = stage_finish(stage, true);
		report = parse_only(end.errors);
		assert_text(report, "comm", AS_TEXT);
		snprintf(text, sizeof(text), "%s/" AS_TEXT, folder);
		assert_text(report, "exe", text);
		if (!sanitizer_is_for_threads()) {
			assert_int_equal(strncmp(text_at(report, "site"), AS_TEXT "+0x",
						 strlen(AS_TEXT "+0x")),
				0);
		}
		assert_null(strchr(end.errors, '\x1b'));
		assert_null(strchr(end.errors, '\xff'));
		yajl_tree_free(report);
	}
	unlink(path);
	rmdir(folder);
}

/* Its maps tell a name that is longer than what is kept of one. */
static void test_reports_of_a_program_far_down_name_it(void **state)
{
	char folder[] = "/tmp/safeclose-test-XXXXXX";
	char deep[200], path[256];
	struct stage *stage = stage_open(PEER_IPV4);
	struct stage_end end;

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(deep, sizeof(deep), "%s/%0150d", folder, 0);
	snprintf(path, sizeof(path), "%s/actor", deep);
	assert_return_code(mkdir(deep, 0755), errno);
	copy_actor(path);
	program_start(&stage->program,
		&(struct program_options){.executable = path, .mode = "warn"},
		"connect 3 %s await-unread 3 100 close 3 say closed hear go", stage->peer.target);
	peer_accept(&stage->peer);
	peer_send(&stage->peer, 100);
	end = stage_finish(stage, true);
	assert_was_reset(&end);
	assert_reported(&end, ": 100 unread, ", "; actor+0x");
	unlink(path);
	rmdir(deep);
	rmdir(folder);
}

/* ---- many processes, one log ---------------------------------------------------------------- */

enum { PROCESSES = 8, CLOSES = 12, SENT_BYTES = 256 };

static struct {
	int fds[PROCESSES * CLOSES];
	size_t count;
} accepted;

static int close_accepted(void **state)
{
	while (accepted.count > 0) {
		close(accepted.fds[--accepted.count]);
	}
	return stage_teardown(state);
}

static char *write_script(const struct stage *stage)
{
	char *script = NULL;
	size_t size;
	FILE *stream = open_memstream(&script, &size);

	assert_non_null(stream);
	for (int process = 0; process < PROCESSES; process++) {
		fprintf(stream, "fork ");
		for (int i = 0; i < CLOSES; i++) {
			fprintf(stream, "connect 3 %s await-unread 3 %d close 3 ",
				stage->peer.target, SENT_BYTES);
		}
		fprintf(stream, "end ");
	}
	for (int process = 0; process < PROCESSES; process++) {
		fprintf(stream, "wait ");
	}
	fprintf(stream, "say done hear go");
	fclose(stream);
	return script;
}

static void accept_waiting(int listener)
{
	static const char bytes[SENT_BYTES];

	while (deadline_poll(listener, POLLIN, deadline_now())) {
		int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

		assert_return_code(fd, errno);
		assert_true(accepted.count < PROCESSES * CLOSES);
		accepted.fds[accepted.count++] = fd;
		assert_int_equal(send(fd, bytes, sizeof(bytes), MSG_NOSIGNAL), sizeof(bytes));
	}
}

/* Returns the text of all reports; the caller frees it. */
static char *run_processes(const char *mode, const char *log)
{
	struct stage *stage = stage_open(PEER_IPV4);
	int64_t deadline = deadline_in(3 * DEADLINE_MS);
	char variable[128];
	char *script = write_script(stage);
	char *text;

	snprintf(variable, sizeof(variable), "SAFECLOSE_LOG=%s", log);
	program_start(&stage->program,
		&(struct program_options){
			.mode = mode, .environment = {JSON, "SAFECLOSE_PREVIEW=256", variable}},
		"%s", script);
	free(script);
	while (!strstr(program_output(&stage->program), "done\n")) {
		struct pollfd polled[] = {{.fd = stage->peer.listener, .events = POLLIN},
			{.fd = stage->program.output, .events = POLLIN},
			{.fd = stage->program.errors, .events = POLLIN}};

		if (poll(polled, 3, deadline_left_ms(deadline)) <= 0 ||
			!program_pump(&stage->program, 0)) {
			fail_msg("the program stopped at:\n%s", program_output(&stage->program));
		}
		program_errors(&stage->program); /* makes room in the pipe */
		accept_waiting(stage->peer.listener);
	}
	program_say(&stage->program, "go");
	assert_int_equal(program_await_exit(&stage->program), 0);
	text = strcmp(log, "stderr") == 0 ? strdup(program_errors(&stage->program))
					  : text_of_file(log);
	return text;
}

/* Each line is whole, and each process has told of each of its closes. */
static void check_log(const char *text)
{
	long long pids[PROCESSES];
	int counts[PROCESSES] = {0};
	size_t known = 0;
	size_t lines = 0;

	for (const char *line = text; *line; lines++) {
		size_t length = strcspn(line, "\n") + 1;
		yajl_val report = parse_line(line, length);
		long long pid = YAJL_GET_INTEGER(value_at(report, "pid"));
		size_t i = 0;

		assert_number(report, "unread", SENT_BYTES);
		yajl_tree_free(report);
		while (i < known && pids[i] != pid) {
			i++;
		}
		assert_true(i < PROCESSES);
		known += i == known;
		pids[i] = pid;
		counts[i]++;
		line += length;
	}
	assert_int_equal(lines, PROCESSES * CLOSES);
	for (size_t i = 0; i < PROCESSES; i++) {
		assert_int_equal(counts[i], CLOSES);
	}
}

static void test_reports_of_many_processes_are_not_mixed(void **state)
{
	static const char *const modes[] = {"warn", "drain"};
	char folder[] = "/tmp/safeclose-test-XXXXXX";
	char path[64];

	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/log", folder);
	for (size_t i = 0; i < 2; i++) {
		char *text = run_processes(modes[i], path);

		check_log(text);
		free(text);
		unlink(path);
		close_accepted(state);
		text = run_processes(modes[i], "stderr");
		check_log(text);
		free(text);
		close_accepted(state);
	}
	rmdir(folder);
}

/* ---- denied --------------------------------------------------------------------------------- */

/* What a filter forbids to ask is null; the rest is told. */
static void test_reports_do_without_what_is_denied(void **state)
{
	static const struct {
		const char *call;
		const char *key;
	} denied[] = {{"gettid", "tid"}, {"prctl", "comm"}, {"recvfrom", "guess"}};

	(void)state;
	if (*SC_PRELOAD_FIRST) {
		print_message("a sanitizer needs what is denied here\n");
		skip();
	}
	for (size_t i = 0; i < sizeof(denied) / sizeof(denied[0]); i++) {
		struct crowd_end end =
			crowd_run(&(struct crowd_options){.program = {.executable = "plight",
								  .mode = "warn",
								  .environment = {JSON}}},
				"dial deny %s close", denied[i].call);
		yajl_val report = parse_only(end.report);

		assert_int_equal(end.status, 0);
		assert_text(report, denied[i].key, NULL);
		assert_text(report, "outcome", "rst");
		assert_number(report, "unread", CROWD_BYTES);
		yajl_tree_free(report);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_reports_tell_each_outcome, stage_teardown),
		cmocka_unit_test_teardown(test_reports_tell_each_kind_of_tcp, stage_teardown),
		cmocka_unit_test_teardown(test_reports_tell_of_listeners, stage_teardown),
		cmocka_unit_test_teardown(test_reports_list_the_stack, stage_teardown),
		cmocka_unit_test_teardown(test_reports_tell_the_thread, stage_teardown),
		cmocka_unit_test_teardown(test_reports_show_the_preview, stage_teardown),
		cmocka_unit_test_teardown(
			test_reports_as_text_show_the_preview_too, stage_teardown),
		cmocka_unit_test_teardown(
			test_reports_take_nothing_from_another_holder, stage_teardown),
		cmocka_unit_test_teardown(
			test_reports_of_a_lone_urgent_byte_leave_it, stage_teardown),
		cmocka_unit_test_teardown(
			test_reports_tell_exactly_what_is_thrown_away, stage_teardown),
		cmocka_unit_test_teardown(
			test_reports_of_a_program_with_a_hostile_name_are_whole, stage_teardown),
		cmocka_unit_test_teardown(
			test_reports_of_a_program_far_down_name_it, stage_teardown),
		cmocka_unit_test_teardown(
			test_reports_of_many_processes_are_not_mixed, close_accepted),
		cmocka_unit_test_teardown(test_reports_do_without_what_is_denied, crowd_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
