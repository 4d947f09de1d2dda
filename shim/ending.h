// SPDX-License-Identifier: MIT
/*
 * What is still open when a process ends or becomes another program. Async-signal-safe but for
 * the flushing of streams.
 */
#ifndef SC_ENDING_H
#define SC_ENDING_H

#include "report.h"
#include <stdbool.h>

/*
 * Close the connections among the descriptors first to last (inclusive), each as close() would.
 */
void sc_ending_close_range(unsigned first, unsigned last, enum sc_via via, const void *caller);

/*
 * The process ends: its connections are closed, and what lingers is given SAFECLOSE_EXIT_TIMEOUT.
 * flush_streams: stdio is going to be flushed after this (exit), not thrown away (_exit).
 */
void sc_ending_exit(enum sc_via via, const void *caller, bool flush_streams);

/* An exec of a program that can be run is about to be tried: the same as an exit, for what is
 * close-on-exec. */
void sc_ending_exec(enum sc_via via, const void *caller);

/* The exec has failed. */
void sc_ending_exec_failed(void);

#endif
