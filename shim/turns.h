// SPDX-License-Identifier: MIT
/*
 * Of what opens something of the library's under a number that only the kernel knows at first, and
 * of the last look at a number and the call that closes it: a close that comes twice would take
 * away what was opened in between. So of the library's thread while it leaves the program's table,
 * of which it has a copy then. Each waits for the other, in memory, some microseconds as a rule,
 * some 5 ms at most.
 *
 * Async-signal-safe, lock-free; errno is left alone. A handler that left one by a jump, or a thread
 * that ended within one, counts no more after that wait.
 */
#ifndef SC_TURNS_H
#define SC_TURNS_H

#include "background.h"
#include "compiler.h"
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* Those under way. */
extern SC_HIDDEN _Atomic int32_t sc_turns_openings;
extern SC_HIDDEN _Atomic int32_t sc_turns_closes;

/* false in a vfork child; then there is nothing to end. */
bool sc_turns_begin_opening(void);
void sc_turns_end_opening(void);

/* One less under way; one that counts no more (left by a jump out of a handler) may have been
 * taken off. */
void sc_turns_end_one(_Atomic int32_t *under_way);

/* Until none is under way, some 5 ms at most; those that last longer count no more. */
void sc_turns_await_none(_Atomic int32_t *under_way);

/* Once. */
void sc_turns_init(void);

/* About to begin a thread that libc does not know. */
void sc_turns_note_thread(void);

/* A close that has begun, and has seen openings under way. */
void sc_turns_await_openings(void);

/* Is there one thread only? libc's own word (__libc_single_threaded, glibc 2.32), or 0. */
extern SC_HIDDEN const char *_Atomic sc_turns_is_single_threaded;

/* Has the program but one thread, as far as libc knows? */
static inline bool sc_turns_is_one_thread(void)
{
	return *atomic_load_explicit(&sc_turns_is_single_threaded, memory_order_relaxed);
}

/* Add to the closes under way; returns what they were. One thread alone (a handler in between
 * leaves them as they were) need not lock the bus for that, which would take as long as all else
 * here. */
static inline int32_t sc_turns_add_close(int32_t more)
{
	if (SC_MOSTLY(sc_turns_is_one_thread() && !sc_background_is_running())) {
		int32_t before = atomic_load_explicit(&sc_turns_closes, memory_order_relaxed);
		atomic_store_explicit(&sc_turns_closes, before + more, memory_order_relaxed);
		return before;
	}
	return atomic_fetch_add(&sc_turns_closes, more);
}

static inline void sc_turns_begin_close(void)
{
	sc_turns_add_close(1);
	if (!SC_MOSTLY(atomic_load(&sc_turns_openings) <= 0)) {
		sc_turns_await_openings();
	}
}

static inline void sc_turns_end_close(void)
{
	if (!SC_MOSTLY(sc_turns_add_close(-1) > 0)) {
		atomic_store(&sc_turns_closes, 0); /* it had lasted too long */
	}
}

/*
 * The same of the library's taking and giving up of high numbers, and of the program's dup2() and
 * dup3() onto such a number: one that came in between would be overwritten or closed. begin_own():
 * false after a millisecond in vain; then there is nothing to end; a hundred times in a row: what
 * it waited for was left by a jump, and counts no more. A replacement waits for a second, and goes
 * ahead (it may be in a handler that has interrupted what it waits for).
 */
bool sc_turns_begin_own(void);
void sc_turns_end_own(void);
void sc_turns_begin_replacement(void);
void sc_turns_end_replacement(void);

/* In a forked child: those under way are its parent's. */
void sc_turns_forget_parent(void);

#endif
