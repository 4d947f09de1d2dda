// SPDX-License-Identifier: MIT
/*
 * A thread without libc: pthread_create() allocates memory and takes locks, which a close() in a
 * signal handler may not. It has thread storage of zeros (enough for a stack protector's canary),
 * blocked signals, the name "safeclose", and a descriptor table of its own.
 */
#ifndef SC_THREAD_H
#define SC_THREAD_H

#include <stdatomic.h>
#include <stdbool.h>

/*
 * Run body() on the thread. *tid is set to its number before this returns, and to 0 when it has
 * ended (and its stack may be used again). One such thread at a time. 0 or negative errno.
 */
int sc_thread_start(void (*body)(void), _Atomic int *tid);

/*
 * On the thread: leave the program's descriptor table for a private copy, in which only the given
 * descriptors are left under their numbers (negative ones are ignored). 0 or negative errno.
 */
int sc_thread_leave_table(int keep_a, int keep_b);

/* Is the caller on that thread? */
bool sc_thread_is_here(void);

#endif
