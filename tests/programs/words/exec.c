// SPDX-License-Identifier: MIT
/* Words that become another program, or fail to. */
#include "words.h"

#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { LISTED_WORDS = 6 }; /* what execl() and the like are given here */

static int exec_fexecve(const char *file, char **argv)
{
	int fd = open(file, O_RDONLY | O_CLOEXEC);

	return fd < 0 ? -1 : fexecve(fd, argv, environ);
}

static int exec_execveat(const char *file, char **argv)
{
	return execveat(AT_FDCWD, file, argv, environ, 0);
}

static int exec_execveat_empty(const char *file, char **argv)
{
	int fd = open(file, O_PATH | O_CLOEXEC);

	return fd < 0 ? -1 : execveat(fd, "", argv, environ, AT_EMPTY_PATH);
}

static int exec_execve(const char *file, char **argv)
{
	return execve(file, argv, environ);
}

static int exec_execv(const char *file, char **argv)
{
	return execv(file, argv);
}

static int exec_execvp(const char *file, char **argv)
{
	return execvp(file, argv);
}

static int exec_execvpe(const char *file, char **argv)
{
	return execvpe(file, argv, environ);
}

static int exec_execl(const char *file, char **a)
{
	return execl(file, a[0], a[1], a[2], a[3], a[4], a[5], a[6], NULL);
}

static int exec_execlp(const char *file, char **a)
{
	return execlp(file, a[0], a[1], a[2], a[3], a[4], a[5], a[6], NULL);
}

static int exec_execle(const char *file, char **a)
{
	return execle(file, a[0], a[1], a[2], a[3], a[4], a[5], a[6], NULL, environ);
}

static int exec_syscall(const char *file, char **argv)
{
	return (int)syscall(SYS_execve, file, argv, environ);
}

static int exec_syscall_at(const char *file, char **argv)
{
	return (int)syscall(SYS_execveat, AT_FDCWD, file, argv, environ, 0);
}

static const struct {
	const char *name;
	int (*perform)(const char *file, char **argv);
	bool is_listed;
} ways[] = {
	{"execve", exec_execve, false},
	{"execv", exec_execv, false},
	{"execvp", exec_execvp, false},
	{"execvpe", exec_execvpe, false},
	{"execl", exec_execl, true},
	{"execlp", exec_execlp, true},
	{"execle", exec_execle, true},
	{"fexecve", exec_fexecve, false},
	{"execveat", exec_execveat, false},
	{"execveat-empty", exec_execveat_empty, false},
	{"syscall", exec_syscall, false},
	{"syscall-at", exec_syscall_at, false},
};

/* argv ends with NULL; where the way takes a list, it has LISTED_WORDS words behind argv[0]. */
static void exec_by(const char *name, const char *file, char **argv)
{
	char *listed[LISTED_WORDS + 2] = {argv[0]};

	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		if (strcmp(ways[i].name, name) != 0) {
			continue;
		}
		if (ways[i].is_listed) {
			for (int word = 1; argv[word]; word++) {
				must(word <= LISTED_WORDS, "too many words");
				listed[word] = argv[word];
			}
			argv = listed;
		}
		errno = ERRNO_BEFORE;
		tell_result(name, file, ways[i].perform(file, argv));
		return;
	}
	give_up("no such exec");
}

/* The rest of the words, in a new image of this program. */
static void do_exec(char **words)
{
	char path[] = "/proc/self/exe";

	(void)words;
	next_word[-1] = path;
	exec_by("execv", path, next_word - 1);
}

/* The same by that call, and by that name of this program. */
static void do_exec_by(char **words)
{
	exec_by(words[0], words[1], &words[1]);
}

/* Expected to fail: the words go on. */
static void do_try_exec(char **words)
{
	char *arguments[] = {words[1], NULL};

	exec_by(words[0], words[1], arguments);
}

/* More than any limit allows, in arguments of that many bytes: fails. */
static void do_try_exec_big(char **words)
{
	enum { TOTAL_BYTES = 16 << 20 };
	size_t size = (size_t)number(words[1]);
	size_t count = TOTAL_BYTES / size;
	char **arguments = calloc(count + 2, sizeof(*arguments));
	char *text = malloc(size);
	char path[] = "/proc/self/exe";

	must(arguments && text, "memory");
	memset(text, 'x', size - 1);
	text[size - 1] = '\0';
	arguments[0] = path;
	for (size_t i = 1; i <= count; i++) {
		arguments[i] = text;
	}
	exec_by(words[0], path, arguments);
}

/* Of arguments or of an environment that are nowhere. */
static void do_try_exec_astray(char **words)
{
	char path[] = "/proc/self/exe";
	char *arguments[] = {path, NULL};
	char **volatile nowhere = (char **)(uintptr_t)8;
	char *stray[] = {path, (char *)nowhere, NULL};

	(void)words;
	errno = ERRNO_BEFORE;
	tell_result("execve", "nowhere", execve(path, nowhere, environ));
	tell_result("execve", "stray", execve(path, stray, environ));
	tell_result("execve", "environment", execve(path, arguments, nowhere));
	tell_result("execv", "nowhere", execv(path, nowhere));
	tell_result("syscall", "nowhere", syscall(SYS_execve, path, nowhere, nowhere));
	tell_result("syscall", "path", syscall(SYS_execve, nowhere, arguments, environ));
}

#ifdef __i386__
enum { FSTAT = SYS_fstat64 };
#else
enum { FSTAT = SYS_fstat };
#endif

/* That call is answered with EPERM from now on; not execveat(), nor what libc has for fstat(). */
static void do_deny(char **words)
{
	unsigned call = strcmp(words[0], "execve") == 0 ? SYS_execve : FSTAT;
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog program = {
		.len = sizeof(filter) / sizeof(filter[0]), .filter = filter};

	must(call == SYS_execve || strcmp(words[0], "fstat") == 0, "CALL");
	must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0, "no_new_privs");
	must(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0, "seccomp");
}

const struct word words_exec[] = {
	{"exec", 0, do_exec},         /* WORD...: to the last */
	{"exec-by", 2, do_exec_by},   /* WAY FILE WORD...: to the last; FILE is this program */
	{"try-exec", 2, do_try_exec}, /* WAY FILE: tells the result */
	{"try-exec-astray", 0, do_try_exec_astray}, /* tells the results */
	{"deny", 1, do_deny},                       /* execve|fstat: EPERM from now on */
	{"try-exec-big", 2, do_try_exec_big},       /* WAY BYTES: tells the result */
	{NULL, 0, NULL},
};
