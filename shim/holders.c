// SPDX-License-Identifier: MIT
#include "holders.h"
#include "channel.h"
#include "family.h"
#include "folder.h"
#include "line.h"
#include "ownfds.h"
#include "process.h"
#include "procfs.h"
#include "relatives.h"
#include "sort.h"
#include "sys.h"
#include "thread.h"
#include "threads.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>

/*
 * A table is read a descriptor at a time. What its process moves meanwhile from where the look has
 * not been yet to where it has been, is not seen: a child of inetd does dup2(6, 0) and close(6) as
 * soon as it is born, one that daemonizes moves all to its own child, a thread of this process
 * forks and closes. So nobody holds what two looks in a row have not found.
 */
enum { LOOKS = 2 };

_Static_assert(offsetof(struct sc_holders_query, inode) == 0 &&
		       sizeof(struct sc_holders_query) <= SC_SORT_SIZE_MAX,
	"sc_sort()");

/* A sweep under way. */
struct sweep {
	struct sc_holders_query *queries; /* by inode */
	size_t count;
	size_t unanswered;
	enum sc_own_table own_table;
	int proc;       /* /proc, open */
	int self;       /* this process's number in that /proc */
	int first_copy; /* see may_be_library_copy() */
	uint32_t oldest_born;
	struct sc_relatives own; /* count 0: not looked up yet */
	/* Of the table being read: */
	int pid;
	int fdinfo;      /* the folder beside it */
	bool is_own;     /* this process's */
	bool is_empty;   /* no descriptor seen */
	bool is_refused; /* its entries may not be read, though the folder may */
};

bool sc_holders_are_known(enum sc_birth birth)
{
	return birth == SC_BIRTH_SOLE;
}

static void answer(struct sweep *sweep, struct sc_holders_query *query, enum sc_holders holders)
{
	if (query->answer == SC_HOLDERS_UNASKED) {
		query->answer = holders;
		sweep->unanswered--;
	}
}

/* Which reach an unseen holder needs for this to be its: none for what is proven. */
static enum sc_reach reach_needed(enum sc_birth birth)
{
	switch (birth) {
	case SC_BIRTH_FAMILY:
		return SC_REACH_FAMILY;
	case SC_BIRTH_ELDER:
		return SC_REACH_DESCENDANT;
	case SC_BIRTH_LOCAL:
	case SC_BIRTH_SOLE:
		return SC_REACH_OWN;
	default:
		return SC_REACH_STRANGE;
	}
}

/* What never left this process's table cannot be in another's, nor in flight. */
static bool may_be_elsewhere(enum sc_birth birth)
{
	return reach_needed(birth) <= SC_REACH_DESCENDANT;
}

/* Somebody who cannot be looked at may hold what lies within that reach. */
static void answer_unknown(struct sweep *sweep, enum sc_reach reach)
{
	for (size_t i = 0; i < sweep->count; i++) {
		if (reach >= reach_needed(sweep->queries[i].birth)) {
			answer(sweep, &sweep->queries[i], SC_HOLDERS_UNKNOWN);
		}
	}
}

/* The process pid may not be read. One whose exit has begun lets nobody read it once its memory
 * is gone, which is before its descriptors are (do_exit, kernel/exit.c). */
static void answer_by_kinship(struct sweep *sweep, int pid)
{
	struct sc_stranger stranger;
	if (sweep->own.count == 0) {
		sc_relatives_find(&sweep->own, sweep->proc, sweep->self);
	}
	sc_relatives_look(&stranger, sweep->proc, sweep->self, pid, sweep->oldest_born);
	for (size_t i = 0; i < sweep->count; i++) {
		struct sc_holders_query *query = &sweep->queries[i];
		if (query->answer == SC_HOLDERS_UNASKED &&
			sc_relatives_reach(&stranger, &sweep->own, query->born) >=
				reach_needed(query->birth)) {
			query->is_passing = query->is_passing || stranger.is_ending;
			if (!stranger.is_ending) {
				answer(sweep, query, SC_HOLDERS_UNKNOWN);
			}
		}
	}
}

/* Not even this process's own table can be read. */
static void answer_all_unknown(struct sweep *sweep)
{
	answer_unknown(sweep, SC_REACH_OWN);
}

