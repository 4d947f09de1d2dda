// SPDX-License-Identifier: MIT
/*
 * For the actor built with musl: what glibc has and musl lacks, as programs for both do it.
 */
#ifndef PROGRAMS_MUSL_H
#define PROGRAMS_MUSL_H

#include <errno.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef SYS_close_range
#define SYS_close_range 436
#endif

#define RTLD_DEEPBIND 8

static inline int close_range(unsigned first, unsigned last, int flags)
{
	return (int)syscall(SYS_close_range, first, last, flags);
}

static inline void closefrom(int first)
{
	close_range((unsigned)first, ~0U, 0);
}

static inline int fcloseall(void)
{
	return fflush(NULL);
}

static inline int execveat(
	int folder, const char *path, char *const argv[], char *const envp[], int flags)
{
	return (int)syscall(SYS_execveat, folder, path, argv, envp, flags);
}

static inline int posix_spawn_file_actions_addclosefrom_np(
	posix_spawn_file_actions_t *actions, int first)
{
	(void)actions;
	(void)first;
	return ENOSYS;
}

#endif
