// SPDX-License-Identifier: MIT
/*
 * Time, asked of libc itself. Another library's clock_gettime (a sanitizer's) may need thread storage
 * that the library's own thread does not have.
 */
#ifndef SC_CLOCK_H
#define SC_CLOCK_H

#include <stdint.h>
#include <time.h>

/*
 * Find libc's. Once, in a constructor: it allocates, and the first intercepted call may come from
 * within an allocator, under its lock. Before it, and where it is not found, a system call.
 */
void sc_clock_init(void);

/* Nanoseconds of that clock. Async-signal-safe; leaves errno alone. */
uint64_t sc_clock_ns(clockid_t clock);

#endif
