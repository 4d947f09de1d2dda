// SPDX-License-Identifier: MIT
/*
 * What is remembered of a close while its connection is being ended. Plain data, sent as a message
 * from the thread that closed to the one that ends.
 */
#ifndef SC_JOB_H
#define SC_JOB_H

#include "conn.h"
#include <stdint.h>

struct sc_job {
	struct sc_conn conn;
	uint64_t begun_us; /* CLOCK_MONOTONIC */
	uint32_t age;      /* of the process when birth was looked up (births.h) */
	int32_t fd;        /* the program's number */
	uint16_t site;     /* of sites.h */
	uint8_t via;       /* enum sc_via */
	uint8_t birth;     /* enum sc_birth, before the call that closed */
	bool is_in_place;  /* the program\'s own descriptor stays open (exec may fail) */
};

#endif
