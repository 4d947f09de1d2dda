// SPDX-License-Identifier: MIT
/*
 * The call stack of the thread that asks, by the unwind tables of program and libraries: no frame
 * pointers are needed. Why not an unwinder that is there already (libgcc's, which backtrace() uses):
 * it reads whatever it takes for a stack, and so kills a program whose coroutines begin with
 * anything but a null return address; and it takes a lock once a JIT compiler has registered
 * frames. Here all foreign memory is read by sc_peek_read(); the stack ends where it cannot be
 * followed. Async-signal-safe, allocates nothing.
 */
#ifndef SC_UNWIND_H
#define SC_UNWIND_H

#include <stdbool.h>
#include <stdint.h>

/* Frames between the call of a function of ours and whoever asks for its callers, at most. */
enum { SC_UNWIND_OWN_MAX = 24 };

/* Takes where a frame goes on (of a frame that a signal interrupted: the address after that). Returns
 * whether there are to be more. */
typedef bool sc_unwind_take(void *context, uint64_t address);

/*
 * Give take the frames from that which goes on at caller, innermost first; caller NULL: from the
 * first that does not lie in this library. is_trusted: take ends it before it comes to a frame that
 * need not be as its module's table says; then no system call is made.
 */
void sc_unwind_from(const void *caller, bool is_trusted, sc_unwind_take *take, void *context);

#endif
