// SPDX-License-Identifier: MIT
/*
 * Will an exec succeed? Asked before connections are ended for it, since a failed exec must leave
 * them usable. In doubt the answer is no. Async-signal-safe; leaves errno alone.
 */
#ifndef SC_EXECUTABLE_H
#define SC_EXECUTABLE_H

#include <stdbool.h>

struct sc_exec {
	int folder;       /* that path is relative to, or AT_FDCWD */
	const char *path; /* "" with AT_EMPTY_PATH: folder itself */
	int flags;        /* AT_EMPTY_PATH or 0 */
	char *const *argv;
	char *const *envp;
	bool is_shell_allowed; /* execvp and its kind run what is no known format by /bin/sh */
};

bool sc_executable_may_run(const struct sc_exec *exec);

/* The same for a file that is looked up in the folders of path_variable (a PATH; NULL: the default)
 * where it has no slash. exec->path is the file's name. */
bool sc_executable_may_run_in_path(const struct sc_exec *exec, const char *path_variable);

#endif
