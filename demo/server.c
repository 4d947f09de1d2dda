// SPDX-License-Identifier: MIT
/*
 * The document's server: one connection, watched by epoll; writes one byte as soon as the
 * connection takes one, sleeps a second, then tells how the connection ended, and ends.
 *
 * in:  --late: write the byte only after the client's FIN has arrived
 * out: stdout, a line each: "port N"; "wrote 1 byte"; "recv R, SO_ERROR E, events ..."
 * exit status: 0 when the connection's end was seen, 1 otherwise (the reason is on stderr)
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { WAIT_MS = 10000 }; /* longest wait for the client, and for each event */

static int fail(const char *what)
{
	fprintf(stderr, "server: %s: %s\n", what, strerror(errno));
	return -1;
}

/* A listening socket on a port of 127.0.0.1 that the kernel chose; tells the port. -1: failed. */
static int listen_on_loopback(void)
{
	struct sockaddr_in at = {.sin_family = AF_INET};
	socklen_t size = sizeof(at);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (listener < 0 || bind(listener, (struct sockaddr *)&at, sizeof(at)) != 0 ||
		listen(listener, 1) != 0 ||
		getsockname(listener, (struct sockaddr *)&at, &size) != 0) {
		return fail("listen");
	}
	printf("port %u\n", ntohs(at.sin_port));
	fflush(stdout);
	return listener;
}

/* The one connection; nothing listens afterwards. -1: none came in time. */
static int accept_one(int listener)
{
	struct pollfd wait = {.fd = listener, .events = POLLIN};
	int connection;

	if (poll(&wait, 1, WAIT_MS) != 1) {
		errno = ETIMEDOUT;
		return fail("no client");
	}
	connection = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	close(listener);
	return connection < 0 ? fail("accept") : connection;
}

/* Events of the connection; 0: none within WAIT_MS, which is told. */
static uint32_t next_events(int epoll)
{
	struct epoll_event event = {0};

	if (epoll_wait(epoll, &event, 1, WAIT_MS) != 1) {
		errno = ETIMEDOUT;
		fail("no event");
		return 0;
	}
	return event.events;
}

static int watch(int epoll, int how, int connection, uint32_t events)
{
	struct epoll_event event = {.events = events};

	return epoll_ctl(epoll, how, connection, &event) == 0 ? 0 : fail("epoll_ctl");
}

static void write_byte(int connection)
{
	if (send(connection, "x", 1, MSG_NOSIGNAL) == 1) {
		puts("wrote 1 byte");
	} else {
		printf("write failed: %s\n", strerror(errno));
	}
	fflush(stdout);
	sleep(1); /* the document's */
}

/*
 * Serve until the connection has ended after the byte. The events of its end; 0: no end seen.
 * A late server leaves EPOLLOUT out until the client's FIN, else it would only spin.
 */
static uint32_t serve(int epoll, int connection, bool is_late)
{
	const uint32_t ending = EPOLLIN | EPOLLRDHUP | EPOLLHUP;
	uint32_t events = is_late ? ending : ending | EPOLLOUT;
	bool is_written = false;
	int error = watch(epoll, EPOLL_CTL_ADD, connection, events);

	while (error == 0 && (events = next_events(epoll)) != 0) {
		if (is_written) {
			return events;
		}
		if (events & EPOLLOUT) {
			write_byte(connection);
			is_written = true;
			error = watch(epoll, EPOLL_CTL_MOD, connection, ending);
		} else {
			error = watch(epoll, EPOLL_CTL_MOD, connection, ending | EPOLLOUT);
		}
	}
	return 0;
}

static const char *error_name(int error, char *space, size_t size)
{
	switch (error) {
	case 0:
		return "0";
	case EAGAIN:
		return "EAGAIN";
	case EPIPE:
		return "EPIPE";
	case ECONNRESET:
		return "ECONNRESET";
	case ENOTCONN:
		return "ENOTCONN";
	case ETIMEDOUT:
		return "ETIMEDOUT";
	default:
		snprintf(space, size, "errno %d", error);
		return space;
	}
}

static void print_events(uint32_t events)
{
	static const struct {
		uint32_t bit;
		const char *name;
	} known[] = {
		{EPOLLIN, "EPOLLIN"},
		{EPOLLERR, "EPOLLERR"},
		{EPOLLHUP, "EPOLLHUP"},
		{EPOLLRDHUP, "EPOLLRDHUP"},
	};
	const char *between = "";

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (events & known[i].bit) {
			printf("%s%s", between, known[i].name);
			between = "|";
		}
	}
	putchar('\n');
}

/*
 * Tell the end. recv comes first: a reset that it reports is cleared by that, so SO_ERROR shows
 * what recv kept to itself (after the peer's FIN recv says EOF even when a reset followed).
 */
static void tell_end(int connection, uint32_t events)
{
	char space[16];
	char bytes[64];
	int error = 0;
	socklen_t size = sizeof(error);
	ssize_t got = recv(connection, bytes, sizeof(bytes), MSG_DONTWAIT);

	if (got > 0) {
		printf("recv %zd bytes", got);
	} else {
		printf("recv %s", got == 0 ? "EOF" : error_name(errno, space, sizeof(space)));
	}
	getsockopt(connection, SOL_SOCKET, SO_ERROR, &error, &size);
	printf(", SO_ERROR %s, events ", error_name(error, space, sizeof(space)));
	print_events(events);
	fflush(stdout);
}

int main(int argc, char **argv)
{
	bool is_late = argc == 2 && strcmp(argv[1], "--late") == 0;
	int listener, connection, epoll;
	uint32_t events;

	if (argc > 1 && !is_late) {
		fprintf(stderr, "usage: server [--late]\n");
		return 1;
	}
	listener = listen_on_loopback();
	connection = listener < 0 ? -1 : accept_one(listener);
	if (connection < 0) {
		return 1;
	}
	epoll = epoll_create1(EPOLL_CLOEXEC);
	if (epoll < 0) {
		fail("epoll_create1");
		return 1;
	}
	events = serve(epoll, connection, is_late);
	if (events != 0) {
		tell_end(connection, events);
	}
	close(connection);
	return events != 0 ? 0 : 1;
}
