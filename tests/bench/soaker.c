// SPDX-License-Identifier: MIT
/*
 * soaker SECONDS: a server that closes connections with unread bytes as fast as they come, from two
 * threads with an event loop each and from a signal handler, and forks, spawns and executes all the
 * while. Tells "port N"; when the time is over "growth N" (kilobytes of memory since a sixth of the
 * time), "descriptors N" (more than at the start, when nothing lingers any more), "stale N" (events
 * of closed descriptors), "children N" and "closed N".
 *
 * An answer is a number of bytes in four bytes, little-endian, and as many more of the pattern.
 */
#include "../harness/pattern.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
	LOOPS = 2,
	NUMBERS_MAX = 65536, /* of descriptors */
	ANSWER_MAX = 60000,
	CHILD_EVERY_MS = 5,
	CHILDREN_MAX = 16,
	SIGNAL_EVERY_US = 2000,
	LISTENER = NUMBERS_MAX, /* the listener's mark in the sets */
	QUIET_MS = 20000,
};

/* An event loop. */
struct loop {
	pthread_t thread;
	int set;
	int other_set; /* some connections are in both */
	uint32_t trigger;
	unsigned int seed;
};

static struct loop loops[LOOPS];
static int listener;
static atomic_bool is_over;
static _Atomic uint32_t generations[NUMBERS_MAX]; /* of each number; odd: open */
static _Atomic uint64_t closed_count;
static _Atomic uint64_t stale_count;
static _Atomic int left_to_handler; /* a connection that the signal handler is to close, plus one */
static uint8_t answer[ANSWER_MAX + 4];

static void must(bool is_done, const char *what)
{
	if (!is_done) {
		printf("soaker: %s: %s\n", what, strerror(errno));
		exit(1);
	}
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void pause_ms(int ms)
{
	const struct timespec moment = {.tv_nsec = ms * 1000000L};

	nanosleep(&moment, NULL);
}

/* ---- connections --------------------------------------------------------------------------- */

/* The number and its generation: an event that names another generation is of a closed one. */
static uint64_t mark_of(int fd)
{
	return (uint64_t)atomic_load(&generations[fd]) << 32 | (uint32_t)fd;
}

/* From now on an event of this number is stale. Async-signal-safe. */
static void close_connection(int fd)
{
	atomic_fetch_add(&generations[fd], 1);
	close(fd);
	atomic_fetch_add(&closed_count, 1);
}

static void watch(const struct loop *loop, int set, int fd)
{
	struct epoll_event event = {.events = EPOLLIN | EPOLLRDHUP | loop->trigger};

	event.data.u64 = mark_of(fd);
	must(epoll_ctl(set, EPOLL_CTL_ADD, fd, &event) == 0, "epoll_ctl");
}

static void take_connections(struct loop *loop)
{
	int fd;

	while ((fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
		must(fd < NUMBERS_MAX, "too many descriptors");
		atomic_fetch_add(&generations[fd], 1);
		watch(loop, loop->set, fd);
		if (rand_r(&loop->seed) % 4 == 0) {
			watch(loop, loop->other_set, fd);
		}
	}
}

static void answer_and_close(struct loop *loop, int fd)
{
	uint32_t bytes = (uint32_t)rand_r(&loop->seed) % ANSWER_MAX;
	uint32_t length = htole32(bytes);
	struct iovec parts[] = {{&length, sizeof(length)}, {answer, bytes}};
	struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
	ssize_t sent = sendmsg(fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
	int none = 0;

	must(sent == (ssize_t)(bytes + sizeof(length)), "send");
	if (rand_r(&loop->seed) % 16 == 0 && atomic_load(&left_to_handler) == 0) {
		epoll_ctl(loop->set, EPOLL_CTL_DEL, fd, NULL);
		epoll_ctl(loop->other_set, EPOLL_CTL_DEL, fd, NULL);
		if (atomic_compare_exchange_strong(&left_to_handler, &none, fd + 1)) {
			return;
		}
	}
	close_connection(fd);
}

/* One event at a time, so that none can be of a connection closed since it was fetched. */
static void *run_loop(void *context)
{
	struct loop *loop = context;
	struct epoll_event event;

	while (!atomic_load(&is_over)) {
		if (epoll_wait(loop->other_set, &event, 1, 0) == 1 &&
			event.data.u64 != mark_of((int)(uint32_t)event.data.u64)) {
			atomic_fetch_add(&stale_count, 1);
		}
		if (epoll_wait(loop->set, &event, 1, 10) != 1) {
			continue;
		}
		if (event.data.u64 == LISTENER) {
			take_connections(loop);
		} else if (event.data.u64 != mark_of((int)(uint32_t)event.data.u64)) {
			atomic_fetch_add(&stale_count, 1);
		} else {
			answer_and_close(loop, (int)(uint32_t)event.data.u64);
		}
	}
	return NULL;
}

static void start_loop(struct loop *loop, unsigned int seed)
{
	struct epoll_event event = {.events = EPOLLIN, .data.u64 = LISTENER};

	loop->seed = seed;
	loop->trigger = seed % 2 ? EPOLLET : 0;
	loop->set = epoll_create1(EPOLL_CLOEXEC);
	loop->other_set = epoll_create1(EPOLL_CLOEXEC);
	must(epoll_ctl(loop->set, EPOLL_CTL_ADD, listener, &event) == 0, "epoll_ctl");
	must(pthread_create(&loop->thread, NULL, run_loop, loop) == 0, "pthread_create");
}

static void handle_signal(int signal_number)
{
	int saved_errno = errno;
	int left = atomic_exchange(&left_to_handler, 0);

	(void)signal_number;
	if (left != 0) {
		close_connection(left - 1);
	}
	errno = saved_errno;
}

/* ---- children ------------------------------------------------------------------------------ */

static pid_t spawn_true(void)
{
	char name[] = "true";
	char *const arguments[] = {name, NULL};
	pid_t pid = -1;

	must(posix_spawnp(&pid, name, NULL, NULL, arguments, environ) == 0, "posix_spawn");
	return pid;
}

static pid_t fork_and_execute(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		execlp("true", "true", (char *)NULL);
		_exit(127);
	}
	return pid;
}

static pid_t fork_and_exit(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		_exit(0);
	}
	return pid;
}

#ifndef __SANITIZE_THREAD__ /* it does not know that this child has none of the parent's threads */
static pid_t raw_fork_and_exit(void)
{
	pid_t pid = (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);

	if (pid == 0) {
		syscall(SYS_exit_group, 0);
	}
	return pid;
}
#endif

static pid_t vfork_and_execute(void)
{
	pid_t pid = vfork();

	if (pid == 0) {
		execlp("true", "true", (char *)NULL);
		_exit(127);
	}
	return pid;
}

/* Returns how many there were. */
static uint64_t have_children_until(int64_t end_ms)
{
	static pid_t (*const ways[])(void) = {
		spawn_true,
		fork_and_execute,
		fork_and_exit,
#ifndef __SANITIZE_THREAD__
		raw_fork_and_exit,
#endif
		vfork_and_execute,
	};
	uint64_t count = 0;
	int running = 0;

	while (now_ms() < end_ms) {
		if (running < CHILDREN_MAX) {
			must(ways[count % (sizeof(ways) / sizeof(ways[0]))]() > 0, "no child");
			count++;
			running++;
		}
		while (waitpid(-1, NULL, WNOHANG) > 0) {
			running--;
		}
		pause_ms(CHILD_EVERY_MS);
	}
	while (running > 0 && waitpid(-1, NULL, 0) > 0) {
		running--;
	}
	return count;
}

/* ---- account ------------------------------------------------------------------------------- */

static long resident_kb(void)
{
	char line[256];
	long kb = -1;
	FILE *file = fopen("/proc/self/smaps_rollup", "re");

	must(file != NULL, "smaps_rollup");
	while (fgets(line, sizeof(line), file)) {
		if (strncmp(line, "Rss:", 4) == 0) {
			kb = strtol(line + 4, NULL, 10);
		}
	}
	fclose(file);
	return kb;
}

static int entries_in(const char *path)
{
	DIR *folder = opendir(path);
	int count = 0;

	must(folder != NULL, path);
	while (readdir(folder)) {
		count++;
	}
	closedir(folder);
	return count;
}

static void listen_anywhere(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	socklen_t size = sizeof(address);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	must(bind(listener, (struct sockaddr *)&address, size) == 0, "bind");
	must(listen(listener, 4096) == 0, "listen");
	must(getsockname(listener, (struct sockaddr *)&address, &size) == 0, "getsockname");
	printf("port %u\n", ntohs(address.sin_port));
}

static void start_signals(bool is_on)
{
	struct itimerval timer = {{0, SIGNAL_EVERY_US}, {0, SIGNAL_EVERY_US}};
	struct sigaction action = {.sa_handler = handle_signal, .sa_flags = SA_RESTART};

	if (!is_on) {
		memset(&timer, 0, sizeof(timer));
	}
	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &timer, NULL);
}

