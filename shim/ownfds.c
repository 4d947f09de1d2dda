// SPDX-License-Identifier: MIT
#include "ownfds.h"
#include "sys.h"
#include "thread.h"
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/resource.h>

enum {
	SLOT_COUNT = 128,
	/* Own numbers begin this far below the soft RLIMIT_NOFILE, and not above FLOOR_MAX: a
	 * number of a million would make the kernel keep a table of 8 MB and copy it at each fork. */
	ROOM = 64,
	RESERVE_COUNT = 8,
	COPY_COUNT = 64,
	SHARE_OF_LIMIT = 32,
	FLOOR_MAX = 4096 - ROOM,
};

/* Number plus one of each own descriptor; 0: free. */
static _Atomic int slots[SLOT_COUNT];
static _Atomic int slots_end; /* no slot from here on was ever used */

static _Atomic bool is_thread_private;

/* Empty epoll sets, all one. The first is the placeholder and never given away. */
static _Atomic int reserve[RESERVE_COUNT]; /* number plus one; 0: given away */

void sc_ownfds_set_thread_table(bool is_private)
{
	atomic_store(&is_thread_private, is_private);
}

/* Is the caller in another table than the program? */
static bool is_elsewhere(void)
{
	return atomic_load_explicit(&is_thread_private, memory_order_relaxed) &&
	       sc_thread_is_here();
}

/* Copies of the program's descriptors, held for a moment: number plus one, 0 for none. A forked
 * child must not keep them. */
static _Atomic int copies[COPY_COUNT];

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

static _Atomic int first_number; /* 0: not found out yet */

static int find_first_number(void)
{
	struct rlimit limit = {1024, 1024};
	SC_SYS4(SYS_prlimit64, 0, RLIMIT_NOFILE, NULL, &limit);
	uint64_t floor = limit.rlim_cur <= 2 * ROOM ? limit.rlim_cur / 2 : limit.rlim_cur - ROOM;
	int first = floor < FLOOR_MAX ? (int)floor : FLOOR_MAX;
	atomic_store(&first_number, first);
	return first;
}

int sc_ownfds_first_copy(void)
{
	int first = atomic_load_explicit(&first_number, memory_order_relaxed);
	return first != 0 ? first : find_first_number();
}

int sc_ownfds_share(int wanted)
{
	struct rlimit limit = {1024, 1024};
	SC_SYS4(SYS_prlimit64, 0, RLIMIT_NOFILE, NULL, &limit);
	uint64_t share = limit.rlim_cur / SHARE_OF_LIMIT;
	return share < (uint64_t)wanted ? (int)share : wanted;
}

int sc_ownfds_adopt(int fd)
{
	if (fd < 0 || is_elsewhere() || register_fd(fd)) {
		return fd;
	}
	sc_sys_close(fd);
	return -EMFILE;
}

static int copy_high(int fd)
{
	int copy = sc_sys_fcntl(fd, F_DUPFD_CLOEXEC, is_elsewhere() ? 3 : sc_ownfds_first_copy());
	if (copy == -EINVAL) { /* the limit has been lowered meanwhile */
		copy = sc_sys_fcntl(fd, F_DUPFD_CLOEXEC, find_first_number());
	}
	if (copy == -EMFILE || copy == -EINVAL) {
		copy = sc_sys_fcntl(fd, F_DUPFD_CLOEXEC, 3);
	}
	return copy;
}

void sc_ownfds_init(void)
{
	int set = (int)SC_SYS1(SYS_epoll_create1, EPOLL_CLOEXEC);
	int count = sc_ownfds_share(RESERVE_COUNT);
	for (int i = 0; set >= 0 && i < count; i++) {
		int fd = sc_ownfds_adopt(copy_high(set));
		atomic_store(&reserve[i], fd < 0 ? 0 : fd + 1);
	}
	if (set >= 0) {
		sc_sys_close(set);
	}
}

int sc_ownfds_placeholder(void)
{
	return atomic_load(&reserve[0]) - 1;
}

