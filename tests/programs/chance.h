// SPDX-License-Identifier: MIT
/* Numbers by chance, the same in each run for the same seed; a thread has its own. */
#ifndef CHANCE_H
#define CHANCE_H

#include <stdint.h>

static __thread uint64_t chance; /* the seed, to begin with */

/* 0 to below - 1. The lower bits are poor. */
static inline int by_chance(int below)
{
	chance = chance * 6364136223846793005U + 1442695040888963407U;
	return (int)((chance >> 33) % (unsigned)below);
}

#endif
