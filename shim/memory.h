// SPDX-License-Identifier: MIT
/*
 * Memory without malloc: whole pages from the kernel. Async-signal-safe; leaves errno alone.
 */
#ifndef SC_MEMORY_H
#define SC_MEMORY_H

#include <stddef.h>

/* Zeroed memory of size bytes (address space: pages come when touched), or NULL. */
void *sc_memory_map(size_t size);

/* The same, in common with all children that are forked later; or NULL. Once, before the next. */
void *sc_memory_map_shared(size_t size);

/* As sc_memory_map(), zeroed again in every forked child (MADV_WIPEONFORK, Linux 4.14), whatever way
 * it was forked. NULL also where the kernel cannot promise that, as far as sc_memory_map_shared() has
 * found out. */
void *sc_memory_map_wiped(size_t size);

/* Make a mapping larger; it may move. NULL: the old one stays as it is. */
void *sc_memory_grow(void *mapping, size_t old_size, size_t new_size);

void sc_memory_unmap(void *mapping, size_t size);

#endif
