// SPDX-License-Identifier: MIT
#include "ending.h"
#include "audit.h"
#include "background.h"
#include "births.h"
#include "closing.h"
#include "family.h"
#include "inheritance.h"
#include "inspect.h"
#include "leaving.h"
#include "mailbox.h"
#include "memory.h"
#include "ownfds.h"
#include "plan.h"
#include "process.h"
#include "streams.h"
#include "sys.h"
#include "threads.h"
#include "walk.h"
#include <fcntl.h>
#include <sched.h>

enum {
	LIST_BYTES = 4096,
	ANSWER_TIMEOUT_MS = 50,
};

/* TCP sockets of this process; of unix sockets, with which connections in messages may end, ~fd. */
struct list {
	int *fds;
	size_t count;
	size_t size;
};

/* A way to end, and what was found. */
struct ending {
	enum sc_via via;
	const void *caller;
	bool flush_streams;
	struct list found;
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

/* Remember fd; false: no memory. */
static bool append(struct list *list, int fd)
{
	if (list->count == list->size) {
		size_t old_bytes = list->size * sizeof(*list->fds);
		size_t bytes = old_bytes == 0 ? LIST_BYTES : old_bytes * 2;
		int *fds = old_bytes == 0 ? sc_memory_map(bytes)
					  : sc_memory_grow(list->fds, old_bytes, bytes);
		if (fds == NULL) {
			return false;
		}
		list->fds = fds;
		list->size = bytes / sizeof(*fds);
	}
	list->fds[list->count++] = fd;
	return true;
}

static void forget_list(struct list *list)
{
	if (list->fds != NULL) {
		sc_memory_unmap(list->fds, list->size * sizeof(*list->fds));
	}
}

/* Does one of those that come later hold the same connection? */
static bool has_twin_later(const struct list *list, size_t at)
{
	int fd = list->fds[at];
	uint64_t inode = fd < 0 || sc_births_of(fd) == SC_BIRTH_SOLE ? 0 : sc_inspect_inode(fd);
	for (size_t i = at + 1; inode != 0 && i < list->count; i++) {
		if (sc_births_of(list->fds[i]) != SC_BIRTH_SOLE &&
			sc_inspect_inode(list->fds[i]) == inode) {
			return true;
		}
	}
	return false;
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
static void replace_found(const struct ending *ending, int found, bool has_twin)
{
	if (found >= 0) {
		replace_one(ending, found, has_twin);
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
	if (is_wanted && !append(&ending->found, found)) {
		replace_found(ending, found, false);
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
		for (size_t i = 0; i < ending.found.count; i++) {
			replace_found(
				&ending, ending.found.fds[i], has_twin_later(&ending.found, i));
		}
		forget_list(&ending.found);
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
		!append(&ending->found, fd)) {
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
	forget_list(&ending.found);
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
