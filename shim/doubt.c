// SPDX-License-Identifier: MIT
#include "doubt.h"
#include "clock.h"
#include "family.h"
#include "holder.h"
#include "inspect.h"
#include "process.h"
#include "sys.h"
#include <stddef.h>

enum {
	RETRY_MAX = 24,
	HOLDER_RETRY_MAX = 220,
	NO_MORE_RETRIES = UINT8_MAX,
	HURRIED_RETRY_MAX = 8,
	FIRST_RETRIES = 5, /* after a millisecond each: most children exec or exit so soon */
	FORK_RETRIES = 9,
	GRACE_MAX = 20, /* retries, for the one who was the last to act */
	HURRIED_GRACE_MAX = 2,
	LEAVING_MAX_US = 5000000,
};

void sc_doubt_begin(struct sc_lingerer *it)
{
	it->retries = 0;
	it->grace = 0;
}

void sc_doubt_end(struct sc_lingerer *it)
{
	it->retries = NO_MORE_RETRIES;
}

bool sc_doubt_is_new(const struct sc_lingerer *it)
{
	return it->retries <= FIRST_RETRIES;
}

/* Since the program closed it, somebody has read from it: it is in use. */
static bool was_read_since(const struct sc_lingerer *it)
{
	struct sc_conn now;
	sc_inspect_quickly(it->fd, &now);
	return now.unread_bytes < it->job.conn.unread_bytes;
}

bool sc_doubt_is_moot(const struct sc_lingerer *it)
{
	struct sc_conn now;
	sc_inspect_quickly(it->fd, &now);
	return it->job.conn.unread_bytes > 0 && now.unread_bytes == 0 && !now.is_urgent;
}

/* About to execute another program, perhaps as soon as what lingers there has ended; or perhaps the child
 * of a posix_spawn() that has not come back yet. */
static bool is_leaving(const struct sc_lingerer *it, int holder_pid)
{
	uint64_t now_us = sc_clock_ns(CLOCK_MONOTONIC) / 1000;
	return (sc_family_is_leaving(holder_pid) || sc_process_is_fork_under_way()) &&
	       now_us - it->job.begun_us < LEAVING_MAX_US;
}

/* A process that ends does not wait long for another. */
static bool may_retry(const struct sc_lingerer *it, int holder_pid, bool is_hurried)
{
	if (holder_pid == 0) {
		return it->retries < RETRY_MAX;
	}
	return it->retries < (is_hurried ? HURRIED_RETRY_MAX : HOLDER_RETRY_MAX) ||
	       (!is_hurried && it->retries < NO_MORE_RETRIES && is_leaving(it, holder_pid));
}

static void count_retry(struct sc_lingerer *it)
{
	it->retries += it->retries < NO_MORE_RETRIES - 1;
}

/* A child about to exec or exit, or one that has let go since the sweep came by. */
static bool is_fleeting(const struct sc_lingerer *it, const struct sc_holders_query *query)
{
	return sc_holder_is_starting(query->holder_pid) || is_leaving(it, query->holder_pid) ||
	       !sc_holder_still_holds(it->job.conn.inode, query->holder_pid, query->holder_fd);
}

/*
 * May the answer be another one soon? Descriptors in flight arrive. And a child between its fork and
 * its exec or exit holds what it does not mean to: letting go now would leave the last close, and the
 * reset, to a process in which nobody acts any more.
 */
static bool is_passing(const struct sc_lingerer *it, const struct sc_holders_query *query)
{
	switch (query->answer) {
	case SC_HOLDERS_NOBODY:
		return query->is_forking && it->retries < FORK_RETRIES;
	case SC_HOLDERS_SOMEBODY:
		return query->holder_pid != 0 && !was_read_since(it) && is_fleeting(it, query);
	default:
		return query->is_passing;
	}
}

bool sc_doubt_remains(struct sc_lingerer *it, const struct sc_holders_query *query, bool is_hurried)
{
	if (!is_passing(it, query) || !may_retry(it, query->holder_pid, is_hurried)) {
		return false;
	}
	count_retry(it);
	it->holder_pid = query->holder_pid;
	it->holder_fd = query->holder_fd;
	it->holder_exe = query->holder_pid != 0 ? sc_holder_exe(query->holder_pid) : 0;
	return true;
}

/* Has whoever held it let go since, or is about to? Their library takes the interest out, if it has not
 * already. */
static bool is_let_go(const struct sc_lingerer *it, const struct sc_holders_query *query)
{
	return query->holder_pid != 0 &&
	       (is_leaving(it, query->holder_pid) || !sc_holder_still_holds(it->job.conn.inode,
							     query->holder_pid, query->holder_fd));
}

/*
 * Whoever else holds it keeps the interest, as the kernel would have left it. The order counts: another
 * holder lets go, and then takes the interest out; here it is put in, and then looked whether they have.
 */
static void put_in(const struct sc_lingerer *it, const struct sc_holders_query *query)
{
	const struct sc_interest *interest = &it->job.interest;
	if (!is_let_go(it, query)) {
		sc_interest_settle(interest, true, it->set, it->fd, it->job.fd);
		if (is_let_go(it, query)) {
			sc_interest_settle(interest, false, it->set, it->fd, it->job.fd);
		}
	}
}

void sc_doubt_settle_interest(
	struct sc_lingerer *it, const struct sc_holders_query *query, bool is_ours)
{
	const struct sc_interest *interest = &it->job.interest;
	if (it->set < 0) {
		return;
	}
	if (interest->state == SC_INTEREST_LEFT_IN && is_ours) {
		sc_interest_settle(interest, false, it->set, it->fd, it->job.fd);
	} else if (interest->state == SC_INTEREST_TAKEN_OUT && !is_ours &&
		   query->answer != SC_HOLDERS_NOBODY) {
		put_in(it, query);
	}
	sc_sys_close(it->set);
	it->set = -1;
}

/*
 * Whoever had it then still has it: cheaper than a sweep. Or has just let go: theirs was the last
 * close then, which their own library is about to act on; but an exec that closed it is no close, and
 * they may have no library.
 */
bool sc_doubt_waits_for_holder(struct sc_lingerer *it, bool is_hurried)
{
	if (was_read_since(it)) {
		return false; /* they mean to hold it */
	}
	if (sc_holder_still_holds(it->job.conn.inode, it->holder_pid, it->holder_fd)) {
		if (!may_retry(it, it->holder_pid, is_hurried) ||
			(!sc_holder_is_starting(it->holder_pid) &&
				!is_leaving(it, it->holder_pid))) {
			return false;
		}
		count_retry(it);
		it->holder_exe = sc_holder_exe(it->holder_pid);
		return true;
	}
	int grace_max = is_hurried ? HURRIED_GRACE_MAX : GRACE_MAX;
	if (it->grace >= grace_max || it->holder_exe == 0 ||
		sc_holder_exe(it->holder_pid) != it->holder_exe) {
		return false;
	}
	it->grace++;
	return true;
}
