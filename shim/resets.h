// SPDX-License-Identifier: MIT
/*
 * The kernel's own count of connections that were reset because they were closed with unread bytes:
 * TCPAbortOnClose of the network namespace that the program began in. Where it has not grown, no
 * close has reset. Async-signal-safe; leaves errno alone.
 */
#ifndef SC_RESETS_H
#define SC_RESETS_H

#include <stdbool.h>
#include <stdint.h>

/* Once: which namespace that is. */
void sc_resets_init(void);

/*
 * Does the count speak of fd's connection, and has the calling thread got it before its eyes? Not with
 * a connection of another namespace, nor before Linux 5.14 (SO_NETNS_COOKIE), nor without /proc.
 */
bool sc_resets_are_told_of(int fd);

/* The count as of now, of the calling thread's namespace; negative: not to be had. */
int64_t sc_resets_count(void);

#endif
