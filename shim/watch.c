// SPDX-License-Identifier: MIT
#include "watch.h"
#include "clock.h"
#include "holder.h"
#include "inspect.h"
#include "line.h"
#include "ownfds.h"
#include "process.h"
#include "procfs.h"
#include "sys.h"
#include "thread.h"
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <time.h>

enum {
	PLACE_COUNT = 4,
	NO_PLACE = -1,
	FOREIGN_MAX = 32,
	INSTANTS = 3,
	SHORT_INSTANTS = 10,
	WAITS = 30,     /* of a tenth of a millisecond and the timer's slack */
	RETURNS = 6000, /* as often */
	WAIT_NS = 100000,
	OWN_COPIES_NS = 100000000,
	OWN_COPY_MAX = 20, /* times as long, where it is seen */
};

/* A set: its number plus one, 0 while in use or not there. */
static _Atomic int sets[PLACE_COUNT];
static _Atomic bool is_inherited[PLACE_COUNT]; /* to be replaced */
/* To be replaced too, if that may be: something was left in it. A question to the set would hold
 * that for an instant, and its last close would seem not to be the last. */
static _Atomic bool is_used[PLACE_COUNT];
static _Atomic uint64_t tokens;

static int create_set(void)
{
	int set;
	do {
		set = (int)SC_SYS1(SYS_epoll_create1, EPOLL_CLOEXEC);
	} while (set == -EMFILE && sc_ownfds_make_room());
	return set;
}

void sc_watch_init(void)
{
	int count = sc_ownfds_share(PLACE_COUNT);
	for (int i = 0; i < count; i++) {
		int set = create_set();
		int high = set < 0 ? set : sc_ownfds_copy_for_good(set);
		if (set >= 0) {
			sc_sys_close(set);
		}
		atomic_store(&sets[i], high < 0 ? 0 : high + 1);
	}
}

void sc_watch_forget_parent(void)
{
	for (int i = 0; i < PLACE_COUNT; i++) {
		atomic_store(&is_inherited[i], true);
	}
}

void sc_watch_leave_sets(void)
{
	for (int i = 0; i < PLACE_COUNT; i++) {
		atomic_store(&sets[i], 0);
	}
}

bool sc_watch_give_up(int fd)
{
	for (int i = 0; i < PLACE_COUNT; i++) {
		int mark = fd + 1;
		if (atomic_compare_exchange_strong(&sets[i], &mark, 0)) {
			sc_ownfds_disown(fd);
			return true;
		}
	}
	return false;
}

/* A set of the child's own, under the number of the inherited one. */
static bool replace_set(int place, int set)
{
	bool is_counted = sc_ownfds_begin_opening();
	int fresh = create_set();
	bool is_replaced = fresh >= 0 && SC_SYS3(SYS_dup3, fresh, set, O_CLOEXEC) == set;
	if (fresh >= 0) {
		sc_sys_close(fresh);
	}
	sc_ownfds_end_opening(is_counted);
	if (is_replaced) {
		atomic_store(&is_inherited[place], false);
		atomic_store(&is_used[place], false);
	}
	return is_replaced;
}

/* In a table of its own, or in none that matters now; or (vfork) beside its parent's memory. */
static bool is_apart(void)
{
	return sc_thread_is_here() || !sc_process_is_own_memory();
}

/* Take a set for this thread alone. */
static void take_set(struct sc_watch *watch)
{
	watch->set = -EMFILE;
	watch->place = NO_PLACE;
	if (is_apart()) {
		watch->set = create_set();
		return;
	}
	for (int i = 0; i < PLACE_COUNT; i++) {
		int mark = atomic_exchange(&sets[i], 0);
		if (mark == 0) {
			continue;
		}
		bool is_fresh = !atomic_load(&is_inherited[i]) && !atomic_load(&is_used[i]);
		if (is_fresh || replace_set(i, mark - 1) || !atomic_load(&is_inherited[i])) {
			watch->set = mark - 1;
			watch->place = i;
			return;
		}
		atomic_store(&sets[i], mark);
	}
	bool is_counted = sc_ownfds_begin_opening();
	watch->set = sc_ownfds_adopt(create_set()); /* many threads at once */
	sc_ownfds_end_opening(is_counted);
}

static void give_set_back(const struct sc_watch *watch)
{
	if (watch->place != NO_PLACE) {
		atomic_store(&sets[watch->place], watch->set + 1);
	} else if (is_apart()) {
		sc_sys_close(watch->set);
	} else {
		sc_ownfds_release(watch->set);
	}
}

/* What is left in a set, since somebody else held it, is known for another's by its token. It
 * may have come back under the same number (SCM_RIGHTS): then the entry is there, with its old
 * token. */
void sc_watch_begin(struct sc_watch *watch, int fd)
{
	take_set(watch);
	watch->is_listener = false;
	if (watch->set < 0) {
		return;
	}
	watch->inode = sc_thread_is_here() ? sc_inspect_inode(fd) : 0;
	watch->token = atomic_fetch_add(&tokens, 1) | 1ULL << 63;
	struct epoll_event event = {.events = EPOLLIN | EPOLLOUT, .data.u64 = watch->token};
	int error = (int)SC_SYS4(SYS_epoll_ctl, watch->set, EPOLL_CTL_ADD, fd, &event);
	if (error == -EEXIST) {
		error = (int)SC_SYS4(SYS_epoll_ctl, watch->set, EPOLL_CTL_MOD, fd, &event);
	}
	if (error != 0) {
		give_set_back(watch);
		watch->set = error;
	}
}

