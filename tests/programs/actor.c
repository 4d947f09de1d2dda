// SPDX-License-Identifier: MIT
/*
 * The program under test: performs the words of its command line in order, each with its arguments,
 * and ends with status 0. The words are the rows of the table at the end of this file.
 *
 *     actor connect 3 4 127.0.0.1 8080 await-unread 3 1 close 3 say closed hear end
 *
 * A descriptor that a word opens is named, and must come out as named: programs rely on the lowest
 * free number. Each close-like call is told on stdout with its result and errno, which was set to
 * ERRNO_BEFORE: "close 3 -> 0 errno 4242". A word that cannot be performed ends the program with
 * STATUS_FAILED. Neither stdio nor malloc is used where a word is not about them; waits end after
 * WAIT_MS.
 */
#include "../harness/pattern.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif

enum {
	ERRNO_BEFORE = 4242,
	STATUS_FAILED = 125,
	WAIT_MS = 20000,
	FD_MAX = 256, /* descriptors whose place in the pattern is known */
	LINE_MAX_BYTES = 512,
};

/* Global: the words are one program. A vfork child shares all of this with its parent. */
static char **next_word; /* of the command line */
static const char *running_word = "start";
static int input_fd = 0; /* where hear listens; see the word control */
static int output_fd = 1;
static uint64_t read_place[FD_MAX]; /* bytes of the pattern read from each descriptor */
static uint64_t written_place[FD_MAX];
static FILE *streams[FD_MAX]; /* opened by fdopen */

/* One line, in one write. */
static void __attribute__((format(printf, 1, 2))) tell(const char *format, ...)
{
	char line[LINE_MAX_BYTES];
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = vsnprintf(line, sizeof(line) - 1, format, arguments);
	va_end(arguments);
	if (length > (int)sizeof(line) - 2) {
		length = (int)sizeof(line) - 2;
	}
	line[length++] = '\n';
	if (write(output_fd, line, (size_t)length) != length) {
		_exit(STATUS_FAILED);
	}
}

static void __attribute__((noreturn)) give_up(const char *what)
{
	tell("actor: %s: %s: errno %d", running_word, what, errno);
	_exit(STATUS_FAILED);
}

static void must(bool is_done, const char *what)
{
	if (!is_done) {
		give_up(what);
	}
}

static int number(const char *text)
{
	char *end;
	long value = strtol(text, &end, 0);

	must(*text && !*end, "not a number");
	return (int)value;
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Lets a millisecond pass; gives up where the wait that began at start_ms has lasted too long. */
static void pause_within(int64_t start_ms)
{
	const struct timespec moment = {.tv_nsec = 1000000};

	must(now_ms() - start_ms < WAIT_MS, "waited in vain");
	nanosleep(&moment, NULL);
}

static void await_events(int fd, short events)
{
	struct pollfd polled = {.fd = fd, .events = events};

	must(poll(&polled, 1, WAIT_MS) == 1, "waited in vain");
}

/* A descriptor has come out as the script says; its streams begin at their start. */
static void must_be(int fd, int wanted_fd)
{
	must(fd >= 0, "failed");
	if (fd != wanted_fd) {
		tell("actor: %s: descriptor %d came out as %d", running_word, wanted_fd, fd);
		_exit(STATUS_FAILED);
	}
	if (fd < FD_MAX) {
		read_place[fd] = 0;
		written_place[fd] = 0;
	}
}

/* ---- opening ------------------------------------------------------------------------------- */

static int family_domain(const char *family)
{
	return family[strlen(family) - 1] == '6' ? AF_INET6 : AF_INET;
}

/* FAMILY is 4 or 6; m (IPv4) or m6 for MPTCP. */
static int stream_socket(const char *family, int flags)
{
	return socket(family_domain(family), SOCK_STREAM | flags,
		*family == 'm' ? IPPROTO_MPTCP : IPPROTO_TCP);
}

static socklen_t fill_address(
	struct sockaddr_storage *storage, const char *family, const char *text, int port)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)storage;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)storage;

	memset(storage, 0, sizeof(*storage));
	storage->ss_family = (sa_family_t)family_domain(family);
	if (storage->ss_family == AF_INET6) {
		must(inet_pton(AF_INET6, text, &v6->sin6_addr) == 1, "not an address");
		v6->sin6_port = htons((uint16_t)port);
		return sizeof(*v6);
	}
	must(inet_pton(AF_INET, text, &v4->sin_addr) == 1, "not an address");
	v4->sin_port = htons((uint16_t)port);
	return sizeof(*v4);
}

