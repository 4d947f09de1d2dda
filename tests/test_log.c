// SPDX-License-Identifier: MIT
// HARNESS
/*
 * Where lines go. A log that takes none costs one line on stderr in all, by whatever way it fails and
 * however many processes find it out; the program goes on, and nothing waits. What was lost is
 * counted and told when the log takes lines again.
 */
#include "harness/crowd.h"
#include "harness/deadline.h"
#include "harness/process.h"
#include "harness/rows.h"
#include "harness/sanitizer.h"
#include "harness/stage.h"
#include "harness/text.h"
#include "harness/verdict.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static const char *const modes[] = {"warn", "drain", "fin"};

enum { MODE_COUNT = sizeof(modes) / sizeof(modes[0]), MESSAGE_MAX = 2048 };

/* ---- a folder for each test ------------------------------------------------------------------ */

static char folder[64];
static int held[2] = {-1, -1}; /* the runner's ends of logs */

static const char *path_of(const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

static int make_folder(void **state)
{
	(void)state;
	snprintf(folder, sizeof(folder), "/tmp/safeclose-test-XXXXXX");
	if (!mkdtemp(folder) || mkfifo(path_of("fifo"), 0600) < 0 ||
		mkdir(path_of("sub"), 0700) < 0) {
		return -1;
	}
	return symlink("target", path_of("link"));
}

static void release_all(void)
{
	for (size_t i = 0; i < 2; i++) {
		if (held[i] >= 0) {
			close(held[i]);
		}
		held[i] = -1;
	}
}

static int remove_folder(void **state)
{
	char command[128];

	release_all();
	snprintf(command, sizeof(command), "rm -rf %s", folder);
	return crowd_teardown(state) | system(command);
}

/* "SAFECLOSE_LOG=..." of what follows FOLDER, or of the whole. */
static const char *log_variable(const char *value)
{
	static char variable[160];
	char *with_folder = text_replaced(value, "FOLDER", folder);

	snprintf(variable, sizeof(variable), "SAFECLOSE_LOG=%s", with_folder);
	free(with_folder);
	return variable;
}

/* ---- logs that take nothing ------------------------------------------------------------------ */

/* Words of plight, in which VALUE is that of SAFECLOSE_LOG. */
static const struct failure {
	const char *name; /* the value */
	const char *words;
	const char *reason;
	size_t connections;
} failures[] = {
	{"FOLDER/nowhere/log", "log VALUE exec dial dial close-all", "no such file or folder", 2},
	{"FOLDER/nowhere/%p.log", "log VALUE exec dial dial close-all", "no such file or folder",
		2},
	{"FOLDER/sub", "log VALUE exec dial dial close-all", "it is a folder", 2},
	{"FOLDER/link", "log VALUE exec dial dial close-all", "it is a symbolic link", 2},
	{"FOLDER/fifo", "log VALUE exec dial dial close-all", "nobody reads it", 2},
	{"FOLDER/fifo", "fifo FOLDER/fifo log VALUE exec close-fd 3 dial dial close-all",
		"nobody reads it", 2},
	{"FOLDER/fifo", "fifo FOLDER/fifo log VALUE exec fill-pipe 3 dial dial close-all",
		"it is full, and nobody reads it", 2},
	{"/dev/full", "log VALUE exec dial dial close-all", "no space left", 2},
	{"/dev/full", "log VALUE exec dial dial", "no space left", 2},
	{"/dev/full", "log VALUE exec part part part dial dial close-all reap", "no space left",
		16},
	{"/dev/full", "log VALUE exec part dial dial part close close reap", "no space left", 4},
	{"FOLDER/nowhere/%p.log", "log VALUE exec part part dial dial close-all reap",
		"no such file or folder", 8},
};

/* One line in all, which names the log and what is the matter with it. */
static void assert_one_complaint(const char *errors, const char *value, const char *reason)
{
	char *log = text_replaced(value, "FOLDER", folder);
	char text[192];

	snprintf(text, sizeof(text), "]: cannot write to %s: %s; reports are lost meanwhile", log,
		reason);
	free(log);
	if (text_lines(errors) != 1 || text_lines_with(errors, text, NULL) != 1) {
		fail_msg("not one line with \"%s\":\n%s", text, errors);
	}
}

static struct crowd_end close_many(const struct failure *row, const char *mode, const char *log)
{
	char *with_log = text_replaced(row->words, "VALUE", log);
	char *words = text_replaced(with_log, "FOLDER", folder);
	struct crowd_end end = crowd_run(
		&(struct crowd_options){.program = {.executable = "plight",
						.mode = mode,
						.environment = {"SAFECLOSE_LINGER_TIMEOUT="
								"300ms"}}},
		"%s", words);

	free(words);
	free(with_log);
	assert_int_equal(end.status, 0);
	assert_int_equal(end.connections, row->connections);
	return end;
}

static void test_log_that_takes_nothing_costs_one_line(void **state)
{
	const struct failure *row = *state;

	for (size_t i = 0; i < MODE_COUNT; i++) {
		struct crowd_end end = close_many(row, modes[i], row->name);

		assert_one_complaint(end.report, row->name, row->reason);
		if (i == 0) {
			assert_int_equal(end.grown.aborts_on_close, row->connections);
		} else {
			assert_crowd_was_fin(&end, row->connections);
		}
	}
	assert_int_equal(access(path_of("target"), F_OK), -1);
}

/* The same with a log that takes lines: no complaint, and the lines are there. */
static void test_log_control_takes_all_and_says_nothing(void **state)
{
	const struct failure *row = *state;

	for (size_t i = 0; i < MODE_COUNT; i++) {
		struct crowd_end end = close_many(row, modes[i], "FOLDER/log");
		char *text = text_of_file(path_of("log"));

		assert_string_equal(end.report, "");
		assert_int_equal(text_lines_with(text, ": 1000 unread, ", NULL), row->connections);
		unlink(path_of("log"));
		free(text);
	}
}

/* A complaint goes nowhere but to the stderr that the program began with. */
static void test_log_complaint_spares_what_has_become_stderr(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2 * MODE_COUNT; i++) {
		bool is_replaced = i % 2 == 0;
		struct stage *stage = stage_open(PEER_IPV4);
		struct stage_end end;
		struct stat status;

		assert_int_equal(close(creat(path_of("own"), 0600)), 0);
		program_start(&stage->program,
			&(struct program_options){
				.mode = modes[i / 2], .environment = {"SAFECLOSE_LOG=/dev/full"}},
			"%s%s connect 3 %s await-unread 3 100 close 3 say closed hear go",
			is_replaced ? "close 2 open 2 " : "pipe 3 4 close 3 close 4 say ",
			is_replaced ? path_of("own") : "on", stage->peer.target);
		peer_accept(&stage->peer);
		peer_send(&stage->peer, 100);
		end = stage_finish(stage, true);
		assert_int_equal(end.status, 0);
		assert_int_equal(text_lines(end.errors), is_replaced ? 0 : 1);
		assert_int_equal(stat(path_of("own"), &status), 0);
		assert_int_equal(status.st_size, 0);
	}
}

