// SPDX-License-Identifier: MIT
/* execve and execveat by whatever way: real is the real call. */
#ifndef SC_INTERPOSE_EXEC_H
#define SC_INTERPOSE_EXEC_H

#include "report.h"

int sc_interpose_execve(enum sc_via via, const char *path, char *const argv[], char *const envp[],
	const void *caller, int (*real)(const char *, char *const[], char *const[]));

int sc_interpose_execveat(int folder, const char *path, char *const argv[], char *const envp[],
	int flags, const void *caller,
	int (*real)(int, const char *, char *const[], char *const[], int));

#endif
