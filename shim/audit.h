// SPDX-License-Identifier: MIT
/*
 * What is told besides the single reports: in a log of text, how many more lines were like one; at
 * the end, the totals per call site. A forked child begins with nothing, so each process tells its
 * own. Async-signal-safe, lock-free; leaves errno alone.
 */
#ifndef SC_AUDIT_H
#define SC_AUDIT_H

#include "config.h"
#include "conn.h"
#include "policy.h"
#include <stdbool.h>

/* Once. */
void sc_audit_init(void);

/* A close is to be reported, by process pid. Counts it; false: its line is not to be written. */
bool sc_audit_admit(unsigned site, const struct sc_conn *conn, enum sc_outcome outcome,
	const char *why, int pid);

/* The process ends or becomes another program: tell all that was not told yet. If it goes on
 * after all, it begins again with nothing. */
void sc_audit_finish(int pid);

#endif
