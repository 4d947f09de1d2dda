// SPDX-License-Identifier: MIT
/*
 * Where lines go: a private copy of stderr, or a file. The only file that writes. Never blocks on a
 * full pipe (the line is counted as lost), raises no signal, writes nothing before the
 * descriptor's identity is checked. Async-signal-safe after init; leaves errno alone.
 */
#ifndef SC_SINK_H
#define SC_SINK_H

#include <stddef.h>
#include <stdint.h>

/* Once. target: "stderr" or a path, in which %p stands for the process id; the string is copied. */
void sc_sink_init(const char *target);

/* One line, newline included, of process pid. */
void sc_sink_write(const char *line, size_t length, int pid);

/* One line straight to the program's stderr, as it is now; for complaints while starting. */
void sc_sink_write_stderr(const char *line, size_t length);

#endif
