// SPDX-License-Identifier: MIT
#include "streams.h"
#include <stdatomic.h>
#include <stddef.h>
#include <stdio_ext.h>

enum { STREAM_COUNT = 256 };

static _Atomic(FILE *) streams[STREAM_COUNT];

void sc_streams_record(FILE *stream, int fd)
{
	(void)fd; /* fileno() tells, whatever becomes of it */
	for (int i = 0; i < STREAM_COUNT; i++) {
		FILE *free_place = NULL;
		if (atomic_compare_exchange_strong(&streams[i], &free_place, stream)) {
			return;
		}
	}
}

void sc_streams_forget(FILE *stream)
{
	for (int i = 0; i < STREAM_COUNT; i++) {
		FILE *expected = stream;
		if (atomic_compare_exchange_strong(&streams[i], &expected, NULL)) {
			return;
		}
	}
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
	for (int i = 0; i < STREAM_COUNT; i++) {
		FILE *stream = atomic_load(&streams[i]);
		is_clean = flush_one(stream, fd) && is_clean;
	}
	return is_clean;
}