static void connect_from(int fd, char **words)
{
	struct sockaddr_storage address;
	socklen_t size = fill_address(&address, words[1], words[2], number(words[3]));

	must(connect(fd, (struct sockaddr *)&address, size) == 0, "connect");
}

static void do_connect(char **words)
{
	int fd = stream_socket(words[1], 0);

	must_be(fd, number(words[0]));
	connect_from(fd, words);
}

static void do_connect_cloexec(char **words)
{
	int fd = stream_socket(words[1], SOCK_CLOEXEC);

	must_be(fd, number(words[0]));
	connect_from(fd, words);
}

static void do_connect_socket(char **words)
{
	connect_from(number(words[0]), words);
}

static void do_try_connect(char **words)
{
	struct sockaddr_storage address;
	socklen_t size = fill_address(&address, words[1], words[2], number(words[3]));
	int result = connect(number(words[0]), (struct sockaddr *)&address, size);

	tell("connect %s -> %d errno %d", words[0], result, result ? errno : 0);
}

static void do_socket(char **words)
{
	must_be(stream_socket(words[1], 0), number(words[0]));
}

static void do_listen(char **words)
{
	struct sockaddr_storage address;
	bool is_v6 = family_domain(words[1]) == AF_INET6;
	socklen_t size = fill_address(&address, words[1], is_v6 ? "::1" : "127.0.0.1", 0);
	int fd = stream_socket(words[1], 0);

	must_be(fd, number(words[0]));
	must(bind(fd, (struct sockaddr *)&address, size) == 0, "bind");
	must(listen(fd, 128) == 0, "listen");
}

static void do_port(char **words)
{
	struct sockaddr_storage address;
	socklen_t size = sizeof(address);

	must(getsockname(number(words[0]), (struct sockaddr *)&address, &size) == 0, "getsockname");
	/* The port lies at the same place in both families. */
	tell("port %u", ntohs(((struct sockaddr_in *)&address)->sin_port));
}

static void do_accept(char **words)
{
	int listener = number(words[0]);

	await_events(listener, POLLIN);
	must_be(accept(listener, NULL, NULL), number(words[1]));
}

static void do_accept4(char **words)
{
	int listener = number(words[0]);

	await_events(listener, POLLIN);
	must_be(accept4(listener, NULL, NULL, SOCK_CLOEXEC), number(words[1]));
}

/* Wait until N connections stand in the listener's queue. */
static void do_await_backlog(char **words)
{
	int64_t start_ms = now_ms();

	for (;;) {
		struct tcp_info info;
		socklen_t size = sizeof(info);

		must(getsockopt(number(words[0]), IPPROTO_TCP, TCP_INFO, &info, &size) == 0,
			"TCP_INFO");
		if (info.tcpi_unacked >= (unsigned int)number(words[1])) {
			return;
		}
		pause_within(start_ms);
	}
}

static void do_udp(char **words)
{
	struct sockaddr_storage address;
	socklen_t size = fill_address(&address, "4", "127.0.0.1", 0);
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	must_be(fd, number(words[0]));
	must(bind(fd, (struct sockaddr *)&address, size) == 0, "bind");
	must(getsockname(fd, (struct sockaddr *)&address, &size) == 0, "getsockname");
	must(connect(fd, (struct sockaddr *)&address, size) == 0, "connect");
}

