// SPDX-License-Identifier: MIT
/*
 * syslog(3) without libc's part in it, which locks: one datagram a line to /dev/log, by RFC 3164, with
 * priority and tag; the time and the host are the daemon's to add. Where /dev/log is a stream, a zero
 * ends the line. Async-signal-safe; leaves errno
 * alone; never waits.
 */
#ifndef SC_DEVLOG_H
#define SC_DEVLOG_H

#include <stddef.h>

/* A connected socket, or a negative errno. */
int sc_devlog_open(void);

/* Send a line of process pid, newline included, over fd. A daemon that was restarted meanwhile is found
 * again. Returns 0 or a negative errno; -EISCONN or -EPROTOTYPE where that needs a new socket. */
int sc_devlog_send(int fd, const char *text, size_t length, int pid);

#endif
