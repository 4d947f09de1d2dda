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

enum { SC_MAILBOX_MAX = 48 }; /* of the 64 numbers that the library has */

/*
 * Is fd a unix socket that may be looked into, with messages with descriptors in its queue? Where the process
 * ends, also one that the family sends to with nothing there yet, as what comes later would be thrown away by an
 * end that nobody sees; but standard streams, which other threads may use to the last. No system call where the
 * family has made it and has not sent any descriptor, unless the process ends.
 */
bool sc_mailbox_is_one(int fd);

/* Is fd any unix socket, where that may be asked? One system call. */
bool sc_mailbox_may_be_one(int fd);

/* Are there messages with descriptors in its queue, by all that is known? */
bool sc_mailbox_has_letters(int fd);

/*
 * Private copies of the first connections in the queue of fd, a unix socket that nobody but the caller
 * holds; may_be_received: or that may be in a message, and then is to stay as it was. Returns how many; each
 * is of the family's copies, and the caller's to release.
 */
size_t sc_mailbox_copy(int fd, bool may_be_received, int copies[SC_MAILBOX_MAX]);

#endif
