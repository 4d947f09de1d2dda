// SPDX-License-Identifier: MIT
/*
 * daemon(). libc's own ends the parent, and replaces what is on 0, 1 and 2, by inner calls, which nobody can
 * see. glibc's steps are done here, so that what ends there is seen as everywhere else. musl's are others.
 */
#include "ending.h"
#include "interpose.h"
#include "plan.h"
#include "process.h"
#include "real.h"
#include "start.h"
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NULL_DEVICE = 1 << 8 | 3 };

/* Returns 0, or a negative errno. */
static int silence(const void *caller)
{
	struct stat64 status = {.st_mode = 0};
	int fd = (int)SC_SYS3(SYS_openat, AT_FDCWD, "/dev/null", O_RDWR);
	if (fd < 0) {
		return fd;
	}
	SC_SYS2(SYS_fstat, fd, &status);
	bool is_null = S_ISCHR(status.st_mode) && status.st_rdev == NULL_DEVICE;
	for (int to = STDIN_FILENO; is_null && to <= STDERR_FILENO; to++) {
		sc_interpose_dup2(fd, to, SC_VIA_DAEMON, caller);
	}
	if (!is_null || fd > STDERR_FILENO) {
		sc_sys_close(fd);
	}
	return is_null ? 0 : -ENODEV;
}

SC_EXPORT int daemon(int keep_folder, int keep_output)
{
	const void *caller = __builtin_return_address(0);
	sc_start();
	if (!sc_plan_is_any() || !sc_start_is_in_glibc()) {
		sc_process_record_fork();
		return sc_real.daemon(keep_folder, keep_output); /* the child finds itself out */
	}
	pid_t pid = sc_interpose_fork(sc_real.fork);
	if (pid > 0) {
		sc_ending_exit(SC_VIA_DAEMON, caller, false);
		sc_real._exit(0);
	}
	if (pid < 0 || setsid() < 0) {
		return -1;
	}
	if (!keep_folder) {
		int whatever = chdir("/"); /* as in glibc */
		(void)whatever;
	}
	int error = keep_output ? 0 : silence(caller);
	if (error != 0) {
		errno = -error;
	}
	return error != 0 ? -1 : 0;
}
