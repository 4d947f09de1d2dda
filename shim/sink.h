// SPDX-License-Identifier: MIT
/*
 * Where lines go: a private copy of stderr, or a file. The only file that writes. Never blocks on a
 * full pipe (the line is counted as lost), raises no signal, writes nothing before the
 * descriptor's identity is checked. Async-signal-safe after init; leaves errno alone.
 */
#ifndef SC_SINK_H
#define SC_SINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Once. target: "stderr", "syslog" or a path, in which %p stands for the process id; the string is copied. */
void sc_sink_init(const char *target);

/* Before a report of this process: where the path has the pid in it, a forked child opens a file of
 * its own. In the program's descriptor table, not in the background thread's. */
void sc_sink_prepare(void);

/* One line, newline included, of process pid. */
void sc_sink_write(const char *line, size_t length, int pid);

/* The program wants fd's number for itself: move away if it is the log's. */
bool sc_sink_evade(int fd);

/* The descriptor that lines go to, for a thread that leaves the program's table; -1: none. */
int sc_sink_fd(void);

/* One line straight to the program's stderr, as it is now; for complaints while starting. */
void sc_sink_write_stderr(const char *line, size_t length);

#endif
