// SPDX-License-Identifier: MIT
/*
 * What this process has seen of its descriptors: which were born here (socket, accept), duplicated,
 * sent to somebody; which epoll set they are in; and whether the process has forked since. Numbers
 * in memory, no system call (but getpid, once in a forked child that makes some): the cheap proof
 * that a connection is nobody else's.
 *
 * All functions are async-signal-safe, lock-free and leave errno alone. In a vfork child, which has
 * its parent's memory, they change nothing. A forked child, known by a page that the fork wiped
 * (MADV_WIPEONFORK), takes what it finds for its family's: what it inherited, others may hold.
 */
#ifndef SC_BIRTHS_H
#define SC_BIRTHS_H

#include <stdbool.h>
#include <stdint.h>

enum sc_birth {
	SC_BIRTH_UNKNOWN, /* inherited over exec, received, or made before the library was there */
	SC_BIRTH_SENT,    /* born here and sent to somebody (SCM_RIGHTS) */
	SC_BIRTH_FAMILY,  /* born in a process that this one was forked from, without exec */
	SC_BIRTH_ELDER,   /* born here, but the process has forked since: children may hold it */
	SC_BIRTH_LOCAL,   /* no fork since, never sent, but duplicated within this process */
	SC_BIRTH_SOLE,    /* no fork since, never duplicated nor sent: nobody else can hold it */
};

/* Once, before all else. Without memory everything stays SC_BIRTH_UNKNOWN. */
void sc_births_init(void);

/*
 * A descriptor that a fork has copied must not count as younger than the fork. The moment is taken
 * before the call that makes it: what a fork under way, or begun since, may have copied is older.
 */
uint32_t sc_births_moment(void);

/* false in a vfork child, which changes nothing. A forked child's first act. */
bool sc_births_may_record(void);

void sc_births_record(int fd, uint32_t moment, bool is_tcp); /* socket() or accept() returned fd */
void sc_births_forget(int fd);          /* fd is about to be closed or replaced */
void sc_births_record_received(int fd); /* from somebody: nothing is known of it */
void sc_births_record_dup(int from, int to);

/* Was a TCP socket made under this number? A hint: the number may be something else's since, by calls
 * that are not followed. */
bool sc_births_is_tcp(int fd);

/* May fd be open, as far as calls that are followed tell, or lie beyond what is kept? false: none of them
 * has made it, or it has been closed since. */
bool sc_births_is_noted(int fd);

void sc_births_record_sent(int fd);
void sc_births_record_fork(void); /* about to fork in any way, or to share its descriptor table */

/* The same around a call that comes back here: with fork()'s result, or what is not 0. In the child:
 * forget the parent. */
void sc_births_begin_fork(void);
void sc_births_end_fork(int result);

/*
 * Around what puts copies of connections under numbers that only the kernel knows at first: a child
 * would keep them. A fork waits for the end of it. begin(): false while a fork is under way; then there
 * is nothing to end.
 */
bool sc_births_begin_taking(void);
void sc_births_end_taking(void);

/*
 * Is a fork under way, or has one begun a moment ago? Its child has copies already and does not show
 * in /proc yet.
 */
bool sc_births_is_forking(void);
void sc_births_record_epoll_set(int epoll_fd);     /* epoll_create() returned it */
void sc_births_record_epoll(int epoll_fd, int fd); /* about to EPOLL_CTL_ADD */

/* EPOLL_CTL_ADD or EPOLL_CTL_MOD has succeeded, with this struct epoll_event. */
void sc_births_record_wish(int fd, uint32_t events, uint64_t data);

/* The epoll set of this process that fd was added to, if it is known to be one only, and what it was
 * told; else -1. */
int sc_births_wish(int fd, uint32_t *events, uint64_t *data);

enum sc_birth sc_births_of(int fd);

/*
 * When fd was born, or a moment before: a process that began earlier cannot have got it by a fork, be
 * it one that this process did not see. In the units of /proc/PID/stat: hundredths of a second of
 * CLOCK_BOOTTIME. 0: not known.
 */
uint32_t sc_births_when(int fd);

/* What sc_births_of() said before fd was closed, in the light of what has happened since: *age is the
 * process's age then. A fork by another thread meanwhile may have copied the descriptor. */
enum sc_birth sc_births_after(enum sc_birth before, uint32_t age);
uint32_t sc_births_get_age(void);

/* What a forked child has to do first, before anything is born in it; once. */
void sc_births_set_child_handler(void (*handler)(void));

/* The process that the library was loaded in, which all of the family descend from, its parent then,
 * and an upper bound of its start: nanoseconds of CLOCK_BOOTTIME. */
struct sc_births_family {
	int root_pid;
	int parent_pid; /* 0: in another pid namespace */
	uint64_t since_ns;
};
struct sc_births_family sc_births_get_family(void);

/* May the process pid have made a connection that this one inherited by forks? Those of its line that
 * have ever made one are known. */
bool sc_births_may_be_of_line(int pid);

/*
 * Calls each(epoll_fd, fd) for the epoll set of this process that fd was added to; where that is
 * not one set, or each() returns false (it is none any more), for all that are known.
 */
void sc_births_each_epoll(int fd, bool (*each)(int epoll_fd, int fd));

/* Is this thread in a vfork child? No system call. */
bool sc_births_in_vfork_child(void);

/* Is it in one that has opened no socket? Those that it has are its parent's. */
bool sc_births_has_only_parents(void);

/* Around the real vfork (stubs.S). begin(): may this one be followed? A child that vforks again
 * needs no following. end() is run first by the child, with 0, then in the same memory by the
 * parent. */
bool sc_births_begin_vfork(void);
void sc_births_end_vfork(int pid);

/*
 * Does the memory belong to the calling process? false in a child that shares it with its parent
 * (vfork, clone with CLONE_VM). A system call only after a fork or such a clone.
 */
bool sc_births_is_own_memory(void);

/* Threads of this process now have descriptor tables of their own: what one of them has closed,
 * another may hold, out of sight. */
void sc_births_record_table_split(void);
bool sc_births_is_table_split(void);

/* About to create a process that shares this descriptor table (clone with CLONE_FILES): neither sees
 * what the other does there. It counts as split for good, in both and in all that they fork. */
void sc_births_record_table_shared(void);
bool sc_births_is_table_shared(void);

/* The calling process's pid, without a system call where it has been looked up. Only where the memory
 * is its own. */
int sc_births_pid(void);

/* About to create a process that shares this memory without vfork()'s own entry. */
void sc_births_record_shared_memory(void);

#endif
