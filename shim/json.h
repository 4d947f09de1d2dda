// SPDX-License-Identifier: MIT
/*
 * One closed connection as one JSON object on one line (RFC 8259). Pure: no system call, no
 * allocation, no stdio. Async-signal-safe.
 */
#ifndef SC_JSON_H
#define SC_JSON_H

#include "report.h"

/* Any event fits into that, with what may give way left out. */
enum { SC_JSON_SIZE_MIN = 1024 };

/*
 * Write the object and a newline into buf of size bytes, at least SC_JSON_SIZE_MIN; SC_REPORT_LINE_MAX
 * bytes are enough for all but absurd names. Returns its length; 0: it does not fit. No terminating
 * zero. Every key is there, in one order: v, ts, pid, tid, comm, exe, via, fd, proto, local, peer,
 * unread, urgent, unacked, mode, outcome, why, drained, elapsed_ms, site, symbol, stack, guess,
 * preview. What is unknown is null. A listener has no peer, and unread is the number of connections
 * that nobody has accepted.
 *
 * Text is valid UTF-8 whatever it was: bytes that are not are U+FFFD, control characters \u00XX. The
 * preview is bytes, each the character of that number. What is too long gives way: names keep their
 * beginning and end in "...", exe keeps its end, the stack its first frames and then "...", the
 * preview its first bytes.
 */
size_t sc_json_format(const struct sc_event *event, char *buf, size_t size);

#endif
