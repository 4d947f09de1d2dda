// SPDX-License-Identifier: MIT
/* What the intercepting files share: see interpose.c. */
#ifndef SC_INTERPOSE_H
#define SC_INTERPOSE_H

#include "ownfds.h"
#include <errno.h>

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

#endif
