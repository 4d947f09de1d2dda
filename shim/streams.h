// SPDX-License-Identifier: MIT
/*
 * Which stdio stream lies over which descriptor: what fdopen() made, and the three standard ones.
 * Recording is lock-free; flushing is for normal context only.
 */
#ifndef SC_STREAMS_H
#define SC_STREAMS_H

#include <stdbool.h>
#include <stdio.h>

void sc_streams_record(FILE *stream, int fd);
void sc_streams_forget(FILE *stream);

/* Write out what the streams over fd still hold. false: something is left, because another thread
 * has the stream or the write failed. May block as long as a flush at exit does. */
bool sc_streams_flush(int fd);

#endif
