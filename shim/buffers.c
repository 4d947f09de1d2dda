// SPDX-License-Identifier: MIT
#include "buffers.h"
#include <stdatomic.h>

enum { BUFFER_COUNT = 8 };

static char buffers[BUFFER_COUNT][SC_REPORT_LINE_MAX];
static _Atomic int takers[BUFFER_COUNT]; /* process ids; 0: free */

/* What a thread of the parent's had when this process was forked, nobody has. */
char *sc_buffers_take(int pid)
{
	for (int i = 0; i < BUFFER_COUNT; i++) {
		int taker = atomic_load(&takers[i]);
		if (taker != pid && atomic_compare_exchange_strong(&takers[i], &taker, pid)) {
			return buffers[i];
		}
	}
	return NULL;
}

void sc_buffers_give_back(char *buffer)
{
	if (buffer != NULL) {
		atomic_store(&takers[(buffer - buffers[0]) / SC_REPORT_LINE_MAX], 0);
	}
}
