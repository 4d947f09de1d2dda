// SPDX-License-Identifier: MIT
/*
 * The library's own descriptors in the program's table: high numbers, close-on-exec, and known by
 * number, so that the program's calls cannot take them. Async-signal-safe, lock-free.
 */
#ifndef SC_OWNFDS_H
#define SC_OWNFDS_H

#include <stdbool.h>

/* A private copy of fd. Returns its number, or a negative errno (-EMFILE, -EBADF, ...). The caller
 * gives it back with sc_ownfds_release(). */
int sc_ownfds_copy(int fd);

/* Take over fd, a descriptor of the library's own making, under the number it has. Returns fd, or
 * -EMFILE (fd closed) where too many are in use. */
int sc_ownfds_adopt(int fd);

/* Close an own descriptor; nothing for a negative one. */
void sc_ownfds_release(int fd);

/* Is fd the library's own? */
bool sc_ownfds_has(int fd);

#endif
