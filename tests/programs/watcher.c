// SPDX-License-Identifier: MIT
/*
 * An event loop's program: watches one connection in epoll sets, closes it, and tells whether the
 * sets still report it.
 *
 *     watcher level|edge|oneshot one|two|dup|dup-first|dup-reused|nested|forked|raw|modified|
 *         fork|fork-modified|fork-close|fork-exit|fork-exec
 *
 * It listens and tells "port N", accepts, waits for a byte, closes and tells "closed"; at each line
 * "look" it tells "events N" of all sets, any other line ends it. In fork a child keeps the
 * connection and the set, and it is the child who waits for an event, though not long; in fork-modified
 * it has told the set before the close that it wants urgent bytes only, and does not wait; in fork-close,
 * fork-exit and fork-exec the parent looks, and at a line "close" the child closes its own, exits, or
 * executes another program. Waits end after WAIT_MS.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { STATUS_FAILED = 125, WAIT_MS = 20000, CHILD_WAIT_MS = 2000, SETS_MAX = 4 };

static int sets[SETS_MAX];
static int set_count;
static int listener;
static uint32_t wanted = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLPRI;

static void must(bool is_done, const char *what)
{
	if (!is_done) {
		dprintf(1, "watcher: %s: errno %d\n", what, errno);
		_exit(STATUS_FAILED);
	}
}

static void await_readable(int fd)
{
	struct pollfd polled = {.fd = fd, .events = POLLIN};

	must(poll(&polled, 1, WAIT_MS) == 1, "waited in vain");
}

static void listen_anywhere(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	socklen_t size = sizeof(address);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	listener = socket(AF_INET, SOCK_STREAM, 0);
	must(bind(listener, (struct sockaddr *)&address, size) == 0, "bind");
	must(listen(listener, 16) == 0, "listen");
	must(getsockname(listener, (struct sockaddr *)&address, &size) == 0, "getsockname");
	dprintf(1, "port %u\n", ntohs(address.sin_port));
}

/* A new set, to be looked at. */
static int add_set(void)
{
	int set = epoll_create1(0);

	must(set >= 0 && set_count < SETS_MAX, "epoll_create1");
	sets[set_count++] = set;
	return set;
}

static void watch(int set, int fd)
{
	struct epoll_event event = {.events = wanted, .data.fd = fd};

	must(epoll_ctl(set, EPOLL_CTL_ADD, fd, &event) == 0, "epoll_ctl");
}

static void watch_in_two(int fd)
{
	watch(add_set(), fd);
	watch(add_set(), fd);
}

/* The number that the connection was added by is closed; another descriptor of the set remains. */
static void watch_in_dup(int fd)
{
	int set = add_set();

	watch(set, fd);
	sets[0] = dup(set);
	must(sets[0] >= 0 && close(set) == 0, "dup");
}

/* The same, but the other descriptor was there before. */
static void watch_in_dup_first(int fd)
{
	int set = add_set();

	sets[0] = dup(set);
	must(sets[0] >= 0, "dup");
	watch(set, fd);
	must(close(set) == 0, "close");
}

/* And its number is another set's now. */
static void watch_in_dup_reused(int fd)
{
	watch_in_dup(fd);
	must(add_set() < sets[0], "another number");
}

static void watch_in_nested(int fd)
{
	int inner = add_set();

	watch(inner, fd);
	watch(add_set(), inner);
}

/* Since then there was a child, which is gone. */
static void watch_before_a_child(int fd)
{
	pid_t child;

	watch(add_set(), fd);
	child = fork();
	if (child == 0) {
		_exit(0);
	}
	must(child > 0 && waitpid(child, NULL, 0) == child, "fork");
}

static void watch_by_syscall(int fd)
{
	struct epoll_event event = {.events = wanted, .data.fd = fd};

	must(syscall(SYS_epoll_ctl, add_set(), EPOLL_CTL_ADD, fd, &event) == 0, "epoll_ctl");
}

/* Taken out and put in again. */
static void watch_modified(int fd)
{
	struct epoll_event event = {.events = 0, .data.fd = fd};
	int set = add_set();

	watch(set, fd);
	must(epoll_ctl(set, EPOLL_CTL_DEL, fd, NULL) == 0, "EPOLL_CTL_DEL");
	must(epoll_ctl(set, EPOLL_CTL_ADD, fd, &event) == 0, "EPOLL_CTL_ADD");
	event.events = wanted;
	must(epoll_ctl(set, EPOLL_CTL_MOD, fd, &event) == 0, "EPOLL_CTL_MOD");
}

