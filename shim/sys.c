// SPDX-License-Identifier: MIT
#include "sys.h"
#include "kernel.h"
#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <time.h>

bool (*_Atomic sc_sys_is_deadly)(long number, const long arguments[6]);

static bool is_forbidden(long number, const long arguments[6])
{
	bool (*is_deadly)(long, const long[6]) =
		atomic_load_explicit(&sc_sys_is_deadly, memory_order_relaxed);
	return is_deadly != NULL && is_deadly(number, arguments);
}

bool sc_sys_is_allowed(long number, long a)
{
	const long arguments[6] = {a};
	return !is_forbidden(number, arguments);
}

long sc_sys6(long number, long a, long b, long c, long d, long e, long f)
{
	if (atomic_load_explicit(&sc_sys_is_deadly, memory_order_relaxed) != NULL) {
		const long arguments[6] = {a, b, c, d, e, f};
		if (is_forbidden(number, arguments)) {
			return -EPERM;
		}
	}
	return sc_kernel_call(number, a, b, c, d, e, f);
}

void sc_sys_pause(uint32_t ns)
{
	struct timespec moment = {0, (long)ns};
	SC_SYS2(SYS_nanosleep, &moment, NULL);
}

void sc_sys_yield(void)
{
	sc_sys6(SYS_sched_yield, 0, 0, 0, 0, 0, 0);
}

int sc_sys_poll(int fd, int events, uint32_t ns)
{
	struct pollfd wanted = {fd, (short)events, 0};
	struct timespec wait = {0, (long)ns};
	long count = SC_SYS5(SYS_ppoll, &wanted, 1, &wait, NULL, 0);
	return count < 0 ? (int)count : wanted.revents;
}
