// SPDX-License-Identifier: MIT
/*
 * TCP's urgent byte, which FIONREAD and recv() pass over. Async-signal-safe; leaves errno alone.
 */
#ifndef SC_URGENT_H
#define SC_URGENT_H

#include "sys.h"
#include <errno.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

/*
 * Is the next byte an urgent one that has arrived? FIONREAD stops at the urgent mark (tcp_inq,
 * include/net/tcp.h), so a lone urgent byte counts as none, though closing over it resets. At the
 * mark, MSG_OOB says which it is: the byte is there, or has been read with MSG_OOB and is still
 * queued (EINVAL), or has been announced and not arrived (EAGAIN): nothing queued then.
 */
static inline bool sc_urgent_is_next(int fd)
{
	int at_mark = 0;
	if (sc_sys_ioctl(fd, SIOCATMARK, &at_mark) != 0 || !at_mark) {
		return false;
	}
	char byte;
	return sc_sys_recv(fd, &byte, 1, MSG_OOB | MSG_PEEK | MSG_DONTWAIT) != -EAGAIN;
}

#endif