static void watch_as(const char *how, int fd)
{
	static const struct {
		const char *name;
		void (*watch)(int fd);
	} ways[] = {
		{"two", watch_in_two},
		{"dup", watch_in_dup},
		{"dup-first", watch_in_dup_first},
		{"dup-reused", watch_in_dup_reused},
		{"nested", watch_in_nested},
		{"forked", watch_before_a_child},
		{"raw", watch_by_syscall},
		{"modified", watch_modified},
	};

	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		if (strcmp(how, ways[i].name) == 0) {
			ways[i].watch(fd);
			return;
		}
	}
	watch(add_set(), fd);
}

/* How many events the sets have right now. */
static int look(void)
{
	struct epoll_event events[8];
	int total = 0;

	for (int i = 0; i < set_count; i++) {
		int count = epoll_wait(sets[i], events, 8, 0);

		must(count >= 0, "epoll_wait");
		total += count;
	}
	return total;
}

/* In the child: it has the connection and the set from its parent, which closes its own. */
static void look_as_child(int wait_ms)
{
	struct epoll_event event;
	char line[16];

	dprintf(1, "events %d\n", epoll_wait(sets[0], &event, 1, wait_ms));
	must(read(0, line, sizeof(line)) > 0, "the runner has gone");
	_exit(0);
}

static void close_in_parent(const char *how, int fd)
{
	struct epoll_event event = {.events = EPOLLPRI, .data.fd = fd};
	bool is_modified = strcmp(how, "fork-modified") == 0;
	char line[16];
	int pipe_ends[2];
	pid_t child;

	must(pipe(pipe_ends) == 0, "pipe");
	child = fork();
	if (child == 0) {
		must(!is_modified || epoll_ctl(sets[0], EPOLL_CTL_MOD, fd, &event) == 0, "MOD");
		must(write(pipe_ends[1], "!", 1) == 1, "write");
		must(read(0, line, sizeof(line)) > 0, "the runner has gone");
		look_as_child(is_modified || (wanted & EPOLLONESHOT) ? 0 : CHILD_WAIT_MS);
	}
	must(child > 0 && read(pipe_ends[0], line, 1) == 1, "the child has gone");
	must(close(fd) == 0, "close");
	dprintf(1, "closed\n");
	must(waitpid(child, NULL, 0) == child, "waitpid");
	_exit(0);
}

/* What the child does with its connection at the line that says so; it leaves the lines to the parent. */
static void end_in_child(const char *how, int fd, int told)
{
	char byte;

	must(fcntl(fd, F_SETFD, FD_CLOEXEC) == 0, "F_SETFD");
	must(read(told, &byte, 1) == 1, "the parent has gone");
	if (strcmp(how, "fork-exec") == 0) {
		execlp("true", "true", (char *)NULL);
	} else if (strcmp(how, "fork-close") == 0) {
		must(close(fd) == 0, "close in the child");
		must(read(told, &byte, 1) == 0, "the parent has not gone");
	}
	_exit(0);
}

static void close_in_child(const char *how, int fd)
{
	char line[16];
	int pipe_ends[2];
	pid_t child;

	must(pipe(pipe_ends) == 0, "pipe");
	child = fork();
	if (child == 0) {
		close(pipe_ends[1]);
		end_in_child(how, fd, pipe_ends[0]);
	}
	must(child > 0 && close(fd) == 0, "close");
	dprintf(1, "closed\n");
	while (read(0, line, sizeof(line)) > 0 && strncmp(line, "go", 2) != 0) {
		if (strncmp(line, "look\n", 5) == 0) {
			dprintf(1, "events %d\n", look());
		} else {
			must(write(pipe_ends[1], "!", 1) == 1, "write");
		}
	}
	close(pipe_ends[1]);
	must(waitpid(child, NULL, 0) == child, "waitpid");
	_exit(0);
}

static int accept_and_watch(const char *how)
{
	int fd;

	await_readable(listener);
	fd = accept(listener, NULL, NULL);
	must(fd >= 0, "accept");
	watch_as(how, fd);
	await_readable(fd);
	return fd;
}

int main(int argc, char **argv)
{
	char line[16];
	int fd;

	must(argc == 3, "two arguments");
	wanted |= strcmp(argv[1], "edge") == 0 ? EPOLLET : 0;
	wanted |= strcmp(argv[1], "oneshot") == 0 ? (uint32_t)EPOLLONESHOT : 0;
	listen_anywhere();
	fd = accept_and_watch(argv[2]);
	must(look() > 0, "no event before the close");
	if (strcmp(argv[2], "fork") == 0 || strcmp(argv[2], "fork-modified") == 0) {
		close_in_parent(argv[2], fd);
	} else if (strncmp(argv[2], "fork-", 5) == 0) {
		close_in_child(argv[2], fd);
	}
	must(close(fd) == 0, "close");
	dprintf(1, "closed\n");
	while (read(0, line, sizeof(line)) > 0 && strncmp(line, "look\n", 5) == 0) {
		dprintf(1, "events %d\n", look());
	}
	return 0;
}
