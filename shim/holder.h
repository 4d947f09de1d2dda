// SPDX-License-Identifier: MIT
/*
 * A close look at one process that was found to hold a connection: does it mean to keep it? By
 * /proc; what may not be seen is no. Async-signal-safe; leaves errno alone.
 */
#ifndef SC_HOLDER_H
#define SC_HOLDER_H

#include <stdbool.h>
#include <stdint.h>

/* This process, whatever number it has in /proc. */
enum { SC_HOLDER_SELF = -1 };

/* Does that process still have the connection under that descriptor? */
bool sc_holder_still_holds(uint64_t inode, int pid, int fd);

/* The same, and that descriptor is close-on-exec? */
bool sc_holder_lets_go_at_exec(uint64_t inode, int pid, int fd);

/* May it be a child on its way from fork to exec or exit? It has begun a moment ago, or the
 * machine has not given it the time yet. */
bool sc_holder_is_starting(int pid);

/* Does it run, or would it, with a processor or a disk? */
bool sc_holder_is_running(int pid);

/* Which program does it run? The low half of its file's inode; 0: it runs no more. */
uint32_t sc_holder_exe(int pid);

#endif
