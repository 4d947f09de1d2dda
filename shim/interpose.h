// SPDX-License-Identifier: MIT
/* What the intercepting files share. */
#ifndef SC_INTERPOSE_H
#define SC_INTERPOSE_H

#include "births.h"
#include "ownfds.h"
#include "real.h"
#include "report.h"
#include "sys.h"
#include "turns.h"
#include <errno.h>
#include <sys/types.h>

#define SC_EXPORT __attribute__((visibility("default")))

/* The library's own descriptors do not exist for the program. Sets errno. */
static inline bool refuse_own(int fd)
{
	if (!sc_ownfds_has(fd)) {
		return false;
	}
	errno = EBADF;
	return true;
}

/* Linux frees the number whatever close(2) returns, but for EBADF. */
static inline bool was_closed(int result)
{
	return result == 0 || errno != EBADF;
}

/* dup2 and dup3 by whatever way: replace() is the real call, with its flags. */
int sc_interpose_replace(int from, int to, enum sc_via via, const void *caller,
	int (*replace)(int from, int to, long flags), long flags);

int sc_interpose_dup2(int from, int to, enum sc_via via, const void *caller);

/* real is fork() or a name of it. */
pid_t sc_interpose_fork(pid_t (*real)(void));

/* close() by another way; real is the real call. */
int sc_interpose_close(int fd, enum sc_via via, const void *caller, int (*real)(int fd));

/* close_range and closefrom by whatever way; real is the real call. */
int sc_interpose_close_range(unsigned first, unsigned last, int flags, enum sc_via via,
	const void *caller, int (*real)(unsigned first, unsigned last, int flags));

#endif
