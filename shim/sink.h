// SPDX-License-Identifier: MIT
/*
 * Where lines go: a private copy of stderr, a file or /dev/log. Only this file and outlet.c write.
 * Never waits, raises no signal, writes nothing before the descriptor's identity is checked. A log
 * that takes no lines costs one line on stderr in all; what it has not taken is counted, and told
 * when it takes lines again. Async-signal-safe after init; leaves errno alone.
 */
#ifndef SC_SINK_H
#define SC_SINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Once. target: "stderr", "syslog" or a path, in which %p stands for the process id; the string is
 * copied. is_complete: every line is a report for a machine to read, so all of them are written, and
 * nothing else is.
 */
void sc_sink_init(const char *target, bool is_complete);

/* Before a report of this process, in the program's descriptor table: where the path has the pid in it,
 * a forked child opens a file of its own; a log that could not be opened is tried again now and then. */
void sc_sink_prepare(void);

/* One line, newline included, of process pid. */
void sc_sink_write(const char *line, size_t length, int pid);

/* The process ends, or becomes another program: tell what has not been told yet. */
void sc_sink_finish(int pid);

/* The program wants fd's number for itself: move away if it is the log's. */
bool sc_sink_evade(int fd);

/* The descriptor that lines go to, for a thread that leaves the program's table; -1: none. */
int sc_sink_fd(void);

/* On that thread, once it has a table of its own, in which fd is what sc_sink_fd() has said. */
void sc_sink_enter_thread(int fd);

/* One line straight to the program's stderr, if that is still the one it began with; none if it is a
 * connection. */
void sc_sink_write_stderr(const char *line, size_t length);

#endif
