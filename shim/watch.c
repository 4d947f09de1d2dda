// SPDX-License-Identifier: MIT
#include "watch.h"
#include "ownfds.h"
#include "sys.h"
#include <errno.h>
#include <stddef.h>
#include <sys/epoll.h>

int sc_watch_begin(int fd)
{
	int set;
	do {
		set = (int)SC_SYS1(SYS_epoll_create1, EPOLL_CLOEXEC);
	} while (set == -EMFILE && sc_ownfds_make_room());
	set = sc_ownfds_adopt(set);
	if (set < 0) {
		return set;
	}
	struct epoll_event event = {.events = EPOLLIN | EPOLLOUT};
	int error = (int)SC_SYS4(SYS_epoll_ctl, set, EPOLL_CTL_ADD, fd, &event);
	if (error != 0) {
		sc_ownfds_release(set);
		return error;
	}
	return set;
}

int sc_watch_end(int set)
{
	if (set < 0) {
		return set;
	}
	struct epoll_event event;
	int count = (int)SC_SYS6(SYS_epoll_pwait, set, &event, 1, 0, NULL, 8);
	sc_ownfds_release(set);
	return count;
}
