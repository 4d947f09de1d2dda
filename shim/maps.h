// SPDX-License-Identifier: MIT
/*
 * Which file a code address lies in, by /proc/self/maps: for a dynamic linker that cannot be asked
 * without a lock. Async-signal-safe; leaves errno alone.
 */
#ifndef SC_MAPS_H
#define SC_MAPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sc_mapped {
	uint64_t base;  /* where the file's first byte is mapped */
	char path[128]; /* its last characters where it is longer */
};

/* Find the file around address. false: none, or /proc cannot be read. */
bool sc_maps_find(uint64_t address, struct sc_mapped *found);

#endif
