// SPDX-License-Identifier: MIT
/* Words that use a connection, or ask about it. */
#include "words.h"

#include <fcntl.h>
#include <grp.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

static void do_read(char **words)
{
	int fd = number(words[0]);
	int left_bytes = number(words[1]);
	uint8_t chunk[4096];

	while (left_bytes > 0) {
		size_t size = left_bytes < (int)sizeof(chunk) ? (size_t)left_bytes : sizeof(chunk);
		ssize_t bytes;

		await_events(fd, POLLIN);
		bytes = read(fd, chunk, size);
		must(bytes > 0, "read");
		must(pattern_matches(chunk, (size_t)bytes, read_place[fd]), "bytes are wrong");
		read_place[fd] += (uint64_t)bytes;
		left_bytes -= (int)bytes;
	}
}

/* Read to the end and tell how much came. */
static void do_read_end(char **words)
{
	int fd = number(words[0]);
	uint8_t chunk[4096];
	uint64_t total_bytes = 0;
	ssize_t bytes;

	do {
		await_events(fd, POLLIN);
		bytes = read(fd, chunk, sizeof(chunk));
		if (bytes > 0) {
			must(pattern_matches(chunk, (size_t)bytes, read_place[fd]),
				"bytes are wrong");
			read_place[fd] += (uint64_t)bytes;
			total_bytes += (uint64_t)bytes;
		}
	} while (bytes > 0);
	tell("read-end %d -> %llu errno %d", fd, (unsigned long long)total_bytes,
		bytes ? errno : 0);
}

static void do_read_urgent(char **words)
{
	uint8_t byte;

	must(recv(number(words[0]), &byte, 1, MSG_OOB) == 1, "recv");
}

static void do_write(char **words)
{
	int fd = number(words[0]);
	int left_bytes = number(words[1]);
	uint8_t chunk[4096];

	while (left_bytes > 0) {
		size_t size = left_bytes < (int)sizeof(chunk) ? (size_t)left_bytes : sizeof(chunk);
		ssize_t bytes;

		pattern_fill(chunk, size, written_place[fd]);
		bytes = write(fd, chunk, size);
		must(bytes > 0, "write");
		written_place[fd] += (uint64_t)bytes;
		left_bytes -= (int)bytes;
	}
}

static void do_try_write(char **words)
{
	uint8_t byte = 0;
	ssize_t result = send(number(words[0]), &byte, 1, MSG_NOSIGNAL);

	tell("write %s -> %zd errno %d", words[0], result, result < 0 ? errno : 0);
}

/* What was read or written by another descriptor of the same connection, or by another process. */
static void do_at_place(char **words)
{
	read_place[number(words[0])] = (uint64_t)number(words[1]);
	written_place[number(words[0])] = (uint64_t)number(words[2]);
}

static void do_linger(char **words)
{
	struct linger linger = {.l_onoff = number(words[1]), .l_linger = number(words[2])};

	must(setsockopt(number(words[0]), SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)) == 0,
		"SO_LINGER");
}

static void do_rcvbuf(char **words)
{
	int bytes = number(words[1]);

	must(setsockopt(number(words[0]), SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes)) == 0,
		"SO_RCVBUF");
}

static void do_sndbuf(char **words)
{
	int bytes = number(words[1]);

	must(setsockopt(number(words[0]), SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes)) == 0,
		"SO_SNDBUF");
}

static void do_shutdown(char **words)
{
	static const char *const names[] = {"rd", "wr", "rdwr"};

	for (int how = SHUT_RD; how <= SHUT_RDWR; how++) {
		if (strcmp(words[1], names[how]) == 0) {
			must(shutdown(number(words[0]), how) == 0, "shutdown");
			return;
		}
	}
	give_up("not rd, wr or rdwr");
}

static void do_nonblock(char **words)
{
	must(fcntl(number(words[0]), F_SETFL, O_RDWR | O_NONBLOCK) == 0, "O_NONBLOCK");
}

static void do_blocking(char **words)
{
	tell("blocking %s -> %d", words[0], !(fcntl(number(words[0]), F_GETFL) & O_NONBLOCK));
}

/* Is the descriptor open? */
static void do_is_open(char **words)
{
	int result = fcntl(number(words[0]), F_GETFD);

	tell("is-open %s -> %d", words[0], result >= 0);
}

static void do_repair(char **words)
{
	int on = 1;

	if (setsockopt(number(words[0]), IPPROTO_TCP, TCP_REPAIR, &on, sizeof(on)) != 0) {
		tell("repair %s -> errno %d", words[0], errno);
		return;
	}
	tell("repair %s -> 0", words[0]);
}

static void do_try_shutdown(char **words)
{
	int result;

	errno = ERRNO_BEFORE;
	result = shutdown(number(words[0]), number(words[1]));
	tell_result("shutdown", words[0], result);
}

static void do_setenv(char **words)
{
	must(setenv(words[0], words[1], 1) == 0, "setenv");
}

static void do_unsetenv(char **words)
{
	must(unsetenv(words[0]) == 0, "unsetenv");
}

/* As a server's worker does. */
static void do_drop_privileges(char **words)
{
	gid_t id = (gid_t)number(words[0]);

	must(setgroups(0, NULL) == 0 && setgid(id) == 0 && setuid(id) == 0, "setuid");
}

static void do_cloexec(char **words)
{
	must(fcntl(number(words[0]), F_SETFD, FD_CLOEXEC) == 0, "F_SETFD");
}

static void do_mark(char **words)
{
	must(fcntl(number(words[0]), F_SETFL, O_APPEND | O_NOATIME) == 0, "F_SETFL");
}

static void do_hide(char **words)
{
	(void)words;
	must(prctl(PR_SET_DUMPABLE, 0) == 0, "PR_SET_DUMPABLE");
}

const struct word words_using[] = {
	{"read", 2, do_read},                       /* FD BYTES: of the pattern */
	{"read-end", 1, do_read_end},               /* FD: tells the bytes read and errno */
	{"read-urgent", 1, do_read_urgent},         /* FD */
	{"write", 2, do_write},                     /* FD BYTES: of the pattern */
	{"try-write", 1, do_try_write},             /* FD: one byte, tells the result */
	{"at-place", 3, do_at_place},               /* FD READ WRITTEN: bytes, by others */
	{"linger", 3, do_linger},                   /* FD ON SECONDS */
	{"rcvbuf", 2, do_rcvbuf},                   /* FD BYTES */
	{"sndbuf", 2, do_sndbuf},                   /* FD BYTES */
	{"shutdown", 2, do_shutdown},               /* FD rd|wr|rdwr */
	{"nonblock", 1, do_nonblock},               /* FD */
	{"blocking", 1, do_blocking},               /* FD: tells whether */
	{"is-open", 1, do_is_open},                 /* FD: tells whether */
	{"repair", 1, do_repair},                   /* FD: TCP_REPAIR on; tells the result */
	{"try-shutdown", 2, do_try_shutdown},       /* FD HOW: tells the result */
	{"setenv", 2, do_setenv},                   /* NAME VALUE */
	{"unsetenv", 1, do_unsetenv},               /* NAME */
	{"drop-privileges", 1, do_drop_privileges}, /* ID: of user and group */
	{"cloexec", 1, do_cloexec},                 /* FD */
	{"mark", 1, do_mark},                       /* FD: as a library's, for libraries */
	{"hide", 0, do_hide},                       /* from /proc, for all but root */
	{NULL, 0, NULL},
};
