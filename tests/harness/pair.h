// SPDX-License-Identifier: MIT
/*
 * Both ends of a connection over loopback, for tests of single objects: what they look at, drain or
 * close is ours.
 */
#ifndef HARNESS_PAIR_H
#define HARNESS_PAIR_H

#include <stdbool.h>

struct pair {
	int ours; /* accepted */
	int peer; /* connected */
};

/* TCP over IPv4. */
struct pair pair_open(void);

/* Of the domain of each end, and a protocol. An AF_INET peer of an AF_INET6 socket is ::ffff:127.0.0.1
 * there. Returns false where there are no such sockets, with the reason in errno. */
bool pair_open_as(struct pair *pair, int our_domain, int peer_domain, int protocol);

void pair_close(const struct pair *pair);

#endif
