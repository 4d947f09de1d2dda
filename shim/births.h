// SPDX-License-Identifier: MIT
/*
 * What this process has seen of its descriptors: which were born here (socket, accept), duplicated,
 * sent to somebody; which epoll set they are in. With what process.h knows of forks, the cheap proof
 * that a connection is nobody else's: numbers in memory, no system call.
 *
 * All functions are async-signal-safe, lock-free and leave errno alone. In a vfork child, which has
 * its parent's memory, they change nothing. A forked child takes what it finds for its family's: what
 * it inherited, others may hold.
 */
#ifndef SC_BIRTHS_H
#define SC_BIRTHS_H

#include "compiler.h"
#include <stdatomic.h>
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

/* One entry for each descriptor (births.c): 0 where nothing is known of it. */
struct sc_births_table {
	_Atomic uint64_t *entries;
	uint32_t size;
};
extern SC_HIDDEN struct sc_births_table sc_births_table;
#define SC_BIRTHS_TCP (1ULL << 36)       /* a socket of TCP was made */
#define SC_BIRTHS_PASSED_ON (1ULL << 37) /* the family knows that another program may have it */

static inline uint64_t sc_births_entry(int fd)
{
	return SC_MOSTLY((uint32_t)fd < sc_births_table.size)
		       ? atomic_load_explicit(&sc_births_table.entries[fd], memory_order_relaxed)
		       : 0;
}

/* Once, if sc_process_init() said so. Without it, or without memory, everything stays
 * SC_BIRTH_UNKNOWN. */
void sc_births_init(void);

/* socket() or accept() returned fd, which may be -1; moment: sc_process_moment() before that. Returns fd. */
int sc_births_record(int fd, uint32_t moment, bool is_tcp);
void sc_births_forget(int fd);
void sc_births_record_received(int fd); /* from somebody: nothing is known of it */
void sc_births_record_dup(int from, int to);
void sc_births_record_sent(int fd);
void sc_births_record_passed_on(int fd); /* before the family is told which socket that is */

/* fd is about to be closed or replaced. */
static inline void sc_births_forget_quickly(int fd)
{
	if (sc_births_entry(fd) != 0) {
		sc_births_forget(fd);
	}
}

/* Was a TCP socket made under this number? A hint: the number may be something else's since, by calls
 * that are not followed. */
static inline bool sc_births_is_tcp(int fd)
{
	return (sc_births_entry(fd) & SC_BIRTHS_TCP) != 0;
}

/* May fd be open, as far as calls that are followed tell, or lie beyond what is kept? false: none of them
 * has made it, or it has been closed since. */
bool sc_births_is_noted(int fd);

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

void sc_births_record_epoll_set(int epoll_fd);     /* epoll_create() returned it */
void sc_births_record_epoll(int epoll_fd, int fd); /* about to EPOLL_CTL_ADD */

/* EPOLL_CTL_ADD or EPOLL_CTL_MOD has succeeded, with this struct epoll_event. */
void sc_births_record_wish(int fd, uint32_t events, uint64_t data);

/* The epoll set of this process that fd was added to, if it is known to be one only, and what it was
 * told; else -1. */
int sc_births_wish(int fd, uint32_t *events, uint64_t *data);

/*
 * Calls each(epoll_fd, fd) for the epoll set of this process that fd was added to; where that is
 * not one set, or each() returns false (it is none any more), for all that are known.
 */
void sc_births_each_epoll(int fd, bool (*each)(int epoll_fd, int fd));

#endif
