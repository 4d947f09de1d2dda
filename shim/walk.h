// SPDX-License-Identifier: MIT
/*
 * The descriptors of this process, the library's own ones aside. Apart from ending.c because others
 * walk too; visit() may close, and unwinding passes through here then. Async-signal-safe; leaves
 * errno alone.
 */
#ifndef SC_WALK_H
#define SC_WALK_H

#include <stdbool.h>

/* Does births.h know of this table's descriptors? Not in a child that shares memory or table
 * with its parent. */
bool sc_walk_is_followed(void);

/* Call visit(context, fd) for every number from first to last (inclusive) under which a socket
 * may be open. Where what is followed does not tell, of all that are open; where /proc cannot
 * list those, of all up to 65,536. */
void sc_walk(unsigned first, unsigned last, void (*visit)(void *context, int fd), void *context);

#endif
