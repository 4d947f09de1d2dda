// SPDX-License-Identifier: MIT
/*
 * kin PORT SEED letters: a family of processes that connect, duplicate, fork, send and receive
 * connections in messages, close in each way and end in each way, by chance. Whoever has a
 * connection can write to it, and the first who reads finds every byte. The first process has no
 * part in it, and ends when all others have.
 *
 * kin PORT SEED programs: they send no messages, and read only what they have just opened; they
 * start other programs, and become this one again (kin PORT SEED programs DEPTH ACTS). readers: and
 * read what others have too.
 */
#include "chance.h"
#include "dial.h"
#include "kept.h"
#include "letter.h"

#include <fcntl.h>
#include <pthread.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

enum {
	FIRST = 3,
	END = 64,
	CONNECTIONS_MAX = 8,
	HOLDERS_MAX = 12, /* duplicates among them */
	PAIR_ENDS_MAX = 6,
	ACTS = 25,
	FORKS_DEEP = 3,
	INODES = 65536,
};

static char **words; /* of the command line */
static int port;
static int acts_left = ACTS;
static int depth;
static _Atomic ino_t *read_from; /* the family's: inodes, by remainder */

/* AF_INET, AF_UNIX, or 0. */
static int domain_of(int fd)
{
	int domain = 0;
	socklen_t size = sizeof(domain);

	return getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) == 0 ? domain : 0;
}

static int count(int domain)
{
	int found = 0;

	for (int fd = FIRST; fd < END; fd++) {
		found += domain_of(fd) == domain;
	}
	return found;
}

/* One of that domain; negative: there is none. */
static int any(int domain)
{
	int left = count(domain);
	int fd = FIRST - 1;

	if (left == 0) {
		return -1;
	}
	for (left = by_chance(left) + 1; left > 0; left -= domain_of(fd) == domain) {
		fd++;
	}
	return fd;
}

/* ---- ways to close -------------------------------------------------------------------------- */

static void by_call(int fd)
{
	must(close(fd) == 0, "close");
}

static void by_number(int fd)
{
	must(syscall(SYS_close, fd) == 0, "SYS_close");
}

static void by_range(int fd)
{
	must(close_range((unsigned)fd, (unsigned)fd, 0) == 0, "close_range");
}

static void by_replacement(int fd)
{
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

	must(dup2(null, fd) == fd && close(null) == 0, "dup2");
}

static void by_stream(int fd)
{
	FILE *stream = fdopen(fd, "r");

	must(stream && fclose(stream) == 0, "fclose");
}

static void *close_it(void *fd)
{
	by_call((int)(intptr_t)fd);
	return NULL;
}

static void by_thread(int fd)
{
	pthread_t thread;

	must(pthread_create(&thread, NULL, close_it, (void *)(intptr_t)fd) == 0 &&
			pthread_join(thread, NULL) == 0,
		"pthread_create");
}

static void let_go(int fd)
{
	static void (*const ways[])(int fd) = {
		by_call, by_number, by_range, by_replacement, by_stream, by_thread};

	ways[by_chance(sizeof(ways) / sizeof(ways[0]))](fd);
}

/* ---- ways to end ---------------------------------------------------------------------------- */

static void __attribute__((noreturn)) end(void)
{
	switch (by_chance(5)) {
	case 0:
		_exit(0);
	case 1:
		quick_exit(0);
	case 2:
		syscall(SYS_exit_group, 0);
		break;
	case 3:
		pthread_exit(NULL);
	default:
		break;
	}
	exit(0);
}

/* ---- acts ----------------------------------------------------------------------------------- */

/* Nobody has taken a byte, nor ended it, as long as somebody has it. */
static void use(int fd)
{
	char bytes[DIAL_BYTES];
	struct stat status;

	must(fstat(fd, &status) == 0, "fstat");
	if (atomic_exchange(&read_from[status.st_ino % INODES], status.st_ino) != status.st_ino) {
		must(recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT) == sizeof(bytes),
			"bytes are missing");
	}
	must(send(fd, "x", 1, MSG_NOSIGNAL) == 1, "it was ended");
}

static void use_any(void)
{
	int fd = any(AF_INET);

	if (fd >= 0) {
		use(fd);
	}
}

static void open_connection(void)
{
	int fd;

	if (count(AF_INET) >= CONNECTIONS_MAX) {
		return;
	}
	fd = dial(port);
	if (by_chance(3) == 0) {
		fcntl(fd, F_SETFD, FD_CLOEXEC);
	}
	if (by_chance(4) == 0) {
		use(fd);
	}
}

static void duplicate(void)
{
	int fd = any(AF_INET);

	must(fd < 0 || count(AF_INET) >= HOLDERS_MAX || dup(fd) >= 0, "dup");
}

