// SPDX-License-Identifier: MIT
/*
 * farewell WAY ROUNDS: two processes have a connection with a byte unread, and let go of it at about the same
 * moment; whoever is the last resets it. One closes it. The other, by WAY:
 *     exec       executes another program, and it was close-on-exec
 *     both       the same, and so does the first
 *     spawn      has been started by posix_spawn(), and it was close-on-exec
 *     vfork      has been started by vfork() and exec, and it was close-on-exec
 *     popen      has been started by popen(), and it was close-on-exec
 *     stranger   is another program (farewell as FD), and closes it too
 */
#include "dial.h"
#include "kept.h"

#include <fcntl.h>
#include <sched.h>
#include <spawn.h>
#include <stdatomic.h>
#include <sys/wait.h>

enum {
	PAUSE_MAX_NS = 1000000,
	LOOK_MAX_NS = 10000000, /* before an exec the library looks at all of /proc */
};

static char *const nothing[] = {"/bin/true", NULL};
static atomic_int *ready; /* how many of the two */

static void pause_by_chance(int max_ns)
{
	const struct timespec moment = {.tv_nsec = rand() % max_ns};

	nanosleep(&moment, NULL);
}

static void meet(void)
{
	long start_ms = now_ms();

	atomic_fetch_add(ready, 1);
	while (atomic_load(ready) % 2 != 0) {
		must(now_ms() - start_ms < WAIT_MS, "the other does not come");
		sched_yield();
	}
}

static void __attribute__((noreturn)) become_another(void)
{
	execv(nothing[0], nothing);
	_exit(1);
}

static pid_t fork_well(void)
{
	pid_t pid = fork();

	must(pid >= 0, "fork");
	return pid;
}

static pid_t part_by_exec(int fd)
{
	pid_t pid = fork_well();

	meet();
	if (pid == 0) {
		become_another();
	}
	pause_by_chance(LOOK_MAX_NS);
	close_well(fd);
	return pid;
}

static pid_t part_both(int fd)
{
	pid_t pid = fork_well();

	if (pid == 0) {
		pid_t other = fork_well();

		meet();
		if (other != 0) {
			pause_by_chance(PAUSE_MAX_NS);
		}
		become_another();
	}
	close_well(fd);
	return pid;
}

static pid_t part_by_spawn(int fd)
{
	pid_t pid;

	must(posix_spawn(&pid, nothing[0], NULL, NULL, nothing, environ) == 0, "posix_spawn");
	close_well(fd);
	return pid;
}

static pid_t part_by_vfork(int fd)
{
	pid_t pid = vfork();

	if (pid == 0) {
		execv(nothing[0], nothing);
		_exit(1);
	}
	must(pid > 0, "vfork");
	close_well(fd);
	return pid;
}

static pid_t part_by_popen(int fd)
{
	FILE *stream = popen(nothing[0], "r");

	must(stream != NULL, "popen");
	close_well(fd);
	must(pclose(stream) == 0, "pclose");
	return 0;
}

static pid_t part_from_stranger(int fd)
{
	char number[12];
	char *words[] = {"farewell", "as", number, NULL};
	pid_t pid = fork_well();

	if (pid == 0) {
		snprintf(number, sizeof(number), "%d", fd);
		execv("/proc/self/exe", words);
		_exit(1);
	}
	meet();
	pause_by_chance(PAUSE_MAX_NS);
	close_well(fd);
	return pid;
}

static const struct way {
	const char *name;
	pid_t (*part)(int fd);
	bool is_close_on_exec;
} ways[] = {{"exec", part_by_exec, true}, {"both", part_both, true}, {"spawn", part_by_spawn, true},
	{"vfork", part_by_vfork, true}, {"popen", part_by_popen, true},
	{"stranger", part_from_stranger, false}};

static void play(const struct way *way, int listener)
{
	int fd = connect_here(listener);
	int other = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	int status;
	char byte;
	pid_t pid;

	must(fd >= 0 && other >= 0, "accept");
	must(send(other, "x", 1, 0) == 1 && recv(fd, &byte, 1, MSG_PEEK) == 1, "a byte");
	must(!way->is_close_on_exec || fcntl(fd, F_SETFD, FD_CLOEXEC) == 0, "FD_CLOEXEC");
	pid = way->part(fd);
	must(pid == 0 || (waitpid(pid, &status, 0) == pid && status == 0), "waitpid");
	close_well(other);
}

int main(int argc, char **argv)
{
	const struct way *way = NULL;
	int listener;

	must(argc == 3, "usage: farewell WAY ROUNDS");
	if (strcmp(argv[1], "as") == 0) {
		ready = kept_map(sizeof(*ready));
		meet();
		pause_by_chance(PAUSE_MAX_NS);
		close_well(number(argv[2]));
		return 0;
	}
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		way = strcmp(ways[i].name, argv[1]) == 0 ? &ways[i] : way;
	}
	must(way != NULL, "WAY");
	kept_make(sizeof(*ready));
	ready = kept_map(sizeof(*ready));
	listener = listen_here();
	fcntl(listener, F_SETFD, FD_CLOEXEC);
	for (int round = number(argv[2]); round > 0; round--) {
		play(way, listener);
	}
	return 0;
}
