// SPDX-License-Identifier: MIT
/*
 * A list of descriptors, in mapped memory. Numbers below 0 are the caller's own signs. Begins zeroed.
 * Async-signal-safe; leaves errno alone.
 */
#ifndef SC_FDLIST_H
#define SC_FDLIST_H

#include <stdbool.h>
#include <stddef.h>

struct sc_fdlist {
	int *fds;
	size_t count;
	size_t size; /* room */
};

/* false: no memory. */
bool sc_fdlist_append(struct sc_fdlist *list, int fd);
void sc_fdlist_forget(struct sc_fdlist *list);

enum { SC_FDLIST_TWIN = 1 << 30 }; /* more than any number */

/* Mark (by that bit) the descriptors of which one that comes later holds the same socket. Without
 * memory none is marked: then whoever looks for holders finds the other. A system call for each
 * that births.h does not know to be the only one. */
void sc_fdlist_mark_twins(struct sc_fdlist *list);

#endif
