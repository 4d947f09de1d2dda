// SPDX-License-Identifier: MIT
/*
 * Ending one connection properly: half-close, discard what the peer still sends, until its FIN or
 * a limit. Only for a connection proven nobody else's. Never blocks: who waits, and how, is the
 * caller's matter (background.c). Knows nothing of who closed the connection or how.
 * Async-signal-safe; leaves errno and the socket's mode alone. Times are milliseconds of
 * CLOCK_MONOTONIC.
 */
#ifndef SC_LINGER_H
#define SC_LINGER_H

#include "policy.h"
#include <stdint.h>

struct sc_linger_limits {
	uint64_t time_ms;    /* in all */
	uint64_t timeout_ms; /* of silence: nothing received, nothing acknowledged */
	uint64_t max_bytes;  /* discarded */
};

struct sc_linger_end {
	enum sc_outcome outcome; /* NONE while it lingers; then FIN, TIMEOUT, LIMIT or RST */
	const char *why;         /* constant, or NULL */
	uint64_t drained_bytes;
};

/* A connection that lingers. */
struct sc_linger {
	uint64_t ends_ms;  /* whatever happens */
	uint64_t quiet_ms; /* unless something happens before */
	uint64_t left_bytes;
	struct sc_linger_end end;
	uint32_t timeout_ms;
	uint32_t unacked_bytes; /* when last looked at */
	int fd;                 /* not owned */
	bool is_hurried;
};

uint64_t sc_linger_now_ms(void);

/* Half-close the connection that fd holds, and discard what is there. */
void sc_linger_begin(struct sc_linger *it, int fd, const struct sc_linger_limits *limits);

/* fd has become readable: discard. Sets end.outcome when it has ended. */
void sc_linger_receive(struct sc_linger *it, uint64_t now_ms);

/* Look at the clocks. Sets end.outcome when a limit has passed. */
void sc_linger_tick(struct sc_linger *it, uint64_t now_ms);

/* When sc_linger_tick() is due, unless something is received before. */
uint64_t sc_linger_due_ms(const struct sc_linger *it);

/* The process is about to end, at until_ms: do not linger beyond, nor in long silence once all is
 * acknowledged. */
void sc_linger_hurry(struct sc_linger *it, uint64_t now_ms, uint64_t until_ms);

/* Without waiting: discard what is there, for SC_ACTION_LINGER after a half-close, and say how the
 * connection ends if fd is closed now. */
struct sc_linger_end sc_linger_end_now(int fd, enum sc_action action, uint64_t max_bytes);

/* The same, and says so (limit, "no thread") where a thread would have lingered on. */
struct sc_linger_end sc_linger_end_without_thread(
	int fd, enum sc_action action, uint64_t max_bytes);

/* After that, where it should have lingered on, and does not for the reason why: bytes that come now reset
 * it. */
void sc_linger_explain_cut(
	struct sc_linger_end *end, int fd, enum sc_action action, const char *why);

#endif
