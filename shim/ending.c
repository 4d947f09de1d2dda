// SPDX-License-Identifier: MIT
#include "ending.h"
#include "audit.h"
#include "background.h"
#include "births.h"
#include "closing.h"
#include "family.h"
#include "folder.h"
#include "inspect.h"
#include "leaving.h"
#include "mailbox.h"
#include "memory.h"
#include "numbers.h"
#include "ownfds.h"
#include "plan.h"
#include "process.h"
#include "procfs.h"
#include "streams.h"
#include "sys.h"
#include "threads.h"
#include <fcntl.h>
#include <sched.h>

enum {
	FEW = 64,             /* numbers that are quicker tried than looked up */
	UNLISTED_MAX = 65536, /* numbers tried where /proc cannot list them */
	LIST_BYTES = 4096,
	ANSWER_TIMEOUT_MS = 50,
};

/* TCP sockets of this process; of unix sockets, with which connections in messages may end, ~fd. */
struct list {
	int *fds;
	size_t count;
	size_t size;
};

/* A walk over descriptors of this process. */
struct walk {
	unsigned first;
	unsigned last;
	void (*visit)(struct walk *walk, int fd);
	enum sc_via via;
	const void *caller;
	bool flush_streams;
	struct list found;
};

static bool visit_entry(void *context, int table, const char *name)
{
	(void)table;
	struct walk *walk = context;
	int fd;
	if (sc_procfs_number(name, &fd) && (unsigned)fd >= walk->first &&
		(unsigned)fd <= walk->last && !sc_ownfds_has(fd)) {
		walk->visit(walk, fd);
	}
	return true;
}

/* Those up to last, from noted_from on only where something is known to have been opened. */
static void visit_numbers(struct walk *walk, unsigned last, unsigned noted_from)
{
	for (unsigned fd = walk->first; fd <= last; fd++) {
		bool may_be_open = fd < noted_from || sc_births_is_noted((int)fd);
		if (may_be_open && !sc_ownfds_has((int)fd)) {
			walk->visit(walk, (int)fd);
		}
	}
}

static unsigned highest_number(void)
{
	uint64_t limit = sc_ownfds_limit();
	return limit < UNLISTED_MAX ? (unsigned)limit : UNLISTED_MAX;
}

static void walk_descriptors(struct walk *walk)
{
	bool is_followed = sc_process_is_own_memory() && !sc_process_is_table_shared();
	unsigned end = is_followed ? (unsigned)sc_numbers_end() : 0;
	if (walk->last >= end && end > 0) {
		walk->last = end - 1;
	}
	if (walk->last < walk->first) {
		return;
	}
	if (walk->last - walk->first < FEW || end > 0) {
		visit_numbers(walk, walk->last,
			end > 0 ? (unsigned)sc_numbers_unnoted_end() : UINT32_MAX);
		return;
	}
	int table = sc_procfs_open(AT_FDCWD, "/proc/thread-self/fd");
	if (table >= 0 && sc_folder_each(table, visit_entry, walk) == 0) {
		sc_ownfds_release(table);
		return;
	}
	sc_ownfds_release(table);
	unsigned highest = highest_number();
	visit_numbers(walk, walk->last < highest ? walk->last : highest, UINT32_MAX);
}

static void close_one(struct walk *walk, int fd)
{
	struct sc_closing closing;
	if (sc_closing_begin(&closing, fd, walk->via, walk->caller)) {
		sc_births_forget(fd);
		sc_closing_end(&closing, sc_sys_close(fd) == 0);
	}
}

void sc_ending_close_range(unsigned first, unsigned last, enum sc_via via, const void *caller)
{
	struct walk walk = {
		.first = first, .last = last, .visit = close_one, .via = via, .caller = caller};
	if (sc_plan_is_any() && !sc_process_has_only_parents()) {
		walk_descriptors(&walk);
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
static void replace_one(const struct walk *walk, int fd, bool has_twin)
{
	struct sc_closing closing;
	/* Before the look: the peer may answer what is flushed with a reset. */
	bool is_flushed = !walk->flush_streams || sc_streams_flush(fd);
	bool is_followed = sc_closing_begin(&closing, fd, walk->via, walk->caller);
	bool is_replaced = false;
	if (is_followed && has_twin) {
		sc_closing_leave_to_twin(&closing);
	}
	if (is_flushed) {
		long result = SC_SYS3(SYS_dup3, sc_ownfds_placeholder(), fd, O_CLOEXEC);
		/* Forbidden, or there was no room for a placeholder: alone one may as well close. */
		is_replaced = result == fd ||
			      (is_followed && sc_threads_is_only_one() && sc_sys_close(fd) == 0);
	}
	if (is_followed) {
		sc_closing_end(&closing, is_replaced);
	}
}

/* One of a list. */
static void replace_found(const struct walk *walk, int found, bool has_twin)
{
	if (found >= 0) {
		replace_one(walk, found, has_twin);
	} else if (sc_mailbox_is_one(~found)) {
		replace_one(walk, ~found, false);
	}
}

/* All are found before the first is closed, so that the last holder is known. */
static void find_or_replace(struct walk *walk, int fd)
{
	bool is_tcp;
	bool is_wanted = sc_inspect_is_socket(fd, &is_tcp) &&
			 (is_tcp ? sc_plan_is_chosen(fd) : sc_mailbox_may_be_one(fd));
	int found = is_tcp ? fd : ~fd;
	if (is_wanted && !append(&walk->found, found)) {
		replace_found(walk, found, false);
	}
}

/* Another process may go on with the same table: close in a copy of it. false: there is none. */
static bool make_table_own(void)
{
	return !sc_process_is_table_shared() || SC_SYS1(SYS_unshare, CLONE_FILES) == 0;
}

void sc_ending_exit(enum sc_via via, const void *caller, bool flush_streams)
{
	struct walk walk = {.last = INT32_MAX,
		.visit = find_or_replace,
		.via = via,
		.caller = caller,
		.flush_streams = flush_streams};
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
		walk_descriptors(&walk);
		for (size_t i = 0; i < walk.found.count; i++) {
			replace_found(&walk, walk.found.fds[i], has_twin_later(&walk.found, i));
		}
		forget_list(&walk.found);
	}
	sc_background_wait(sc_closing_exit_timeout_ms());
	sc_background_shut();
	sc_audit_finish(sc_process_pid());
}

static void find_or_exec(struct walk *walk, int fd)
{
	int flags = sc_sys_fcntl(fd, F_GETFD, 0);
	if (flags >= 0 && (flags & FD_CLOEXEC) && sc_inspect_is_tcp(fd) &&
		!append(&walk->found, fd)) {
		struct sc_call call = {walk->via, walk->caller};
		sc_leaving_end(&fd, 1, &call);
	}
}

void sc_ending_exec(enum sc_via via, const void *caller)
{
	struct walk walk = {.last = INT32_MAX, .visit = find_or_exec, .via = via, .caller = caller};
	bool is_own = sc_process_is_own_memory(); /* else its owner goes on */
	if (!sc_plan_is_any() || sc_process_has_only_parents()) {
		return;
	}
	walk_descriptors(&walk);
	struct sc_call call = {via, caller};
	if (walk.found.count > 0 && is_own) {
		sc_family_note_leaving(sc_process_pid());
	}
	sc_leaving_end(walk.found.fds, walk.found.count, &call);
	forget_list(&walk.found);
	if (is_own) {
		sc_background_wait(sc_closing_exit_timeout_ms());
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
