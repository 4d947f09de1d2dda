// SPDX-License-Identifier: MIT
#include "relatives.h"
#include "births.h"
#include "procfs.h"
#include "sys.h"
#include <linux/capability.h>

/* Start times in /proc count in USER_HZ, which is 100 for every program there is. */
enum { NS_PER_TICK = 10000000, INIT = 1, KTHREADD = 2 };

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
	struct sc_births_family family = sc_births_get_family();
	bool is_session_old = own->session == init->session || own->session == self;
	return own->parent == INIT && family.root_pid == sc_births_pid() &&
	       family.parent_pid <= INIT && is_session_old;
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

/* A descendant whose parent has ended is init's child, so the age has to tell: whoever began
 * earlier does not descend. */
enum sc_reach sc_relatives_reach(int proc, int self, int pid)
{
	struct sc_process_stat stat;
	struct sc_process_stat own;
	if (sc_procfs_stat(proc, pid, &stat) != 0) {
		return SC_REACH_NOTHING; /* gone meanwhile */
	}
	if (pid == KTHREADD || stat.parent == KTHREADD ||
		(stat.state == 'Z' && stat.threads <= 1)) {
		return SC_REACH_NOTHING;
	}
	if (sc_procfs_stat(proc, self, &own) != 0) {
		return SC_REACH_DESCENDANT;
	}
	if (is_remote_init(pid, &stat, &own, self)) {
		return SC_REACH_NOTHING;
	}
	if (stat.start_time >= own.start_time) {
		return SC_REACH_DESCENDANT;
	}
	struct sc_births_family family = sc_births_get_family();
	bool may_be_family = stat.start_time >= family.since_ns / NS_PER_TICK - 1;
	return pid == family.root_pid || may_be_family ? SC_REACH_FAMILY : SC_REACH_STRANGE;
}
