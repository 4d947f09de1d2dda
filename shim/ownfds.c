// SPDX-License-Identifier: MIT
#include "ownfds.h"
#include "births.h"
#include "process.h"
#include "sys.h"
#include "thread.h"
#include "turns.h"
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <linux/magic.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/vfs.h>

enum {
	SLOT_COUNT = 128,
	/* Own numbers begin this far below the soft RLIMIT_NOFILE, and not above FLOOR_MAX: a
	 * number of a million would make the kernel keep a table of 8 MB, copy it at each fork,
	 * and leave its size to what is executed. */
	ROOM = 64,
	RESERVE_COUNT = 8,
	COPY_COUNT = 64,
	MOMENT_COUNT = 32,
	RELEASED_COUNT = 64,
	SHARE_OF_LIMIT = 32,
	GIVE_BACK_TRIES =
		200, /* of a millisecond; by then what was left by a jump is written off (turns.c) */
	FLOOR_MAX = 1024 - ROOM,
	PAGE_PART_BYTES = 2048, /* a power of two, a page at most */
};

/*
 * Numbers plus one; 0: none. A forked child must not keep what the other threads of its parent hold
 * for a moment: copies of the program's descriptors, and what was opened under whatever number was
 * free. The kernel copies the table first and the memory later, so by what the memory says a copy
 * may have been released that the child's table has, and an own descriptor may be there whose
 * number is the program's in the child's table. All in one page: the kernel does not copy pages at
 * one moment.
 */
static struct {
	_Atomic int slots[SLOT_COUNT];      /* every own descriptor */
	_Atomic int slots_end;              /* no slot from here on was ever used */
	_Atomic int reserve[RESERVE_COUNT]; /* empty epoll sets, all one; the first is the
					     * placeholder and never given away */
	_Atomic int copies[COPY_COUNT];
	_Atomic int copied[COPY_COUNT];    /* descriptors of which a copy is being made */
	_Atomic int moments[MOMENT_COUNT]; /* for as long as it is registered, at least */
	_Atomic uint16_t blocks[SC_OWNFDS_BLOCK_COUNT]; /* by BLOCK() */
	/* The latest copies that were released, a ring of their numbers with the low half of the
	 * inode above them, and how many there have been. */
	_Atomic uint64_t released[RELEASED_COUNT];
	_Atomic uint32_t released_count;
} fds __attribute__((aligned(PAGE_PART_BYTES)));
_Static_assert(sizeof(fds) <= PAGE_PART_BYTES, "within a page");

#define BLOCK(fd) (((unsigned)(fd) / SC_OWNFDS_BLOCK_SIZE) % SC_OWNFDS_BLOCK_COUNT)

_Atomic uint16_t *const sc_ownfds_blocks = fds.blocks;

static _Atomic int first_number; /* 0: not found out yet */
static __thread uint32_t released_before_fork;
static _Atomic int releases_under_way; /* noted so, and perhaps not closed yet */
static _Atomic bool is_thread_private;

/* ---- whose table ---------------------------------------------------------------------------- */

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

bool sc_ownfds_is_elsewhere(void)
{
	return is_elsewhere();
}

/* Is what the caller opens not to be registered? A vfork child's would be taken for its
 * parent's. */
static bool is_apart(void)
{
	return is_elsewhere() || !sc_process_is_own_memory();
}

/* ---- the registry --------------------------------------------------------------------------- */

/* If *place has from, now it has to. First a look: most do not, and an exchange is dear. */
static bool exchange(_Atomic int *place, int from, int to)
{
	return atomic_load_explicit(place, memory_order_relaxed) == from &&
	       atomic_compare_exchange_strong(place, &from, to);
}

static bool register_fd(int fd)
{
	atomic_fetch_add(&fds.blocks[BLOCK(fd)], 1);
	for (int i = 0; i < SLOT_COUNT; i++) {
		if (exchange(&fds.slots[i], 0, fd + 1)) {
			int end = atomic_load(&fds.slots_end);
			while (end <= i &&
				!atomic_compare_exchange_weak(&fds.slots_end, &end, i + 1)) {
			}
			return true;
		}
	}
	atomic_fetch_sub(&fds.blocks[BLOCK(fd)], 1);
	return false;
}

static void unregister_fd(int fd)
{
	for (int i = 0; i < SLOT_COUNT; i++) {
		if (exchange(&fds.slots[i], fd + 1, 0)) {
			atomic_fetch_sub(&fds.blocks[BLOCK(fd)], 1);
			return;
		}
	}
}

