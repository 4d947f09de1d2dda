// SPDX-License-Identifier: MIT
/*
 * After the fact: did closing a descriptor release its connection? An epoll set with the descriptor
 * in it still tells of the connection if, and only if, somebody else holds it: the kernel takes a
 * file out of every set when the last holder is gone.
 *
 * The sets are opened beforehand, at high numbers: one opened now would take the lowest free
 * number, perhaps that which another thread has just closed and a third is about to close again by
 * mistake. Async-signal-safe, lock-free; leaves errno alone.
 */
#ifndef SC_WATCH_H
#define SC_WATCH_H

#include <stdbool.h>
#include <stdint.h>

struct sc_watch {
	int set; /* negative: no watch is to be had */
	int place;
	bool is_listener; /* which is not ready as a rule; false from sc_watch_begin() on */
	uint64_t token;
	uint64_t inode; /* of the socket */
};

/* Once, before other threads are there. */
void sc_watch_init(void);

/* In a forked child: the sets are its parent's too. */
void sc_watch_forget_parent(void);

/* In a child that shares its parent's table: the sets are its parent's alone. */
void sc_watch_leave_sets(void);

/* The program wants fd's number for itself: give it up if it is an idle set's. */
bool sc_watch_give_up(int fd);

/* Before closing fd. To be ended by one of those below, whatever it is. */
void sc_watch_begin(struct sc_watch *watch, int fd);

/* Who else may hold it. */
enum sc_watch_for {
	/* Another, who may read it empty at any time: the set, which tells only of what is ready for
	 * something, has to be looked into (by /proc). */
	SC_WATCH_FOR_HOLDERS,
	/* Nobody but a thread of this process that is just now in a system call with the
	 * descriptor, for which it waits some 5 ms at most. */
	SC_WATCH_FOR_CALLS,
	/* Such a call again, and it may be that one which lets go last: it is waited for until it
	 * has done so, a second at most where it is kept from its return for want of a
	 * processor. */
	SC_WATCH_FOR_RETURNS,
};

/* After closing it. 1: somebody holds it, 0: nobody, negative: no answer. */
int sc_watch_end(struct sc_watch *watch, enum sc_watch_for others);

/* Right after it: is nothing told of it any more, as where it is gone? */
bool sc_watch_is_quiet(const struct sc_watch *watch);

/* The same: is it in the set, though nothing is told of it? As a rule its last holder has let go then, and is
 * in the kernel yet: epoll tells nothing of a file without a holder (epi_fget(), fs/eventpoll.c), which is
 * released when that one returns. Never so of a listener. */
bool sc_watch_is_leaving(const struct sc_watch *watch);

/* Without an answer: it is not closed after all, or what that does is known. */
void sc_watch_leave(struct sc_watch *watch);

#endif
