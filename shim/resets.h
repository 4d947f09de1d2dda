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
 * The count before a close of fd, a descriptor of conn. Negative: it does not speak of that, or is
 * not to be had. So it is with a connection of another namespace than the calling thread's, with
 * MPTCP, before Linux 5.14 (SO_NETNS_COOKIE), and without /proc.
 */
int64_t sc_resets_before(const struct sc_conn *conn, int fd);

/* The program wants fd's number for itself: give it up if it is one of those here. */
bool sc_resets_give_up(int fd);

/*
 * Around the last look at a connection and the close that would reset it, and the look whether it
 * has: one at a time of all that have this library in the network namespace, relatives or not.
 * Where both ends are closed at once, the second one has been reset, and the look tells; of two
 * holders that let go at once, one is the last. A turn that lasts (its close waits, its process was
 * killed) is not waited for longer than a tenth of a second, and one that lasts longer but once;
 * one of the same thread (a handler has interrupted it) not at all. end() gets what begin()
 * returned, or 0.
 */
uint32_t sc_resets_begin_turn(void);
void sc_resets_end_turn(uint32_t turn);

/* May a close since then have reset something? true also where the count does not tell. */
bool sc_resets_may_be_more(int64_t before);

#endif
