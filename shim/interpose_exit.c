// SPDX-License-Identifier: MIT
/*
 * The ends of a process. exit(), return from main and the last pthread_exit() come through libc's
 * list of handlers: ours is registered before any other, so it runs last, after all handlers and
 * destructors and before stdio is flushed. The others are calls of their own.
 */
#include "ending.h"
#include "interpose.h"
#include "lookup.h"
#include "real.h"
#include "start.h"
#include "sys.h"
#include "interpose_exit.h"
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

/* libc's own registration; with no DSO handle the handler belongs to no library's destructors. */
extern int __cxa_atexit(void (*handler)(void *), void *argument, void *dso);
extern int __cxa_at_quick_exit(void (*handler)(void *), void *dso) __attribute__((weak));

static void run_at_exit(void *unused)
{
	(void)unused;
	sc_ending_exit(SC_VIA_EXIT, NULL, true);
}

static void run_at_quick_exit(void)
{
	sc_ending_exit(SC_VIA_QUICK_EXIT, NULL, false);
}

static void run_at_quick_exit_of(void *unused)
{
	(void)unused;
	run_at_quick_exit();
}

/* glibc has at_quick_exit() in what is linked into each program; musl as any other function. */
static void register_quick_exit(void)
{
	int (*musl_register)(void (*)(void)) = NULL;
	if (__cxa_at_quick_exit != NULL) {
		__cxa_at_quick_exit(run_at_quick_exit_of, NULL);
		return;
	}
	*(void **)&musl_register = dlsym(RTLD_DEFAULT, "at_quick_exit");
	if (musl_register != NULL) {
		musl_register(run_at_quick_exit);
	}
}

void sc_interpose_register_exit(void)
{
	__cxa_atexit(run_at_exit, NULL, NULL);
	register_quick_exit();
}

SC_EXPORT void _exit(int status)
{
	sc_start();
	sc_ending_exit(SC_VIA_UNDERSCORE_EXIT, __builtin_return_address(0), false);
	sc_real._exit(status);
	__builtin_unreachable();
}

SC_EXPORT void _Exit(int status)
{
	sc_start();
	sc_ending_exit(SC_VIA_CAPITAL_EXIT, __builtin_return_address(0), false);
	sc_real._exit(status);
	__builtin_unreachable();
}

/* A handler of SIGABRT may jump away, and the program goes on: then nothing may have been ended. */
static bool is_abort_final(void)
{
	struct {
		void (*handler)(int);
		unsigned long flags;
		void (*restorer)(void);
		uint64_t signals;
	} action;
	return SC_SYS4(SYS_rt_sigaction, SIGABRT, NULL, &action, sizeof(uint64_t)) == 0 &&
	       (action.handler == SIG_DFL || action.handler == SIG_IGN);
}

SC_EXPORT void abort(void)
{
	sc_start();
	if (is_abort_final()) {
		sc_ending_exit(SC_VIA_ABORT, __builtin_return_address(0), false);
	}
	sc_real.abort();
	__builtin_unreachable();
}