/* ---- logs that take lines again -------------------------------------------------------------- */

/* The FIFO, with not one byte of room more. */
static void fill_fifo(void)
{
	static const char bytes[4096];

	held[0] = open(path_of("fifo"), O_RDWR | O_NONBLOCK | O_CLOEXEC);
	assert_true(held[0] >= 0);
	for (size_t size = sizeof(bytes); size > 0; size /= 2) {
		while (write(held[0], bytes, size) > 0) {
		}
	}
}

/* What is in the FIFO, but for the zeros of fill_fifo(). */
static const char *drain_fifo(void)
{
	static char text[8192];
	char bytes[4096];
	size_t length = 0;
	ssize_t got;

	while ((got = read(held[0], bytes, sizeof(bytes))) > 0) {
		for (ssize_t i = 0; i < got; i++) {
			if (bytes[i] != '\0' && length + 1 < sizeof(text)) {
				text[length++] = bytes[i];
			}
		}
	}
	assert_int_equal(errno, EAGAIN);
	text[length] = '\0';
	return text;
}

/* Serve the program's next connection: it is closed over unread bytes, and what comes of it has come. */
static void serve_one(struct stage *stage, bool is_last)
{
	if (stage->peer.fd > 0) {
		peer_hang_up(&stage->peer);
	}
	peer_accept(&stage->peer);
	peer_send(&stage->peer, 100);
	program_hear(&stage->program, "closed");
	if (!is_last) {
		peer_receive_end(&stage->peer);
		peer_hang_up(&stage->peer);
		process_await_single(stage->program.pid);
		program_say(&stage->program, "on");
	}
}

