// SPDX-License-Identifier: MIT
/*
 * A connection, as one look at a descriptor found it. Plain data: no pointer, nothing to free.
 * Filled by inspect.c; read by policy.c, linger.c and report.c, which know nothing else of it. Ten
 * thousand of them may be kept at once, so it is narrow: the kernel's counts of bytes are ints.
 */
#ifndef SC_CONN_H
#define SC_CONN_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

/* What SO_PROTOCOL says; all that is not TCP in one of these two forms is SC_PROTO_OTHER. */
enum sc_proto { SC_PROTO_OTHER, SC_PROTO_TCP, SC_PROTO_MPTCP };

/* An end of a connection. family is AF_UNSPEC where the kernel had no answer. */
union sc_addr {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

struct sc_conn {
	uint64_t inode;         /* of the socket, as in /proc/PID/fd: socket:[inode]; 0: unknown */
	uint32_t unread_bytes;  /* received, in order, not read by the program; FIN not counted */
	uint32_t unacked_bytes; /* written by the program, not acknowledged by the peer */
	uint32_t backlog;       /* listener: connections that nobody has accepted */
	int32_t linger_s;       /* SO_LINGER {1, n > 0}: n seconds; else -1 */
	union sc_addr local;
	union sc_addr peer;
	uint8_t proto;     /* enum sc_proto */
	uint8_t state;     /* TCP_ESTABLISHED ... of <netinet/tcp.h>; 0: not asked */
	bool is_urgent;    /* the unread bytes begin with an urgent one, which FIONREAD hides */
	bool is_listener;  /* state TCP_LISTEN */
	bool is_abortive;  /* SO_LINGER {1, 0}: the program asked for a reset */
	bool is_repair;    /* TCP_REPAIR: closes without a segment */
	bool is_peer_done; /* the peer's FIN has arrived, or there is no peer (any more) */
};

#endif