static void do_unix(char **words)
{
	int pair[2];

	must(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0, "socketpair");
	must_be(pair[0], number(words[0]));
	must_be(pair[1], number(words[1]));
}

static void do_pipe(char **words)
{
	int pair[2];

	must(pipe(pair) == 0, "pipe");
	must_be(pair[0], number(words[0]));
	must_be(pair[1], number(words[1]));
}

static void do_open(char **words)
{
	must_be(open(words[1], O_RDWR), number(words[0]));
}

static void do_open_read(char **words)
{
	must_be(open(words[1], O_RDONLY), number(words[0]));
}

static void do_tty(char **words)
{
	int primary = posix_openpt(O_RDWR | O_NOCTTY);

	must_be(primary, number(words[0]));
	must(grantpt(primary) == 0 && unlockpt(primary) == 0, "pty");
	must_be(open(ptsname(primary), O_RDWR | O_NOCTTY), number(words[1]));
}

static void do_epoll(char **words)
{
	must_be(epoll_create1(0), number(words[0]));
}

static void do_epoll_add(char **words)
{
	struct epoll_event event = {.events = EPOLLIN | EPOLLRDHUP, .data.fd = number(words[1])};

	must(epoll_ctl(number(words[0]), EPOLL_CTL_ADD, number(words[1]), &event) == 0,
		"epoll_ctl");
}

/* ---- waiting ------------------------------------------------------------------------------- */

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

/* ---- using --------------------------------------------------------------------------------- */

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

/* ---- sharing ------------------------------------------------------------------------------- */

static void do_dup(char **words)
{
	must_be(dup(number(words[0])), number(words[1]));
}

static void do_dupfd(char **words)
{
	int wanted_fd = number(words[1]);

	must_be(fcntl(number(words[0]), F_DUPFD, wanted_fd), wanted_fd);
}

static void do_dupfd_cloexec(char **words)
{
	int wanted_fd = number(words[1]);

	must_be(fcntl(number(words[0]), F_DUPFD_CLOEXEC, wanted_fd), wanted_fd);
}

static void do_send_fd(char **words)
{
	int fd = number(words[1]);
	char byte = 0;
	struct iovec data = {.iov_base = &byte, .iov_len = 1};
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof(int))];
	} control;
	struct msghdr message = {.msg_iov = &data,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control)};

	memset(&control, 0, sizeof(control));
	control.header.cmsg_level = SOL_SOCKET;
	control.header.cmsg_type = SCM_RIGHTS;
	control.header.cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
	must(sendmsg(number(words[0]), &message, 0) == 1, "sendmsg");
}

static void do_receive_fd(char **words)
{
	int fd = -1;
	char byte;
	struct iovec data = {.iov_base = &byte, .iov_len = 1};
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof(int))];
	} control;
	struct msghdr message = {.msg_iov = &data,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control)};

	must(recvmsg(number(words[0]), &message, 0) == 1, "recvmsg");
	must(message.msg_controllen > 0, "no descriptor came");
	memcpy(&fd, CMSG_DATA(&control.header), sizeof(fd));
	must_be(fd, number(words[1]));
}

/* ---- closing ------------------------------------------------------------------------------- */

/* What a close-like call came to. Keep it the only thing between the call and the line. */
static void tell_result(const char *call, const char *arguments, long result)
{
	int error = errno;

	tell("%s %s -> %ld errno %d", call, arguments, result, error);
}

static void do_close(char **words)
{
	int fd = number(words[0]);

	errno = ERRNO_BEFORE;
	tell_result("close", words[0], close(fd));
}

static void do_dup2(char **words)
{
	int fd = number(words[0]);
	int wanted_fd = number(words[1]);

	errno = ERRNO_BEFORE;
	tell_result("dup2", words[1], dup2(fd, wanted_fd));
}

static void do_dup3(char **words)
{
	int fd = number(words[0]);
	int wanted_fd = number(words[1]);
	int flags = number(words[2]);

	errno = ERRNO_BEFORE;
	tell_result("dup3", words[1], dup3(fd, wanted_fd, flags));
}

