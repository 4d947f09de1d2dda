// SPDX-License-Identifier: MIT
/* How many threads the program has; the library's own does not count. Async-signal-safe. */
#ifndef SC_THREADS_H
#define SC_THREADS_H

#include <stdbool.h>

/* Does the process have this thread only? false also where it cannot be known. */
bool sc_threads_is_only_one(void);

/* The calling thread is about to get a private descriptor table (CLONE_FILES, UNSHARE). */
void sc_threads_before_table_split(void);

#endif
