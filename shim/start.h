// SPDX-License-Identifier: MIT
/*
 * The library's beginning: looks up the next definitions, reads the configuration, opens the log.
 * Runs as constructor, or at the first intercepted call where another library's constructor comes
 * earlier. In secure execution (AT_SECURE) nothing is read and nothing is done.
 */
#ifndef SC_START_H
#define SC_START_H

#include "compiler.h"
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

extern SC_HIDDEN _Atomic bool sc_start_is_done;

/* glibc: the start of the process's stack, where the kernel put argc, argv and the environment. musl has no
 * such name. */
extern void *__libc_stack_end __attribute__((weak));

static inline bool sc_start_is_in_glibc(void)
{
	return &__libc_stack_end != NULL;
}

/* At the head of every intercepted call. After the first time one load. */
void sc_start(void);

/* The same, where even a call would count. */
static inline void sc_start_quickly(void)
{
	if (!SC_MOSTLY(atomic_load_explicit(&sc_start_is_done, memory_order_acquire))) {
		sc_start();
	}
}

#endif
