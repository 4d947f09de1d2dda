// SPDX-License-Identifier: MIT
#include "ownfds.h"
#include "sys.h"
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/resource.h>

enum {
	SLOT_COUNT = 128,
	/* Own numbers begin this far below the soft RLIMIT_NOFILE, and not above FLOOR_MAX: a
	 * number of a million would make the kernel keep a table of 8 MB and copy it at each fork. */
	ROOM = 64,
	FLOOR_MAX = 4096 - ROOM,
};

/* Number plus one of each own descriptor; 0: free. */
static _Atomic int slots[SLOT_COUNT];
static _Atomic int slots_end; /* no slot from here on was ever used */

static bool register_fd(int fd)
{
	for (int i = 0; i < SLOT_COUNT; i++) {
		int free_slot = 0;
		if (atomic_compare_exchange_strong(&slots[i], &free_slot, fd + 1)) {
			int end = atomic_load(&slots_end);
			while (end <= i && !atomic_compare_exchange_weak(&slots_end, &end, i + 1)) {
			}
			return true;
		}
	}
	return false;
}

static void unregister_fd(int fd)
{
	for (int i = 0; i < SLOT_COUNT; i++) {
		int mark = fd + 1;
		if (atomic_compare_exchange_strong(&slots[i], &mark, 0)) {
			return;
		}
	}
}

static long lowest_own_number(void)
{
	struct rlimit limit = {1024, 1024};
	SC_SYS4(SYS_prlimit64, 0, RLIMIT_NOFILE, NULL, &limit);
	if (limit.rlim_cur <= 2 * ROOM) {
		return (long)(limit.rlim_cur / 2);
	}
	uint64_t floor = limit.rlim_cur - ROOM;
	return floor < FLOOR_MAX ? (long)floor : FLOOR_MAX;
}

int sc_ownfds_adopt(int fd)
{
	if (register_fd(fd)) {
		return fd;
	}
	sc_sys_close(fd);
	return -EMFILE;
}

int sc_ownfds_copy(int fd)
{
	int copy = sc_sys_fcntl(fd, F_DUPFD_CLOEXEC, lowest_own_number());
	if (copy == -EMFILE || copy == -EINVAL) {
		copy = sc_sys_fcntl(fd, F_DUPFD_CLOEXEC, 3);
	}
	return copy < 0 ? copy : sc_ownfds_adopt(copy);
}

void sc_ownfds_release(int fd)
{
	if (fd >= 0) {
		/* First the number: once closed, it may be the program's next. */
		unregister_fd(fd);
		sc_sys_close(fd);
	}
}

bool sc_ownfds_has(int fd)
{
	int end = atomic_load_explicit(&slots_end, memory_order_relaxed);
	for (int i = 0; i < end; i++) {
		if (atomic_load_explicit(&slots[i], memory_order_relaxed) == fd + 1) {
			return fd >= 0;
		}
	}
	return false;
}
