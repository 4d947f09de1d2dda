// SPDX-License-Identifier: MIT
/*
 * For programs under test: connections to the harness's crowd, and closes that must succeed and
 * leave errno alone. Neither malloc nor stdio. What fails ends the program with STATUS_FAILED.
 */
#ifndef PROGRAMS_DIAL_H
#define PROGRAMS_DIAL_H

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
	ERRNO_BEFORE = 4242,
	STATUS_FAILED = 125,
	WAIT_MS = 15000,
	DIAL_BYTES = 1000, /* what each peer of the crowd sends at once */
};

/* One line, in one write. */
static inline void __attribute__((format(printf, 1, 2))) tell(const char *format, ...)
{
	char line[512];
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = vsnprintf(line, sizeof(line) - 1, format, arguments);
	va_end(arguments);
	line[length++] = '\n';
	if (write(1, line, (size_t)length) != length) {
		_exit(STATUS_FAILED);
	}
}

static inline void must(bool is_done, const char *what)
{
	if (!is_done) {
		tell("failed: %s: errno %d", what, errno);
		_exit(STATUS_FAILED);
	}
}

static inline int number(const char *text)
{
	char *end;
	long value = text ? strtol(text, &end, 0) : 0;

	must(text && *text && !*end, "a number is missing");
	return (int)value;
}

static inline long now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Between two looks at something that has no descriptor to poll. */
static inline void pause_within(long start_ms)
{
	const struct timespec moment = {.tv_nsec = 1000000};

	must(now_ms() - start_ms < WAIT_MS, "waited in vain");
	nanosleep(&moment, NULL);
}

static inline void await_unread(int fd)
{
	struct pollfd polled = {.fd = fd, .events = POLLIN};
	long start_ms = now_ms();
	int unread_bytes = 0;

	must(poll(&polled, 1, WAIT_MS) == 1, "no bytes came");
	while (ioctl(fd, FIONREAD, &unread_bytes) == 0 && unread_bytes < DIAL_BYTES) {
		pause_within(start_ms);
	}
	must(unread_bytes == DIAL_BYTES, "not the bytes expected");
}

/* A connection under the lowest free number. */
static inline int dial_early(int port)
{
	struct sockaddr_in peer = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	must(fd >= 0, "socket");
	peer.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	must(connect(fd, (struct sockaddr *)&peer, sizeof(peer)) == 0, "connect");
	return fd;
}

/* The same, with DIAL_BYTES unread. */
static inline int dial(int port)
{
	int fd = dial_early(port);

	await_unread(fd);
	return fd;
}

static inline void dial_many(int *fds, int count, int port)
{
	for (int i = 0; i < count; i++) {
		fds[i] = dial(port);
	}
}

/* errno is ERRNO_BEFORE behind it. */
static inline void close_well(int fd)
{
	errno = ERRNO_BEFORE;
	must(close(fd) == 0, "close");
	must(errno == ERRNO_BEFORE, "close touched errno");
}

/* A listener on loopback, for a program that is its own peer. */
static inline int listen_here(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	int listener = socket(AF_INET, SOCK_STREAM, 0);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	must(bind(listener, (struct sockaddr *)&address, sizeof(address)) == 0, "bind");
	must(listen(listener, 8) == 0, "listen");
	return listener;
}

/* A connection to it, which needs no accept() to be made. */
static inline int connect_here(int listener)
{
	struct sockaddr_in address;
	socklen_t size = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	must(getsockname(listener, (struct sockaddr *)&address, &size) == 0, "getsockname");
	must(connect(fd, (struct sockaddr *)&address, size) == 0, "connect");
	return fd;
}

/* Both ends of a connection: fds[1] has a byte unread. */
static inline void connect_pair(int listener, int fds[2])
{
	struct pollfd polled = {.events = POLLIN};

	fds[0] = connect_here(listener);
	fds[1] = accept(listener, NULL, NULL);
	must(fds[1] >= 0 && write(fds[0], "u", 1) == 1, "accept");
	polled.fd = fds[1];
	must(poll(&polled, 1, WAIT_MS) == 1, "no byte came");
}

#endif
