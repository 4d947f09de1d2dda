// SPDX-License-Identifier: MIT
/* A time as text. Without gmtime_r(), which takes a lock (tzset). Pure; async-signal-safe. */
#ifndef SC_TIMESTAMP_H
#define SC_TIMESTAMP_H

#include "line.h"

/* Microseconds since 1970 as RFC 3339 has it, in UTC: "2026-11-22T12:49:34.012345Z". Years have at
 * least four digits. */
void sc_timestamp_add(struct sc_line *line, uint64_t us);

#endif
