// SPDX-License-Identifier: MIT
/*
 * Who else holds a connection: by births (no system call) or by a sweep of /proc, which shows every
 * descriptor of every process that may be read, and how many descriptors are in flight in each unix
 * socket (scm_fds in its fdinfo, Linux 5.11). Async-signal-safe; leaves errno alone.
 */
#ifndef SC_HOLDERS_H
#define SC_HOLDERS_H

#include "births.h"
#include "policy.h"
#include <stdint.h>

/* This process's own descriptors of the connection, the library's own ones aside. */
enum sc_own_table {
	SC_OWN_TABLE_COUNTS,       /* they hold it */
	SC_OWN_TABLE_ENDS,         /* the process ends: they do not count */
	SC_OWN_TABLE_CLOEXEC_ENDS, /* exec: only those without close-on-exec count */
};

/*
 * Ask about the connection with this socket inode, whose descriptor had this birth before the call
 * that closes it. Call after that descriptor is closed (or on its way by own_table).
 */
enum sc_holders sc_holders_ask(uint64_t inode, enum sc_birth birth, enum sc_own_table own_table);

#endif
