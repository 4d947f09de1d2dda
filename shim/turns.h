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

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* Those under way. */
extern _Atomic int32_t sc_turns_openings;
extern _Atomic int32_t sc_turns_closes;

/* false in a vfork child; then there is nothing to end. */
bool sc_turns_begin_opening(void);
void sc_turns_end_opening(void);

/* fd: the number that is about to be closed */
void sc_turns_await_openings(int fd);

static inline void sc_turns_begin_close(int fd)
{
	atomic_fetch_add(&sc_turns_closes, 1);
	if (atomic_load(&sc_turns_openings) > 0) {
		sc_turns_await_openings(fd);
	}
}

static inline void sc_turns_end_close(void)
{
	if (atomic_fetch_sub(&sc_turns_closes, 1) <= 0) {
		atomic_store(&sc_turns_closes, 0); /* it had lasted too long */
	}
}

/* In a forked child: those under way are its parent's. */
void sc_turns_forget_parent(void);

#endif