#define CLOSE_ONE "connect 3 TARGET await-unread 3 100 close 3 say closed "

/* TARGET in the words is the peer. */
static struct stage *start(const char *mode, const char *log, const char *words)
{
	struct stage *stage = stage_open(PEER_IPV4);
	char *with_target = text_replaced(words, "TARGET", stage->peer.target);

	program_start(&stage->program,
		&(struct program_options){
			.mode = mode, .environment = {log ? log_variable(log) : NULL}},
		"%s", with_target);
	free(with_target);
	return stage;
}

static struct stage *start_with_jam(const char *mode, const char *words)
{
	fill_fifo();
	return start(mode, "FOLDER/fifo", words);
}

static void test_log_tells_what_was_lost_with_the_next_line(void **state)
{
	(void)state;
	for (size_t i = 0; i < MODE_COUNT; i++) {
		struct stage *stage = start_with_jam(
			modes[i], CLOSE_ONE "hear on " CLOSE_ONE "hear on " CLOSE_ONE "hear go");
		struct stage_end end;
		const char *text;

		serve_one(stage, false);
		serve_one(stage, false);
		drain_fifo();
		serve_one(stage, true);
		end = stage_finish(stage, true);
		assert_int_equal(end.status, 0);
		assert_one_complaint(end.errors, "FOLDER/fifo", "it is full, and nobody reads it");
		text = drain_fifo();
		assert_int_equal(text_lines(text), 2);
		assert_int_equal(text_lines_with(text, "]: 2 lines lost before this one", NULL), 1);
		assert_int_equal(text_lines_with(text, "]: close(3) ", ": 100 unread, "), 1);
		close(held[0]);
		held[0] = -1;
	}
}

static void test_log_tells_what_was_lost_at_the_end(void **state)
{
	static const char *const ends[] = {"exit 0", "exit-now 0", "quick-exit 0", "exec"};

	(void)state;
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		char words[160];
		struct stage *stage;
		const char *text;

		snprintf(words, sizeof(words), CLOSE_ONE "hear on say ending %s", ends[i]);
		stage = start_with_jam("warn", words);
		peer_accept(&stage->peer);
		peer_send(&stage->peer, 100);
		program_hear(&stage->program, "closed");
		drain_fifo();
		program_say(&stage->program, "on");
		assert_int_equal(program_await_exit(&stage->program), 0);
		text = drain_fifo();
		assert_int_equal(text_lines(text), 1);
		assert_int_equal(text_lines_with(text, "]: 1 line lost before the end", NULL), 1);
		assert_int_equal(text_lines(program_errors(&stage->program)), 1);
		close(held[0]);
		held[0] = -1;
	}
}

/* In a log of JSON there are reports alone; stderr is told, of a log that works again. */
static void test_log_of_json_is_of_reports_alone(void **state)
{
	(void)state;
	for (size_t i = 0; i < MODE_COUNT; i++) {
		struct stage *stage =
			start_with_jam(modes[i], "setenv SAFECLOSE_FORMAT json exec " CLOSE_ONE
						 "hear on " CLOSE_ONE "hear go");
		struct stage_end end;
		const char *text;

		serve_one(stage, false);
		drain_fifo();
		serve_one(stage, true);
		end = stage_finish(stage, true);
		assert_int_equal(end.status, 0);
		text = drain_fifo();
		assert_int_equal(text_lines(text), 1);
		assert_int_equal(text_lines_with(text, "{\"v\":1,", "\"unread\":100,"), 1);
		assert_int_equal(text_lines(end.errors), 2);
		assert_int_equal(text_lines_with(end.errors, "]: cannot write to ", NULL), 1);
		assert_int_equal(text_lines_with(end.errors, "]: 1 line lost", NULL), 1);
		close(held[0]);
		held[0] = -1;
	}
}

