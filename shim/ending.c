// SPDX-License-Identifier: MIT
#include "ending.h"
#include "background.h"
#include "births.h"
#include "closing.h"
#include "ownfds.h"
#include "procfs.h"
#include "streams.h"
#include "sys.h"
#include <fcntl.h>
#include <sys/resource.h>

enum {
	FEW = 64,             /* numbers that are quicker tried than looked up */
	UNLISTED_MAX = 65536, /* numbers tried where /proc cannot list them */
};

/* A walk over descriptors of this process. */
struct walk {
	unsigned first;
	unsigned last;
	void (*visit)(const struct walk *walk, int fd);
	enum sc_via via;
	const void *caller;
	bool flush_streams;
};

static bool visit_entry(void *context, int table, const char *name)
{
	(void)table;
	const struct walk *walk = context;
	int fd;
	if (sc_procfs_number(name, &fd) && (unsigned)fd >= walk->first &&
		(unsigned)fd <= walk->last && !sc_ownfds_has(fd)) {
		walk->visit(walk, fd);
	}
	return true;
}

static void visit_numbers(const struct walk *walk, unsigned last)
{
	for (unsigned fd = walk->first; fd <= last; fd++) {
		if (!sc_ownfds_has((int)fd)) {
			walk->visit(walk, (int)fd);
		}
	}
}

static unsigned highest_number(void)
{
	struct rlimit limit = {1024, 1024};
	SC_SYS4(SYS_prlimit64, 0, RLIMIT_NOFILE, NULL, &limit);
	return limit.rlim_cur < UNLISTED_MAX ? (unsigned)limit.rlim_cur : UNLISTED_MAX;
}

static void walk_descriptors(struct walk *walk)
{
	if (walk->last < walk->first) {
		return;
	}
	if (walk->last - walk->first < FEW) {
		visit_numbers(walk, walk->last);
		return;
	}
	int table = sc_procfs_open(AT_FDCWD, "/proc/thread-self/fd");
	if (table >= 0 && sc_procfs_each(table, visit_entry, walk) == 0) {
		sc_ownfds_release(table);
		return;
	}
	sc_ownfds_release(table);
	unsigned highest = highest_number();
	visit_numbers(walk, walk->last < highest ? walk->last : highest);
}

static void close_one(const struct walk *walk, int fd)
{
	struct sc_closing closing;
	if (sc_closing_begin(&closing, fd, walk->via, walk->caller)) {
		sc_births_forget(fd);
		sc_closing_end(&closing, sc_sys_close(fd) == 0);
	}
}

void sc_ending_close_range(unsigned first, unsigned last, enum sc_via via, const void *caller)
{
	struct walk walk = {first, last, close_one, via, caller, false};
	if (sc_closing_is_on() && !sc_births_in_vfork_child()) {
		walk_descriptors(&walk);
	}
}

/*
 * At exit other threads may still run, so the number must not become free: whoever opened a file
 * now would get it, and a thread that still writes to its connection would write into that file.
 * A connection with nothing unread is closed here too: the kernel would come to it only a moment
 * later, when bytes may have arrived.
 */
static void replace_one(const struct walk *walk, int fd)
{
	struct sc_closing closing;
	bool is_followed = sc_closing_begin(&closing, fd, walk->via, walk->caller);
	if (!is_followed && closing.job.conn.proto == SC_PROTO_OTHER) {
		return;
	}
	bool is_replaced = false;
	if (!walk->flush_streams || sc_streams_flush(fd)) {
		long result = SC_SYS3(SYS_dup3, sc_ownfds_placeholder(), fd, O_CLOEXEC);
		is_replaced = result == fd;
	}
	if (is_followed) {
		sc_closing_end(&closing, is_replaced);
	}
}

void sc_ending_exit(enum sc_via via, const void *caller, bool flush_streams)
{
	struct walk walk = {0, INT32_MAX, replace_one, via, caller, flush_streams};
	if (!sc_closing_is_on() || sc_births_in_vfork_child()) {
		return;
	}
	walk_descriptors(&walk);
	sc_background_wait(sc_closing_exit_timeout_ms());
	sc_background_shut();
}

static void exec_one(const struct walk *walk, int fd)
{
	int flags = sc_sys_fcntl(fd, F_GETFD, 0);
	if (flags >= 0 && (flags & FD_CLOEXEC)) {
		sc_closing_before_exec(fd, walk->caller);
	}
}

void sc_ending_exec(const void *caller)
{
	struct walk walk = {0, INT32_MAX, exec_one, SC_VIA_EXEC, caller, false};
	if (!sc_closing_is_on() || sc_births_in_vfork_child()) {
		return;
	}
	walk_descriptors(&walk);
	sc_background_wait(sc_closing_exit_timeout_ms());
}

void sc_ending_exec_failed(void)
{
	sc_background_resume();
}
