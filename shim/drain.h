// SPDX-License-Identifier: MIT
/*
 * Bounded discarding of what a connection has received. Only for a connection proven nobody else's:
 * what is discarded here, no other holder can read. Never blocks; async-signal-safe; leaves errno
 * alone.
 */
#ifndef SC_DRAIN_H
#define SC_DRAIN_H

#include <stdint.h>

enum sc_drain_end {
	SC_DRAIN_EMPTY, /* nothing left for now; the peer has not sent FIN */
	/* Nothing left, the end is read: the peer's FIN. After the program's own shutdown(SHUT_RD)
	 * recv(2) says the same without a FIN, and more may come: sc_inspect_is_peer_done(). */
	SC_DRAIN_PEER_FIN,
	SC_DRAIN_LIMIT, /* max_bytes discarded; more may be left */
	SC_DRAIN_ERROR, /* error is a negative errno: -ECONNRESET, -ETIMEDOUT, -ENOTCONN, ... */
};

struct sc_drain {
	enum sc_drain_end end;
	uint64_t
		bytes; /* discarded by this call; an urgent byte that the kernel skips is not counted */
	int error;     /* 0, or a negative errno where end is SC_DRAIN_ERROR */
};

/* Discard what the socket fd has received, at most max_bytes. */
struct sc_drain sc_drain_socket(int fd, uint64_t max_bytes);

#endif
