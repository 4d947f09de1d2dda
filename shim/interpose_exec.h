// SPDX-License-Identifier: MIT
/* execve by whatever way: real is the real call. */
#ifndef SC_INTERPOSE_EXEC_H
#define SC_INTERPOSE_EXEC_H

int sc_interpose_execve(const char *path, char *const argv[], char *const envp[],
	const void *caller, int (*real)(const char *, char *const[], char *const[]));

#endif
