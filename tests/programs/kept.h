// SPDX-License-Identifier: MIT
/*
 * Memory that a program shares with all that it starts, other programs among them: at a descriptor
 * that stays open over an exec.
 */
#ifndef PROGRAMS_KEPT_H
#define PROGRAMS_KEPT_H

#include "dial.h"

#include <sys/mman.h>

enum { KEPT_FD = 100 };

/* Zeroes, once; then kept_map() finds it, in every program that has inherited it. The program
 * ends where it cannot. */
static inline void kept_make(size_t bytes)
{
	int made = memfd_create("kept", 0);

	must(made >= 0 && ftruncate(made, (off_t)bytes) == 0, "memfd_create");
	must(dup2(made, KEPT_FD) == KEPT_FD && close(made) == 0, "dup2");
}

static inline void *kept_map(size_t bytes)
{
	void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, KEPT_FD, 0);

	must(memory != MAP_FAILED, "mmap");
	return memory;
}

#endif
