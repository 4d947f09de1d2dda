// SPDX-License-Identifier: MIT
/*
 * Room for a few lines at once, each of SC_REPORT_LINE_MAX bytes: the stack of whoever closes may be
 * small (a signal's). No lock: who finds none free uses less room. Async-signal-safe.
 */
#ifndef SC_BUFFERS_H
#define SC_BUFFERS_H

#include "report.h"

/* For the process of that id, which has its memory for itself. NULL: none is free. */
char *sc_buffers_take(int pid);

/* NULL is fine. */
void sc_buffers_give_back(char *buffer);

#endif
