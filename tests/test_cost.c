// SPDX-License-Identifier: MIT
// HARNESS
/*
 * What following costs, in system calls, as strace sees them: those between two lines that the
 * program writes, with the library and without.
 */
#include "harness/netns.h"
#include "harness/rows.h"
#include "harness/stage.h"
#include "harness/text.h"
#include "harness/unit.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum { NUMBERS = 4000, SOCKETS = 6, FEW = 8 };

/* What the actor does before it says "before", and what is counted: up to its next line. */
struct row {
	const char *name;
	const char *before;
	const char *counted;
	unsigned int more_max; /* calls more than without the library */
	bool is_exact;         /* not fewer either */
};

/* TARGET stands for the peer's address; a listener is 3, and is connected to by the peer. */
static const struct row rows[] = {
	{"close pipe", "pipe 3 4", "close 3", 1, true},
	{"close file", "open 3 /dev/zero", "close 3", 1, true},
	{"close unix", "unix 3 4", "close 3", 1, true},
	{"close udp", "udp 3", "close 3", 1, true},
	{"close epoll", "epoll 3", "close 3", 1, true},
	{"close closed", "pipe 3 4 close 3", "close 3", 1, true},
	{"close client", "connect 3 TARGET", "close 3", 2, false},
	{"close client again", "connect 3 TARGET close 3 connect 3 TARGET", "close 3", 2, false},
	{"close unconnected", "socket 3 4", "close 3", 2, false},
	{"close listener", "listen 3 4", "close 3", 3, false},
	{"close accepted", "listen 3 4 port 3 accept 3 4", "close 4", 2, false},
	{"dup2 over file", "open 3 /dev/zero open 4 /dev/zero", "dup2 3 4", 1, true},
	{"dup3 over pipe", "pipe 3 4 open 5 /dev/zero", "dup3 5 3 0", 1, true},
	{"dup2 over client", "connect 3 TARGET open 4 /dev/zero", "dup2 4 3", 2, false},
	{"syscall close file", "open 3 /dev/zero", "syscall-close 3", 1, true},
	{"syscall dup3 over client", "connect 3 TARGET open 4 /dev/zero", "syscall-dup3 4 3 0", 2,
		false},
	{"fclose file", "open 3 /dev/zero fdopen 3 r", "fclose 3", 1, true},
	{"fclose client", "connect 3 TARGET fdopen 3 r+", "fclose 3", 2, false},
	{"freopen client", "connect 3 TARGET fdopen 3 r+", "freopen 3 /dev/null", 2, false},
	{"close_range client", "connect 3 TARGET", "close-range 3 3 0", 2, false},
	{"accept", "listen 3 4 port 3 await-backlog 3 1", "accept 3 4", 0, true},
	{"accept4", "listen 3 4 port 3 await-backlog 3 1", "accept4 3 4", 0, true},
	{"socket", "", "socket 3 4", 0, true},
	{"dup", "socket 3 4", "dup 3 4", 0, true},
	{"dupfd", "socket 3 4", "dupfd 3 200", 0, true},
	{"dup2 to a free number", "socket 3 4", "dup2 3 9", 1, true},
	{"send", "unix 3 4 socket 5 4", "send-fd 3 5", 1, true},
	{"receive", "unix 3 4 socket 5 4 send-fd 3 5", "receive-fd 4 6", 0, true},
	{"epoll_ctl", "epoll 3 socket 4 4", "epoll-add 3 4", 0, true},
	{"fork", "socket 3 4", "fork exit-now 0 end", 0, true},
	{"raw fork", "socket 3 4", "fork-by clone raise 9 end", 0, true},
	{"vfork", "socket 3 4", "vfork raise 9 end", 0, true},
	{"clone", "socket 3 4", "clone raise 9 end", 0, true},
	{"posix_spawn", "socket 3 4", "spawn posix_spawn end", 2, true},
	{"posix_spawn again", "socket 3 4 spawn posix_spawn end wait", "spawn posix_spawn end", 0,
		true},
	{"posix_spawn after a duplicate", "socket 3 4 spawn posix_spawn end wait dup 3 4",
		"spawn posix_spawn end", 0, true},
	{"posix_spawn beside a new one", "socket 3 4 spawn posix_spawn end wait close 3 socket 3 4",
		"spawn posix_spawn end", 2, true},
};

