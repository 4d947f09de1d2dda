// SPDX-License-Identifier: MIT
/*
 * Lines that are alike (call site, outcome, reason), counted by the second: the first few are written, of
 * the others it is told how many there were. Bounded: past the table's size nothing is held back.
 * Pure; lock-free, so that any thread and signal handler may come; async-signal-safe.
 */
#ifndef SC_FLOODS_H
#define SC_FLOODS_H

#include "policy.h"
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	SC_FLOODS_LINES = 10,  /* alike, that are written */
	SC_FLOODS_MS = 1000,   /* within so long */
	SC_FLOODS_KINDS = 512, /* of lines that are known; a power of two */
};

/* What makes lines alike. */
struct sc_flood_kind {
	unsigned site; /* of sites.h */
	enum sc_outcome outcome;
	const char *why; /* one of the library's constants, or NULL */
};

/* Lines of a kind that were not written. */
struct sc_flood_rest {
	struct sc_flood_kind kind;
	uint32_t count; /* 0: none */
	uint32_t ms;    /* since the first that was written */
};

struct sc_flood_place {
	_Atomic uint64_t mark;   /* of the kind; 0: free */
	_Atomic uint64_t window; /* its begin in ms << 24 | lines in it */
	_Atomic(const char *) why;
	_Atomic uint32_t site_and_outcome; /* site << 8 | outcome, + 1; 0: not there yet */
};

/* Zeroed memory is an empty one. */
struct sc_floods {
	struct sc_flood_place places[SC_FLOODS_KINDS];
	_Atomic uint64_t next_look_ms;
	_Atomic bool has_rests;
};

/*
 * May a line of that kind be written? If not, it has been counted. *rest is what has to be told before:
 * of this kind, from an earlier second.
 */
bool sc_floods_admit(struct sc_floods *all, const struct sc_flood_kind *kind, uint64_t now_ms,
	struct sc_flood_rest *rest);

/* Is it time to look for rests of other kinds? True for one caller in a second. */
bool sc_floods_is_due(struct sc_floods *all, uint64_t now_ms);

/* Take the next rest that is to be told, from *at on, which begins as 0; those of the present second too
 * where is_end. False: there is none. */
bool sc_floods_take(struct sc_floods *all, size_t *at, uint64_t now_ms, bool is_end,
	struct sc_flood_rest *rest);

#endif
