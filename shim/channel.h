// SPDX-License-Identifier: MIT
/*
 * The way connections travel from the threads that close to the one that ends them: a socket pair,
 * each message a job with the connection's descriptor in flight (SCM_RIGHTS). The kernel keeps the
 * queue, so no lock and no free descriptor is needed, and whoever reads may have a descriptor table
 * of its own. Async-signal-safe; leaves errno alone; errors are negative errno.
 */
#ifndef SC_CHANNEL_H
#define SC_CHANNEL_H

#include "job.h"
#include <fcntl.h>
#include <stdbool.h>

/* Both ends are the library's own descriptors. */
/*
 * Flags of the reader that mean nothing to a socket and that no program sets: so another program's
 * library, which sees them in /proc, knows that what is in flight to it are a library's copies, which
 * hold nothing.
 */
#define SC_CHANNEL_MARK (O_APPEND | O_NOATIME)

struct sc_channel {
	int reader;
	int writer;
};

int sc_channel_open(struct sc_channel *channel);

/* May the caller receive at all? A filter (seccomp) may forbid it. Takes nothing. */
bool sc_channel_may_receive(int reader);

/* Send the job with its connection, with note_bytes of its note, and with the epoll set of its interest
 * where that is unsure; fd stays the caller's. fd -1: a wake-up call. There is room for some hundred; where
 * whoever reads is without a processor for so long, it waits for room, 10 ms at most. */
int sc_channel_send(int writer, const struct sc_job *job, const struct sc_note *note,
	size_t note_bytes, int fd);

/* What was sent: the connection (-1: a wake-up call) and the epoll set (-1: none). */
enum { SC_CHANNEL_FD, SC_CHANNEL_SET, SC_CHANNEL_FDS };

/* Receive without waiting. 1: *job, *note as far as it was sent, and fds (the caller's,
 * close-on-exec). 0: nothing there. */
int sc_channel_receive(
	int reader, struct sc_job *job, struct sc_note *note, int fds[SC_CHANNEL_FDS]);

#endif