/* Wait until nobody connects any more, then until nothing lingers. */
static void come_to_rest(void)
{
	int64_t deadline_ms = now_ms() + QUIET_MS;
	uint64_t before;

	do {
		before = atomic_load(&closed_count);
		pause_ms(500);
	} while (atomic_load(&closed_count) > before && now_ms() < deadline_ms);
	start_signals(false);
	handle_signal(0);
	atomic_store(&is_over, true);
	for (int i = 0; i < LOOPS; i++) {
		pthread_join(loops[i].thread, NULL);
		close(loops[i].set);
		close(loops[i].other_set);
	}
	while (entries_in("/proc/self/task") > 3 && now_ms() < deadline_ms) {
		pause_ms(10);
	}
}

int main(int argc, char **argv)
{
	int64_t start_ms = now_ms();
	int64_t lasts_ms;
	int descriptors;
	uint64_t children;
	long warm_kb;

	must(argc == 2, "one argument");
	lasts_ms = atoi(argv[1]) * 1000LL;
	setvbuf(stdout, NULL, _IOLBF, 0);
	pattern_fill(answer, sizeof(answer), 0);
	listen_anywhere();
	descriptors = entries_in("/proc/self/fd");
	start_signals(true);
	for (unsigned int i = 0; i < LOOPS; i++) {
		start_loop(&loops[i], i);
	}
	children = have_children_until(start_ms + lasts_ms / 6);
	warm_kb = resident_kb();
	children += have_children_until(start_ms + lasts_ms);
	printf("growth %ld\n", resident_kb() - warm_kb);
	come_to_rest();
	printf("descriptors %d\n", entries_in("/proc/self/fd") - descriptors);
	printf("stale %llu\n", (unsigned long long)atomic_load(&stale_count));
	printf("children %llu\n", (unsigned long long)children);
	printf("closed %llu\n", (unsigned long long)atomic_load(&closed_count));
	return 0;
}
