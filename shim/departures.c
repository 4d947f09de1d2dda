// SPDX-License-Identifier: MIT
#include "departures.h"
#include "config.h"
#include "family.h"
#include "holder.h"
#include "process.h"
#include "procfs.h"
#include "sys.h"

enum {
	WAIT_NS = 100000,
	WAITS = 600, /* with the timer's slack some 100 ms */
	LONG_WAITS = 10 * WAITS,
};

/* Is it worth while to wait for the process pid once more, after so many times? */
static bool is_worth_waiting(int pid, int waits)
{
	return waits < WAITS || (waits < LONG_WAITS && sc_holder_is_running(pid));
}

/* false: the process does not let go of what it holds under that descriptor. */
static bool await_one(uint64_t inode, int pid, int fd)
{
	for (int waits = 0; sc_holder_lets_go_at_exec(inode, pid, fd); waits++) {
		if (!is_worth_waiting(pid, waits)) {
			return false;
		}
		sc_sys_pause(WAIT_NS);
	}
	return true;
}

void sc_departures_note_child(int pid)
{
	if (sc_config.mode == SC_MODE_WARN) {
		sc_process_note_spawned(pid != 0 ? pid : sc_procfs_latest_child());
	}
}

bool sc_departures_await(uint64_t inode, int fd)
{
	int their_fd;
	int pid = sc_family_find_departure(inode, &their_fd);
	bool is_any = pid != 0 && pid != sc_process_pid() && await_one(inode, pid, their_fd);
	/* A child has what this process had, under the same number. */
	for (int i = 0; sc_process_spawned(i, &pid) && await_one(inode, pid, fd); i++) {
		is_any = true;
	}
	return is_any;
}

bool sc_departures_pause(uint64_t inode, int waits)
{
	int fd;
	int pid = sc_family_find_departure(inode, &fd);
	bool is_any = is_worth_waiting(pid, waits);
	for (int i = 0; !is_any && sc_process_spawned(i, &pid); i++) {
		is_any = is_worth_waiting(pid, waits);
	}
	if (is_any) {
		sc_sys_pause(WAIT_NS);
	}
	return is_any;
}
