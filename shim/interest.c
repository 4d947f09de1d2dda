// SPDX-License-Identifier: MIT
#include "interest.h"
#include "births.h"
#include "family.h"
#include "sys.h"
#include <errno.h>
#include <fcntl.h>

static bool is_inherited(int fd)
{
	enum sc_birth birth = sc_births_of(fd);
	return birth == SC_BIRTH_FAMILY || birth == SC_BIRTH_UNKNOWN;
}

static bool are_inherited(int set, int fd)
{
	return is_inherited(set) && is_inherited(fd);
}

void sc_interest_before_epoll_ctl(int set, int operation, int fd)
{
	if (operation == EPOLL_CTL_ADD) {
		sc_births_record_epoll(set, fd);
	}
	if (operation == EPOLL_CTL_MOD && are_inherited(set, fd)) {
		sc_family_note_heirs_wish();
	}
}

void sc_interest_after_epoll_ctl(int operation, int fd, const struct epoll_event *event)
{
	if (operation == EPOLL_CTL_ADD || operation == EPOLL_CTL_MOD) {
		sc_births_record_wish(fd, event->events, event->data.u64);
	}
}

static int control(int set, int operation, int fd, const struct sc_interest *it)
{
	struct epoll_event event = {.events = it->events, .data.u64 = it->data};
	return (int)SC_SYS4(SYS_epoll_ctl, set, operation, fd, &event);
}

static bool leave_any(int set, int fd)
{
	return SC_SYS4(SYS_epoll_ctl, set, EPOLL_CTL_DEL, fd, NULL) == 0;
}

static bool leave(int set, int fd)
{
	return are_inherited(set, fd) || leave_any(set, fd);
}

/* Is the interest perhaps not what this process wished for last? One event may have used it up, and who
 * inherited it may have changed it. */
static bool is_outdated(const struct sc_interest *it)
{
	return (it->events & EPOLLONESHOT) || sc_family_have_heirs_wished();
}

void sc_interest_take_out(struct sc_interest *it, int fd)
{
	it->state = SC_INTEREST_NONE;
	it->set = sc_births_wish(fd, &it->events, &it->data);
	bool is_sole = sc_births_of(fd) == SC_BIRTH_SOLE;
	if (it->set < 0) {
		sc_births_each_epoll(fd, leave);
	} else if (are_inherited(it->set, fd) || (!is_sole && is_outdated(it))) {
		it->state = SC_INTEREST_LEFT_IN;
	} else if (control(it->set, EPOLL_CTL_DEL, fd, it) != 0) {
		sc_births_each_epoll(fd, leave); /* that number is another set's now, or none's */
	} else {
		it->state = is_sole ? SC_INTEREST_ENDED : SC_INTEREST_TAKEN_OUT;
	}
}

void sc_interest_put_back(const struct sc_interest *it, int fd)
{
	if (it->state == SC_INTEREST_ENDED || it->state == SC_INTEREST_TAKEN_OUT) {
		control(it->set, EPOLL_CTL_ADD, fd, it);
	}
}

void sc_interest_end(int fd)
{
	sc_births_each_epoll(fd, leave_any);
}

bool sc_interest_is_unsure(const struct sc_interest *it)
{
	return it->state == SC_INTEREST_TAKEN_OUT || it->state == SC_INTEREST_LEFT_IN;
}

/* The kernel knows an interest by file and number, so the copy is moved there for a moment. What has
 * the number meanwhile keeps its file, and with it its own interests. */
void sc_interest_settle(const struct sc_interest *it, bool is_in, int set, int copy, int number)
{
	int moved = number != copy ? sc_sys_fcntl(number, F_DUPFD_CLOEXEC, 0) : -1;
	if (moved == -EMFILE || (number != copy && SC_SYS3(SYS_dup3, copy, number, 0) < 0)) {
		sc_sys_close(moved);
		return;
	}
	control(set == number ? moved : set, is_in ? EPOLL_CTL_ADD : EPOLL_CTL_DEL, number, it);
	if (moved >= 0) {
		SC_SYS3(SYS_dup3, moved, number, O_CLOEXEC);
		sc_sys_close(moved);
	} else if (number != copy) {
		sc_sys_close(number);
	}
}
