// SPDX-License-Identifier: MIT
/*
 * The other end of the connection under test. It lives in the runner, which is never preloaded:
 * what it receives and how the connection ended for it is the truth that tests judge by. Every wait
 * has a deadline, which fails the test.
 */
#ifndef HARNESS_PEER_H
#define HARNESS_PEER_H

#include <stddef.h>
#include <stdint.h>

enum peer_family {
	PEER_IPV4,
	PEER_IPV6,
	PEER_V4MAPPED, /* the program connects an IPv6 socket to ::ffff:127.0.0.1 */
	PEER_MPTCP,    /* over IPv4 */
};

/* Owns its descriptors. peer_close() accepts one that is all zero. */
struct peer {
	enum peer_family family;
	int listener;          /* 0: none */
	int fd;                /* the accepted connection; 0: none */
	uint16_t port;         /* of the listener, host order */
	uint16_t program_port; /* of the program's end, once accepted */
	char target[64];       /* "FAMILY ADDRESS PORT", as the actor's word connect takes it */
	uint64_t sent_bytes;
	uint64_t received_bytes;
	int error; /* that ended the connection: ECONNRESET, ...; 0: none yet, or FIN */
};

const char *peer_family_name(enum peer_family family);

/* The actor's FAMILY word for it. */
const char *peer_family_word(enum peer_family family);

/* Listen on a port that the kernel picks. A family that this kernel lacks skips the test. */
void peer_listen(struct peer *peer, enum peer_family family);

/* Be the one that connects, to a program that listens on the loopback address with this port. */
void peer_connect(struct peer *peer, enum peer_family family, uint16_t port);

/* Advertise a small window: what the program writes stays in its own kernel. Before accept. */
void peer_limit_window(struct peer *peer, int bytes);

void peer_accept(struct peer *peer);

/* Send the next bytes of the pattern and wait until the program's kernel has them all, or, where the
 * program closes as soon as it has seen them, until the connection ends. */
void peer_send(struct peer *peer, size_t bytes);

/* Send one byte as urgent data, and wait the same. */
void peer_send_urgent(struct peer *peer);

/* Send without waiting, as much as fits. Returns the bytes taken, or a negative errno. */
long peer_try_send(struct peer *peer, size_t bytes);

/* Wait until all that was sent is acknowledged: returns 0, or the negative errno that ended the
 * connection. */
int peer_await_acked(struct peer *peer);

/* Receive exactly that many bytes of the program's pattern. */
void peer_receive(struct peer *peer, size_t bytes);

/*
 * Receive until the end and note in error how it came, if not by FIN. After a half-close recv() says EOF even where
 * an RST followed, so SO_ERROR is asked too; a reset that comes after this call, peer_late_error()
 * sees.
 */
void peer_receive_end(struct peer *peer);

/* SO_ERROR now, kept in error where it is not 0. */
int peer_late_error(struct peer *peer);

/* Half-close. */
void peer_finish(struct peer *peer);

/* Close the accepted connection. */
void peer_hang_up(struct peer *peer);

void peer_close(struct peer *peer);

#endif
