// SPDX-License-Identifier: MIT
/*
 * Sorting in place: no memory, no recursion, quick enough for tens of thousands. Async-signal-safe;
 * leaves errno alone.
 */
#ifndef SC_SORT_H
#define SC_SORT_H

#include <stddef.h>

enum { SC_SORT_SIZE_MAX = 64 };

/* Items of size bytes each, SC_SORT_SIZE_MAX at most and as aligned as a uint64_t, by the one that
 * each begins with, lowest first; equal ones in any order. */
void sc_sort(void *items, size_t count, size_t size);

#endif