static void do_syscall_close(char **words)
{
	int fd = number(words[0]);

	errno = ERRNO_BEFORE;
	tell_result("syscall-close", words[0], syscall(SYS_close, fd));
}

static void do_syscall_dup3(char **words)
{
	int fd = number(words[0]);
	int wanted_fd = number(words[1]);
	int flags = number(words[2]);

	errno = ERRNO_BEFORE;
	tell_result("syscall-dup3", words[1], syscall(SYS_dup3, fd, wanted_fd, flags));
}

static void do_close_range(char **words)
{
	int first_fd = number(words[0]);
	int last_fd = number(words[1]);
	int flags = number(words[2]);

	errno = ERRNO_BEFORE;
	tell_result("close-range", words[0],
		close_range((unsigned int)first_fd, (unsigned int)last_fd, flags));
}

static void do_syscall_close_range(char **words)
{
	int first_fd = number(words[0]);
	int last_fd = number(words[1]);
	int flags = number(words[2]);

	errno = ERRNO_BEFORE;
	tell_result("syscall-close-range", words[0],
		syscall(SYS_close_range, first_fd, last_fd, flags));
}

static void do_closefrom(char **words)
{
	closefrom(number(words[0]));
}

static void do_fdopen(char **words)
{
	int fd = number(words[0]);

	streams[fd] = fdopen(fd, words[1]);
	must(streams[fd] != NULL, "fdopen");
}

/* Into the stream's buffer: nothing goes out before it is flushed. */
static void do_print(char **words)
{
	int fd = number(words[0]);

	for (int left_bytes = number(words[1]); left_bytes > 0; left_bytes--) {
		must(fputc(pattern_byte(written_place[fd]++), streams[fd]) != EOF, "fputc");
	}
}

static void do_fclose(char **words)
{
	FILE *stream = streams[number(words[0])];

	errno = ERRNO_BEFORE;
	tell_result("fclose", words[0], fclose(stream));
}

static void do_freopen(char **words)
{
	FILE *stream = streams[number(words[0])];
	FILE *opened;

	errno = ERRNO_BEFORE;
	opened = freopen(words[1], "r+", stream);
	tell_result("freopen", words[0], opened ? fileno(opened) : -1);
}

static void do_exit(char **words)
{
	exit(number(words[0]));
}

static void do_exit_now(char **words)
{
	_exit(number(words[0]));
}

static void do_quick_exit(char **words)
{
	quick_exit(number(words[0]));
}

static void do_abort(char **words)
{
	(void)words;
	abort();
}

static void do_syscall_exit_group(char **words)
{
	syscall(SYS_exit_group, number(words[0]));
}

/* ---- processes ----------------------------------------------------------------------------- */

static void run_words(char **words);
static char **behind_block(char **words);

/* The child performs the words up to "end" and leaves by _exit(0); the parent goes on behind. */
static void do_fork(char **words)
{
	char **rest = behind_block(next_word);
	pid_t pid = fork();

	(void)words;
	must(pid >= 0, "fork");
	if (pid == 0) {
		run_words(next_word);
		_exit(0);
	}
	next_word = rest;
}

/* A fork that the C library does not see. */
static void do_fork_raw(char **words)
{
	char **rest = behind_block(next_word);
	long pid = syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);

	(void)words;
	must(pid >= 0, "clone");
	if (pid == 0) {
		run_words(next_word);
		_exit(0);
	}
	next_word = rest;
}

static void do_vfork(char **words)
{
	char **volatile rest = behind_block(next_word);
	pid_t pid = vfork();

	(void)words;
	must(pid >= 0, "vfork");
	if (pid == 0) {
		run_words(next_word);
		_exit(0);
	}
	next_word = rest;
	running_word = "vfork";
}

/* The rest of the words, in a new image of this program. */
static void do_exec(char **words)
{
	char path[] = "/proc/self/exe";

	(void)words;
	next_word[-1] = path;
	errno = ERRNO_BEFORE;
	tell_result("exec", path, execv(path, next_word - 1));
}

