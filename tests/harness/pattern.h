// SPDX-License-Identifier: MIT
/*
 * What the test peer and the program under test write to each other: each byte follows from its
 * place in the stream, so that a byte lost, doubled or moved is noticed. Shared with the programs,
 * hence a header alone.
 */
#ifndef HARNESS_PATTERN_H
#define HARNESS_PATTERN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

static inline uint8_t pattern_byte(uint64_t place)
{
	return (uint8_t)(place ^ (place >> 8) * 31 ^ (place >> 16) * 7);
}

/* Fill size bytes that begin at place of the stream. */
static inline void pattern_fill(uint8_t *bytes, size_t size, uint64_t place)
{
	for (size_t i = 0; i < size; i++) {
		bytes[i] = pattern_byte(place + i);
	}
}

/* Are these the bytes that belong at place? */
static inline bool pattern_matches(const uint8_t *bytes, size_t size, uint64_t place)
{
	for (size_t i = 0; i < size; i++) {
		if (bytes[i] != pattern_byte(place + i)) {
			return false;
		}
	}
	return true;
}

#endif
