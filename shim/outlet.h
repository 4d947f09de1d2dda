// SPDX-License-Identifier: MIT
/*
 * A descriptor that lines are written to, and what it was when it was opened: each line in one
 * write, which never waits, raises no signal, and is not made where the number has become something
 * else's. Async-signal-safe; leaves errno alone.
 */
#ifndef SC_OUTLET_H
#define SC_OUTLET_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sc_outlet {
	_Atomic int fd; /* -1: none */
	_Atomic uint64_t device;
	_Atomic uint64_t inode;
	_Atomic uint32_t mode;
	_Atomic bool is_syslog;
	_Atomic bool is_cut; /* the last line is there in part, without its end */
};

#define SC_OUTLET_NONE   \
	{                \
		.fd = -1 \
	}

/* Lines go to fd from now on, which is the caller's and stays open. */
void sc_outlet_set(struct sc_outlet *it, int fd, bool is_syslog);

/* The same as another one's; fd may have another number here, or be -1. */
void sc_outlet_set_like(struct sc_outlet *it, const struct sc_outlet *other, int fd);

/* Is it still what it was set to? */
bool sc_outlet_is_itself(const struct sc_outlet *it);

/* Write a line of process pid, newline included. Returns 0 or a negative errno: -EAGAIN where
 * there is no room at the moment, -EBADF where there is nothing, or another file. */
int sc_outlet_write(struct sc_outlet *it, const char *text, size_t length, int pid);

#endif
