// SPDX-License-Identifier: MIT
#include "watch.h"
#include "line.h"
#include "ownfds.h"
#include "procfs.h"
#include "sys.h"
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
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

/* The set tells only of what is ready for something. Its fdinfo lists what is in it ("tfd:"). */
static bool is_in_set(int set)
{
	char name[64];
	char text[256];
	struct sc_line line = {name, sizeof(name) - 1, 0};
	sc_line_add(&line, "/proc/thread-self/fdinfo/");
	sc_line_add_number(&line, (uint64_t)set);
	name[line.length] = '\0';
	return sc_procfs_read(AT_FDCWD, name, text, sizeof(text)) > 0 &&
	       strstr(text, "tfd:") != NULL;
}

int sc_watch_end(int set)
{
	if (set < 0) {
		return set;
	}
	struct epoll_event event;
	int count = (int)SC_SYS6(SYS_epoll_pwait, set, &event, 1, 0, NULL, 8);
	if (count == 0 && is_in_set(set)) {
		count = 1;
	}
	sc_ownfds_release(set);
	return count;
}
