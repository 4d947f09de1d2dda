// SPDX-License-Identifier: MIT
#include "pids.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/types.h>
#include <unistd.h>

static bool is_entered;

/*
 * LeakSanitizer asks this at the end. The helper that it forks would be born in the namespace, not
 * find its parent there and go, and LeakSanitizer would wait for it for ever.
 */
int __lsan_is_turned_off(void);
int __lsan_is_turned_off(void)
{
	return is_entered;
}

/* The first process: orphans become its children, and all end with it. It has one descriptor, so
 * that looking at it may be refused. */
static void __attribute__((noreturn)) keep_namespace(void)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGCHLD, SIG_IGN);
	closefrom(0);
	open("/dev/null", O_RDONLY);
	for (;;) {
		pause();
	}
}

void pids_enter(void)
{
	pid_t pid;

	if (is_entered || unshare(CLONE_NEWPID) != 0) {
		return;
	}
	pid = fork();
	if (pid == 0) {
		keep_namespace();
	}
	is_entered = pid > 0;
}

void pids_mount(void)
{
	if (is_entered && unshare(CLONE_NEWNS) == 0 &&
		mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0) {
		mount("proc", "/proc", "proc", 0, NULL);
	}
}
