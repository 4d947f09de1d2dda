// SPDX-License-Identifier: MIT
/*
 * Connections in messages that nobody has received. With the last descriptor of a unix socket the
 * kernel throws away what is in its queue, and closes what only a message held. Consumes nothing;
 * async-signal-safe; leaves errno alone.
 */
#ifndef SC_MAILBOX_H
#define SC_MAILBOX_H

#include <stdbool.h>
#include <stddef.h>

enum { SC_MAILBOX_MAX = 16 };

/* Is fd a unix socket with something in its queue that may be a connection? No system call where the
 * family has not sent any. */
bool sc_mailbox_is_one(int fd);

/*
 * Private copies of the first connections in the queue of fd, a unix socket that nobody but the caller
 * holds. Returns how many; each is of the family's copies, and the caller's to release.
 */
size_t sc_mailbox_copy(int fd, int copies[SC_MAILBOX_MAX]);

#endif
