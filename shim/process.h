// SPDX-License-Identifier: MIT
/*
 * Which process this is: whether memory and table of descriptors are its own, what it descends
 * from, and what has forked since. Numbers in memory, no system call (but getpid, once in a forked
 * child that asks).
 *
 * All functions are async-signal-safe, lock-free and leave errno alone. In a vfork child, which has
 * its parent's memory, they change nothing. A forked child is known by a page that the fork wiped
 * (MADV_WIPEONFORK).
 */
#ifndef SC_PROCESS_H
#define SC_PROCESS_H

#include "compiler.h"
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* Of this thread; in a vfork child it is the parent thread's, which waits meanwhile. As one: the
 * dynamic linker has one thing less to look up for each that is not another. */
struct sc_process_thread {
	bool is_vfork_child;
	bool has_own_sockets; /* that child */
	int takings;          /* under way */
};
extern SC_HIDDEN __thread struct sc_process_thread sc_process_thread;
/* A forked child's first act is done, and nobody else has this memory; a fork wipes it. */
extern SC_HIDDEN _Atomic bool *sc_process_is_settled;

/* Once, before all else. false: there is no memory, and nothing can be known of descriptors. */
bool sc_process_init(void);

/* Instead, where nothing is followed: no call asks for anything any more. */
void sc_process_init_unfollowed(void);

/* What the thread that forks has to do before it, and a forked child first, before anything is
 * born in it; once each. */
void sc_process_set_fork_handler(void (*handler)(void));
void sc_process_set_child_handler(void (*handler)(void));

/*
 * Before what is known of this process is changed: a forked child's first act. false: the memory is
 * another's (vfork, clone with CLONE_VM), and is left as it is.
 */
bool sc_process_claim_memory(void);

/* The same in few instructions, for what every connection passes through. */
static inline __attribute__((always_inline)) bool sc_process_claim_memory_quickly(void)
{
	return (!sc_process_thread.is_vfork_child &&
		       atomic_load_explicit(sc_process_is_settled, memory_order_relaxed)) ||
	       sc_process_claim_memory();
}

/*
 * Does the memory belong to the calling process? false in a child that shares it with its parent
 * (vfork, clone with CLONE_VM). A system call only after a fork or such a clone.
 */
bool sc_process_is_own_memory(void);

/* The calling process's pid, without a system call where it has been looked up. Only where the
 * memory is its own. */
int sc_process_pid(void);

/* ---- ages: one more with each fork, in a child too ------------------------------------------- */

uint32_t sc_process_get_age(void);

/* What is younger was made in this process, and not in one that it was forked from. A forked
 * child's first act too. */
uint32_t sc_process_first_age(void);

/*
 * A descriptor that a fork has copied must not count as younger than the fork. The moment is taken
 * before the call that makes it: what a fork under way, or begun since, may have copied is older.
 */
uint32_t sc_process_moment(void);

/* ---- forks
 * ------------------------------------------------------------------------------------ */

void sc_process_record_fork(void); /* about to fork in any way, or to share its descriptor table */

/* The same around a call that comes back here: with fork()'s result, or what is not 0. In the
 * child: forget the parent. */
enum { SC_PROCESS_SPAWNED = 1 }; /* for end(): this is the parent */
void sc_process_begin_fork(void);
void sc_process_end_fork(int result);

/* A process that has a child, and was never seen to fork, does so by calls that are not followed: what is
 * born in it may be its children's whatever its age. look(): one system call, none once a fork was seen. */
void sc_process_look_for_children(void);
bool sc_process_has_unseen_forks(void);

/* A child has just begun its program. spawned: the at-th of the latest; false: there are no
 * more, or that was longer ago than two seconds. */
void sc_process_note_spawned(int pid);
bool sc_process_spawned(int at, int *pid);

/* Is a thread of this process in a call that forks? posix_spawn() and popen() come back when the
 * child has begun its program. */
bool sc_process_is_fork_under_way(void);

/*
 * Is a fork under way, or has one begun a moment ago? Its child has copies already and does not
 * show in /proc yet.
 */
bool sc_process_is_forking(void);

/*
 * Around what puts copies of connections under numbers that only the kernel knows at first: a child
 * would keep them. A fork waits for the end of it. begin(): false while a fork is under way; then
 * there is nothing to end.
 */
bool sc_process_begin_taking(void);
void sc_process_end_taking(void);

/* ---- children that share something
 * ------------------------------------------------------------ */

/* Around the real vfork (stubs.S). begin(): may this one be followed? A child that vforks again
 * needs no following. end() is run first by the child, with 0, then in the same memory by the
 * parent. */
bool sc_process_begin_vfork(void);
void sc_process_end_vfork(int pid);

/* Is this thread in a vfork child? No system call. */
bool sc_process_in_vfork_child(void);

/* Is it in one that has opened no socket? Those that it has are its parent's. */
bool sc_process_has_only_parents(void);

/* Where memory could not be claimed: it has opened one. */
void sc_process_note_own_socket(void);

/* About to create a process that shares this memory without vfork()'s own entry. */
void sc_process_record_shared_memory(void);

/* Threads of this process now have descriptor tables of their own: what one of them has closed,
 * another may hold, out of sight. */
void sc_process_record_table_split(void);
bool sc_process_is_table_split(void);

/* About to create a process that shares this descriptor table (clone with CLONE_FILES): neither
 * sees what the other does there. It counts as split for good, in both and in all that they
 * fork. */
void sc_process_record_table_shared(void);
bool sc_process_is_table_shared(void);

/* ---- ancestors
 * -------------------------------------------------------------------------------- */

/* The process that the library was loaded in, which all of the family descend from, and its parent
 * then. */
struct sc_process_family {
	int root_pid;
	int parent_pid; /* 0: in another pid namespace */
};
const struct sc_process_family *sc_process_get_family(void);

/* This process makes descriptors: its children inherit what may be its connections. */
void sc_process_join_line(void);

/* May the process pid have made a connection that this one inherited by forks? Those of its line
 * that have ever made one are known. */
bool sc_process_may_be_of_line(int pid);

/* This process ends for certain, and nothing of the program runs in it any more but other
 * threads; not so a child that one of those forks. Only where the memory is its own. */
void sc_process_note_ending(void);
bool sc_process_is_ending(void);

#endif
