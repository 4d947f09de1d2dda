// SPDX-License-Identifier: MIT
/*
 * The calls that close a descriptor by its number. Each as libc declares it: begin, the real call
 * once, end; result and errno are the real call's.
 */
#include "interpose.h"
#include "background.h"
#include "births.h"
#include "closing.h"
#include "ending.h"
#include "inspect.h"
#include "plan.h"
#include "real.h"
#include "resets.h"
#include "sink.h"
#include "start.h"
#include "threads.h"
#include "turns.h"
#include <fcntl.h>
#include <limits.h>
#include <unistd.h>

#ifndef CLOSE_RANGE_UNSHARE
#define CLOSE_RANGE_UNSHARE 2
#define CLOSE_RANGE_CLOEXEC 4
#endif

/* The program wants this number: the library's own descriptor there moves away. */
static bool vacate(int fd)
{
	if (!sc_ownfds_has(fd)) {
		return true;
	}
	sc_background_begin_move();
	bool is_free = sc_ownfds_give_up(fd) || sc_watch_give_up(fd) || sc_resets_give_up(fd) ||
		       sc_sink_evade(fd) || sc_background_evade(fd);
	sc_background_end_move();
	return is_free;
}

/* looked_at: the inode of what is closed by it, where anybody asks. What was looked at under a
 * high number may have been the library's for a moment: *is_closed tells whether it was still
 * there. */
static int replace_there(int from, int to, int (*replace)(int from, int to, long flags), long flags,
	uint64_t looked_at, bool *is_closed)
{
	bool may_be_own = sc_ownfds_may_be_own(to);
	int result = -1;
	if (may_be_own) {
		sc_turns_begin_replacement();
	}
	bool is_there = !may_be_own || (looked_at != 0 && sc_inspect_inode(to) == looked_at);
	if (may_be_own && sc_ownfds_has(to)) {
		errno = EBUSY; /* the library's since a moment ago */
	} else {
		result = replace(from, to, flags);
	}
	if (may_be_own) {
		sc_turns_end_replacement();
	}
	if (result >= 0) {
		sc_births_record_dup(from, to);
	}
	*is_closed = result >= 0 && is_there;
	return result;
}

int sc_interpose_replace(int from, int to, enum sc_via via, const void *caller,
	int (*replace)(int from, int to, long flags), long flags)
{
	struct sc_closing closing;
	bool is_closed;
	if (refuse_own(from)) {
		return -1;
	}
	if (from == to || (flags & ~O_CLOEXEC)) {
		return replace(from, to, flags); /* closes nothing */
	}
	if (!sc_ownfds_has(to) && !sc_plan_is_of_interest(to)) {
		return replace_there(from, to, replace, flags, 0, &is_closed);
	}
	if (sc_sys_fcntl(from, F_GETFD, 0) < 0) {
		return replace(from, to, flags); /* fails, and closes nothing */
	}
	if (!vacate(to)) {
		errno = EBUSY;
		return -1;
	}
	bool is_followed = sc_closing_begin(&closing, to, via, caller);
	uint64_t looked_at = is_followed ? closing.job.conn.inode : 0;
	int result = replace_there(from, to, replace, flags, looked_at, &is_closed);
	if (is_followed) {
		sc_closing_end(&closing, is_closed);
	}
	return result;
}

/* As in close(). */
int sc_interpose_close(int fd, enum sc_via via, const void *caller, int (*real)(int fd))
{
	struct sc_closing closing;
	int result = -1;
	if (refuse_own(fd)) {
		return -1;
	}
	bool is_followed = sc_closing_begin(&closing, fd, via, caller);
	sc_turns_begin_close();
	if (!refuse_own(fd)) {
		sc_births_forget(fd);
		result = real(fd);
	}
	sc_turns_end_close();
	if (is_followed) {
		sc_closing_end(&closing, was_closed(result));
	}
	return result;
}

/* glibc's own second name for it. */
SC_EXPORT int __close(int fd);
SC_EXPORT int __close(int fd)
{
	sc_start();
	return sc_interpose_close(
		fd, SC_VIA_UNDERSCORES_CLOSE, __builtin_return_address(0), sc_real.close);
}

static int real_dup2(int from, int to, long flags)
{
	(void)flags;
	return sc_real.dup2(from, to);
}

static int real_dup3(int from, int to, long flags)
{
	return sc_real.dup3(from, to, (int)flags);
}

int sc_interpose_dup2(int from, int to, enum sc_via via, const void *caller)
{
	return sc_interpose_replace(from, to, via, caller, real_dup2, 0);
}

SC_EXPORT int dup2(int from, int to)
{
	sc_start();
	return sc_interpose_dup2(from, to, SC_VIA_DUP2, __builtin_return_address(0));
}

SC_EXPORT int dup3(int from, int to, int flags)
{
	sc_start();
	return sc_interpose_replace(
		from, to, SC_VIA_DUP3, __builtin_return_address(0), real_dup3, flags);
}

/* The real call over the range, but for the library's own descriptors in it. */
static int close_gaps(unsigned first, unsigned last, int flags,
	int (*real)(unsigned first, unsigned last, int flags))
{
	int own = first <= INT_MAX ? sc_ownfds_next((int)first) : -1;
	if (flags & CLOSE_RANGE_CLOEXEC) {
		own = -1; /* they have it already */
	}
	while (own >= 0 && (unsigned)own <= last) {
		if ((unsigned)own > first) {
			int result = real(first, (unsigned)own - 1, flags);
			if (result != 0) {
				return result;
			}
			flags &= ~CLOSE_RANGE_UNSHARE; /* done by the first */
		}
		first = (unsigned)own + 1;
		own = sc_ownfds_next((int)first);
	}
	return first <= last ? real(first, last, flags) : 0;
}

int sc_interpose_close_range(unsigned first, unsigned last, int flags, enum sc_via via,
	const void *caller, int (*real)(unsigned first, unsigned last, int flags))
{
	const int known = CLOSE_RANGE_UNSHARE | CLOSE_RANGE_CLOEXEC;
	if (first > last || (flags & ~known) || !sc_plan_is_any()) {
		return real(first, last, flags);
	}
	if (flags & CLOSE_RANGE_CLOEXEC) {
		return close_gaps(first, last, flags, real);
	}
	/* In a table of its own this thread closes nothing: the others go on with theirs. */
	if (!(flags & CLOSE_RANGE_UNSHARE) || sc_threads_is_only_one()) {
		sc_ending_close_range(first, last, via, caller);
	} else {
		sc_threads_before_table_split();
	}
	return close_gaps(first, last, flags, real);
}

SC_EXPORT int close_range(unsigned first, unsigned last, int flags)
{
	sc_start();
	return sc_interpose_close_range(first, last, flags, SC_VIA_CLOSE_RANGE,
		__builtin_return_address(0), sc_real.close_range);
}

/* glibc's closefrom() has no result and does not touch errno where the kernel has close_range. */
SC_EXPORT void closefrom(int first)
{
	sc_start();
	int saved_errno = errno;
	unsigned from = first < 0 ? 0 : (unsigned)first;
	if (sc_interpose_close_range(from, ~0U, 0, SC_VIA_CLOSEFROM, __builtin_return_address(0),
		    sc_real.close_range) != 0) {
		for (int fd = (int)from; fd < sysconf(_SC_OPEN_MAX); fd++) {
			sc_interpose_close(
				fd, SC_VIA_CLOSEFROM, __builtin_return_address(0), sc_real.close);
		}
	}
	errno = saved_errno;
}
