// SPDX-License-Identifier: MIT
/*
 * For tests that link single objects of the library, without ownfds.o: what those call of it, where a
 * descriptor of the library's own is one as any other. Included by one file of a program, which may
 * say what closes one.
 */
#ifndef HARNESS_PLAINFDS_H
#define HARNESS_PLAINFDS_H

#include "../../shim/ownfds.h"

#include <stdbool.h>
#include <unistd.h>

#ifndef PLAINFDS_CLOSE
#define PLAINFDS_CLOSE close
#endif

int sc_ownfds_adopt(int fd)
{
	return fd;
}

void sc_ownfds_release(int fd)
{
	if (fd >= 0) {
		PLAINFDS_CLOSE(fd);
	}
}

bool sc_ownfds_begin_opening(void)
{
	return false;
}

void sc_ownfds_end_opening(bool is_counted)
{
	(void)is_counted;
}

bool sc_ownfds_make_room(void)
{
	return false;
}

#endif
