// SPDX-License-Identifier: MIT
#include "threads.h"
#include "background.h"
#include "ownfds.h"
#include "process.h"
#include "procfs.h"
#include <fcntl.h>

bool sc_threads_is_only_one(void)
{
	int proc = sc_procfs_open(AT_FDCWD, "/proc");
	if (proc < 0) {
		return false;
	}
	struct sc_process_stat stat;
	int self = sc_procfs_self(proc);
	bool is_known = self > 0 && sc_procfs_stat(proc, self, &stat) == 0;
	sc_ownfds_release(proc);
	return is_known && stat.threads - sc_background_is_running() <= 1;
}

void sc_threads_before_table_split(void)
{
	if (!sc_process_in_vfork_child() && !sc_threads_is_only_one()) {
		sc_process_record_table_split();
	}
}