/* What is left open at an end, with nothing unread. */
static const struct row ends[] = {
	{"exit", "connect 3 TARGET", "exit 0", 0, false},
	{"_exit", "connect 3 TARGET", "exit-now 0", 0, false},
	{"abort", "connect 3 TARGET", "abort", 0, false},
	{"syscall exit_group", "connect 3 TARGET", "syscall-exit-group 0", 0, false},
	{"exit, a high number", "connect 3 TARGET dup2 3 200", "exit 0", 0, false},
	{"exit, a higher number", "connect 3 TARGET dup2 3 3999", "exit 0", 0, false},
	{"exit, a received one", "connect 3 TARGET unix 4 5 send-fd 4 3 receive-fd 5 6", "exit 0",
		0, false},
	{"exec", "connect-cloexec 3 TARGET", "exec exit 0", 0, false},
	{"close_range", "connect 3 TARGET", "close-range 3 4000 0", 0, false},
	{"closefrom", "connect 3 TARGET", "closefrom 3", 0, false},
};

static const struct row controls[] = {
	{"exit", "connect 3 TARGET await-unread 3 1 fork exit-now 0 end wait", "exit 0", 0, false},
	{"exit, a higher number",
		"connect 3 TARGET dup2 3 3999 close 3 await-unread 3999 1 fork exit-now 0 end wait",
		"exit 0", 0, false},
	{"exit, a received one",
		"connect 3 TARGET await-unread 3 1 unix 4 5 send-fd 4 3 close 3 receive-fd 5 3",
		"exit 0", 0, false},
};

static char trace_path[64];
static char *trace;

static int make_trace(void **state)
{
	int fd;

	(void)state;
	snprintf(trace_path, sizeof(trace_path), "/tmp/cost.XXXXXX");
	fd = mkstemp(trace_path);
	return fd < 0 ? -1 : close(fd);
}

static int remove_trace(void **state)
{
	free(trace);
	trace = NULL;
	unlink(trace_path);
	return stage_teardown(state);
}

/* Is this line one of that process and tells of a call, at its begin? */
static bool is_call(const char *line, long pid)
{
	char *name;

	if (strtol(line, &name, 10) != pid) {
		return false;
	}
	name += strspn(name, " ");
	return islower((unsigned char)*name) || *name == '_';
}

/* Calls between the line that writes "before" and the process's next write to stdout. reads_exe: the program
 * does so itself (the word spawn). */
static unsigned int count_calls(bool reads_exe)
{
	unsigned int count = 0;
	long pid = 0;
	char *rest;

	free(trace);
	trace = text_of_file(trace_path);
	for (char *line = strtok_r(trace, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		if (pid == 0) {
			pid = strstr(line, "write(1, \"before\\n\"") ? strtol(line, NULL, 10) : 0;
			continue;
		}
		if (!is_call(line, pid)) {
			continue;
		}
		assert_true(!strstr(line, "/proc") ||
			    (reads_exe && strstr(line, "\"/proc/self/exe\"")));
		if (strstr(line, " write(1, ")) {
			return count;
		}
		count++;
	}
	fail_msg("the trace lacks the lines that the program wrote");
	return 0;
}

static void put_target(char *text, size_t size, const char *words, const char *target)
{
	size_t length = 0;

	*text = '\0';
	for (const char *at = words; *at && length + 64 < size;) {
		if (strncmp(at, "TARGET", 6) == 0) {
			length += (size_t)snprintf(text + length, size - length, "%s", target);
			at += 6;
		} else {
			text[length++] = *at++;
			text[length] = '\0';
		}
	}
}

/* Start the traced actor; settings NULL: without the library. */
static void start(struct stage *stage, const struct row *row, const char *settings)
{
	char before[1024];
	char environment[512] = "";

	put_target(before, sizeof(before), row->before, stage->peer.target);
	if (settings) {
		snprintf(environment, sizeof(environment), "-E LD_PRELOAD=%s -E SAFECLOSE_MODE=%s",
			PROGRAM_LIBRARY, settings);
	}
	program_start(&stage->program, &(struct program_options){.executable = PROGRAM_STRACE},
		"-f -qq -o %s %s %sactor %s say before %s say after", trace_path, environment,
		PROGRAM_FOLDER, before, row->counted);
}

static unsigned int run(const struct row *row, const char *settings)
{
	struct stage *stage = stage_open(PEER_IPV4);
	int status;

	start(stage, row, settings);
	if (strstr(row->before, "port 3")) {
		peer_connect(&stage->other_peer, PEER_IPV4,
			(uint16_t)program_hear_number(&stage->program, "port "));
	}
	status = program_await_exit(&stage->program);
	program_require_traced(status, program_errors(&stage->program));
	assert_int_equal(status, 0);
	return count_calls(strstr(row->counted, "spawn") != NULL);
}

/* How often the trace has that, from the line that writes "before" on, until a program starts anew. */
static unsigned int count_in_trace(const char *text)
{
	const char *at = strstr(trace, "write(1, \"before\\n\"");
	const char *end = at ? strstr(at, " execve(") : NULL;
	unsigned int count = 0;

	assert_non_null(at);
	while ((at = strstr(at + 1, text)) && (!end || at < end)) {
		count++;
	}
	return count;
}

static unsigned int count_looks_into_proc(void)
{
	return count_in_trace("\"/proc");
}

static void end_traced(const struct row *row, const char *mode, size_t unread_bytes)
{
	struct stage *stage = stage_open(PEER_IPV4);
	int status;

	start(stage, row, mode);
	peer_accept(&stage->peer);
	peer_send(&stage->peer, unread_bytes);
	peer_receive_end(&stage->peer);
	peer_hang_up(&stage->peer);
	status = program_await_exit(&stage->program);
	program_require_traced(status, program_errors(&stage->program));
	free(trace);
	trace = text_of_file(trace_path);
}

static void test_end_with_nothing_unread_looks_at_nothing_in_proc(void **state)
{
	static const char *const settings[] = {"warn", "drain", "fin"};
	const struct row *row = *state;

	program_require_strace();
	for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
		end_traced(row, settings[i], 0);
		assert_int_equal(count_looks_into_proc(), 0);
	}
}

