// SPDX-License-Identifier: MIT
/*
 * Of what opens something of the library's under a number that only the kernel knows at first, and of the
 * last look at a number and the call that closes it: a close that comes twice would take away what was
 * opened in between. Each waits for the other, in memory, some microseconds as a rule, 1 ms at most.
 *
 * Async-signal-safe, lock-free; errno is left alone. A handler that left one by a jump, or a thread that
 * ended within one, counts no more after that wait.
 */
#ifndef SC_TURNS_H
#define SC_TURNS_H

#include <stdbool.h>

/* false in a vfork child; then there is nothing to end. */
bool sc_turns_begin_opening(void);
void sc_turns_end_opening(void);

/* fd: the number that is to be closed */
void sc_turns_begin_close(int fd);
void sc_turns_end_close(void);

/* In a forked child: those under way are its parent's. */
void sc_turns_forget_parent(void);

#endif