/* What was born in the family has left it only if somebody of it has passed it on. Then anybody
 * may have it. */
static bool has_left_family(struct sc_holders_query *query)
{
	bool is_of_family = query->birth == SC_BIRTH_ELDER || query->birth == SC_BIRTH_FAMILY;
	if (is_of_family && sc_family_may_be_passed_on(query->inode)) {
		query->birth = SC_BIRTH_SENT;
	}
	return query->birth <= SC_BIRTH_SENT;
}

/* Those of a ring of io_uring are in no table. */
static bool may_be_in_a_ring(const struct sc_holders_query *query)
{
	return sc_family_may_have_sent(SC_SENT_TO_RING) && sc_family_may_be_passed_on(query->inode);
}

/* Where the process ends, and nothing else of it runs that may still receive, what is in flight to its
 * own sockets goes with them; unless another holds the socket too, whose look tells. */
static bool ends_with_this_process(const struct sweep *sweep)
{
	return sweep->is_own && sc_process_is_ending() && sc_threads_is_only_one();
}

/* Descriptors are in flight somewhere: an answer of NOBODY would be none. */
static void note_passing(struct sweep *sweep)
{
	for (size_t i = 0; i < sweep->count; i++) {
		struct sc_holders_query *query = &sweep->queries[i];
		if (query->answer == SC_HOLDERS_UNASKED && has_left_family(query)) {
			query->is_passing = true;
		}
	}
}

/* The first query of this inode, or where it would stand. */
static size_t find(const struct sweep *sweep, uint64_t inode)
{
	size_t low = 0;
	size_t high = sweep->count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (sweep->queries[middle].inode < inode) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	return low;
}

static bool own_descriptor_counts(const struct sweep *sweep, int fd)
{
	if (sc_ownfds_has(fd)) {
		return false;
	}
	return sweep->own_table == SC_OWN_TABLE_COUNTS ||
	       !(sc_sys_fcntl(fd, F_GETFD, 0) & FD_CLOEXEC);
}

/*
 * A relative that has this library too, and closes at the same moment, has a copy for an instant.
 * Each would take the other's for a holder, and nobody would end the connection. Those of the
 * family are known; others, who share no memory, look like this.
 */
static bool may_be_library_copy(const struct sweep *sweep, const char *name, int fd)
{
	return fd >= sweep->first_copy &&
	       (sc_procfs_number_behind(sweep->fdinfo, name, "flags:", 8) & O_CLOEXEC) != 0;
}

/* Descriptors in flight to this unix socket may be any connection: nobody can tell. */
static bool has_descriptors_in_flight(const struct sweep *sweep, const char *name, int fd)
{
	if (sweep->is_own && sc_ownfds_has(fd)) {
		return false; /* the library's own channel */
	}
	if (sweep->is_own && !sc_thread_is_here()) {
		int domain = 0;
		unsigned size = sizeof(domain);
		if (sc_sys_getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) == 0 &&
			domain != AF_UNIX) {
			return false;
		}
	}
	return sc_procfs_number_behind(sweep->fdinfo, name, "scm_fds:", 10) > 0 &&
	       (sc_procfs_number_behind(sweep->fdinfo, name, "flags:", 8) & SC_CHANNEL_MARK) !=
		       SC_CHANNEL_MARK;
}

/* Of the socket that the entry of a table leads to; 0: of none. */
static uint64_t inode_at(struct sweep *sweep, int table, const char *name)
{
	char link[64];
	long length = SC_SYS4(SYS_readlinkat, table, name, link, sizeof(link));
	sweep->is_refused = length == -EACCES || length == -EPERM;
	return length > 0 ? sc_procfs_socket_inode(link, length) : 0;
}

