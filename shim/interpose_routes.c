// SPDX-License-Identifier: MIT
/*
 * The C side of stubs.S for calls that must not be made from here: clone(), dlopen(), vfork(). What
 * has to happen before and after them. None of these functions is there while the real call runs:
 * see UNWOUND in the Makefile.
 */
#include "departures.h"
#include "plan.h"
#include "process.h"
#include "real.h"
#include "start.h"
#include "stubs.h"
#include "threads.h"
#include "turns.h"
#include <dlfcn.h>
#include <linux/sched.h>
#include <stdbool.h>

void sc_routes_before_clone(unsigned long flags)
{
	if (flags & CLONE_VM) {
		sc_turns_note_thread();
	}
	if (flags & CLONE_THREAD) {
		if (!(flags & CLONE_FILES)) {
			sc_process_record_table_split();
		}
		return;
	}
	sc_process_record_fork();
	if (flags & CLONE_FILES) {
		sc_process_record_table_shared();
	}
	if (flags & CLONE_VM) {
		sc_process_record_shared_memory();
	}
}

void *sc_routes_clone(void *function, void *stack, int flags)
{
	(void)function;
	(void)stack;
	sc_start();
	sc_routes_before_clone((unsigned long)flags);
	return (void *)sc_real.clone;
}

struct sc_dlopen_entry sc_routes_dlopen(const char *path, int flags)
{
	(void)path;
	sc_start();
	if (sc_plan_strips_deepbind()) {
		flags &= ~RTLD_DEEPBIND;
	}
	return (struct sc_dlopen_entry){sc_real.dlopen, flags};
}

struct sc_vfork_entry sc_routes_begin_vfork(void)
{
	sc_start();
	bool is_followed = sc_process_begin_vfork();
	return (struct sc_vfork_entry){sc_real.vfork, is_followed};
}

void sc_routes_end_vfork(int pid)
{
	sc_process_end_vfork(pid);
	if (pid > 0) {
		sc_departures_note_child(pid);
	}
}