/* The folder comes into being while the program runs. */
static void test_log_that_could_not_be_opened_is_tried_again(void **state)
{
	(void)state;
	for (size_t i = 0; i < MODE_COUNT; i++) {
		struct stage *stage = start(modes[i], "FOLDER/later/log",
			CLOSE_ONE "hear on grow-old 1100 " CLOSE_ONE "hear go");
		struct stage_end end;
		char *text;

		serve_one(stage, false);
		assert_int_equal(mkdir(path_of("later"), 0700), 0);
		serve_one(stage, true);
		end = stage_finish(stage, true);
		assert_int_equal(end.status, 0);
		assert_one_complaint(end.errors, "FOLDER/later/log", "no such file or folder");
		text = text_of_file(path_of("later/log"));
		assert_int_equal(text_lines(text), 2);
		assert_int_equal(text_lines_with(text, "]: 1 line lost before this one", NULL), 1);
		assert_int_equal(text_lines_with(text, "]: close(3) ", ": 100 unread, "), 1);
		free(text);
		unlink(path_of("later/log"));
		rmdir(path_of("later"));
	}
}

/* A line that a limit cuts stays alone, and no signal comes of it. */
static void test_log_goes_on_behind_a_cut_line(void **state)
{
	static const struct failure row = {"cut",
		"log VALUE exec dial dial dial close soft-fsize 250 close soft-fsize -1 close",
		NULL, 3};
	struct crowd_end end = close_many(&row, "warn", "FOLDER/log");
	char *text = text_of_file(path_of("log"));
	char *second = strchr(text, '\n');

	(void)state;
	assert_int_equal(text_lines(end.report), 1);
	assert_int_equal(text_lines(text), 4);
	assert_int_equal(text_lines_with(text, ": 1000 unread, ", "rst (unread) in "), 2);
	assert_int_equal(text_lines_with(text, "]: 1 line lost before this one", NULL), 1);
	assert_non_null(second);
	assert_int_equal(strchr(second + 1, '\n') - text, 250);
	free(text);
}

/* ---- files ----------------------------------------------------------------------------------- */

static void test_log_file_is_its_owners_alone(void **state)
{
	static const struct failure row = {"mode", "log VALUE exec dial close", NULL, 1};
	mode_t before = umask(0);
	struct stat status;

	(void)state;
	close_many(&row, "warn", "FOLDER/log");
	umask(before);
	assert_int_equal(stat(path_of("log"), &status), 0);
	assert_int_equal(status.st_mode & 07777, 0600);
}

/* The content of the only file whose name ends so. The caller frees it. */
static char *text_of_only_file(const char *ending)
{
	DIR *listed = opendir(folder);
	char *text = NULL;

	assert_non_null(listed);
	for (struct dirent *entry; (entry = readdir(listed));) {
		size_t length = strlen(entry->d_name);

		if (length > strlen(ending) &&
			strcmp(entry->d_name + length - strlen(ending), ending) == 0) {
			assert_null(text);
			text = text_of_file(path_of(entry->d_name));
			unlink(path_of(entry->d_name));
		}
	}
	closedir(listed);
	assert_non_null(text);
	return text;
}

/* What a vfork child opened would be in its own table, and in the memory of both. */
static void test_log_with_pid_stays_the_parents_in_a_vfork_child(void **state)
{
	(void)state;
	sanitizer_skip_if(sanitizer_is_for_threads(), "its vfork is a fork");
	for (size_t i = 0; i < MODE_COUNT; i++) {
		struct stage *stage = stage_open(PEER_IPV4);
		struct stage_end end;
		size_t descriptors;
		char *text;

		program_start(&stage->program,
			&(struct program_options){.mode = modes[i],
				.environment = {log_variable("FOLDER/%p.log"),
					"SAFECLOSE_REPORT=all"}},
			"connect 3 %s await-unread 3 100 say there hear on vfork close 3 end say "
			"back hear on close 3 say closed hear go",
			stage->peer.target);
		peer_accept(&stage->peer);
		peer_send(&stage->peer, 100);
		program_hear(&stage->program, "there");
		descriptors = process_descriptors(stage->program.pid);
		program_say(&stage->program, "on");
		program_hear(&stage->program, "back");
		assert_int_equal(process_descriptors(stage->program.pid), descriptors);
		program_say(&stage->program, "on");
		program_hear(&stage->program, "closed");
		end = stage_finish(stage, true);
		assert_int_equal(end.status, 0);
		text = text_of_only_file(".log");
		assert_int_equal(text_lines_with(text, "]: close(3) ", "; shared in "), 1);
		assert_int_equal(text_lines(text), 2);
		assert_not_reported(&end);
		free(text);
	}
}

