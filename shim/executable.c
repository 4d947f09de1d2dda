// SPDX-License-Identifier: MIT
#include "executable.h"
#include "line.h"
#include "sys.h"
#include <link.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	HEAD_SIZE = 256,             /* the kernel looks at as much (BINPRM_BUF_SIZE) */
	INTERPRETER_DEPTH = 4,       /* of scripts that name scripts */
	STRING_MAX = 128 * 1024,     /* one argument's limit (MAX_ARG_STRLEN) */
	ARGUMENTS_DEFAULT = 1 << 20, /* taken as the limit where the stack has none: far below it */
};

#ifndef AT_EXECVE_CHECK
#define AT_EXECVE_CHECK 0x10000
#endif

#if defined(__x86_64__)
#define OWN_MACHINE EM_X86_64
#elif defined(__aarch64__)
#define OWN_MACHINE EM_AARCH64
#elif defined(__i386__)
#define OWN_MACHINE EM_386
#endif
#define OWN_CLASS (sizeof(void *) == 8 ? ELFCLASS64 : ELFCLASS32)

static size_t size_of_strings(char *const *strings)
{
	size_t size = 0;
	for (; strings != NULL && *strings != NULL; strings++) {
		size_t length = strlen(*strings) + 1;
		if (length > STRING_MAX) {
			return SIZE_MAX / 4;
		}
		size += length + sizeof(char *);
	}
	return size;
}

/* execve(2): a quarter of the stack's limit; half of that here, to be sure. */
static bool fit_arguments(const struct sc_exec *exec)
{
	struct rlimit64 limit = {0, 0};
	SC_SYS4(SYS_prlimit64, 0, RLIMIT_STACK, NULL, &limit);
	size_t most =
		limit.rlim_cur / 8 < ARGUMENTS_DEFAULT ? limit.rlim_cur / 8 : ARGUMENTS_DEFAULT;
	return size_of_strings(exec->argv) + size_of_strings(exec->envp) < most;
}

static bool is_executable_file(const struct sc_exec *exec)
{
	struct stat64 status;
	if (SC_SYS4(SYS_newfstatat, exec->folder, exec->path, &status, exec->flags) != 0 ||
		!S_ISREG(status.st_mode)) {
		return false;
	}
#ifdef SYS_faccessat2
	int error = (int)SC_SYS4(
		SYS_faccessat2, exec->folder, exec->path, X_OK, AT_EACCESS | exec->flags);
	if (error != -ENOSYS) {
		return error == 0;
	}
#endif
	return SC_SYS3(SYS_faccessat, exec->folder, exec->path, X_OK) == 0;
}

/* The file itself. A descriptor given for it may be O_PATH: opened anew. */
static int open_file(const struct sc_exec *exec)
{
	char name[32];
	int folder = exec->folder;
	const char *path = exec->path;
	if (exec->flags & AT_EMPTY_PATH && path[0] == '\0') {
		struct sc_line line = {name, sizeof(name) - 1, 0};
		sc_line_add(&line, "/proc/self/fd/");
		sc_line_add_number(&line, (uint64_t)folder);
		name[line.length] = '\0';
		folder = AT_FDCWD;
		path = name;
	}
	return (int)SC_SYS4(SYS_openat, folder, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK, 0);
}

static long read_head(const struct sc_exec *exec, char *head)
{
	int fd = open_file(exec);
	if (fd < 0) {
		return fd;
	}
	long length = SC_SYS3(SYS_read, fd, head, HEAD_SIZE - 1);
	sc_sys_close(fd);
	head[length > 0 ? length : 0] = '\0';
	return length;
}

/* Whether a filter (seccomp) forbids the call itself: with no path the kernel says EFAULT. */
static bool is_execve_denied(const struct sc_exec *exec)
{
	bool is_by_execve = exec->folder == AT_FDCWD && exec->flags == 0;
	return is_by_execve && SC_SYS3(SYS_execve, NULL, NULL, NULL) != -EFAULT;
}

/* The kernel's own opinion, from Linux 6.14 on: a file that is being written, arguments too big or
 * nowhere, for some. */
static bool is_forbidden(const struct sc_exec *exec)
{
	char *none[] = {NULL};
	long result = SC_SYS5(SYS_execveat, exec->folder, exec->path,
		exec->argv != NULL ? exec->argv : none, exec->envp != NULL ? exec->envp : none,
		exec->flags | AT_EXECVE_CHECK);
	return result < 0 && result != -EINVAL && result != -ENOSYS;
}

