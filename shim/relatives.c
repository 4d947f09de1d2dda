// SPDX-License-Identifier: MIT
#include "relatives.h"
#include "process.h"
#include "procfs.h"
#include "sys.h"
#include <fcntl.h>
#include <linux/capability.h>
#include <sys/stat.h>

enum { INIT = 1 };

static uint64_t first_namespace;

/* Is the caller privileged, so that only somebody even more so can refuse to be read? */
static bool may_trace(void)
{
	struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];
	return SC_SYS2(SYS_capget, &header, data) == 0 &&
	       (data[0].effective & (1u << CAP_SYS_PTRACE));
}

/*
 * Has the first process started this one? Being its child may also mean that the parent has ended.
 * Whoever had another parent when the library was loaded, or is forked from such a one, was not
 * started by it; nor was a member of a session that somebody between the two has begun.
 */
static bool may_be_started_by_init(
	const struct sc_process_stat *init, const struct sc_process_stat *own, int self)
{
	const struct sc_process_family *family = sc_process_get_family();
	bool is_session_old = own->session == init->session || own->session == self;
	return own->parent == INIT && family->root_pid == sc_process_pid() &&
	       family->parent_pid <= INIT && is_session_old;
}

/*
 * The first process, where it is so privileged that not even CAP_SYS_PTRACE may read it: the agent
 * of a virtual machine or a container's own init. It has programs started; what it might hand down
 * it hands to its children.
 */
static bool is_remote_init(
	int pid, const struct sc_process_stat *stat, const struct sc_process_stat *own, int self)
{
	return pid == INIT && !may_be_started_by_init(stat, own, self) && may_trace();
}

static uint64_t pid_namespace(void)
{
	struct stat64 status;
	long error = SC_SYS4(SYS_newfstatat, AT_FDCWD, "/proc/self/ns/pid", &status, 0);
	return error == 0 ? status.st_ino : 0;
}

void sc_relatives_init(void)
{
	first_namespace = pid_namespace();
}

/* With hidepid (proc(5)), nobody sees processes of others. The first one is another's, as a rule, and does
 * not show either; where it is this one's, the mounts tell. */
static bool is_proc_veiled(int proc)
{
	struct sc_process_stat first;
	return sc_procfs_stat(proc, INIT, &first) != 0 ||
	       (!may_trace() && sc_procfs_find("/proc/self/mountinfo", "hidepid=") != 0);
}

enum sc_reach sc_relatives_reach_unseen(int proc, int self)
{
	if (is_proc_veiled(proc)) {
		return SC_REACH_DESCENDANT;
	}
	/* Whoever is forked into a new namespace of pids does not see those that it descends from; and
	 * the first there has what it was started with from outside. */
	if (pid_namespace() != first_namespace) {
		return SC_REACH_FAMILY;
	}
	return self == INIT ? SC_REACH_STRANGE : SC_REACH_NOTHING;
}

void sc_relatives_find(struct sc_relatives *relatives, int proc, int pid)
{
	struct sc_process_stat stat;
	relatives->count = 0;
	relatives->is_whole = false;
	while (relatives->count < SC_RELATIVES_MAX && sc_procfs_stat(proc, pid, &stat) == 0) {
		relatives->line[relatives->count].pid = pid;
		relatives->line[relatives->count].start_time = stat.start_time;
		relatives->count++;
		pid = stat.parent;
		if (pid == 0) {
			relatives->is_whole = true;
			break;
		}
	}
}

static bool is_relative(const struct sc_relatives *relatives, int pid)
{
	for (int i = 0; i < relatives->count; i++) {
		if (relatives->line[i].pid == pid) {
			return true;
		}
	}
	return false;
}

void sc_relatives_look(
	struct sc_stranger *stranger, int proc, int self, int pid, uint32_t oldest_born)
{
	struct sc_process_stat stat;
	struct sc_process_stat own;
	*stranger = (struct sc_stranger){.relatives = {.count = 1}};
	stranger->is_numbered_alike = self == sc_process_pid();
	if (sc_procfs_stat(proc, pid, &stat) != 0) {
		stranger->is_nothing = true; /* gone meanwhile */
		return;
	}
	stranger->relatives.line[0].pid = pid;
	stranger->relatives.line[0].start_time = stat.start_time;
	stranger->is_nothing = stat.is_kernel_thread || (stat.state == 'Z' && stat.threads <= 1) ||
			       (pid == INIT && sc_procfs_stat(proc, self, &own) == 0 &&
				       is_remote_init(pid, &stat, &own, self));
	stranger->is_ending = stat.is_ending;
	if (!stranger->is_nothing && stat.start_time >= oldest_born) {
		sc_relatives_find(&stranger->relatives, proc, pid);
	}
}

/*
 * Does it descend, by forks that came later, from the process that made the connection? Upwards from
 * it, the first that is older than the connection is that process, or an ancestor of that process
 * which has adopted an orphan. What it certainly is not, is somebody else's.
 */
static bool may_descend(
	const struct sc_stranger *stranger, const struct sc_relatives *own, uint32_t born)
{
	const struct sc_relatives *its = &stranger->relatives;
	for (int i = 0; i < its->count; i++) {
		int pid = its->line[i].pid;
		if (its->line[i].start_time < born) {
			return i > 0 && (pid == INIT || is_relative(own, pid) ||
						sc_process_may_be_of_line(pid));
		}
	}
	return true;
}

enum sc_reach sc_relatives_reach(
	const struct sc_stranger *stranger, const struct sc_relatives *own, uint32_t born)
{
	uint64_t start_time = stranger->relatives.line[0].start_time;
	if (stranger->is_nothing) {
		return SC_REACH_NOTHING;
	}
	if (!stranger->is_numbered_alike || !own->is_whole) {
		return start_time >= born ? SC_REACH_DESCENDANT : SC_REACH_FAMILY;
	}
	if (may_descend(stranger, own, born)) {
		return SC_REACH_DESCENDANT;
	}
	return sc_process_may_be_of_line(stranger->relatives.line[0].pid) ? SC_REACH_FAMILY
									  : SC_REACH_STRANGE;
}
