// SPDX-License-Identifier: MIT
/* Words that wait, or talk with the runner. */
#include "words.h"

#include <dirent.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void do_await_unread(char **words)
{
	int64_t start_ms = now_ms();
	int unread_bytes = 0;

	while (ioctl(number(words[0]), FIONREAD, &unread_bytes) == 0 &&
		unread_bytes < number(words[1])) {
		pause_within(start_ms);
	}
	must(unread_bytes >= number(words[1]), "FIONREAD");
}

static void do_await_urgent(char **words)
{
	await_events(number(words[0]), POLLPRI);
}

static void do_await_peer_fin(char **words)
{
	await_events(number(words[0]), POLLRDHUP);
}

/* The peer has acknowledged all. */
static void do_await_acked(char **words)
{
	int64_t start_ms = now_ms();
	int unacked_bytes = 1;

	while (ioctl(number(words[0]), TIOCOUTQ, &unacked_bytes) == 0 && unacked_bytes > 0) {
		pause_within(start_ms);
	}
	must(unacked_bytes == 0, "SIOCOUTQ");
}

/* So that the process is no longer one that may have been forked a moment ago. */
static void do_grow_old(char **words)
{
	int64_t start_ms = now_ms();

	while (now_ms() - start_ms < number(words[0])) {
		pause_within(start_ms);
	}
}

/* So that it is no longer one that may be on its way to an exec, whatever it does: it uses the processor. */
static void do_work(char **words)
{
	struct timespec used = {0, 0};
	int64_t start_ms = now_ms();

	while (used.tv_sec * 1000 + used.tv_nsec / 1000000 < number(words[0])) {
		must(now_ms() - start_ms < WAIT_MS, "no processor");
		must(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used) == 0, "clock_gettime");
	}
}

static void do_say(char **words)
{
	tell("%s", words[0]);
}

/* Byte by byte: what follows is for the next hear, maybe another process's. */
static void do_hear(char **words)
{
	char line[LINE_MAX_BYTES];
	size_t length = 0;

	while (length < sizeof(line) - 1) {
		await_events(input_fd, POLLIN);
		must(read(input_fd, &line[length], 1) == 1, "the runner has gone");
		if (line[length] == '\n') {
			break;
		}
		length++;
	}
	line[length] = '\0';
	must(strcmp(line, words[0]) == 0, "heard something else");
}

static void do_wait(char **words)
{
	int64_t start_ms = now_ms();
	int status;

	(void)words;
	while (waitpid(-1, &status, WNOHANG) == 0) {
		pause_within(start_ms);
	}
	tell("child ended %d", WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status));
}

/* Another thread is in a stdio call on stdin. */
static void do_await_stdin_busy(char **words)
{
	int64_t start_ms = now_ms();

	(void)words;
	while (ftrylockfile(stdin) == 0) {
		funlockfile(stdin);
		pause_within(start_ms);
	}
}

static void do_await_readable(char **words)
{
	await_events(number(words[0]), POLLIN);
}

static void do_await_orphan(char **words)
{
	int64_t start_ms = now_ms();

	(void)words;
	while (getppid() != 1) {
		pause_within(start_ms);
	}
}

/* Of the clock that stands still between two ticks of the kernel's, which may be late: the library tells
 * the age of a connection by it. */
static int64_t last_tick_ms(void)
{
	struct timespec tick;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &tick);
	return (int64_t)tick.tv_sec * 1000 + tick.tv_nsec / 1000000;
}

/* By the clock of /proc, which has hundredths of a second: what begins now is younger than what has
 * begun before. */
static void do_await_tick(char **words)
{
	int64_t start_ms = now_ms();

	(void)words;
	while (last_tick_ms() - start_ms <= 20) {
		pause_within(start_ms);
	}
}

/* By proc(5), of the file "stat": a tracer has stopped it. */
static bool is_stopped(const char *folder, const char *name)
{
	char path[300];
	char state = '?';
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s/stat", folder, name);
	file = fopen(path, "r");
	if (file) {
		/* The name of none of these programs has a bracket. */
		must(fscanf(file, "%*d (%*[^)]) %c", &state) == 1, path);
		fclose(file);
	}
	return state == 't';
}

static bool is_thread_stopped(void)
{
	static const char folder[] = "/proc/self/task";
	DIR *tasks = opendir(folder);
	struct dirent *task;
	bool is_any = false;

	must(tasks != NULL, folder);
	while ((task = readdir(tasks)) != NULL) {
		is_any = is_any || (task->d_name[0] != '.' && is_stopped(folder, task->d_name));
	}
	closedir(tasks);
	return is_any;
}

static bool is_child_stopped(void)
{
	char name[16];
	FILE *children = fopen("/proc/thread-self/children", "r");
	bool is_any = false;

	must(children != NULL, "/proc/thread-self/children");
	while (fscanf(children, "%15s", name) == 1) {
		is_any = is_any || is_stopped("/proc", name);
	}
	fclose(children);
	return is_any;
}

/* Where strace --seccomp-bpf makes one call slow, that is where another thread, or a child, is; and
 * not on its way into the call, where it is stopped for an instant only. */
static void do_await_stopped(char **words)
{
	enum { LOOKS = 3 };
	int64_t start_ms = now_ms();
	int looks = 0;

	(void)words;
	while (looks < LOOKS) {
		looks = is_thread_stopped() || is_child_stopped() ? looks + 1 : 0;
		pause_within(start_ms);
	}
}

const struct word words_waiting[] = {
	{"await-unread", 2, do_await_unread},         /* FD BYTES */
	{"await-urgent", 1, do_await_urgent},         /* FD */
	{"await-peer-fin", 1, do_await_peer_fin},     /* FD */
	{"await-acked", 1, do_await_acked},           /* FD */
	{"grow-old", 1, do_grow_old},                 /* MS */
	{"work", 1, do_work},                         /* MS, since it began */
	{"say", 1, do_say},                           /* LINE */
	{"hear", 1, do_hear},                         /* LINE */
	{"wait", 0, do_wait},                         /* for a child: tells "child ended STATUS" */
	{"await-stdin-busy", 0, do_await_stdin_busy}, /* a thread reads it by stdio */
	{"await-readable", 1, do_await_readable},     /* FD */
	{"await-orphan", 0, do_await_orphan},         /* the parent has ended */
	{"await-tick", 0, do_await_tick},             /* a process begun now would be younger */
	{"await-stopped", 0, do_await_stopped},       /* another thread or a child, by a tracer */
	{NULL, 0, NULL},
};
