// SPDX-License-Identifier: MIT
#include "peers.h"
#include "pattern.h"
#include "unit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

void peers_connect(struct peers *all, uint16_t port, size_t count)
{
	size_t size = (all->count + count) * sizeof(*all->list);
	struct peer *peers = realloc(all->list, size);

	assert_non_null(peers);
	all->list = peers;
	for (; count > 0; count--) {
		peer_connect(&peers[all->count], PEER_IPV4, port);
		all->count++;
	}
}

size_t peers_receive_end(struct peers *all, uint64_t bytes)
{
	size_t whole = 0;

	for (size_t i = 0; i < all->count; i++) {
		struct peer *peer = &all->list[i];

		peer_receive_end(peer);
		whole += peer->error == 0 && peer->received_bytes == bytes;
	}
	return whole;
}

size_t peers_send(struct peers *all, size_t bytes)
{
	size_t resets = 0;

	for (size_t i = 0; i < all->count; i++) {
		peer_try_send(&all->list[i], bytes);
	}
	for (size_t i = 0; i < all->count; i++) {
		int error = peer_await_acked(&all->list[i]);

		resets += error != 0 || all->list[i].error != 0;
	}
	return resets;
}

bool peers_receive_some(struct peer *peer)
{
	uint8_t chunk[65536];
	ssize_t bytes = recv(peer->fd, chunk, sizeof(chunk), MSG_DONTWAIT);

	if (bytes < 0 && errno != EAGAIN) {
		peer->error = errno;
		return false;
	}
	if (bytes > 0) {
		assert_true(pattern_matches(chunk, (size_t)bytes, peer->received_bytes));
		peer->received_bytes += (uint64_t)bytes;
	}
	return bytes != 0;
}

void peers_finish(struct peers *all)
{
	for (size_t i = 0; i < all->count; i++) {
		peer_finish(&all->list[i]);
	}
}

uint16_t peers_port(const struct peer *peer)
{
	struct sockaddr_in address;
	socklen_t size = sizeof(address);

	assert_return_code(getsockname(peer->fd, (struct sockaddr *)&address, &size), errno);
	return ntohs(address.sin_port);
}

void peers_close(struct peers *all)
{
	for (size_t i = 0; i < all->count; i++) {
		peer_close(&all->list[i]);
	}
	free(all->list);
	memset(all, 0, sizeof(*all));
}
