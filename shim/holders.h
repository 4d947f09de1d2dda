// SPDX-License-Identifier: MIT
/*
 * Who else holds a connection: by births (no system call) or by a sweep of /proc, which shows every
 * descriptor of every process that may be read, and how many descriptors are in flight in each unix
 * socket (scm_fds in its fdinfo, Linux 5.11). One sweep serves many connections.
 * Async-signal-safe; leaves errno alone.
 */
#ifndef SC_HOLDERS_H
#define SC_HOLDERS_H

#include "births.h"
#include "policy.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* This process's own descriptors of the connection, the library's own ones aside. */
enum sc_own_table {
	SC_OWN_TABLE_COUNTS,       /* they hold it */
	SC_OWN_TABLE_CLOEXEC_ENDS, /* exec: only those without close-on-exec count */
};

struct sc_holders_query {
	uint64_t inode;      /* of the socket; 0: unknown */
	enum sc_birth birth; /* of its descriptor, before the call that closes it */
	uint32_t born;       /* when: sc_births_when() */
	enum sc_holders answer;
	bool is_passing; /* UNKNOWN for descriptors in flight, which may arrive: ask again */
	bool is_forking; /* NOBODY, but a child may not show yet: ask once more */
	int holder_pid;  /* SOMEBODY in another process: which, and its descriptor; else 0 */
	int holder_fd;
	size_t mine; /* the caller's */
};

/* Can the birth alone answer? Then it says NOBODY, without a system call. */
bool sc_holders_are_known(enum sc_birth birth);

/*
 * Answer all queries; reorders them. Ask after the descriptors are closed (or on their way by
 * own_table).
 */
void sc_holders_ask(struct sc_holders_query *queries, size_t count, enum sc_own_table own_table);

#endif
