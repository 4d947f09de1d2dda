// SPDX-License-Identifier: MIT
/*
 * Descriptors of a connection that an exec is just about to close, in a relative or in a child that
 * this process has spawned. Nobody can look afterwards whether that was the last close; so whoever
 * else closes one waits for it before he looks: a millisecond or so, or until that process is given
 * a processor: some 100 ms at most, a second where it waits for that. Async-signal-safe; leaves
 * errno alone.
 */
#ifndef SC_DEPARTURES_H
#define SC_DEPARTURES_H

#include <stdbool.h>
#include <stdint.h>

/* A call has come back whose child has begun its program: the kernel closes what is
 * close-on-exec there a moment later (begin_new_exec, fs/exec.c). pid: 0 where the call does not
 * tell; then, in warn, some system calls find it. */
void sc_departures_note_child(int pid);

/* A descriptor of that socket has been closed, and was not the last; or this process is itself
 * about to execute another program. fd: its number, which a child has it under. true: there may
 * have been one, and it is out of that process's table now; but its end may come only when the
 * exec returns (fput(), fs/file_table.c). */
bool sc_departures_await(uint64_t inode, int fd);

/* The same of that end: a moment has passed, after so many before. false: none has, it has been long
 * enough. */
bool sc_departures_pause(uint64_t inode, int waits);

#endif
