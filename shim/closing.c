// SPDX-License-Identifier: MIT
#include "closing.h"
#include "callsite.h"
#include "drain.h"
#include "holders.h"
#include "inspect.h"
#include "linger.h"
#include "ownfds.h"
#include "sink.h"
#include "sys.h"
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>

static const struct sc_config *_Atomic config;

void sc_closing_init(const struct sc_config *loaded)
{
	atomic_store(&config, loaded);
}

bool sc_closing_is_on(void)
{
	const struct sc_config *loaded = atomic_load(&config);
	return loaded != NULL && loaded->mode != SC_MODE_OFF;
}

static uint64_t now_us(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

/* What is to be told about this close, once its outcome is known. */
static void report(const struct sc_closing *it, enum sc_outcome outcome, const char *why,
	uint64_t drained_bytes)
{
	if (!sc_policy_is_reported(config, &it->conn, outcome, drained_bytes)) {
		return;
	}
	struct sc_event event = {
		.pid = sc_sys_getpid(),
		.fd = it->fd,
		.via = it->via,
		.outcome = outcome,
		.why = why,
		.conn = it->conn,
		.drained_bytes = drained_bytes,
		.elapsed_us = now_us() - it->begun_us,
	};
	sc_callsite_find(it->caller, &event.site);
	char line[SC_REPORT_LINE_MAX];
	size_t length = sc_report_format(&event, line, sizeof(line));
	sc_sink_write(line, length, event.pid);
}

/*
 * A fresh epoll set with fd in it. After the program's close it still tells of the connection if,
 * and only if, somebody holds it: the kernel takes the last holder's file out of every set.
 */
static int begin_watch(int fd)
{
	int set = (int)SC_SYS1(SYS_epoll_create1, EPOLL_CLOEXEC);
	if (set < 0) {
		return set;
	}
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

/* 1: somebody holds it, 0: nobody, negative: no answer. */
static int end_watch(int set)
{
	if (set < 0) {
		return set;
	}
	struct epoll_event event;
	int count = (int)SC_SYS6(SYS_epoll_pwait, set, &event, 1, 0, NULL, 8);
	sc_ownfds_release(set);
	return count;
}

static bool leave_epoll(int epoll_fd, int fd)
{
	int error = (int)SC_SYS4(SYS_epoll_ctl, epoll_fd, EPOLL_CTL_DEL, fd, NULL);
	return error == 0 || error == -ENOENT;
}

/*
 * A private copy of fd. It keeps the connection alive past the program's close, so the program's
 * epoll sets would go on reporting a descriptor that is closed: take it out of them first.
 */
static int begin_hold(int fd)
{
	int copy = sc_ownfds_copy(fd);
	if (copy >= 0) {
		sc_births_each_epoll(fd, leave_epoll);
	}
	return copy;
}

bool sc_closing_begin(struct sc_closing *it, int fd, enum sc_via via, const void *caller)
{
	enum sc_birth birth = sc_births_of(fd);
	sc_births_forget(fd);
	if (!sc_closing_is_on() || sc_births_in_vfork_child()) {
		return false;
	}
	sc_inspect_quickly(fd, &it->conn);
	if (!sc_policy_is_of_interest(config, &it->conn)) {
		return false;
	}
	sc_inspect_wholly(fd, &it->conn);
	it->plan = sc_policy_decide(config, &it->conn, SC_HOLDERS_UNASKED);
	bool is_plain = it->plan.action == SC_ACTION_PASS && it->plan.outcome == SC_OUTCOME_NONE;
	if (is_plain || !sc_births_is_own_memory()) {
		return false;
	}
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &it->cancel_state);
	it->fd = fd;
	it->via = via;
	it->birth = birth;
	it->caller = caller;
	it->begun_us = now_us();
	it->held = it->plan.action == SC_ACTION_PASS    ? -EBADF
		   : it->plan.action == SC_ACTION_WATCH ? begin_watch(fd)
							: begin_hold(fd);
	return true;
}

static void end_watched(struct sc_closing *it)
{
	const char *reset_why = it->plan.why != NULL ? it->plan.why : "unread";
	int answer = end_watch(it->held);
	bool is_shared = answer == 1;
	if (answer < 0) {
		is_shared = sc_holders_ask(it->conn.inode, it->birth, SC_OWN_TABLE_COUNTS) !=
			    SC_HOLDERS_NOBODY;
	}
	report(it, is_shared ? SC_OUTCOME_SHARED : SC_OUTCOME_RST, is_shared ? NULL : reset_why, 0);
}

static void drain(const struct sc_closing *it)
{
	struct sc_drain done = sc_drain_socket(it->held, config->drain_max_bytes);
	sc_ownfds_release(it->held);
	bool is_left = done.end == SC_DRAIN_LIMIT;
	report(it, is_left ? SC_OUTCOME_RST : SC_OUTCOME_FIN, is_left ? "limit" : NULL, done.bytes);
}

static void linger(const struct sc_closing *it)
{
	struct sc_linger_limits limits = {
		.time_ms = sc_policy_linger_time_ms(config, &it->conn),
		.timeout_ms = config->linger_timeout_ms,
		.max_bytes = config->drain_max_bytes,
	};
	struct sc_linger_end end = sc_linger_run(it->held, &limits);
	if (it->conn.linger_s > 0) {
		/* Or the last close would wait once more, for what the program asked. */
		struct linger none = {0, 0};
		sc_sys_setsockopt(it->held, SOL_SOCKET, SO_LINGER, &none, sizeof(none));
	}
	sc_ownfds_release(it->held);
	report(it, end.outcome, end.why, end.drained_bytes);
}

static void end_held(struct sc_closing *it)
{
	if (it->held < 0) {
		/* No copy, so the program's close was the kernel's: it reset if it was the last. */
		report(it, SC_OUTCOME_RST, "no descriptor free", 0);
		return;
	}
	enum sc_holders holders = sc_holders_ask(it->conn.inode, it->birth, SC_OWN_TABLE_COUNTS);
	struct sc_verdict verdict = sc_policy_decide(config, &it->conn, holders);
	if (verdict.action == SC_ACTION_DRAIN) {
		drain(it);
	} else if (verdict.action == SC_ACTION_LINGER) {
		linger(it);
	} else {
		sc_ownfds_release(it->held);
		report(it, verdict.outcome, verdict.why, 0);
	}
}

void sc_closing_end(struct sc_closing *it, bool is_closed)
{
	if (!is_closed) {
		sc_ownfds_release(it->held);
	} else if (it->plan.action == SC_ACTION_PASS) {
		report(it, it->plan.outcome, it->plan.why, 0);
	} else if (it->plan.action == SC_ACTION_WATCH) {
		end_watched(it);
	} else {
		end_held(it);
	}
	pthread_setcancelstate(it->cancel_state, NULL);
}
