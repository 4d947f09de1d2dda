// SPDX-License-Identifier: MIT
/*
 * The connections that linger, all of one thread: whose they are, what has come, which clock runs
 * out next. Memory grows with their number and is given back; no call blocks but
 * sc_lingerers_wait(). Not for two threads at once; leaves errno alone.
 */
#ifndef SC_LINGERERS_H
#define SC_LINGERERS_H

#include "config.h"
#include "job.h"
#include "linger.h"
#include "slots.h"
#include <stdbool.h>
#include <stddef.h>

struct sc_lingerers {
	/* Told once of every connection given, when it has ended; fd is closed by then. */
	sc_job_ended *ended;
	/* Told once of every connection given that had to be asked about, when it has been. */
	void (*answered)(void);
	struct sc_slots kept;
	uint32_t asking_count;   /* whose holders are to be asked for */
	uint32_t retry_count;    /* whose answer was not certain: to be asked for again */
	int retry_ms;            /* how soon */
	uint32_t waiting_count;  /* that are to begin */
	uint32_t first_waiting;  /* slot of the oldest of these */
	uint32_t max;            /* past it the oldest is finished */
	int poll;                /* epoll set of them all; negative: nothing is kept */
	int reader;              /* see sc_lingerers_listen() */
	bool is_blind;           /* waiting is forbidden: sc_lingerers_wait() cannot tell */
	uint64_t due_ms;         /* when sc_lingerers_tick() has work; never later than needed */
	uint64_t granularity_ms; /* clocks may run this much over, so that few looks serve all */
	uint64_t until_ms;       /* the process ends then; 0: not in sight */
};

/* max: see above; 0: everything given is ended at once. */
void sc_lingerers_init(
	struct sc_lingerers *all, uint32_t max, sc_job_ended *ended, void (*answered)(void));

/* Take a connection and the epoll set that its interest is about, or -1; owns both from now on. */
void sc_lingerers_add(struct sc_lingerers *all, const struct sc_job *job,
	const struct sc_note *note, int fd, int set);

/* Begin to end some of those that need no question. */
void sc_lingerers_begin_some(struct sc_lingerers *all);

/* Find out who else holds those added since the last time, in one sweep, and begin to end them.
 * Some may have to be asked for again: sc_lingerers_wait() then returns soon. */
void sc_lingerers_ask(struct sc_lingerers *all);

/*
 * Wait until something has come, a clock has run out or max_wait_ms are over, and deal with it.
 * Returns true where reader, a descriptor in the set, has become readable, or where nobody can
 * tell.
 */
bool sc_lingerers_wait(struct sc_lingerers *all, int64_t max_wait_ms);

/* Have reader in the set too. */
void sc_lingerers_listen(struct sc_lingerers *all, int reader);

void sc_lingerers_stop_listening(struct sc_lingerers *all);

/* The process ends at until_ms. */
void sc_lingerers_hurry(struct sc_lingerers *all, uint64_t until_ms);

/* Give everything back; finishes what still lingers. */
void sc_lingerers_end(struct sc_lingerers *all);

#endif