static void look_at_socket(struct sweep *sweep, int table, const char *name, int fd, uint64_t inode)
{
	size_t at = find(sweep, inode);
	if (at == sweep->count || sweep->queries[at].inode != inode) {
		if (has_descriptors_in_flight(sweep, name, fd) && !sc_family_has_channel(inode) &&
			!ends_with_this_process(sweep)) {
			note_passing(sweep);
		}
		return;
	}
	if (sweep->is_own ? !own_descriptor_counts(sweep, fd)
			  : sc_family_has_copy(sweep->pid, fd)) {
		return;
	}
	bool is_passing = !sweep->is_own && may_be_library_copy(sweep, name, fd);
	if (!is_passing && inode_at(sweep, table, name) != inode) {
		/* The library's copy when it was read: let go of since, and then forgotten as
		 * one. */
		return;
	}
	for (; at < sweep->count && sweep->queries[at].inode == inode; at++) {
		if (is_passing) {
			sweep->queries[at].is_passing = true;
		} else {
			sweep->queries[at].holder_pid = sweep->is_own ? 0 : sweep->pid;
			sweep->queries[at].holder_fd = fd;
			answer(sweep, &sweep->queries[at], SC_HOLDERS_SOMEBODY);
		}
	}
}

/* One entry of a descriptor table. Returns false when there is no more to look for. */
static bool look_at_descriptor(void *context, int table, const char *name)
{
	struct sweep *sweep = context;
	int fd;
	if (!sc_procfs_number(name, &fd)) {
		return true;
	}
	sweep->is_empty = false;
	uint64_t inode = inode_at(sweep, table, name);
	if (inode != 0) {
		look_at_socket(sweep, table, name, fd, inode);
	}
	return sweep->unanswered > 0 && !sweep->is_refused;
}

/* Read the table in folder/fd. 0, or a negative errno where it may not be read. */
static int look_at_table(struct sweep *sweep, int folder)
{
	int table = sc_procfs_open(folder, "fd");
	if (table < 0) {
		return table;
	}
	sweep->fdinfo = sc_procfs_open(folder, "fdinfo");
	sweep->is_empty = true;
	sweep->is_refused = false;
	int error = sc_folder_each(table, look_at_descriptor, sweep);
	sc_ownfds_release(sweep->fdinfo);
	sc_ownfds_release(table);
	return sweep->is_refused ? -EACCES : error;
}

/*
 * A process whose main thread has ended shows an empty table, though its other threads go on with
 * the same descriptors: look at theirs, but not at the library's own thread's, which holds what
 * lingers.
 */
static bool look_at_thread(void *context, int tasks, const char *name)
{
	struct sweep *sweep = context;
	int ignored;
	if (!sc_procfs_number(name, &ignored)) {
		return true;
	}
	int task = sc_procfs_open(tasks, name);
	char comm[20];
	if (task >= 0 && sc_procfs_read(task, "comm", comm, sizeof(comm)) > 0 &&
		strcmp(comm, "safeclose\n") != 0) {
		look_at_table(sweep, task);
	}
	sc_ownfds_release(task);
	return sweep->unanswered > 0 && sweep->is_empty;
}

static void look_at_process(struct sweep *sweep, int folder, int pid)
{
	sweep->pid = pid;
	sweep->is_own = pid == sweep->self;
	int error = look_at_table(sweep, folder);
	if (error == 0 && sweep->is_empty) {
		int tasks = sc_procfs_open(folder, "task");
		if (tasks >= 0) {
			error = sc_folder_each(tasks, look_at_thread, sweep);
			sc_ownfds_release(tasks);
		}
	}
	if (error == 0 || error == -ENOENT || error == -ESRCH) {
		return;
	}
	if (sweep->is_own) {
		answer_all_unknown(sweep);
	} else {
		answer_by_kinship(sweep, pid);
	}
}

static bool look_at_pid(void *context, int proc, const char *name)
{
	struct sweep *sweep = context;
	int pid;
	if (!sc_procfs_number(name, &pid) || pid == sweep->self) {
		return true;
	}
	int folder = sc_procfs_open(proc, name);
	if (folder >= 0) {
		look_at_process(sweep, folder, pid);
		sc_ownfds_release(folder);
	} else if (folder != -ENOENT && folder != -ESRCH) {
		answer_unknown(sweep, SC_REACH_DESCENDANT);
	}
	return sweep->unanswered > 0;
}

static void look_at_self(struct sweep *sweep)
{
	int folder = sc_procfs_open(sweep->proc, "self");
	if (folder < 0) {
		answer_all_unknown(sweep);
		return;
	}
	look_at_process(sweep, folder, sweep->self);
	sc_ownfds_release(folder);
}