static void do_try_exec(char **words)
{
	char *const arguments[] = {words[0], NULL};

	errno = ERRNO_BEFORE;
	tell_result("exec", words[0], execv(words[0], arguments));
}

/* A shell command, by posix_spawn; waited for with the word wait. */
static void do_spawn(char **words)
{
	char shell[] = "/bin/sh";
	char option[] = "-c";
	char *const arguments[] = {shell, option, words[0], NULL};
	pid_t pid;

	must(posix_spawn(&pid, shell, NULL, NULL, arguments, environ) == 0, "posix_spawn");
}

/* Move the talk with the runner to two high descriptors, so that 0 and 1 are free to be used. */
static void do_control(char **words)
{
	int base = number(words[0]);

	must(dup2(0, base) == base && dup2(1, base + 1) == base + 1, "dup2");
	must(fcntl(base, F_SETFD, 0) == 0, "F_SETFD");
	input_fd = base;
	output_fd = base + 1;
}

/* ---- the words ----------------------------------------------------------------------------- */

static const struct word {
	const char *name;
	int arguments;
	void (*perform)(char **words);
} vocabulary[] = {
	/* opening */
	{"connect", 4, do_connect},                 /* FD FAMILY ADDRESS PORT */
	{"connect-cloexec", 4, do_connect_cloexec}, /* FD FAMILY ADDRESS PORT */
	{"socket", 2, do_socket},                   /* FD FAMILY */
	{"connect-socket", 4, do_connect_socket},   /* FD FAMILY ADDRESS PORT: of socket's */
	{"try-connect", 4, do_try_connect},         /* FD FAMILY ADDRESS PORT: tells the result */
	{"listen", 2, do_listen},                   /* FD FAMILY: on loopback, any port */
	{"port", 1, do_port},                       /* FD: tells "port N" */
	{"accept", 2, do_accept},                   /* LISTENER FD */
	{"accept4", 2, do_accept4},                 /* LISTENER FD: close-on-exec */
	{"await-backlog", 2, do_await_backlog},     /* LISTENER CONNECTIONS */
	{"udp", 1, do_udp},                         /* FD: connected to itself */
	{"unix", 2, do_unix},                       /* FD FD: a pair */
	{"pipe", 2, do_pipe},                       /* FD FD */
	{"open", 2, do_open},                       /* FD PATH: to read and write */
	{"open-read", 2, do_open_read},             /* FD PATH */
	{"tty", 2, do_tty},                         /* FD FD: both ends of a pseudo-terminal */
	{"epoll", 1, do_epoll},                     /* FD */
	{"epoll-add", 2, do_epoll_add},             /* EPOLL FD */
	/* waiting */
	{"await-unread", 2, do_await_unread},     /* FD BYTES */
	{"await-urgent", 1, do_await_urgent},     /* FD */
	{"await-peer-fin", 1, do_await_peer_fin}, /* FD */
	{"await-acked", 1, do_await_acked},       /* FD */
	{"say", 1, do_say},                       /* LINE */
	{"hear", 1, do_hear},                     /* LINE */
	{"wait", 0, do_wait},                     /* for a child: tells "child ended STATUS" */
	/* using */
	{"read", 2, do_read},               /* FD BYTES: of the pattern */
	{"read-end", 1, do_read_end},       /* FD: tells the bytes read and errno */
	{"read-urgent", 1, do_read_urgent}, /* FD */
	{"write", 2, do_write},             /* FD BYTES: of the pattern */
	{"try-write", 1, do_try_write},     /* FD: one byte, tells the result */
	{"at-place", 3, do_at_place},       /* FD READ WRITTEN: bytes, by others */
	{"linger", 3, do_linger},           /* FD ON SECONDS */
	{"rcvbuf", 2, do_rcvbuf},           /* FD BYTES */
	{"sndbuf", 2, do_sndbuf},           /* FD BYTES */
	{"shutdown", 2, do_shutdown},       /* FD rd|wr|rdwr */
	{"nonblock", 1, do_nonblock},       /* FD */
	{"blocking", 1, do_blocking},       /* FD: tells whether */
	{"is-open", 1, do_is_open},         /* FD: tells whether */
	/* sharing */
	{"dup", 2, do_dup},                     /* FD FD */
	{"dupfd", 2, do_dupfd},                 /* FD FD */
	{"dupfd-cloexec", 2, do_dupfd_cloexec}, /* FD FD */
	{"send-fd", 2, do_send_fd},             /* UNIX FD */
	{"receive-fd", 2, do_receive_fd},       /* UNIX FD */
	/* closing: each tells its result */
	{"close", 1, do_close},                             /* FD */
	{"dup2", 2, do_dup2},                               /* FD FD */
	{"dup3", 3, do_dup3},                               /* FD FD FLAGS */
	{"syscall-close", 1, do_syscall_close},             /* FD */
	{"syscall-dup3", 3, do_syscall_dup3},               /* FD FD FLAGS */
	{"close-range", 3, do_close_range},                 /* FIRST LAST FLAGS */
	{"syscall-close-range", 3, do_syscall_close_range}, /* FIRST LAST FLAGS */
	{"closefrom", 1, do_closefrom},                     /* FD: tells nothing */
	{"fdopen", 2, do_fdopen},                           /* FD MODE: tells nothing */
	{"print", 2, do_print},           /* FD BYTES: into fdopen's stream; tells nothing */
	{"fclose", 1, do_fclose},         /* FD: of fdopen */
	{"freopen", 2, do_freopen},       /* FD PATH */
	{"exit", 1, do_exit},             /* STATUS */
	{"exit-now", 1, do_exit_now},     /* STATUS: _exit */
	{"quick-exit", 1, do_quick_exit}, /* STATUS */
	{"abort", 0, do_abort}, {"syscall-exit-group", 1, do_syscall_exit_group}, /* STATUS */
	/* processes */
	{"fork", 0, do_fork},         /* WORD... end */
	{"fork-raw", 0, do_fork_raw}, /* WORD... end */
	{"vfork", 0, do_vfork},       /* WORD... end */
	{"exec", 0, do_exec},         /* WORD...: to the last */
	{"try-exec", 1, do_try_exec}, /* PATH */
	{"spawn", 1, do_spawn},       /* COMMAND */
	{"control", 1, do_control},   /* FD: talk there and at FD + 1 */
};

