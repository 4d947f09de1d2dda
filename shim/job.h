// SPDX-License-Identifier: MIT
/*
 * What is remembered of a close while its connection is being ended. Plain data, sent as a message
 * from the thread that closed to the one that ends.
 */
#ifndef SC_JOB_H
#define SC_JOB_H

#include "births.h"
#include "conn.h"
#include "interest.h"
#include "linger.h"
#include "note.h"
#include "stacks.h"
#include <stdint.h>

struct sc_job {
	struct sc_conn conn;
	struct sc_interest interest;
	uint64_t begun_us; /* CLOCK_MONOTONIC */
	uint32_t age;      /* of the process when birth was looked up (births.h) */
	union {
		uint32_t born; /* until it is claimed: see sc_births_when() */
		uint32_t left; /* since then: bytes that were unread */
	};
	int32_t fd; /* the program's number */
	struct sc_origin origin;
	uint8_t via;      /* enum sc_via */
	uint8_t birth;    /* enum sc_birth, before the call that closed */
	bool is_in_place; /* the program's own descriptor stays open (exec may fail) */
	bool is_twins;    /* somebody has begun to end it before */
	bool is_last;     /* before an exec: nobody else holds it */
};

/* Told when the connection has ended. note: NULL where reports show none. */
typedef void sc_job_ended(
	const struct sc_job *job, const struct sc_note *note, const struct sc_linger_end *end);

/*
 * Two holders may find at once that nobody else holds the connection any more, and end it together.
 * One has got the bytes, or, where there were none, has begun first; the other's close was not the last
 * one. Before it begins, and when it has ended:
 */
void sc_job_claim(struct sc_job *job, int fd);
void sc_job_yield_to_twin(const struct sc_job *job, struct sc_linger_end *end);

#endif