static void look_at_all(struct sweep *sweep)
{
	enum sc_reach unseen = sc_relatives_reach_unseen(sweep->proc, sweep->self);
	if (unseen < SC_REACH_DESCENDANT && sc_folder_each(sweep->proc, look_at_pid, sweep) != 0) {
		unseen = SC_REACH_DESCENDANT;
	}
	answer_unknown(sweep, unseen);
}

static void look_once(struct sweep *sweep, bool is_elsewhere)
{
	sweep->proc = sc_procfs_open(AT_FDCWD, "/proc");
	sweep->self = sweep->proc >= 0 ? sc_procfs_self(sweep->proc) : 0;
	if (sweep->self <= 0) {
		answer_all_unknown(sweep);
	} else {
		look_at_self(sweep);
		if (is_elsewhere && sweep->unanswered > 0) {
			look_at_all(sweep);
		}
	}
	sc_ownfds_release(sweep->proc);
}

/* What the births tell, without a look at /proc. Returns how many are left to ask about. */
static size_t answer_known(struct sweep *sweep)
{
	bool has_elsewhere = false;
	bool is_split = sc_process_is_table_split();
	sweep->unanswered = sweep->count;
	sweep->oldest_born = UINT32_MAX;
	for (size_t i = 0; i < sweep->count; i++) {
		struct sc_holders_query *query = &sweep->queries[i];
		query->answer = SC_HOLDERS_UNASKED;
		query->is_passing = false;
		query->is_forking = false;
		query->holder_pid = 0;
		if (is_split) {
			answer(sweep, query, SC_HOLDERS_UNKNOWN);
		} else if (sc_holders_are_known(query->birth)) {
			answer(sweep, query, SC_HOLDERS_NOBODY);
		} else if (query->inode == 0) {
			answer(sweep, query, SC_HOLDERS_UNKNOWN);
		} else {
			if (query->born < sweep->oldest_born) {
				sweep->oldest_born = query->born;
			}
			has_elsewhere = has_elsewhere || may_be_elsewhere(query->birth);
		}
	}
	return has_elsewhere ? sweep->unanswered : 0;
}

/* Has a fork since age taken copies of what was this table's alone? Another thread, which may
 * have closed its own since. Has a relative passed it on? Is there anything to be found
 * elsewhere? */
static bool follow_births(struct sweep *sweep, uint32_t age)
{
	bool has_elsewhere = false;
	for (size_t i = 0; i < sweep->count; i++) {
		struct sc_holders_query *query = &sweep->queries[i];
		if (query->answer == SC_HOLDERS_UNASKED) {
			query->birth = sc_births_after(query->birth, age);
			if (has_left_family(query) && may_be_in_a_ring(query)) {
				answer(sweep, query, SC_HOLDERS_UNKNOWN);
			}
			has_elsewhere = has_elsewhere || may_be_elsewhere(query->birth);
		}
	}
	return has_elsewhere;
}

static bool may_be_nobody(const struct sweep *sweep)
{
	for (size_t i = 0; i < sweep->count; i++) {
		const struct sc_holders_query *query = &sweep->queries[i];
		if (query->answer == SC_HOLDERS_UNASKED && !query->is_passing) {
			return true;
		}
	}
	return false;
}

void sc_holders_ask(struct sc_holders_query *queries, size_t count, enum sc_own_table own_table)
{
	struct sweep sweep = {.queries = queries,
		.count = count,
		.own_table = own_table,
		.first_copy = sc_ownfds_first_copy()};
	uint32_t age = sc_process_get_age();
	bool is_forking = sc_process_is_forking();
	bool is_elsewhere = answer_known(&sweep) > 0;
	if (sweep.unanswered == 0) {
		return;
	}
	sc_sort(queries, count, sizeof(*queries));
	for (int look = 0; look < LOOKS && may_be_nobody(&sweep); look++) {
		is_elsewhere = follow_births(&sweep, age) || is_elsewhere;
		look_once(&sweep, is_elsewhere);
	}
	is_forking = is_forking || sc_process_is_forking();
	for (size_t i = 0; i < count; i++) {
		queries[i].is_forking = is_forking && may_be_elsewhere(queries[i].birth);
		if (queries[i].answer != SC_HOLDERS_UNASKED) {
			queries[i].is_passing = false;
		} else {
			queries[i].answer =
				queries[i].is_passing ? SC_HOLDERS_UNKNOWN : SC_HOLDERS_NOBODY;
		}
	}
}