static bool is_own_elf(const char *head, long length, ElfW(Ehdr) * header)
{
	if (length < (long)sizeof(*header)) {
		return false;
	}
	memcpy(header, head, sizeof(*header));
	return memcmp(header->e_ident, ELFMAG, SELFMAG) == 0 &&
	       header->e_ident[EI_CLASS] == OWN_CLASS && header->e_machine == OWN_MACHINE &&
	       (header->e_type == ET_EXEC || header->e_type == ET_DYN) &&
	       header->e_phentsize == sizeof(ElfW(Phdr));
}

static bool is_interpreter_there(int fd, const ElfW(Phdr) * part)
{
	char name[HEAD_SIZE];
	if (part->p_filesz >= sizeof(name) || SC_SYS4(SYS_pread64, fd, name, part->p_filesz,
						      part->p_offset) != (long)part->p_filesz) {
		return false;
	}
	name[part->p_filesz] = '\0';
	struct sc_exec interpreter = {.folder = AT_FDCWD, .path = name};
	return is_executable_file(&interpreter);
}

/* The kernel reads the program headers, and needs the interpreter that one of them may name. */
static bool is_elf_whole(const struct sc_exec *exec, const ElfW(Ehdr) * header)
{
	int fd = open_file(exec);
	bool is_whole = fd >= 0;
	for (unsigned i = 0; is_whole && i < header->e_phnum; i++) {
		ElfW(Phdr) part;
		is_whole = SC_SYS4(SYS_pread64, fd, &part, sizeof(part),
				   header->e_phoff + i * sizeof(part)) == (long)sizeof(part);
		if (is_whole && part.p_type == PT_INTERP) {
			is_whole = is_interpreter_there(fd, &part);
		}
	}
	if (fd >= 0) {
		sc_sys_close(fd);
	}
	return is_whole;
}

/* "#! /bin/sh -e" -> "/bin/sh", in place. NULL: none. */
static char *interpreter_of(char *head)
{
	if (head[0] != '#' || head[1] != '!') {
		return NULL;
	}
	char *name = head + 2 + strspn(head + 2, " \t");
	size_t length = strcspn(name, " \t\n");
	if (length == 0 || name[length] == '\0') {
		return NULL;
	}
	name[length] = '\0';
	return name;
}

static bool is_runnable(const struct sc_exec *exec, int depth)
{
	char head[HEAD_SIZE];
	if (!is_executable_file(exec)) {
		return false;
	}
	long length = read_head(exec, head);
	if (length < 0 || depth > INTERPRETER_DEPTH || is_forbidden(exec)) {
		return false;
	}
	ElfW(Ehdr) header;
	if (is_own_elf(head, length, &header)) {
		return is_elf_whole(exec, &header);
	}
	char *interpreter = interpreter_of(head);
	if (interpreter == NULL) {
		return exec->is_shell_allowed;
	}
	struct sc_exec next = {.folder = AT_FDCWD, .path = interpreter};
	return is_runnable(&next, depth + 1);
}

bool sc_executable_may_run(const struct sc_exec *exec)
{
	return exec->path != NULL && !is_execve_denied(exec) && is_runnable(exec, 0) &&
	       fit_arguments(exec);
}

/* exec->path in the folder of that length. */
static bool may_run_in(const struct sc_exec *exec, const char *folder, size_t length)
{
	char name[PATH_MAX / 4]; /* small stacks: a longer one is a doubt */
	size_t name_length = strlen(exec->path);
	if (length + name_length + 2 > sizeof(name)) {
		return false;
	}
	memcpy(name, folder, length);
	name[length] = '/';
	memcpy(name + length + 1, exec->path, name_length + 1);
	struct sc_exec found = *exec;
	found.path = length > 0 ? name : exec->path;
	return sc_executable_may_run(&found);
}

bool sc_executable_may_run_in_path(const struct sc_exec *exec, const char *path_variable)
{
	if (exec->path == NULL || strchr(exec->path, '/') != NULL) {
		return sc_executable_may_run(exec);
	}
	const char *folder = path_variable != NULL ? path_variable : "/bin:/usr/bin";
	for (;;) {
		size_t length = strcspn(folder, ":");
		if (may_run_in(exec, folder, length)) {
			return true;
		}
		if (folder[length] == '\0') {
			return false;
		}
		folder += length + 1;
	}
}
