// SPDX-License-Identifier: MIT
/*
 * /proc/PID/net/netstat: what the kernel has counted in a network namespace. Pure; async-signal-safe;
 * leaves errno alone.
 */
#ifndef SC_NETSTAT_H
#define SC_NETSTAT_H

#include <stdint.h>

enum { SC_NETSTAT_BYTES = 8192 }; /* room for the text, with a zero behind it */

/* TCPAbortOnClose, connections reset as they were closed with unread bytes, of that text. Negative: it
 * does not tell. */
int64_t sc_netstat_aborts_on_close(const char *text);

#endif