static void fork_another(void)
{
	bool is_awaited = by_chance(2) == 0;
	pid_t pid = depth < FORKS_DEEP ? fork() : -1;

	if (pid == 0) {
		depth++;
		chance += (uint64_t)(depth * ACTS + acts_left);
		acts_left = acts_left / 2 + 3;
	} else if (pid > 0 && is_awaited) {
		must(waitpid(pid, NULL, 0) == pid, "waitpid");
	}
}

static void open_pair(void)
{
	int pair[2];

	must(count(AF_UNIX) >= PAIR_ENDS_MAX ||
			socketpair(AF_UNIX, by_chance(2) ? SOCK_STREAM : SOCK_SEQPACKET, 0, pair) ==
				0,
		"socketpair");
}

static void send_one(void)
{
	struct letter letter;
	int to = any(AF_UNIX);
	int fd = any(AF_INET);

	if (to < 0 || fd < 0) {
		return;
	}
	put_in(&letter, fd);
	/* The other end may be closed. */
	must(sendmsg(to, &letter.header, MSG_DONTWAIT | MSG_NOSIGNAL) > 0 || errno == EPIPE ||
			errno == ECONNRESET || errno == EAGAIN,
		"sendmsg");
	if (by_chance(2)) {
		let_go(fd);
	}
}

static void receive_one(void)
{
	struct letter letter;
	int from = any(AF_UNIX);

	open_letter(&letter);
	if (from >= 0) {
		recvmsg(from, &letter.header, MSG_DONTWAIT);
	}
}

/* It has what is not close-on-exec until it ends. */
static void start_another_program(void)
{
	char *arguments[] = {"true", NULL};
	pid_t pid;

	if (by_chance(2)) {
		must(posix_spawnp(&pid, "true", NULL, NULL, arguments, environ) == 0,
			"posix_spawnp");
	} else {
		pid = vfork();
		if (pid == 0) {
			execvp("true", arguments);
			_exit(1);
		}
		must(pid > 0, "vfork");
	}
	must(by_chance(2) || waitpid(pid, NULL, 0) == pid, "waitpid");
}

static void begin_anew(void)
{
	char seed[24];
	char deep[12];
	char left[12];
	char *arguments[] = {words[0], words[1], seed, words[3], deep, left, NULL};

	if (by_chance(3) == 0) {
		snprintf(seed, sizeof(seed), "%d", by_chance(1 << 30));
		snprintf(deep, sizeof(deep), "%d", depth);
		snprintf(left, sizeof(left), "%d", acts_left - 1);
		execv("/proc/self/exe", arguments);
		must(0, "execv");
	}
}

static void let_go_of_connection(void)
{
	int fd = any(AF_INET);

	if (fd >= 0) {
		let_go(fd);
	}
}

static void let_go_of_pair(void)
{
	int fd = any(AF_UNIX);

	if (fd >= 0) {
		let_go(fd);
	}
}

/* Each as often as it stands here. */
static void (*const with_letters[])(void) = {open_connection, open_connection, open_connection,
	open_connection, duplicate, fork_another, fork_another, open_pair, send_one, send_one,
	send_one, receive_one, let_go_of_connection, let_go_of_connection, let_go_of_connection,
	let_go_of_connection, let_go_of_pair, use_any};
static void (*const with_programs[])(void) = {open_connection, open_connection, open_connection,
	open_connection, duplicate, fork_another, fork_another, start_another_program, begin_anew,
	let_go_of_connection, let_go_of_connection, let_go_of_connection, use_any};

static void live(void (*const *acts)(void), size_t act_count)
{
	for (; acts_left > 0; acts_left--) {
		acts[by_chance((int)act_count)]();
	}
	end();
}

static void begin_life(void)
{
	size_t with_reading = sizeof(with_programs) / sizeof(with_programs[0]);

	if (strcmp(words[3], "programs") == 0) {
		live(with_programs, with_reading - 1);
	}
	if (strcmp(words[3], "readers") == 0) {
		live(with_programs, with_reading);
	}
	/* That descriptors are sent is known from the first on (README, Limits). */
	open_connection();
	open_pair();
	send_one();
	live(with_letters, sizeof(with_letters) / sizeof(with_letters[0]));
}

int main(int argc, char **argv)
{
	pid_t pid;
	int status;

	must(argc == 4 || argc == 6, "arguments");
	words = argv;
	port = number(argv[1]);
	chance = (uint64_t)number(argv[2]);
	if (argc == 6) {
		depth = number(argv[4]);
		acts_left = number(argv[5]);
		read_from = kept_map(INODES * sizeof(*read_from));
		begin_life();
	}
	kept_make(INODES * sizeof(*read_from));
	read_from = kept_map(INODES * sizeof(*read_from));
	must(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0, "PR_SET_CHILD_SUBREAPER");
	pid = fork();
	if (pid == 0) {
		begin_life();
	}
	while ((pid = wait(&status)) > 0) {
		must(status == 0, "one of them failed");
	}
	must(errno == ECHILD, "wait");
	return 0;
}
