// SPDX-License-Identifier: MIT
#include "streams.h"
#include <stdatomic.h>
#include <stddef.h>
#include <stdio_ext.h>

enum { STREAM_COUNT = 256 };

static _Atomic(FILE *) streams[STREAM_COUNT];
static _Atomic int end; /* no place from here on was ever used */

/* In the first place that has what, now has is. */
static int exchange(int count, FILE *what, FILE *is)
{
	for (int i = 0; i < count; i++) {
		FILE *expected = atomic_load_explicit(&streams[i], memory_order_relaxed);
		if (expected == what &&
			atomic_compare_exchange_strong(&streams[i], &expected, is)) {
			return i;
		}
	}
	return -1;
}

void sc_streams_record(FILE *stream, int fd)
{
	(void)fd; /* fileno() tells, whatever becomes of it */
	int place = exchange(STREAM_COUNT, NULL, stream);
	int known = atomic_load(&end);
	while (known <= place && !atomic_compare_exchange_weak(&end, &known, place + 1)) {
	}
}

void sc_streams_forget(FILE *stream)
{
	exchange(atomic_load(&end), stream, NULL);
}

static bool flush_one(FILE *stream, int fd)
{
	if (stream == NULL || ftrylockfile(stream) != 0) {
		/* Another thread is using it; it may even wait for input with the lock held. */
		return stream == NULL || fileno_unlocked(stream) != fd;
	}
	bool is_clean = fileno_unlocked(stream) != fd || __fpending(stream) == 0 ||
			fflush_unlocked(stream) == 0;
	funlockfile(stream);
	return is_clean;
}

bool sc_streams_flush(int fd)
{
	bool is_clean = flush_one(stdout, fd) && flush_one(stderr, fd) && flush_one(stdin, fd);
	for (int i = 0; i < atomic_load(&end); i++) {
		FILE *stream = atomic_load(&streams[i]);
		is_clean = flush_one(stream, fd) && is_clean;
	}
	return is_clean;
}
