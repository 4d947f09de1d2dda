// SPDX-License-Identifier: MIT
/*
 * The calls by which a process puts a seccomp filter on itself: prctl(), and seccomp(2), which goes by
 * syscall().
 */
#include "background.h"
#include "filters.h"
#include "interpose.h"
#include "interpose_filters.h"
#include "process.h"
#include "real.h"
#include "start.h"
#include <linux/seccomp.h>
#include <stdarg.h>
#include <sys/prctl.h>

enum { ANSWER_TIMEOUT_MS = 50 };

/* Is what the filter will hold for this process's own memory, and not that of a vfork child's parent?
 * To be asked before: afterwards the asking may be deadly, and the library's thread, if it is under
 * the filter too, may be kept from taking what was given to it. */
bool sc_filters_are_followed(void)
{
	bool is_followed = sc_process_is_own_memory();
	if (is_followed) {
		sc_background_await_answers(ANSWER_TIMEOUT_MS);
	}
	return is_followed;
}

void sc_filters_after_prctl(long mode, long program)
{
	if (mode == SECCOMP_MODE_FILTER) {
		sc_filters_add((const struct sock_fprog *)program);
	} else if (mode == SECCOMP_MODE_STRICT) {
		sc_filters_add_all_deadly();
	}
}

void sc_filters_after_seccomp(long operation, long program)
{
	if (operation == SECCOMP_SET_MODE_FILTER) {
		sc_filters_add((const struct sock_fprog *)program);
	} else if (operation == SECCOMP_SET_MODE_STRICT) {
		sc_filters_add_all_deadly();
	}
}

/* The kernel takes five words, and so does every option at most. */
SC_EXPORT int prctl(int option, ...)
{
	va_list list;
	va_start(list, option);
	unsigned long a = va_arg(list, unsigned long);
	unsigned long b = va_arg(list, unsigned long);
	unsigned long c = va_arg(list, unsigned long);
	unsigned long d = va_arg(list, unsigned long);
	va_end(list);
	sc_start();
	bool is_followed = option == PR_SET_SECCOMP && sc_filters_are_followed();
	int result = sc_real.prctl(option, a, b, c, d);
	if (is_followed && result == 0) {
		sc_filters_after_prctl((long)a, (long)b);
	}
	return result;
}
