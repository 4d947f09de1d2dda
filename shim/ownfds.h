// SPDX-License-Identifier: MIT
/*
 * The library's own descriptors in the program's table: high numbers, close-on-exec, and known by
 * number, so that the program's calls cannot take them. Async-signal-safe, lock-free.
 */
#ifndef SC_OWNFDS_H
#define SC_OWNFDS_H

#include "compiler.h"
#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* What a file that is not of /proc is opened with, to be read: as no program does it. */
enum { SC_OWNFDS_FILE_FLAGS = O_NONBLOCK | O_DSYNC };

/* Once: hold a few descriptors in reserve, for when the program has used up all that it may have. */
void sc_ownfds_init(void);

/* The soft RLIMIT_NOFILE. */
uint64_t sc_ownfds_limit(void);

/* How many of the wanted descriptors may be held for good, where the program's limit is small. */
int sc_ownfds_share(int wanted);

/* A descriptor that can neither be read nor written: what a number is replaced with that must stay
 * taken. Not to be released. Negative: none. */
int sc_ownfds_placeholder(void);

/* After -EMFILE: give one of the reserve up, so that a number is free; true: try again. */
bool sc_ownfds_make_room(void);

/* A private copy of fd, to be kept for ever, as the log's. Returns like sc_ownfds_copy(). */
int sc_ownfds_copy_for_good(int fd);

/* A private copy of fd, for a moment. Returns its number, or a negative errno (-EMFILE, -EBADF, ...). The caller
 * gives it back with sc_ownfds_release(). */
int sc_ownfds_copy(int fd);

/* In a forked child: close what its parent's other threads held for a moment. */
void sc_ownfds_forget_parent(void);

/* The number from which on a copy lies, if there is room: of this process and, as a rule, of its
 * relatives. */
int sc_ownfds_first_copy(void);

/* May the library take this number for a copy, now? Memory only. Not in a vfork child: its table is its own. */
bool sc_ownfds_may_be_own(int fd);

/* Around what opens a descriptor under a low number, until that is adopted or closed again: a close of
 * the same number that comes twice waits. end() gets what begin() returned. */
bool sc_ownfds_begin_opening(void);
void sc_ownfds_end_opening(bool is_counted);

/* Take over fd, a descriptor of the library's own making, under the number it has. Returns fd, or
 * -EMFILE (fd closed) where too many are in use. A negative errno passes through. */
int sc_ownfds_adopt(int fd);

/* Close what is of no use as a reserve, as what was adopted; fd may be negative. */
void sc_ownfds_drop(int fd);

/* Is a copy of some descriptor of the program's there, for a moment, in this process? */
bool sc_ownfds_is_copying(void);

/* Does is_held(inode, fd) say so of one that is, or was a moment ago, a copy of that socket? */
bool sc_ownfds_any_copy(uint64_t inode, bool (*is_held)(uint64_t inode, int fd));

/* Let go of what fd, an own descriptor, holds; the number is still known as the library's until it is
 * released, so that whoever looks for holders meanwhile takes it for none. */
void sc_ownfds_empty(int fd);

/* Close an own descriptor; nothing for a negative one. */
void sc_ownfds_release(int fd);

/* Own numbers, or more, by block: of most numbers one look says that they are not own. */
enum { SC_OWNFDS_BLOCK_COUNT = 64, SC_OWNFDS_BLOCK_SIZE = 64 };
extern SC_HIDDEN _Atomic uint16_t *const sc_ownfds_blocks;

/* Is fd the library's own? */
bool sc_ownfds_has(int fd);

/* Might it be? */
static inline bool sc_ownfds_may_have(int fd)
{
	unsigned block = (unsigned)fd / SC_OWNFDS_BLOCK_SIZE % SC_OWNFDS_BLOCK_COUNT;
	return !SC_MOSTLY(
		atomic_load_explicit(&sc_ownfds_blocks[block], memory_order_relaxed) == 0);
}

/* The lowest own descriptor from fd on; negative: none. */
int sc_ownfds_next(int fd);

/* fd's number is the program's from now on; nothing is closed. */
void sc_ownfds_disown(int fd);

/* The program wants fd's number, an own one, for itself: give it up if it is of the reserve. */
bool sc_ownfds_give_up(int fd);

/* The library's own thread has left the program's table: what it opens is in nobody's way, and its
 * numbers mean nothing to the program. */
void sc_ownfds_set_thread_table(bool is_private);

/* Is the caller that thread, in that table? */
bool sc_ownfds_is_elsewhere(void);

#endif