/* The table of descriptors that it begins with has room for more than a thousand. */
static void test_end_with_a_large_table_looks_at_nothing_in_proc(void **state)
{
	static const struct row row = {"exit", "connect 3 TARGET", "exit 0", 0, false};
	int high = fcntl(STDERR_FILENO, F_DUPFD, NUMBERS - 1);

	(void)state;
	assert_return_code(high, errno);
	program_require_strace();
	end_traced(&row, "warn", 0);
	close(high);
	assert_int_equal(count_looks_into_proc(), 0);
}

/* Where children may have all of them, and any two may be one. */
static void test_end_of_a_family_asks_of_each_once(void **state)
{
	static const char *const settings[] = {"warn", "drain", "fin"};
	char words[1024] = "connect 3 TARGET ";
	const struct row row = {"exit", words, "exit 0", 0, false};

	(void)state;
	program_require_strace();
	for (int fd = 4; fd < 4 + SOCKETS; fd++) {
		size_t length = strlen(words);

		snprintf(words + length, sizeof(words) - length, "socket %d 4 ", fd);
	}
	strcat(words, "fork exit-now 0 end wait");
	for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
		end_traced(&row, settings[i], 0);
		assert_in_range(count_in_trace(" fstat"), SOCKETS, SOCKETS + FEW);
	}
}

/* The control: who else may hold it has to be found out. */
static void test_end_with_a_byte_unread_looks_into_proc(void **state)
{
	program_require_strace();
	end_traced(*state, "drain", 1);
	assert_true(count_looks_into_proc() > 0);
}

static void test_cost_is_within_bounds(void **state)
{
	/* The last: a list costs nothing where nothing is unread. */
	static const char *const settings[] = {
		"warn", "drain", "fin", "fin -E SAFECLOSE_ONLY=peer:10.0.0.0/8"};
	const struct row *row = *state;
	unsigned int without;

	program_require_strace();
	without = run(row, NULL);
	for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
		unsigned int with = run(row, settings[i]);
		unsigned int most = without + row->more_max;

		if (with > most || with < (row->is_exact ? most : without)) {
			fail_msg("%s: %u calls without, %u with the library", settings[i], without,
				with);
		}
	}
}

static void test_cost_of_mode_off_is_none(void **state)
{
	const struct row *row = *state;
	unsigned int without;
	unsigned int with;

	program_require_strace();
	without = run(row, NULL);
	with = run(row, "off");
	if (with != without) {
		fail_msg("%u calls without, %u with the library", without, with);
	}
}

static const struct rows_subject subjects[] = {
	ROWS_SUBJECT(test_cost_is_within_bounds, rows),
	ROWS_SUBJECT(test_cost_of_mode_off_is_none, rows),
	ROWS_SUBJECT(test_end_with_nothing_unread_looks_at_nothing_in_proc, ends),
	ROWS_PLAIN(test_end_with_a_large_table_looks_at_nothing_in_proc),
	ROWS_PLAIN(test_end_of_a_family_asks_of_each_once),
	ROWS_SUBJECT(test_end_with_a_byte_unread_looks_into_proc, controls),
};

int main(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_max < NUMBERS) {
		fputs("fewer descriptors than the tests need\n", stderr);
		return 1;
	}
	limit.rlim_cur = NUMBERS;
	if (setrlimit(RLIMIT_NOFILE, &limit) < 0) {
		return 1;
	}
	return rows_run_between(
		subjects, sizeof(subjects) / sizeof(subjects[0]), make_trace, remove_trace);
}
