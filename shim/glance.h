// SPDX-License-Identifier: MIT
/*
 * The first look at a descriptor that is about to be closed, which for most is the last: few instructions
 * where it is made. Of inspect.h. Async-signal-safe; leaves errno alone.
 */
#ifndef SC_GLANCE_H
#define SC_GLANCE_H

#include "kernel.h"
#include "sys.h"
#include <errno.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#define SC_GLANCE_UNASKED INT_MIN

/* What has been asked, so that nothing is asked twice. */
struct sc_glance {
	int protocol;     /* SO_PROTOCOL, or a negative errno */
	int unread_bytes; /* FIONREAD, or a negative errno */
};

static const struct sc_glance sc_glance_none = {SC_GLANCE_UNASKED, SC_GLANCE_UNASKED};

/* May the kernel be asked here, without sc_sys6()? */
static inline bool sc_glance_is_allowed(void)
{
	return atomic_load_explicit(&sc_sys_is_deadly, memory_order_relaxed) == NULL;
}

/* Of what is supposed to be a TCP socket: is nothing unread, not even an urgent byte (urgent.h)? Two system
 * calls then. */
static inline bool sc_glance_is_clean(int fd, struct sc_glance *glance)
{
	int answer = 0;
	int error = (int)sc_kernel_call(SYS_ioctl, fd, FIONREAD, (long)&answer, 0, 0, 0);
	glance->unread_bytes = error != 0 ? error : answer;
	return glance->unread_bytes == 0 &&
	       sc_kernel_call(SYS_ioctl, fd, SIOCATMARK, (long)&answer, 0, 0, 0) == 0 && !answer;
}

/* Is it no socket at all, or not even open? One system call. */
static inline bool sc_glance_is_no_socket(int fd, struct sc_glance *glance)
{
	int answer = 0;
	unsigned size = sizeof(answer);
	int error = (int)sc_kernel_call(
		SYS_getsockopt, fd, SOL_SOCKET, SO_PROTOCOL, (long)&answer, (long)&size, 0);
	glance->protocol = error != 0 ? error : answer;
	return error == -ENOTSOCK || error == -EBADF;
}

#endif