/* Eight processes, with a log of which each has its own description or that they share. */
static void assert_lines_are_whole(const char *text, size_t count)
{
	assert_int_equal(text_lines(text), count);
	for (const char *line = text; *line != '\0'; line = strchr(line, '\n') + 1) {
		size_t length = strcspn(line, "\n");

		assert_memory_equal(line, "safeclose[", 10);
		assert_null(memmem(line + 10, length - 10, "safeclose[", 10));
		assert_non_null(memmem(line, length, ": 1000 unread, ", 15));
		assert_int_equal(line[length], '\n');
	}
}

static void test_log_of_several_processes_has_whole_lines(void **state)
{
	static const struct failure row = {"several",
		"log VALUE exec part part part dial dial dial dial dial dial close-all reap", NULL,
		48};

	(void)state;
	for (size_t i = 0; i < MODE_COUNT; i++) {
		struct crowd_end end = close_many(&row, modes[i], "FOLDER/log");
		char *text = text_of_file(path_of("log"));

		assert_string_equal(end.report, "");
		assert_lines_are_whole(text, row.connections);
		free(text);
		unlink(path_of("log"));

		held[0] = open(path_of("fifo"), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
		assert_true(held[0] >= 0);
		end = close_many(&row, modes[i], "FOLDER/fifo");
		assert_string_equal(end.report, "");
		text = calloc(1, 1 << 16);
		assert_true(read(held[0], text, (1 << 16) - 1) > 0);
		assert_lines_are_whole(text, row.connections);
		free(text);
		close(held[0]);
		held[0] = -1;
	}
}

/* ---- syslog ---------------------------------------------------------------------------------- */

static void end_daemon(void)
{
	release_all();
	unlink(path_of("log"));
}

static struct sockaddr_un log_place(void)
{
	struct sockaddr_un place = {.sun_family = AF_UNIX};

	snprintf(place.sun_path, sizeof(place.sun_path), "%.90s", path_of("log"));
	return place;
}

static int bound_at_log(int type)
{
	struct sockaddr_un place = log_place();
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&place, sizeof(place)), 0);
	return fd;
}

/* Be the daemon, at FOLDER/log. */
static void begin_daemon(void)
{
	end_daemon();
	held[1] = bound_at_log(SOCK_DGRAM);
}

static void begin_stream_daemon(void)
{
	end_daemon();
	held[0] = bound_at_log(SOCK_STREAM);
	assert_int_equal(listen(held[0], 4), 0);
}

/* The library's thread comes by a connection of its own. */
static void await_connection_or_message(void)
{
	struct pollfd ends[] = {{held[0], POLLIN, 0}, {held[1], POLLIN, 0}};

	assert_true(poll(ends, 2, DEADLINE_MS) > 0);
	if (ends[0].revents != 0) {
		if (held[1] >= 0) {
			close(held[1]);
		}
		held[1] = accept4(held[0], NULL, NULL, SOCK_CLOEXEC);
		assert_true(held[1] >= 0);
	}
}

/* The next message has come: priority, tag with some pid (the program may live among other pids than
 * the runner), and this. */
