// SPDX-License-Identifier: MIT
/*
 * The calls that become another program: what is close-on-exec ends with them, if they succeed.
 * libc's own variants do not pass through each other's symbols, so each is here.
 */
#include "ending.h"
#include "executable.h"
#include "interpose.h"
#include "interpose_exec.h"
#include "plan.h"
#include "process.h"
#include "real.h"
#include "start.h"
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* If the program can be run, tell of what it will have, and end what is close-on-exec. Returns
 * whether it can. */
static bool before(const struct sc_exec *exec, bool is_in_path, enum sc_via via, const void *caller)
{
	if (!sc_plan_is_any()) {
		return false;
	}
	bool may_run = is_in_path ? sc_executable_may_run_in_path(exec, getenv("PATH"))
				  : sc_executable_may_run(exec);
	if (may_run) {
		sc_ending_exec(via, caller);
	}
	return may_run;
}

int sc_interpose_execve(enum sc_via via, const char *path, char *const argv[], char *const envp[],
	const void *caller, int (*real)(const char *, char *const[], char *const[]))
{
	struct sc_exec exec = {.folder = AT_FDCWD, .path = path, .argv = argv, .envp = envp};
	bool is_ended = before(&exec, false, via, caller);
	int result = real(path, argv, envp);
	if (is_ended) {
		sc_ending_exec_failed();
	}
	return result;
}

static int run_in_path(enum sc_via via, const char *file, char *const argv[], char *const envp[],
	const void *caller)
{
	struct sc_exec exec = {.folder = AT_FDCWD,
		.path = file,
		.argv = argv,
		.envp = envp,
		.is_shell_allowed = true};
	bool is_ended = before(&exec, true, via, caller);
	int result = sc_real.execvpe(file, argv, envp);
	if (is_ended) {
		sc_ending_exec_failed();
	}
	return result;
}

SC_EXPORT int execve(const char *path, char *const argv[], char *const envp[])
{
	sc_start();
	return sc_interpose_execve(
		SC_VIA_EXECVE, path, argv, envp, __builtin_return_address(0), sc_real.execve);
}

SC_EXPORT int execv(const char *path, char *const argv[])
{
	sc_start();
	return sc_interpose_execve(
		SC_VIA_EXECV, path, argv, environ, __builtin_return_address(0), sc_real.execve);
}

SC_EXPORT int execvp(const char *file, char *const argv[])
{
	sc_start();
	return run_in_path(SC_VIA_EXECVP, file, argv, environ, __builtin_return_address(0));
}

SC_EXPORT int execvpe(const char *file, char *const argv[], char *const envp[])
{
	sc_start();
	return run_in_path(SC_VIA_EXECVPE, file, argv, envp, __builtin_return_address(0));
}

/* How many arguments follow, the closing NULL included. */
static size_t count_arguments(va_list list)
{
	size_t count = 1;
	while (va_arg(list, char *) != NULL) {
		count++;
	}
	return count;
}

/* argv[0] is there; fill in the rest from the list, closing NULL included. */
static void collect_arguments(char **argv, size_t count, va_list list)
{
	for (size_t i = 1; i <= count; i++) {
		argv[i] = va_arg(list, char *);
	}
}

/* libc declares that the first argument is never NULL; a program may pass one all the same. */
static __attribute__((noinline)) bool is_end(const void *argument)
{
	return argument == NULL;
}

/* The list may be long and a thread's stack short, but libc too puts it there. */
#define COLLECT(argv, first)                                              \
	va_list counted_list;                                             \
	va_list list;                                                     \
	va_start(counted_list, first);                                    \
	va_start(list, first);                                            \
	size_t count = is_end(first) ? 0 : count_arguments(counted_list); \
	char *argv[count + 1];                                            \
	argv[0] = (char *)first;                                          \
	collect_arguments(argv, count, list);                             \
	va_end(counted_list)

SC_EXPORT int execl(const char *path, const char *first, ...)
{
	sc_start();
	COLLECT(argv, first);
	va_end(list);
	return sc_interpose_execve(
		SC_VIA_EXECL, path, argv, environ, __builtin_return_address(0), sc_real.execve);
}

SC_EXPORT int execlp(const char *file, const char *first, ...)
{
	sc_start();
	COLLECT(argv, first);
	va_end(list);
	return run_in_path(SC_VIA_EXECLP, file, argv, environ, __builtin_return_address(0));
}

SC_EXPORT int execle(const char *path, const char *first, ...)
{
	sc_start();
	COLLECT(argv, first);
	char *const *envp = va_arg(list, char *const *);
	va_end(list);
	return sc_interpose_execve(
		SC_VIA_EXECLE, path, argv, envp, __builtin_return_address(0), sc_real.execve);
}

SC_EXPORT int fexecve(int fd, char *const argv[], char *const envp[])
{
	sc_start();
	struct sc_exec exec = {
		.folder = fd, .path = "", .flags = AT_EMPTY_PATH, .argv = argv, .envp = envp};
	bool is_ended = before(&exec, false, SC_VIA_FEXECVE, __builtin_return_address(0));
	int result = sc_real.fexecve(fd, argv, envp);
	if (is_ended) {
		sc_ending_exec_failed();
	}
	return result;
}

int sc_interpose_execveat(int folder, const char *path, char *const argv[], char *const envp[],
	int flags, const void *caller,
	int (*real)(int, const char *, char *const[], char *const[], int))
{
	struct sc_exec exec = {.folder = folder,
		.path = path,
		.flags = flags & AT_EMPTY_PATH,
		.argv = argv,
		.envp = envp};
	bool is_ended = before(&exec, false, SC_VIA_EXECVEAT, caller);
	int result = real(folder, path, argv, envp, flags);
	if (is_ended) {
		sc_ending_exec_failed();
	}
	return result;
}

SC_EXPORT int execveat(
	int folder, const char *path, char *const argv[], char *const envp[], int flags)
{
	sc_start();
	return sc_interpose_execveat(
		folder, path, argv, envp, flags, __builtin_return_address(0), sc_real.execveat);
}
