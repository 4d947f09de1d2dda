// SPDX-License-Identifier: MIT
/*
 * The kernel's own count of connections that were reset because they were closed with unread bytes:
 * TCPAbortOnClose of the network namespace that the program began in. Where it has not grown, no
 * close has reset. Async-signal-safe; leaves errno alone.
 */
#ifndef SC_RESETS_H
#define SC_RESETS_H

#include "conn.h"
#include <stdbool.h>
#include <stdint.h>

/* Once, before other threads are there: which namespace that is. */
void sc_resets_init(void);

/*
 * The count before a close of fd, a descriptor of conn. Negative: it does not speak of that, or is not
 * to be had. So it is with a connection of another namespace than the calling thread's, with MPTCP,
 * before Linux 5.14 (SO_NETNS_COOKIE), and without /proc.
 */
int64_t sc_resets_before(const struct sc_conn *conn, int fd);

/* The program wants fd's number for itself: give it up if it is that of the counts. */
bool sc_resets_give_up(int fd);

/* May a close since then have reset something? true also where the count does not tell. */
bool sc_resets_may_be_more(int64_t before);

#endif
