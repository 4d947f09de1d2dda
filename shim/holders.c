// SPDX-License-Identifier: MIT
#include "holders.h"
#include "ownfds.h"
#include "procfs.h"
#include "sys.h"
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>

/* A sweep under way. */
struct sweep {
	uint64_t inode;
	enum sc_birth birth;
	enum sc_own_table own_table;
	int proc;               /* /proc, open */
	int self;               /* this process's number in that /proc */
	uint64_t self_start;    /* its start time; 0: not read yet */
	enum sc_holders result; /* SOMEBODY and UNKNOWN end the sweep */
	bool is_own;            /* the table being read is this process's */
	bool is_empty;          /* the table read last had no descriptor */
	bool is_refused;        /* its entries may not be read, though the folder may */
	int fdinfo;             /* folder with the fdinfo of the table being read */
};

/* "socket:[4711]" -> 4711; else 0. */
static uint64_t socket_inode(const char *link, long length)
{
	static const char prefix[] = "socket:[";
	const long prefix_length = sizeof(prefix) - 1;
	if (length <= prefix_length || memcmp(link, prefix, (size_t)prefix_length) != 0) {
		return 0;
	}
	uint64_t inode = 0;
	for (long i = prefix_length; i < length && link[i] >= '0' && link[i] <= '9'; i++) {
		inode = inode * 10 + (uint64_t)(link[i] - '0');
	}
	return inode;
}

static bool own_descriptor_counts(const struct sweep *sweep, int fd)
{
	if (sc_ownfds_has(fd) || sweep->own_table == SC_OWN_TABLE_ENDS) {
		return false;
	}
	if (sweep->own_table == SC_OWN_TABLE_CLOEXEC_ENDS) {
		return !(sc_sys_fcntl(fd, F_GETFD, 0) & FD_CLOEXEC);
	}
	return true;
}

/* Descriptors in flight to this unix socket may be the connection: nobody can tell. */
static bool has_descriptors_in_flight(const struct sweep *sweep, const char *name, int fd)
{
	if (sweep->is_own) {
		int domain = 0;
		unsigned size = sizeof(domain);
		if (sc_sys_getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) == 0 &&
			domain != AF_UNIX) {
			return false;
		}
	}
	char text[512];
	if (sc_procfs_read(sweep->fdinfo, name, text, sizeof(text)) <= 0) {
		return false;
	}
	const char *count = strstr(text, "scm_fds:");
	if (count == NULL) {
		return false;
	}
	count += strlen("scm_fds:");
	while (*count == ' ' || *count == '\t') {
		count++;
	}
	return *count >= '1' && *count <= '9';
}

/* One entry of a descriptor table. Returns false when the sweep is over. */
static bool look_at_descriptor(void *context, int table, const char *name)
{
	struct sweep *sweep = context;
	int fd;
	if (!sc_procfs_number(name, &fd)) {
		return true;
	}
	sweep->is_empty = false;
	char link[64];
	long length = SC_SYS4(SYS_readlinkat, table, name, link, sizeof(link));
	if (length == -EACCES || length == -EPERM) {
		sweep->is_refused = true;
		return false;
	}
	uint64_t inode = length > 0 ? socket_inode(link, length) : 0;
	if (inode == 0) {
		return true;
	}
	if (inode == sweep->inode) {
		if (!sweep->is_own || own_descriptor_counts(sweep, fd)) {
			sweep->result = SC_HOLDERS_SOMEBODY;
			return false;
		}
	} else if (sweep->birth != SC_BIRTH_LOCAL && has_descriptors_in_flight(sweep, name, fd)) {
		sweep->result = SC_HOLDERS_UNKNOWN;
		return false;
	}
	return true;
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
	int error = sc_procfs_each(table, look_at_descriptor, sweep);
	sc_ownfds_release(sweep->fdinfo);
	sc_ownfds_release(table);
	return sweep->is_refused ? -EACCES : error;
}

/*
 * A process whose main thread has ended shows an empty table, though its other threads go on with
 * the same descriptors: look at theirs.
 */
