// SPDX-License-Identifier: MIT
#include "ending.h"
#include "audit.h"
#include "background.h"
#include "births.h"
#include "closing.h"
#include "family.h"
#include "fdlist.h"
#include "inheritance.h"
#include "inspect.h"
#include "leaving.h"
#include "mailbox.h"
#include "ownfds.h"
#include "plan.h"
#include "process.h"
#include "streams.h"
#include "sys.h"
#include "threads.h"
#include "walk.h"
#include <fcntl.h>
#include <sched.h>

enum { ANSWER_TIMEOUT_MS = 50 };

/* A way to end, and what was found. */
struct ending {
	enum sc_via via;
	const void *caller;
	bool flush_streams;
	struct sc_fdlist found; /* TCP sockets; of unix sockets, with which connections in
				* messages may end, ~fd */
};

static void close_one(void *context, int fd)
{
	const struct ending *ending = context;
	struct sc_closing closing;
	if (sc_closing_begin(&closing, fd, ending->via, ending->caller)) {
		sc_births_forget(fd);
		sc_closing_end(&closing, sc_sys_close(fd) == 0);
	}
}

void sc_ending_close_range(unsigned first, unsigned last, enum sc_via via, const void *caller)
{
	struct ending ending = {.via = via, .caller = caller};
	if (sc_plan_is_any() && !sc_process_has_only_parents()) {
		sc_walk(first, last, close_one, &ending);
	}
}

/*
 * At exit other threads may still run, so the number must not become free: whoever opened a file
 * now would get it, and a thread that still writes to its connection would write into that file.
 * A connection with nothing unread is closed here too: the kernel would come to it only a moment
 * later, when bytes may have arrived.
 */
static void replace_one(const struct ending *ending, int fd, bool has_twin)
{
	struct sc_closing closing;
	/* Before the look: the peer may answer what is flushed with a reset. */
	bool is_flushed = !ending->flush_streams || sc_streams_flush(fd);
	bool is_followed = sc_closing_begin(&closing, fd, ending->via, ending->caller);
	bool is_replaced = false;
	if (is_followed && has_twin) {
		sc_closing_leave_to_twin(&closing);
	}
	if (is_flushed) {
		long result = SC_SYS3(SYS_dup3, sc_ownfds_placeholder(), fd, O_CLOEXEC);
		/* Forbidden, or there was no room for a placeholder: alone one may as well
		 * close. */
		is_replaced = result == fd ||
			      (is_followed && sc_threads_is_only_one() && sc_sys_close(fd) == 0);
	}
	if (is_followed) {
		sc_closing_end(&closing, is_replaced);
	}
}

/* One of a list. */
static void replace_found(const struct ending *ending, int found)
{
	if (found >= 0) {
		replace_one(ending, found & ~SC_FDLIST_TWIN, (found & SC_FDLIST_TWIN) != 0);
	} else if (sc_mailbox_is_one(~found)) {
		replace_one(ending, ~found, false);
	}
}

/* All are found before the first is closed, so that the last holder is known. */
static void find_or_replace(void *context, int fd)
{
	struct ending *ending = context;
	bool is_tcp;
	bool is_wanted = sc_inspect_is_socket(fd, &is_tcp) &&
			 (is_tcp ? sc_plan_is_chosen(fd) : sc_mailbox_may_be_one(fd));
	int found = is_tcp ? fd : ~fd;
	if (is_wanted && !sc_fdlist_append(&ending->found, found)) {
		replace_found(ending, found);
	}
}

/* Another process may go on with the same table: close in a copy of it. false: there is none. */
static bool make_table_own(void)
{
	return !sc_process_is_table_shared() || SC_SYS1(SYS_unshare, CLONE_FILES) == 0;
}

void sc_ending_exit(enum sc_via via, const void *caller, bool flush_streams)
{
	struct ending ending = {.via = via, .caller = caller, .flush_streams = flush_streams};
	if (!sc_plan_is_any()) {
		return;
	}
	if (!sc_process_is_own_memory()) {
		/* The memory's owner goes on: nothing of the library's ends. */
		if (!sc_process_is_table_shared()) {
			sc_ending_close_range(0, INT32_MAX, via, caller);
		}
		return;
	}
	sc_background_await_answers(ANSWER_TIMEOUT_MS);
	if (make_table_own()) {
		sc_process_note_ending();
		sc_walk(0, INT32_MAX, find_or_replace, &ending);
		sc_fdlist_mark_twins(&ending.found);
		for (size_t i = 0; i < ending.found.count; i++) {
			replace_found(&ending, ending.found.fds[i]);
		}
		sc_fdlist_forget(&ending.found);
	}
	sc_background_wait(sc_config.exit_timeout_ms);
	sc_background_shut();
	sc_audit_finish(sc_process_pid());
}

static void find_or_exec(void *context, int fd)
{
	struct ending *ending = context;
	int flags = sc_sys_fcntl(fd, F_GETFD, 0);
	if (flags >= 0 && (flags & FD_CLOEXEC) && sc_inspect_is_tcp(fd) &&
		!sc_fdlist_append(&ending->found, fd)) {
		struct sc_call call = {ending->via, ending->caller};
		sc_leaving_end(&fd, 1, &call);
	}
}

void sc_ending_exec(enum sc_via via, const void *caller)
{
	struct ending ending = {.via = via, .caller = caller};
	bool is_own = sc_process_is_own_memory(); /* else its owner goes on */
	sc_inheritance_note(false);
	if (!sc_plan_is_any() || sc_process_has_only_parents()) {
		return;
	}
	sc_walk(0, INT32_MAX, find_or_exec, &ending);
	struct sc_call call = {via, caller};
	if (ending.found.count > 0 && is_own) {
		sc_family_note_leaving(sc_process_pid());
	}
	sc_leaving_end(ending.found.fds, ending.found.count, &call);
	sc_fdlist_forget(&ending.found);
	if (is_own) {
		sc_background_wait(sc_config.exit_timeout_ms);
		sc_audit_finish(sc_process_pid());
	}
}

void sc_ending_exec_failed(void)
{
	if (sc_process_is_own_memory()) {
		sc_family_note_staying(sc_process_pid());
		sc_background_resume();
	}
}
