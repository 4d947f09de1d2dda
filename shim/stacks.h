// SPDX-License-Identifier: MIT
/*
 * Where closes are made: the call site and, where SAFECLOSE_STACK asks for it, the frames around it,
 * by number (see sites.h). Async-signal-safe, lock-free, bounded: past the table's size there is the
 * call site alone.
 */
#ifndef SC_STACKS_H
#define SC_STACKS_H

#include "report.h"
#include "config.h"

struct sc_origin {
	uint16_t site;  /* of sites.h; 0: unknown */
	uint16_t stack; /* 0: the site alone */
};

/*
 * Of the call that returns to caller, on this thread's stack, with at most frames frames (0: none,
 * the origin is unknown). caller NULL: a handler of libc's at exit is running; the origin is who
 * called exit(), or, where libc did by itself (main returned), who called libc.
 */
struct sc_origin sc_stacks_find(const void *caller, size_t frames);

/* Fill sites, of SC_STACK_MAX. Returns how many, the call site first. */
size_t sc_stacks_get(const struct sc_origin *origin, struct sc_site *sites);

#endif
