// SPDX-License-Identifier: MIT
/*
 * What becomes of a close whose outcome is known: counted, and written where reports go, if it is
 * one that is reported. Async-signal-safe, on any thread; takes no lock, allocates nothing, leaves
 * errno alone.
 */
#ifndef SC_TELLING_H
#define SC_TELLING_H

#include "config.h"
#include "job.h"

/* Once, before the first close. */
void sc_telling_init(void);

/* Before the close of what this thread will tell of: what has to be opened for the first report
 * of a call site must not get the number that is closed, which another thread may close once
 * more. */
void sc_telling_prepare(const struct sc_job *job);

/* An sc_job_ended (job.h); *job and *note are only read. */
void sc_telling_tell(
	const struct sc_job *job, const struct sc_note *note, const struct sc_linger_end *end);

/* The same where nothing was discarded. */
void sc_telling_tell_outcome(const struct sc_job *job, const struct sc_note *note,
	enum sc_outcome outcome, const char *why);

#endif