/* 1: the watched one is there, 0: it is not, or not ready. */
static int ask_set(const struct sc_watch *watch)
{
	struct epoll_event events[FOREIGN_MAX];
	int count = (int)SC_SYS6(SYS_epoll_pwait, watch->set, events, FOREIGN_MAX, 0, NULL, 8);
	for (int i = 0; i < count; i++) {
		if (events[i].data.u64 == watch->token) {
			return 1;
		}
	}
	return count == FOREIGN_MAX ? -EAGAIN : count < 0 ? count : 0;
}

bool sc_watch_is_quiet(const struct sc_watch *watch)
{
	return watch->set >= 0 && ask_set(watch) == 0;
}

static bool is_held_here(uint64_t inode, int fd)
{
	return sc_holder_still_holds(inode, SC_HOLDER_SELF, fd);
}

/*
 * Whoever has given the library's thread a connection closes its own copy behind that, and may be
 * kept from it for want of a processor. Returns true after a moment's wait for that.
 */
static bool await_own_copies(const struct sc_watch *watch, uint64_t *until_ns)
{
	if (!sc_thread_is_here() || !sc_ownfds_is_copying()) {
		return false;
	}
	uint64_t now = sc_clock_ns(CLOCK_MONOTONIC);
	if (*until_ns == 0) {
		*until_ns = now + OWN_COPIES_NS;
	}
	struct timespec moment = {0, OWN_COPIES_NS / 1000};
	bool is_worth_it =
		now < *until_ns || (now - *until_ns < (uint64_t)OWN_COPY_MAX * OWN_COPIES_NS &&
					   sc_ownfds_any_copy(watch->inode, is_held_here));
	return is_worth_it && SC_SYS5(SYS_ppoll, NULL, 0, &moment, NULL, 0) == 0;
}

/*
 * Another thread that is just now in a system call with the descriptor holds it for an instant, and
 * so does whoever reads this process's /proc entry. Where nobody else should hold it, the instant
 * may last until that one is given a processor: some 5 ms are waited for that.
 */
static int ask_until_certain(const struct sc_watch *watch, enum sc_watch_for others)
{
	bool is_sole = others != SC_WATCH_FOR_HOLDERS;
	int count = ask_set(watch);
	uint64_t until_ns = 0;
	while (count == 1 && await_own_copies(watch, &until_ns)) {
		count = ask_set(watch);
	}
	for (int i = 0; i < (is_sole ? INSTANTS + WAITS : SHORT_INSTANTS) && count == 1; i++) {
		if (is_sole) {
			sc_sys_pause(i < INSTANTS ? 0 : WAIT_NS);
		}
		count = ask_set(watch);
	}
	return count;
}

/* The set's fdinfo lists what is in it: "tfd: 7 events: 1 data: 8000000000000001 ...". 1: it is
 * there; 0: it is not, or that cannot be told of one that is ready as a rule; negative: it
 * cannot be told. */
static int look_into_set(const struct sc_watch *watch)
{
	char token[20];
	struct sc_line wanted = {token, sizeof(token) - 1, 0};
	sc_line_add_hex(&wanted, watch->token);
	token[wanted.length] = '\0';
	int found = sc_procfs_find_about(watch->set, token);
	return found >= 0 || watch->is_listener ? found : 0;
}

bool sc_watch_is_leaving(const struct sc_watch *watch)
{
	return !watch->is_listener && sc_watch_is_quiet(watch) && look_into_set(watch) == 1;
}

void sc_watch_leave(struct sc_watch *watch)
{
	if (watch->set < 0) {
		return;
	}
	if (watch->place != NO_PLACE) {
		atomic_store(&is_used[watch->place], true);
	}
	give_set_back(watch);
}

/* Nothing is told of it: it is not ready; or whoever let go last is still in the kernel, and takes
 * it out at his return. */
static int look_until_certain(const struct sc_watch *watch, enum sc_watch_for others)
{
	bool is_sole = others != SC_WATCH_FOR_HOLDERS;
	for (int i = 0; i < (is_sole ? RETURNS : INSTANTS); i++) {
		int found = look_into_set(watch);
		if (found <= 0) {
			return is_sole ? 0 : found;
		}
		sc_sys_pause(is_sole ? WAIT_NS : 0);
	}
	return 1;
}

int sc_watch_end(struct sc_watch *watch, enum sc_watch_for others)
{
	if (watch->set < 0) {
		return watch->set;
	}
	int count = ask_until_certain(watch, others);
	if (count == 0 && others != SC_WATCH_FOR_CALLS) {
		count = look_until_certain(watch, others);
	}
	if (count != 0) {
		sc_watch_leave(watch);
	} else {
		give_set_back(watch);
	}
	return count;
}
