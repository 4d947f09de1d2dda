// SPDX-License-Identifier: MIT
/*
 * Many peers of one program that listens, all in the runner. Every wait has a deadline, which fails
 * the test.
 */
#ifndef HARNESS_PEERS_H
#define HARNESS_PEERS_H

#include "peer.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Owns its peers. peers_close() accepts one that is all zero. */
struct peers {
	struct peer *list;
	size_t count;
};

/* Add that many peers to them, connected to this port on the loopback address, in order. */
void peers_connect(struct peers *all, uint16_t port, size_t count);

/* Each sends that many bytes (16 KiB at most), and waits until the program's kernel has them. Returns
 * how many met a reset. */
size_t peers_send(struct peers *all, size_t bytes);

/* Each receives to the end. Returns how many have that many bytes and met no reset. */
size_t peers_receive_end(struct peers *all, uint64_t bytes);

/* A peer receives what is there, without waiting for more. Returns false at the end of the connection,
 * which a reset leaves in peer->error. */
bool peers_receive_some(struct peer *peer);

/* Each half-closes. */
void peers_finish(struct peers *all);

/* The port of a peer's own end, as reports name it. */
uint16_t peers_port(const struct peer *peer);

void peers_close(struct peers *all);

#endif
