// SPDX-License-Identifier: MIT
/*
 * Memory of this process, read by the kernel (process_vm_readv): an address that cannot be read is
 * an answer, not a fault. Async-signal-safe; leaves errno alone.
 */
#ifndef SC_PEEK_H
#define SC_PEEK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SC_PEEK_BYTES = 256 }; /* a power of two that divides every page */

/* What was read last; the caller's. Zero-initialise before the first use. */
struct sc_peek {
	bool is_trusted; /* what is asked for can be read: no system call */
	uint64_t start;
	size_t size;
	unsigned char bytes[SC_PEEK_BYTES];
};

/* Copy size bytes. false: they cannot be read. */
bool sc_peek_read(struct sc_peek *peek, uint64_t address, void *to, size_t size);

#endif
