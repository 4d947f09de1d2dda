// SPDX-License-Identifier: MIT
/* Words that open descriptors. */
#include "words.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif

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

/* The socket made by its system call's number: that it is TCP is not told. */
static void do_syscall_connect(char **words)
{
	int fd = (int)syscall(SYS_socket, family_domain(words[1]), SOCK_STREAM, 0);

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

static unsigned int port_of(int fd)
{
	struct sockaddr_storage address;
	socklen_t size = sizeof(address);

	must(getsockname(fd, (struct sockaddr *)&address, &size) == 0, "getsockname");
	/* The port lies at the same place in both families. */
	return ntohs(((struct sockaddr_in *)&address)->sin_port);
}

static void do_port(char **words)
{
	tell("port %u", port_of(number(words[0])));
}

static void do_setenv_port(char **words)
{
	char value[64];

	snprintf(value, sizeof(value), "%s%u", words[1], port_of(number(words[2])));
	must(setenv(words[0], value, 1) == 0, "setenv");
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

/* Under an abstract name that the kernel picks. */
static void do_unix_listen(char **words)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	must_be(fd, number(words[0]));
	must(bind(fd, (struct sockaddr *)&address, sizeof(address.sun_family)) == 0, "bind");
	must(listen(fd, 8) == 0, "listen");
}

static void do_unix_connect(char **words)
{
	struct sockaddr_un address;
	socklen_t size = sizeof(address);
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	must_be(fd, number(words[0]));
	must(getsockname(number(words[1]), (struct sockaddr *)&address, &size) == 0, "getsockname");
	must(connect(fd, (struct sockaddr *)&address, size) == 0, "connect");
}

const struct word words_opening[] = {
	{"connect", 4, do_connect},                 /* FD FAMILY ADDRESS PORT */
	{"connect-cloexec", 4, do_connect_cloexec}, /* FD FAMILY ADDRESS PORT */
	{"syscall-connect", 4, do_syscall_connect}, /* FD FAMILY ADDRESS PORT */
	{"socket", 2, do_socket},                   /* FD FAMILY */
	{"connect-socket", 4, do_connect_socket},   /* FD FAMILY ADDRESS PORT: of socket's */
	{"try-connect", 4, do_try_connect},         /* FD FAMILY ADDRESS PORT: tells the result */
	{"listen", 2, do_listen},                   /* FD FAMILY: on loopback, any port */
	{"port", 1, do_port},                       /* FD: tells "port N" */
	{"setenv-port", 3, do_setenv_port},         /* NAME PREFIX FD: prefix and port */
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
	{"unix-listen", 1, do_unix_listen},         /* FD */
	{"unix-connect", 2, do_unix_connect},       /* FD LISTENER */
	{NULL, 0, NULL},
};