static const struct word *find_word(const char *name)
{
	for (size_t i = 0; i < sizeof(vocabulary) / sizeof(vocabulary[0]); i++) {
		if (strcmp(vocabulary[i].name, name) == 0) {
			return &vocabulary[i];
		}
	}
	return NULL;
}

/* The word behind the "end" that belongs to the block which begins at words. */
static char **behind_block(char **words)
{
	int depth = 1;

	while (*words) {
		const struct word *word = find_word(*words);

		if (strcmp(*words, "end") == 0) {
			words++;
			if (--depth == 0) {
				return words;
			}
			continue;
		}
		must(word != NULL, "no such word");
		depth += word->perform == do_fork || word->perform == do_fork_raw ||
			 word->perform == do_vfork;
		words++;
		for (int i = 0; i < word->arguments && *words; i++) {
			words++;
		}
	}
	give_up("no end");
}

/* Perform the words up to the last one or up to the block's "end". */
static void run_words(char **words)
{
	next_word = words;
	while (*next_word && strcmp(*next_word, "end") != 0) {
		const struct word *word = find_word(*next_word);
		char **arguments = next_word + 1;

		running_word = *next_word;
		must(word != NULL, "no such word");
		for (int i = 0; i < word->arguments; i++) {
			must(arguments[i] != NULL, "arguments are missing");
		}
		next_word = arguments + word->arguments;
		word->perform(arguments);
	}
}

int main(int argc, char **argv)
{
	(void)argc;
	run_words(argv + 1);
	return 0;
}
