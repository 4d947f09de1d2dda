// SPDX-License-Identifier: MIT
/*
 * What the kernel says of a descriptor. The only file that asks a socket about itself; changes
 * nothing about it. Async-signal-safe; leaves errno alone.
 */
#ifndef SC_INSPECT_H
#define SC_INSPECT_H

#include "conn.h"
#include "glance.h"

/*
 * The quick look: proto, is_listener, unread_bytes, is_urgent; all else zeroed (linger_s -1), or
 * left as it was where proto is SC_PROTO_OTHER. One system call for what is not TCP, three for a
 * TCP socket with nothing unread.
 */
void sc_inspect_quickly(int fd, struct sc_conn *conn);

/* The same after a glance that did not settle it: less what that has asked. */
void sc_inspect_after_glance(int fd, struct sc_conn *conn, struct sc_glance glance);

/* Fill in the rest after a quick look at the same descriptor, all but the addresses and what is
 * unacknowledged. */
void sc_inspect_wholly(int fd, struct sc_conn *conn);

/* Fill in the addresses of both ends, unless they are there. Late as well: a connection that the
 * peer has reset still has them. */
void sc_inspect_addresses(int fd, struct sc_conn *conn);

/* Is fd a socket, and is it TCP, in any state? One system call. */
bool sc_inspect_is_socket(int fd, bool *is_tcp);

/* Is fd a TCP socket, in any state? One system call. */
bool sc_inspect_is_tcp(int fd);

/* What has no type at all (epoll, eventfd) is a channel, as is a pipe: nobody holds locks on it,
 * and no file system is asked when a copy is closed. Where the kernel does not tell, a file with
 * inode 0. One system call. */
enum sc_inspect_kind { SC_INSPECT_SOCKET, SC_INSPECT_CHANNEL, SC_INSPECT_FILE };
enum sc_inspect_kind sc_inspect_kind(int fd, uint64_t *inode);

/* The inode of the file that fd is; 0: none. */
uint64_t sc_inspect_inode(int fd);

/* Has a half-close put a FIN behind what the program wrote, by a whole look? */
bool sc_inspect_is_fin_sent(const struct sc_conn *conn);

/* Written and not acknowledged by the peer (SIOCOUTQ), in bytes; a FIN that was sent and is not
 * acknowledged is one more. 0 where there is no answer. */
uint32_t sc_inspect_unacked_bytes(int fd);

/* What a reset now would throw away, right after a whole look: unacked_bytes, without the FIN of
 * the program's own half-close (MPTCP does not tell of that one). */
void sc_inspect_unacked(int fd, struct sc_conn *conn);

/* The same later: state and unacked_bytes. */
void sc_inspect_unacked_late(int fd, struct sc_conn *conn);

/*
 * The first of the unread bytes, at most max, without consuming them. Returns how many; 0 also
 * where a look would change something: it decrypts in kernel TLS, and moves on with SO_PEEK_OFF.
 */
size_t sc_inspect_peek(int fd, void *bytes, size_t max);

/* Has somebody sent the connection's FIN since the whole look at conn, or is it over even? */
bool sc_inspect_has_ended_since(int fd, const struct sc_conn *conn);

/* Has the peer sent its FIN, or is there none (any more)? */
bool sc_inspect_is_peer_done(int fd);

#endif
