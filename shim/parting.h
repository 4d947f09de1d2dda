// SPDX-License-Identifier: MIT
/*
 * The last step of a connection that the library holds a copy of: to close that copy and to tell
 * what became of the connection. For the thread that has the lingerers; none waits, all leave errno
 * alone.
 */
#ifndef SC_PARTING_H
#define SC_PARTING_H

#include "config.h"
#include "job.h"
#include "linger.h"

/* A connection on its way out, and our copy of it, which each of the following closes. */
struct sc_parting {
	struct sc_job job;
	const struct sc_note *note; /* or NULL */
	int fd;
};

/*
 * It has come to its end: close the copy, which ends the connection, and tell. Somebody who still
 * holds it now refutes the proof that nobody did: that must never be, and is said where it is.
 */
void sc_parting_end(struct sc_parting *it, struct sc_linger_end *end, sc_job_ended *ended);

/* Nobody else holds it, and it is not to linger: because that is the mode (why is NULL), or for the
 * reason why. */
void sc_parting_end_now(struct sc_parting *it, const char *why, sc_job_ended *ended);

/* Somebody else holds it, or may hold it (why): let go. If nobody did any more, that was the
 * last close after all, and over unread bytes a reset; unless they have read all and closed in
 * this moment. */
void sc_parting_leave(struct sc_parting *it, const char *why, sc_job_ended *ended);

#endif