static int keep(int fd)
{
	if (fd < 0 || is_apart() || register_fd(fd)) {
		return fd;
	}
	sc_sys_close(fd);
	return -EMFILE;
}

bool sc_ownfds_has(int fd)
{
	if (!sc_ownfds_may_have(fd)) {
		return false;
	}
	int end = atomic_load_explicit(&fds.slots_end, memory_order_relaxed);
	for (int i = 0; i < end; i++) {
		if (atomic_load_explicit(&fds.slots[i], memory_order_relaxed) - 1 == fd) {
			return fd >= 0;
		}
	}
	return false;
}

int sc_ownfds_next(int fd)
{
	int lowest = -1;
	int end = atomic_load(&fds.slots_end);
	for (int i = 0; i < end; i++) {
		int own = atomic_load_explicit(&fds.slots[i], memory_order_relaxed) - 1;
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

/* ---- high numbers --------------------------------------------------------------------------- */

uint64_t sc_ownfds_limit(void)
{
	struct rlimit64 limit = {1024, 1024};
	SC_SYS4(SYS_prlimit64, 0, RLIMIT_NOFILE, NULL, &limit);
	return limit.rlim_cur;
}

static int find_first_number(void)
{
	uint64_t limit = sc_ownfds_limit();
	uint64_t floor = limit <= 2 * ROOM ? limit / 2 : limit - ROOM;
	int first = floor < FLOOR_MAX ? (int)floor : FLOOR_MAX;
	atomic_store(&first_number, first);
	return first;
}

int sc_ownfds_first_copy(void)
{
	int first = atomic_load_explicit(&first_number, memory_order_relaxed);
	return first != 0 ? first : find_first_number();
}

bool sc_ownfds_may_be_own(int fd)
{
	return fd >= atomic_load_explicit(&first_number, memory_order_relaxed) &&
	       !sc_process_thread.is_vfork_child;
}

int sc_ownfds_share(int wanted)
{
	uint64_t share = sc_ownfds_limit() / SHARE_OF_LIMIT;
	return share < (uint64_t)wanted ? (int)share : wanted;
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

/* -EMFILE: there is no number free. */
static int copy_and_keep(int fd)
{
	if (is_elsewhere()) {
		return copy_high(fd);
	}
	if (!sc_turns_begin_own()) {
		return -EMFILE;
	}
	int copy = keep(copy_high(fd));
	sc_turns_end_own();
	return copy;
}

int sc_ownfds_copy_for_good(int fd)
{
	return copy_and_keep(fd);
}

/* ---- the reserve ---------------------------------------------------------------------------- */

int sc_ownfds_placeholder(void)
{
	return atomic_load(&fds.reserve[0]) - 1;
}

/* One of the reserve, still open and registered; negative: none left. */
static int take_reserve(void)
{
	/* In a shared table the other process may have given away the same numbers. */
	bool is_ours = !is_apart() && !sc_process_is_table_shared();
	for (int i = 1; i < RESERVE_COUNT && is_ours; i++) {
		int mark = atomic_exchange(&fds.reserve[i], 0);
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
		if (atomic_load(&fds.reserve[i]) != 0) {
			continue;
		}
		if (SC_SYS3(SYS_dup3, placeholder, fd, O_CLOEXEC) != fd) {
			return false;
		}
		if (exchange(&fds.reserve[i], 0, fd + 1)) {
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

bool sc_ownfds_give_up(int fd)
{
	for (int i = 0; i < RESERVE_COUNT; i++) {
		if (exchange(&fds.reserve[i], fd + 1, 0)) {
			unregister_fd(fd);
			return true;
		}
	}
	return false;
}

/* ---- what is held for a moment -------------------------------------------------------------- */

static bool is_on(const _Atomic int *list, int count, int fd)
{
	for (int i = 0; i < count; i++) {
		if (atomic_load_explicit(&list[i], memory_order_relaxed) == fd + 1) {
			return true;
		}
	}
	return false;
}

/* Put fd on a list, or take it off. */
static void note(_Atomic int *list, int count, int fd, bool goes_on)
{
	for (int i = 0; i < count; i++) {
		if (exchange(&list[i], goes_on ? 0 : fd + 1, goes_on ? fd + 1 : 0)) {
			return;
		}
	}
}

bool sc_ownfds_begin_opening(void)
{
	return !is_elsewhere() && sc_turns_begin_opening();
}

void sc_ownfds_end_opening(bool is_counted)
{
	if (is_counted) {
		sc_turns_end_opening();
	}
}

int sc_ownfds_adopt(int fd)
{
	if (fd >= 0 && !is_apart()) {
		note(fds.moments, MOMENT_COUNT, fd, true);
	}
	int kept = keep(fd);
	if (kept < 0 && fd >= 0) {
		note(fds.moments, MOMENT_COUNT, fd, false);
	}
	return kept;
}

static uint64_t inode_of(int fd)
{
	struct stat64 status;
	return SC_SYS2(SYS_fstat, fd, &status) == 0 ? status.st_ino : 0;
}

/* A copy's number, and what it held: the number may be the program's in this table. */
static uint64_t identity_of(int fd)
{
	return inode_of(fd) << 32 | (uint32_t)fd;
}

static int copy_for_a_moment(int fd)
{
	int copy = copy_and_keep(fd);
	if (copy != -EMFILE) {
		return copy;
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
	if (is_elsewhere()) {
		return copy_for_a_moment(fd);
	}
	note(fds.copied, COPY_COUNT, fd, true);
	int copy = copy_for_a_moment(fd);
	if (copy >= 0) {
		note(fds.copies, COPY_COUNT, copy, true);
	}
	note(fds.copied, COPY_COUNT, fd, false);
	return copy;
}

/* First on one list, then off the other: a fork may come in between. */
static void note_released(int fd)
{
	if (is_on(fds.copies, COPY_COUNT, fd)) {
		uint32_t place = atomic_fetch_add(&fds.released_count, 1);
		atomic_store(&fds.released[place % RELEASED_COUNT], identity_of(fd));
		note(fds.copies, COPY_COUNT, fd, false);
	}
}

/* In this order: a copy is off the list only after its release has begun. */
bool sc_ownfds_is_copying(void)
{
	for (int i = 0; i < COPY_COUNT; i++) {
		if (atomic_load(&fds.copies[i]) != 0) {
			return true;
		}
	}
	return atomic_load(&releases_under_way) > 0;
}

bool sc_ownfds_any_copy(uint64_t inode, bool (*is_held)(uint64_t inode, int fd))
{
	for (int i = 0; i < COPY_COUNT; i++) {
		int mark = atomic_load(&fds.copies[i]);
		if (mark != 0 && is_held(inode, mark - 1)) {
			return true;
		}
	}
	for (int i = 0; i < RELEASED_COUNT; i++) {
		uint64_t identity = atomic_load(&fds.released[i]);
		if (identity >> 32 == (uint32_t)inode && is_held(inode, (int)(uint32_t)identity)) {
			return true;
		}
	}
	return false;
}

void sc_ownfds_empty(int fd)
{
	int placeholder = sc_ownfds_placeholder();
	if (fd >= 0 && placeholder >= 0 && !is_elsewhere()) {
		atomic_fetch_add(&releases_under_way, 1);
		note_released(fd);
		SC_SYS3(SYS_dup3, placeholder, fd, O_CLOEXEC);
		atomic_fetch_sub(&releases_under_way, 1);
	}
}

/* First the number: once closed, it may be the program's next. If that cannot be now, the number
 * stays, for good, and holds nothing; without a placeholder, which the program may have taken,
 * it has to be. */
static void give_back(int fd)
{
	bool is_free = sc_turns_begin_own();
	note(fds.moments, MOMENT_COUNT, fd, false);
	if (!is_free && SC_SYS3(SYS_dup3, sc_ownfds_placeholder(), fd, O_CLOEXEC) == fd) {
		return;
	}
	for (int i = 0; !is_free && i < GIVE_BACK_TRIES; i++) {
		is_free = sc_turns_begin_own();
	}
	unregister_fd(fd);
	sc_sys_close(fd);
	if (is_free) {
		sc_turns_end_own();
	}
}

void sc_ownfds_release(int fd)
{
	if (fd < 0) {
		return;
	}
	if (is_apart()) {
		sc_sys_close(fd);
		return;
	}
	/* Between the two that follow it looks like the program's: as while it was being opened. */
	bool is_low = is_on(fds.moments, MOMENT_COUNT, fd);
	bool is_counted = is_low && sc_ownfds_begin_opening();
	atomic_fetch_add(&releases_under_way, 1);
	note_released(fd);
	if (refill_reserve(fd)) {
		note(fds.moments, MOMENT_COUNT, fd, false);
	} else {
		give_back(fd);
	}
	atomic_fetch_sub(&releases_under_way, 1);
	sc_ownfds_end_opening(is_counted);
}

void sc_ownfds_drop(int fd)
{
	if (fd < 0) {
		return;
	}
	if (!is_elsewhere()) {
		note_released(fd);
		unregister_fd(fd); /* first, as in sc_ownfds_release() */
		note(fds.moments, MOMENT_COUNT, fd, false);
	}
	sc_sys_close(fd);
}

/* ---- a forked child ------------------------------------------------------------------------- */

/* On the thread that is about to fork. */
static void before_fork(void)
{
	uint32_t count = atomic_load(&fds.released_count);
	released_before_fork =
		atomic_load(&releases_under_way) > 0 ? count - RELEASED_COUNT : count;
}

static bool is_close_on_exec(int fd)
{
	int flags = sc_sys_fcntl(fd, F_GETFD, 0);
	return flags >= 0 && (flags & FD_CLOEXEC);
}

/* What the library opens under a number that is not high is of /proc, or has flags of its own. */
static bool is_of_a_moment(int fd)
{
	struct statfs status;
	int flags = sc_sys_fcntl(fd, F_GETFL, 0);
	return is_close_on_exec(fd) && flags >= 0 &&
	       ((flags & (O_ACCMODE | SC_OWNFDS_FILE_FLAGS)) == SC_OWNFDS_FILE_FLAGS ||
		       (SC_SYS2(SYS_fstatfs, fd, &status) == 0 &&
			       status.f_type == PROC_SUPER_MAGIC));
}

static void forget_moments(void)
{
	for (int i = 0; i < MOMENT_COUNT; i++) {
		int mark = atomic_exchange(&fds.moments[i], 0);
		if (mark != 0) {
			unregister_fd(mark - 1);
			if (is_of_a_moment(mark - 1)) {
				sc_sys_close(mark - 1);
			}
		}
	}
}

/* Copies that the parent released behind the copying of its table. */
static void forget_released(void)
{
	uint32_t count = atomic_load(&fds.released_count);
	uint32_t first = released_before_fork;
	first = count - first > RELEASED_COUNT ? count - RELEASED_COUNT : first;
	for (; first != count; first++) {
		uint64_t identity = atomic_load(&fds.released[first % RELEASED_COUNT]);
		int fd = (int)(uint32_t)identity;
		if (is_close_on_exec(fd) && identity_of(fd) == identity &&
			sc_births_of(fd) == SC_BIRTH_UNKNOWN) {
			unregister_fd(fd);
			sc_sys_close(fd);
		}
	}
}

/* Copies that were made and not yet on the list: fd itself is still there. The program's own
 * duplicates have a birth. */
static void forget_copies_of(int fd)
{
	uint64_t inode = inode_of(fd);
	int first = sc_ownfds_first_copy();
	for (int copy = first; inode != 0 && copy < first + SLOT_COUNT; copy++) {
		if (copy != fd && is_close_on_exec(copy) && inode_of(copy) == inode &&
			sc_births_of(copy) == SC_BIRTH_UNKNOWN) {
			sc_sys_close(copy);
		}
	}
}

static void forget_copied(void)
{
	for (int i = 0; i < COPY_COUNT; i++) {
		int mark = atomic_exchange(&fds.copied[i], 0);
		if (mark != 0) {
			forget_copies_of(mark - 1);
		}
	}
}

void sc_ownfds_forget_parent(void)
{
	forget_copied(); /* first: a copy may be made of a copy */
	for (int i = 0; i < COPY_COUNT; i++) {
		int mark = atomic_exchange(&fds.copies[i], 0);
		if (mark != 0) {
			sc_ownfds_release(mark - 1);
		}
	}
	forget_released();
	atomic_store(&releases_under_way, 0); /* of threads that are not here */
	forget_moments();
}

/* ---- beginning ------------------------------------------------------------------------------ */

void sc_ownfds_init(void)
{
	sc_process_set_fork_handler(before_fork);
	int set = (int)SC_SYS1(SYS_epoll_create1, EPOLL_CLOEXEC);
	int count = sc_ownfds_share(RESERVE_COUNT);
	for (int i = 0; set >= 0 && i < count; i++) {
		int fd = copy_and_keep(set);
		atomic_store(&fds.reserve[i], fd < 0 ? 0 : fd + 1);
	}
	if (set >= 0) {
		sc_sys_close(set);
	}
}
