// SPDX-License-Identifier: MIT
/*
 * One thread that ends connections in the background: begun at the first one, gone when there is
 * none. It has a descriptor table of its own, so that what lingers is out of the program's sight
 * and reach (close loops, /proc/self/fd, fork, the limit of descriptors), and all signals blocked.
 * Async-signal-safe, lock-free; leaves errno alone.
 */
#ifndef SC_BACKGROUND_H
#define SC_BACKGROUND_H

#include "compiler.h"
#include "config.h"
#include "job.h"
#include "linger.h"
#include <stdatomic.h>
#include <stdbool.h>

/* Once. ended is called when a connection has ended, mostly on the background thread, which has no
 * thread storage: nothing it calls may touch errno or other thread-local data. */
void sc_background_init(sc_job_ended *ended);

/* Before a close whose connection may be given: opens the channel, if it is not there. */
void sc_background_prepare(void);

/*
 * Give the connection that fd holds into the background. fd stays the caller's and is to be closed
 * by it. Returns 0, or a negative errno: no thread to be had, and nothing was done.
 */
int sc_background_give(const struct sc_job *job, const struct sc_note *note, int fd);

/* Wait until it is known of all that were given who else holds them, at most timeout_ms: what was
 * closed before is answered before. */
void sc_background_await_answers(uint64_t timeout_ms);

/*
 * The process is about to end: wait until nothing lingers, at most timeout_ms, and let the
 * background hurry. Returns at once where nothing lingers.
 */
void sc_background_wait(uint64_t timeout_ms);

/* The last wait is over: from now on nothing can be given, since nobody would wait for it. */
void sc_background_shut(void);

/* The process goes on after all (exec has failed). */
void sc_background_resume(void);

/* In a forked child: what was its parent's is let go. Harmless anywhere else. */
void sc_background_forget_parent(void);

/* The calling thread's credentials have changed: the background thread is to have the same. */
void sc_background_follow_credentials(void);

/* Around what moves own descriptors in the program's table. */
void sc_background_begin_move(void);
void sc_background_end_move(void);

/* The program wants fd's number for itself: move away if it is an end of the channel. */
bool sc_background_evade(int fd);

/* The thread's id; 0: there is none. */
extern SC_HIDDEN _Atomic int *sc_background_tid;

/* Is there a background thread? It counts among the process's threads. */
static inline bool sc_background_is_running(void)
{
	return atomic_load_explicit(sc_background_tid, memory_order_relaxed) != 0;
}

#endif
