// SPDX-License-Identifier: MIT
#include "peer.h"
#include "deadline.h"
#include "pattern.h"
#include "unit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

static const struct {
	const char *name;
	int domain; /* of the peer's own socket */
	int protocol;
	const char *word; /* for the actor */
	const char *address;
} families[] = {
	[PEER_IPV4] = {"ipv4", AF_INET, IPPROTO_TCP, "4", "127.0.0.1"},
	[PEER_IPV6] = {"ipv6", AF_INET6, IPPROTO_TCP, "6", "::1"},
	[PEER_V4MAPPED] = {"v4mapped", AF_INET, IPPROTO_TCP, "6", "::ffff:127.0.0.1"},
	[PEER_MPTCP] = {"mptcp", AF_INET, IPPROTO_MPTCP, "m", "127.0.0.1"},
};

const char *peer_family_name(enum peer_family family)
{
	return families[family].name;
}

const char *peer_family_word(enum peer_family family)
{
	return families[family].word;
}

static socklen_t loopback_address(union address *address, int domain, uint16_t port)
{
	memset(address, 0, sizeof(*address));
	address->any.sa_family = (sa_family_t)domain;
	if (domain == AF_INET6) {
		address->v6.sin6_addr = in6addr_loopback;
		address->v6.sin6_port = htons(port);
		return sizeof(address->v6);
	}
	address->v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	address->v4.sin_port = htons(port);
	return sizeof(address->v4);
}

static uint16_t address_port(const union address *address)
{
	return ntohs(
		address->any.sa_family == AF_INET6 ? address->v6.sin6_port : address->v4.sin_port);
}

static int open_socket(enum peer_family family)
{
	int fd = socket(
		families[family].domain, SOCK_STREAM | SOCK_CLOEXEC, families[family].protocol);

	if (fd < 0) {
		print_message("no %s here: %s\n", families[family].name, strerror(errno));
		skip();
	}
	return fd;
}

void peer_listen(struct peer *peer, enum peer_family family)
{
	union address address;
	socklen_t size = loopback_address(&address, families[family].domain, 0);

	memset(peer, 0, sizeof(*peer));
	peer->family = family;
	peer->listener = open_socket(family);
	if (bind(peer->listener, &address.any, size) < 0) {
		print_message("no %s address here: %s\n", families[family].name, strerror(errno));
		skip();
	}
	assert_return_code(listen(peer->listener, 128), errno);
	assert_return_code(getsockname(peer->listener, &address.any, &size), errno);
	peer->port = address_port(&address);
	snprintf(peer->target, sizeof(peer->target), "%s %s %u", families[family].word,
		families[family].address, peer->port);
}

void peer_connect(struct peer *peer, enum peer_family family, uint16_t port)
{
	union address address;
	socklen_t size = loopback_address(&address, families[family].domain, port);

	memset(peer, 0, sizeof(*peer));
	peer->family = family;
	peer->fd = open_socket(family);
	peer->program_port = port;
	assert_return_code(connect(peer->fd, &address.any, size), errno);
}

void peer_limit_window(struct peer *peer, int bytes)
{
	assert_return_code(
		setsockopt(peer->listener, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes)), errno);
}

void peer_accept(struct peer *peer)
{
	union address address;
	socklen_t size = sizeof(address);

	if (!deadline_poll(peer->listener, POLLIN, deadline_in(DEADLINE_MS))) {
		fail_msg("nobody connected to the peer");
	}
	peer->fd = accept4(peer->listener, &address.any, &size, SOCK_CLOEXEC);
	assert_true(peer->fd > 0);
	peer->program_port = address_port(&address);
}

static int socket_error(int fd)
{
	int error = 0;
	socklen_t size = sizeof(error);

	assert_return_code(getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size), errno);
	return error;
}

int peer_late_error(struct peer *peer)
{
	int error = socket_error(peer->fd);

	if (error) {
		peer->error = error;
	}
	return error;
}