/* One of the reserve, still open and registered; negative: none left. */
static int take_reserve(void)
{
	for (int i = 1; i < RESERVE_COUNT && !is_elsewhere(); i++) {
		int mark = atomic_exchange(&reserve[i], 0);
		if (mark != 0) {
			return mark - 1;
		}
	}
	return -EMFILE;
}

/* Keep fd's number for the reserve, if that is short. What fd held is closed by it. */
static bool refill_reserve(int fd)
{
	int placeholder = sc_ownfds_placeholder();
	for (int i = 1; i < RESERVE_COUNT && placeholder >= 0; i++) {
		if (atomic_load(&reserve[i]) != 0) {
			continue;
		}
		if (SC_SYS3(SYS_dup3, placeholder, fd, O_CLOEXEC) != fd) {
			return false;
		}
		int given_away = 0;
		if (atomic_compare_exchange_strong(&reserve[i], &given_away, fd + 1)) {
			return true;
		}
	}
	return false;
}

bool sc_ownfds_make_room(void)
{
	int fd = take_reserve();
	if (fd < 0) {
		return false;
	}
	unregister_fd(fd);
	sc_sys_close(fd);
	return true;
}

int sc_ownfds_copy_for_good(int fd)
{
	return sc_ownfds_adopt(copy_high(fd));
}

static void note_copy(int fd, bool is_copy)
{
	for (int i = 0; i < COPY_COUNT; i++) {
		int expected = is_copy ? 0 : fd + 1;
		if (atomic_compare_exchange_strong(&copies[i], &expected, is_copy ? fd + 1 : 0)) {
			return;
		}
	}
}

void sc_ownfds_forget_copies(void)
{
	for (int i = 0; i < COPY_COUNT; i++) {
		int mark = atomic_exchange(&copies[i], 0);
		if (mark != 0) {
			sc_ownfds_release(mark - 1);
		}
	}
}

static int copy_for_a_moment(int fd)
{
	int copy = copy_high(fd);
	if (copy != -EMFILE) {
		return sc_ownfds_adopt(copy);
	}
	int spare = take_reserve();
	if (spare < 0) {
		return spare;
	}
	copy = (int)SC_SYS3(SYS_dup3, fd, spare, O_CLOEXEC);
	if (copy < 0) {
		sc_ownfds_release(spare);
	}
	return copy;
}

int sc_ownfds_copy(int fd)
{
	int copy = copy_for_a_moment(fd);
	if (copy >= 0 && !is_elsewhere()) {
		note_copy(copy, true);
	}
	return copy;
}

void sc_ownfds_release(int fd)
{
	if (fd < 0) {
		return;
	}
	if (is_elsewhere()) {
		sc_sys_close(fd);
		return;
	}
	note_copy(fd, false);
	if (!refill_reserve(fd)) {
		/* First the number: once closed, it may be the program's next. */
		unregister_fd(fd);
		sc_sys_close(fd);
	}
}

bool sc_ownfds_has(int fd)
{
	int end = atomic_load_explicit(&slots_end, memory_order_relaxed);
	for (int i = 0; i < end; i++) {
		if (atomic_load_explicit(&slots[i], memory_order_relaxed) - 1 == fd) {
			return fd >= 0;
		}
	}
	return false;
}

int sc_ownfds_next(int fd)
{
	int lowest = -1;
	int end = atomic_load(&slots_end);
	for (int i = 0; i < end; i++) {
		int own = atomic_load_explicit(&slots[i], memory_order_relaxed) - 1;
		if (own >= fd && (lowest < 0 || own < lowest)) {
			lowest = own;
		}
	}
	return lowest;
}

void sc_ownfds_disown(int fd)
{
	unregister_fd(fd);
}

bool sc_ownfds_give_up(int fd)
{
	for (int i = 0; i < RESERVE_COUNT; i++) {
		int mark = fd + 1;
		if (atomic_compare_exchange_strong(&reserve[i], &mark, 0)) {
			unregister_fd(fd);
			return true;
		}
	}
	return false;
}