static bool look_at_thread(void *context, int tasks, const char *name)
{
	struct sweep *sweep = context;
	int ignored;
	if (!sc_procfs_number(name, &ignored)) {
		return true;
	}
	int task = sc_procfs_open(tasks, name);
	if (task >= 0) {
		look_at_table(sweep, task);
		sc_ownfds_release(task);
	}
	return sweep->result == SC_HOLDERS_NOBODY && sweep->is_empty;
}

/*
 * A process that may not be read. It matters if it can hold the connection: what was inherited or
 * sent, anybody may have; what was born here, only descendants. A descendant whose parent has ended
 * is init's child: so whoever began later than this process and is not of another family counts.
 */
static bool may_hold_unseen(struct sweep *sweep, int pid)
{
	struct sc_process_stat stat;
	if (sc_procfs_stat(sweep->proc, pid, &stat) != 0) {
		return false; /* gone meanwhile */
	}
	if (pid == 2 || stat.parent == 2) {
		return false; /* a kernel thread */
	}
	if (sweep->birth != SC_BIRTH_ELDER) {
		return true;
	}
	if (sweep->self_start == 0) {
		struct sc_process_stat self;
		if (sc_procfs_stat(sweep->proc, sweep->self, &self) != 0) {
			return true;
		}
		sweep->self_start = self.start_time;
	}
	return stat.start_time >= sweep->self_start;
}

static void look_at_process(struct sweep *sweep, int folder, int pid)
{
	sweep->is_own = pid == sweep->self;
	int error = look_at_table(sweep, folder);
	if (error == 0 && sweep->is_empty) {
		int tasks = sc_procfs_open(folder, "task");
		if (tasks >= 0) {
			error = sc_procfs_each(tasks, look_at_thread, sweep);
			sc_ownfds_release(tasks);
		}
	}
	if (error != 0 && error != -ENOENT && error != -ESRCH && may_hold_unseen(sweep, pid)) {
		sweep->result = SC_HOLDERS_UNKNOWN;
	}
}

static bool look_at_pid(void *context, int proc, const char *name)
{
	struct sweep *sweep = context;
	int pid;
	if (!sc_procfs_number(name, &pid)) {
		return true;
	}
	int folder = sc_procfs_open(proc, name);
	if (folder >= 0) {
		look_at_process(sweep, folder, pid);
		sc_ownfds_release(folder);
	} else if (folder != -ENOENT && folder != -ESRCH) {
		sweep->result = SC_HOLDERS_UNKNOWN;
	}
	return sweep->result == SC_HOLDERS_NOBODY;
}

/* This process's own table alone: for what never left it. */
static void sweep_own_table(struct sweep *sweep)
{
	int folder = sc_procfs_open(sweep->proc, "thread-self");
	sweep->is_own = true;
	if (folder < 0 || look_at_table(sweep, folder) != 0) {
		sweep->result = SC_HOLDERS_UNKNOWN;
	}
	sc_ownfds_release(folder);
}

static void sweep_processes(struct sweep *sweep)
{
	sweep->self = sc_procfs_self(sweep->proc);
	/* With hidepid, processes of others do not show at all, not even the first. */
	struct sc_process_stat first;
	if (sweep->self <= 0 || sc_procfs_stat(sweep->proc, 1, &first) != 0 ||
		sc_procfs_each(sweep->proc, look_at_pid, sweep) != 0) {
		sweep->result = SC_HOLDERS_UNKNOWN;
	}
}

enum sc_holders sc_holders_ask(uint64_t inode, enum sc_birth birth, enum sc_own_table own_table)
{
	if (birth == SC_BIRTH_SOLE || (birth == SC_BIRTH_LOCAL && own_table == SC_OWN_TABLE_ENDS)) {
		return SC_HOLDERS_NOBODY;
	}
	struct sweep sweep = {.inode = inode,
		.birth = birth,
		.own_table = own_table,
		.result = SC_HOLDERS_NOBODY};
	sweep.proc = sc_procfs_open(AT_FDCWD, "/proc");
	if (inode == 0 || sweep.proc < 0) {
		sc_ownfds_release(sweep.proc);
		return SC_HOLDERS_UNKNOWN;
	}
	if (birth == SC_BIRTH_LOCAL) {
		sweep_own_table(&sweep);
	} else {
		sweep_processes(&sweep);
	}
	sc_ownfds_release(sweep.proc);
	return sweep.result;
}