int peer_await_acked(struct peer *peer)
{
	int64_t deadline = deadline_in(DEADLINE_MS);
	int unacked_bytes = 1;

	for (;;) {
		assert_return_code(ioctl(peer->fd, SIOCOUTQ, &unacked_bytes), errno);
		if (deadline_poll(peer->fd, 0, deadline_now()) & POLLERR) {
			return -peer_late_error(peer);
		}
		if (unacked_bytes == 0) {
			return 0;
		}
		if (!deadline_pause(deadline)) {
			fail_msg("the program's kernel never acknowledged %d bytes", unacked_bytes);
		}
	}
}

long peer_try_send(struct peer *peer, size_t bytes)
{
	uint8_t chunk[16384];
	size_t size = bytes < sizeof(chunk) ? bytes : sizeof(chunk);
	ssize_t sent;

	pattern_fill(chunk, size, peer->sent_bytes);
	sent = send(peer->fd, chunk, size, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (sent < 0) {
		return errno == EAGAIN ? 0 : -errno;
	}
	peer->sent_bytes += (uint64_t)sent;
	return sent;
}

void peer_send(struct peer *peer, size_t bytes)
{
	int64_t deadline = deadline_in(DEADLINE_MS);

	while (bytes > 0) {
		long sent = peer_try_send(peer, bytes);

		if (sent < 0) {
			fail_msg("the peer could not send: %s", strerror((int)-sent));
		}
		bytes -= (size_t)sent;
		if (sent == 0 && !deadline_poll(peer->fd, POLLOUT, deadline)) {
			fail_msg("the peer could not send: %zu bytes left", bytes);
		}
	}
	peer_await_acked(peer);
}

void peer_send_urgent(struct peer *peer)
{
	assert_int_equal(send(peer->fd, "!", 1, MSG_OOB | MSG_NOSIGNAL), 1);
	peer_await_acked(peer);
}

/* One recv() with its wait. Returns the bytes, 0 at FIN, or a negative errno. */
static long receive_some(struct peer *peer, uint8_t *bytes, size_t size, int64_t deadline)
{
	ssize_t received;

	if (!deadline_poll(peer->fd, POLLIN, deadline) || deadline_left_ms(deadline) == 0) {
		fail_msg("the peer waited in vain after %llu bytes",
			(unsigned long long)peer->received_bytes);
	}
	received = recv(peer->fd, bytes, size, MSG_DONTWAIT);
	if (received < 0) {
		return -errno;
	}
	if (!pattern_matches(bytes, (size_t)received, peer->received_bytes)) {
		fail_msg("the peer received bytes that the program did not write, after %llu",
			(unsigned long long)peer->received_bytes);
	}
	peer->received_bytes += (uint64_t)received;
	return received;
}

void peer_receive(struct peer *peer, size_t bytes)
{
	uint8_t chunk[16384];
	int64_t deadline = deadline_in(DEADLINE_MS);

	while (bytes > 0) {
		size_t size = bytes < sizeof(chunk) ? bytes : sizeof(chunk);
		long received = receive_some(peer, chunk, size, deadline);

		if (received == -EAGAIN) {
			continue;
		}
		if (received <= 0) {
			fail_msg("the connection ended with %zu bytes to come: %s", bytes,
				received ? strerror((int)-received) : "FIN");
		}
		bytes -= (size_t)received;
	}
}

void peer_receive_end(struct peer *peer)
{
	uint8_t chunk[16384];
	int64_t deadline = deadline_in(DEADLINE_MS);
	long received;

	do {
		received = receive_some(peer, chunk, sizeof(chunk), deadline);
	} while (received > 0 || received == -EAGAIN);
	if (received < 0) {
		peer->error = (int)-received;
	}
	peer_late_error(peer);
}

void peer_finish(struct peer *peer)
{
	assert_return_code(shutdown(peer->fd, SHUT_WR), errno);
}

void peer_hang_up(struct peer *peer)
{
	if (peer->fd > 0) {
		close(peer->fd);
		peer->fd = 0;
	}
}

void peer_close(struct peer *peer)
{
	peer_hang_up(peer);
	if (peer->listener > 0) {
		close(peer->listener);
		peer->listener = 0;
	}
}