static void assert_message(const char *beginning, const char *part)
{
	char text[MESSAGE_MAX] = "";
	int pid = 0, head = 0;
	bool is_stream = held[0] >= 0;

	short events = deadline_poll(held[1], POLLIN, deadline_in(DEADLINE_MS));

	/* The thread that has told by a stream may have ended since. */
	assert_int_equal(is_stream ? events & ~POLLHUP : events, POLLIN);
	ssize_t length = recv(held[1], text, sizeof(text) - 1, MSG_DONTWAIT);
	assert_int_equal(length, strlen(text) + is_stream);
	sscanf(text, "<28>safeclose[%d]: %n", &pid, &head);
	if (pid <= 0 || head == 0 || strncmp(text + head, beginning, strlen(beginning)) != 0 ||
		!strstr(text, part)) {
		fail_msg("expected \"%s\", \"%s\", not: %s", beginning, part, text);
	}
	assert_null(strchr(text, '\n'));
}

static void assert_no_message(void)
{
	char byte;

	assert_int_equal(recv(held[1], &byte, 1, MSG_DONTWAIT), -1);
	assert_int_equal(errno, EAGAIN);
}

/* The actor in whose /dev is the daemon's socket. */
static struct stage *start_with_daemon(const char *mode, const char *words)
{
	static char all_words[8192];

	snprintf(all_words, sizeof(all_words), "setenv SAFECLOSE_LOG syslog devices %s exec %s",
		folder, words);
	return start(mode, NULL, all_words);
}

#define TELL_ONE CLOSE_ONE "hear on "

static void close_one_of(struct stage *stage)
{
	peer_accept(&stage->peer);
	peer_send(&stage->peer, 100);
	program_hear(&stage->program, "closed");
	peer_receive_end(&stage->peer);
	peer_hang_up(&stage->peer);
	process_await_single(stage->program.pid);
}

static void test_log_syslog_has_priority_and_tag(void **state)
{
	(void)state;
	for (size_t i = 0; i < MODE_COUNT; i++) {
		struct stage *stage;

		begin_daemon();
		stage = start_with_daemon(modes[i], TELL_ONE);
		close_one_of(stage);
		assert_message("close(3) 127.0.0.1:", ": 100 unread, ");
		program_say(&stage->program, "on");
		assert_int_equal(program_await_exit(&stage->program), 0);
		assert_no_message();
		assert_string_equal(program_errors(&stage->program), "");
	}
}

static void test_log_syslog_takes_json_with_a_tag(void **state)
{
	struct stage *stage;

	(void)state;
	begin_daemon();
	stage = start_with_daemon("warn", "setenv SAFECLOSE_FORMAT json exec " TELL_ONE);
	close_one_of(stage);
	assert_message("{\"v\":1,", "\"via\":\"close\"");
	program_say(&stage->program, "on");
	assert_int_equal(program_await_exit(&stage->program), 0);
}

static void test_log_syslog_finds_the_daemon_again(void **state)
{
	(void)state;
	for (size_t i = 0; i < MODE_COUNT; i++) {
		struct stage *stage;

		begin_daemon();
		stage = start_with_daemon(modes[i], TELL_ONE TELL_ONE);
		close_one_of(stage);
		assert_message("close(3) ", ": 100 unread, ");
		begin_daemon();
		program_say(&stage->program, "on");
		close_one_of(stage);
		assert_message("close(3) ", ": 100 unread, ");
		program_say(&stage->program, "on");
		assert_int_equal(program_await_exit(&stage->program), 0);
		assert_string_equal(program_errors(&stage->program), "");
	}
}

static void test_log_syslog_of_a_stream_ends_with_zero(void **state)
{
	(void)state;
	for (size_t i = 0; i < MODE_COUNT; i++) {
		struct stage *stage;

		begin_stream_daemon();
		stage = start_with_daemon(modes[i], TELL_ONE TELL_ONE TELL_ONE);
		for (int closes = 0; closes < 3; closes++) {
			close_one_of(stage);
			await_connection_or_message();
			assert_message("close(3) ", ": 100 unread, ");
			if (closes == 0) {
				begin_stream_daemon(); /* it was restarted */
			}
			program_say(&stage->program, "on");
		}
		assert_int_equal(program_await_exit(&stage->program), 0);
		assert_string_equal(program_errors(&stage->program), "");
	}
}

