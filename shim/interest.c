// SPDX-License-Identifier: MIT
#include "interest.h"
#include "births.h"
#include "sys.h"
#include <errno.h>
#include <fcntl.h>

void sc_interest_before_epoll_ctl(int set, int operation, int fd)
{
	if (operation == EPOLL_CTL_ADD) {
		sc_births_record_epoll(set, fd);
	}
}

void sc_interest_after_epoll_ctl(int operation, int fd, const struct epoll_event *event)
{
	if (operation == EPOLL_CTL_ADD || operation == EPOLL_CTL_MOD) {
		sc_births_record_wish(fd, event->events, event->data.u64);
	}
}

static bool is_inherited(int fd)
{
	enum sc_birth birth = sc_births_of(fd);
	return birth == SC_BIRTH_FAMILY || birth == SC_BIRTH_UNKNOWN;
}

static int control(int set, int operation, int fd, const struct sc_interest *it)
{
	struct epoll_event event = {.events = it->events, .data.u64 = it->data};
	return (int)SC_SYS4(SYS_epoll_ctl, set, operation, fd, &event);
}

static bool leave(int set, int fd)
{
	if (is_inherited(set) && is_inherited(fd)) {
		return true;
	}
	return SC_SYS4(SYS_epoll_ctl, set, EPOLL_CTL_DEL, fd, NULL) == 0;
}

void sc_interest_take_out(struct sc_interest *it, int fd)
{
	it->state = SC_INTEREST_NONE;
	it->set = sc_births_wish(fd, &it->events, &it->data);
	if (it->set < 0) {
		sc_births_each_epoll(fd, leave);
	} else if (is_inherited(it->set) && is_inherited(fd)) {
		it->state = SC_INTEREST_LEFT_IN;
	} else if (control(it->set, EPOLL_CTL_DEL, fd, it) != 0) {
		sc_births_each_epoll(fd, leave); /* that number is another set's now, or none's */
	} else {
		bool is_sole = sc_births_of(fd) == SC_BIRTH_SOLE;
		it->state = is_sole ? SC_INTEREST_ENDED : SC_INTEREST_TAKEN_OUT;
	}
}

void sc_interest_put_back(const struct sc_interest *it, int fd)
{
	if (it->state == SC_INTEREST_ENDED || it->state == SC_INTEREST_TAKEN_OUT) {
		control(it->set, EPOLL_CTL_ADD, fd, it);
	}
}

bool sc_interest_is_unsure(const struct sc_interest *it)
{
	return it->state == SC_INTEREST_TAKEN_OUT || it->state == SC_INTEREST_LEFT_IN;
}

/* The kernel knows an interest by file and number, so the copy is moved there for a moment. What has
 * the number meanwhile keeps its file, and with it its own interests. */
static void control_as(int number, int copy, int set, int operation, const struct sc_interest *it)
{
	int moved = number != copy ? sc_sys_fcntl(number, F_DUPFD_CLOEXEC, 0) : -1;
	if (moved == -EMFILE || (number != copy && SC_SYS3(SYS_dup3, copy, number, 0) < 0)) {
		sc_sys_close(moved);
		return;
	}
	control(set == number ? moved : set, operation, number, it);
	if (moved >= 0) {
		SC_SYS3(SYS_dup3, moved, number, O_CLOEXEC);
		sc_sys_close(moved);
	} else if (number != copy) {
		sc_sys_close(number);
	}
}

void sc_interest_settle(
	const struct sc_interest *it, bool is_ours, bool is_wanted, int set, int copy, int number)
{
	if (it->state == SC_INTEREST_TAKEN_OUT && !is_ours && is_wanted) {
		control_as(number, copy, set, EPOLL_CTL_ADD, it);
	} else if (it->state == SC_INTEREST_LEFT_IN && is_ours) {
		control_as(number, copy, set, EPOLL_CTL_DEL, it);
	}
}
