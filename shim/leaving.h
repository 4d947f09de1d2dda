// SPDX-License-Identifier: MIT
/*
 * Connections that an exec is about to close (close-on-exec), and may not, if it fails: ended while
 * their descriptors stay open. Async-signal-safe; leaves errno alone.
 */
#ifndef SC_LEAVING_H
#define SC_LEAVING_H

#include "config.h"
#include "report.h"
#include <stddef.h>

/* The call that closes, and where it was made. */
struct sc_call {
	enum sc_via via;
	const void *caller;
};

/* fds would be closed by an exec that is about to be tried: end their connections, those that
 * nobody else holds, and leave the descriptors open. */
void sc_leaving_end(const int *fds, size_t count, const struct sc_call *call);

#endif