static void test_log_syslog_without_a_daemon_counts(void **state)
{
	(void)state;
	for (size_t i = 0; i < MODE_COUNT; i++) {
		struct stage *stage;

		begin_daemon();
		stage = start_with_daemon(modes[i], TELL_ONE TELL_ONE TELL_ONE);
		close_one_of(stage);
		assert_message("close(3) ", ": 100 unread, ");
		end_daemon();
		program_say(&stage->program, "on");
		close_one_of(stage);
		begin_daemon();
		program_say(&stage->program, "on");
		close_one_of(stage);
		assert_message("1 line lost before this one", "");
		assert_message("close(3) ", ": 100 unread, ");
		program_say(&stage->program, "on");
		assert_int_equal(program_await_exit(&stage->program), 0);
		assert_one_complaint(
			program_errors(&stage->program), "syslog", "no such file or folder");
	}
}

/* As others that log to it do, until its queue is full. */
static void fill_daemon(void)
{
	struct sockaddr_un place = log_place();
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	assert_int_equal(connect(fd, (struct sockaddr *)&place, sizeof(place)), 0);
	while (send(fd, "x", 1, 0) == 1) {
	}
	assert_int_equal(errno, EAGAIN);
	close(fd);
}

static void test_log_syslog_never_waits(void **state)
{
	(void)state;
	for (size_t i = 0; i < MODE_COUNT; i++) {
		struct stage *stage;

		begin_daemon();
		fill_daemon();
		stage = start_with_daemon(modes[i], TELL_ONE TELL_ONE);
		for (int closes = 0; closes < 2; closes++) {
			close_one_of(stage);
			program_say(&stage->program, "on");
		}
		assert_int_equal(program_await_exit(&stage->program), 0);
		assert_one_complaint(program_errors(&stage->program), "syslog",
			"it is full, and nobody reads it");
	}
}

/* Nobody accepts, and there is no room for one more. */
static void test_log_syslog_never_waits_for_a_stream(void **state)
{
	struct sockaddr_un place = log_place();
	struct stage *stage;
	int waiting[16];
	size_t count = 0;

	(void)state;
	begin_stream_daemon();
	do {
		assert_true(count < sizeof(waiting) / sizeof(waiting[0]));
		waiting[count] = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	} while (connect(waiting[count++], (struct sockaddr *)&place, sizeof(place)) == 0);
	assert_int_equal(errno, EAGAIN);
	stage = start_with_daemon("warn", TELL_ONE);
	close_one_of(stage);
	program_say(&stage->program, "on");
	assert_int_equal(program_await_exit(&stage->program), 0);
	assert_one_complaint(
		program_errors(&stage->program), "syslog", "it is full, and nobody reads it");
	while (count > 0) {
		close(waiting[--count]);
	}
}

static const struct rows_subject subjects[] = {
	ROWS_SUBJECT(test_log_that_takes_nothing_costs_one_line, failures),
	ROWS_SUBJECT(test_log_control_takes_all_and_says_nothing, failures),
	ROWS_PLAIN(test_log_complaint_spares_what_has_become_stderr),
	ROWS_PLAIN(test_log_tells_what_was_lost_with_the_next_line),
	ROWS_PLAIN(test_log_tells_what_was_lost_at_the_end),
	ROWS_PLAIN(test_log_of_json_is_of_reports_alone),
	ROWS_PLAIN(test_log_that_could_not_be_opened_is_tried_again),
	ROWS_PLAIN(test_log_goes_on_behind_a_cut_line),
	ROWS_PLAIN(test_log_file_is_its_owners_alone),
	ROWS_PLAIN(test_log_with_pid_stays_the_parents_in_a_vfork_child),
	ROWS_PLAIN(test_log_of_several_processes_has_whole_lines),
	ROWS_PLAIN(test_log_syslog_has_priority_and_tag),
	ROWS_PLAIN(test_log_syslog_takes_json_with_a_tag),
	ROWS_PLAIN(test_log_syslog_finds_the_daemon_again),
	ROWS_PLAIN(test_log_syslog_of_a_stream_ends_with_zero),
	ROWS_PLAIN(test_log_syslog_without_a_daemon_counts),
	ROWS_PLAIN(test_log_syslog_never_waits),
	ROWS_PLAIN(test_log_syslog_never_waits_for_a_stream),
};

int main(void)
{
	return rows_run_between(
		subjects, sizeof(subjects) / sizeof(subjects[0]), make_folder, remove_folder);
}
