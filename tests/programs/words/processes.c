// SPDX-License-Identifier: MIT
/* Words that make processes. */
#include "words.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <pty.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

extern pid_t _Fork(void) __attribute__((weak));

void part_after_fork(long result)
{
	must(result >= 0, "fork");
	if (result == 0) {
		run_words(next_word);
		_exit(0);
	}
	next_word = behind_block(next_word);
}

static void do_fork(char **words)
{
	(void)words;
	part_after_fork(fork());
}

static long fork_inline(void)
{
	long result = -1;

#if defined(__x86_64__)
	__asm__ volatile("syscall" : "=a"(result) : "0"((long)SYS_fork) : "rcx", "r11", "memory");
#elif defined(__i386__)
	__asm__ volatile("int $0x80" : "=a"(result) : "0"((long)SYS_fork) : "memory");
#endif
	return result;
}

/* Forks that the C library does not see, or sees by another name. */
static void do_fork_by(char **words)
{
	struct clone_args arguments = {.exit_signal = SIGCHLD};

	if (strcmp(words[0], "_Fork") == 0) {
		part_after_fork(_Fork ? _Fork() : fork());
	} else if (strcmp(words[0], "clone") == 0) {
		part_after_fork(syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0));
	} else if (strcmp(words[0], "clone-files") == 0) {
		part_after_fork(syscall(SYS_clone, CLONE_FILES | SIGCHLD, 0, 0, 0, 0));
	} else if (strcmp(words[0], "clone3-files") == 0) {
		arguments.flags = CLONE_FILES;
		part_after_fork(syscall(SYS_clone3, &arguments, sizeof(arguments)));
	} else if (strcmp(words[0], "clone3") == 0) {
		part_after_fork(syscall(SYS_clone3, &arguments, sizeof(arguments)));
#ifdef SYS_fork
	} else if (strcmp(words[0], "syscall") == 0) {
		part_after_fork(syscall(SYS_fork));
#endif
	} else if (strcmp(words[0], "inline") == 0) {
		part_after_fork(fork_inline());
	} else if (strcmp(words[0], "forkpty") == 0) {
		int primary;

		part_after_fork(forkpty(&primary, NULL, NULL, NULL));
	} else {
		give_up("no such fork");
	}
}

static void do_vfork(char **words)
{
	char **volatile rest = behind_block(next_word);
	pid_t pid = vfork();

	(void)words;
	must(pid >= 0, "vfork");
	if (pid == 0) {
		run_words(next_word);
		_exit(0);
	}
	next_word = rest;
	running_word = "vfork";
}

static int run_block_and_exit(void *words)
{
	run_words(words);
	_exit(0);
}

/* libc's clone(): the child shares the memory and has a stack of its own; the parent waits as after
 * vfork. */
static void clone_vm(int flags)
{
	static char stack[256 * 1024] __attribute__((aligned(16)));
	char **rest = behind_block(next_word);

	must(clone(run_block_and_exit, stack + sizeof(stack),
		     CLONE_VM | CLONE_VFORK | SIGCHLD | flags, next_word) > 0,
		"clone");
	next_word = rest;
	running_word = "clone-vm";
}

static void do_clone_vm(char **words)
{
	(void)words;
	clone_vm(0);
}

/* It shares the descriptor table too. */
static void do_clone_vm_files(char **words)
{
	(void)words;
	clone_vm(CLONE_FILES);
}

/* libc's clone() without shared memory. */
static void do_clone(char **words)
{
	static char stack[256 * 1024] __attribute__((aligned(16)));
	char **rest = behind_block(next_word);

	(void)words;
	must(clone(run_block_and_exit, stack + sizeof(stack), SIGCHLD, next_word) > 0, "clone");
	next_word = rest;
	running_word = "clone";
}

/* daemon(3), but the folder and the standard descriptors stay. */
static void do_daemon(char **words)
{
	(void)words;
	must(daemon(1, 1) == 0, "daemon");
}

/* But the folder stays. */
static void do_daemon_silent(char **words)
{
	(void)words;
	must(daemon(1, 0) == 0, "daemon");
}

static void do_chroot(char **words)
{
	must(chroot(words[0]) == 0 && chdir("/") == 0, "chroot");
}

static void do_setsid(char **words)
{
	(void)words;
	must(setsid() > 0, "setsid");
}

static void do_devices(char **words)
{
	must(unshare(CLONE_NEWNS) == 0, "a mount namespace");
	must(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0, "private mounts");
	must(mount(words[0], "/dev", NULL, MS_BIND, NULL) == 0, "mount");
}

/* As root of a user namespace: nobody outside may be read any more, the first process neither. */
static void do_new_users(char **words)
{
	static const char map[] = "0 0 1";
	int fd;

	(void)words;
	must(unshare(CLONE_NEWUSER) == 0, "a user namespace");
	fd = open("/proc/self/uid_map", O_WRONLY | O_CLOEXEC);
	must(write(fd, map, strlen(map)) == (ssize_t)strlen(map), "uid_map");
	close(fd);
	must(readlink("/proc/1/fd/0", (char[8]){0}, 8) < 0 && errno == EACCES, "init can be read");
}

static void mount_proc(void)
{
	must(mount("proc", "/proc", "proc", 0, NULL) == 0, "/proc");
}

enum { OTHER_USER = 65534 };

static void become_other(void)
{
	must(setresgid(OTHER_USER, OTHER_USER, OTHER_USER) == 0 &&
			setresuid(OTHER_USER, OTHER_USER, OTHER_USER) == 0,
		"another user");
	must(prctl(PR_SET_DUMPABLE, 1) == 0, "dumpable");
}

static void await_owner_of_first(void)
{
	struct stat status = {.st_uid = 0};
	int64_t start_ms = now_ms();

	while (stat("/proc/1", &status) == 0 && status.st_uid != OTHER_USER) {
		pause_within(start_ms);
	}
	must(status.st_uid == OTHER_USER, "the first process");
}

/*
 * The block runs in a process that sees none but its own relatives, neither by number nor in /proc;
 * its first process only waits for it.
 */
static void run_among_new_pids(const char *options, void (*become_first)(void))
{
	pid_t pid;
	int status = 0;

	must(unshare(CLONE_NEWPID | CLONE_NEWNS) == 0, "unshare");
	pid = fork();
	must(pid >= 0, "fork");
	if (pid == 0) {
		must(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0, "private mounts");
		must(mount("proc", "/proc", "proc", 0, options) == 0, "/proc");
		pid = fork();
		must(pid >= 0, "fork");
		if (pid == 0) {
			if (become_first) {
				await_owner_of_first();
			}
			run_words(next_word);
			_exit(0);
		}
		if (become_first) {
			become_first();
		}
	}
	must(waitpid(pid, &status, 0) == pid, "waitpid");
	_exit(WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status));
}

static void do_new_pids(char **words)
{
	(void)words;
	run_among_new_pids(NULL, NULL);
}

/* The same where each user sees none but his own; the first process is an unprivileged one's. */
static void do_hidden_pids(char **words)
{
	(void)words;
	run_among_new_pids("hidepid=2", become_other);
}

/* The block's process is the first of a new numbering, with a /proc of that: its parent, and whatever
 * else there is, does not show. */
static void do_first_pid(char **words)
{
	pid_t pid;

	(void)words;
	must(unshare(CLONE_NEWPID | CLONE_NEWNS) == 0, "unshare");
	must(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0, "private mounts");
	pid = fork();
	if (pid == 0) {
		mount_proc();
	}
	part_after_fork(pid);
}

/* The same, and /proc stays as it is, with other numbers. */
static void do_first_pid_unseen(char **words)
{
	(void)words;
	must(unshare(CLONE_NEWPID) == 0, "unshare");
	part_after_fork(fork());
}

/* /proc is that of a new numbering from now on, in which this process does not show. */
static void do_foreign_proc(char **words)
{
	char link[16];
	int64_t start_ms = now_ms();

	(void)words;
	must(unshare(CLONE_NEWPID | CLONE_NEWNS) == 0, "unshare");
	must(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0, "private mounts");
	if (fork() == 0) {
		closefrom(3);
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		mount_proc();
		for (;;) {
			pause();
		}
	}
	while (readlink("/proc/self", link, sizeof(link)) > 0) {
		pause_within(start_ms);
	}
}

/* ---- spawning ------------------------------------------------------------------------------ */

static const char *own_path(void)
{
	static char path[4096];
	ssize_t length = readlink("/proc/self/exe", path, sizeof(path) - 1);

	must(length > 0, "/proc/self/exe");
	path[length] = '\0';
	return path;
}

/* This program with the block's words, as a command line for the shell. */
static char *command_line(char **end, const char *behind)
{
	static char line[8192];
	size_t length = (size_t)snprintf(line, sizeof(line), "exec %s", own_path());

	for (char **word = next_word; word < end; word++) {
		length += (size_t)snprintf(line + length, sizeof(line) - length, " %s", *word);
		must(length < sizeof(line), "too many words");
	}
	must(length + strlen(behind) < sizeof(line), "too many words");
	strcpy(line + length, behind);
	return line;
}

static void spawn(const char *how, const posix_spawn_file_actions_t *actions, char **end)
{
	char *arguments[128] = {(char *)(uintptr_t)own_path()};
	size_t count = 1;
	pid_t pid;
	int error;

	for (char **word = next_word; word < end; word++) {
		must(count < sizeof(arguments) / sizeof(arguments[0]) - 1, "too many words");
		arguments[count++] = *word;
	}
	if (strcmp(how, "posix_spawnp") == 0) {
		error = posix_spawnp(&pid, arguments[0], actions, NULL, arguments, environ);
	} else {
		error = posix_spawn(&pid, arguments[0], actions, NULL, arguments, environ);
	}
	must(error == 0, "posix_spawn");
}

/* The block is performed by a program that is started so: with another process's memory, that is. */
static void do_spawn(char **words)
{
	char **rest = behind_block(next_word);

	if (strcmp(words[0], "popen") == 0) {
		must(popen(command_line(rest, ""), "w") != NULL, "popen");
	} else if (strcmp(words[0], "system") == 0) {
		must(system(command_line(rest, "")) == 0, "system");
	} else if (strcmp(words[0], "system-background") == 0) {
		must(system(command_line(rest, " &")) == 0, "system");
	} else {
		spawn(words[0], NULL, rest);
	}
	next_word = rest;
}

/* "close:FD", "closefrom:FD", "dup2:FD:FD", or "read:FD:PATH" and "write:FD:PATH", which open a file. */
static void add_file_action(posix_spawn_file_actions_t *actions, const char *action)
{
	char path[256];
	int error = EINVAL;
	int other_fd;
	int fd;

	if (sscanf(action, "close:%d", &fd) == 1) {
		error = posix_spawn_file_actions_addclose(actions, fd);
#if defined(__GLIBC__) && (__GLIBC__ > 2 || __GLIBC_MINOR__ >= 34)
	} else if (sscanf(action, "closefrom:%d", &fd) == 1) {
		error = posix_spawn_file_actions_addclosefrom_np(actions, fd);
#endif
	} else if (sscanf(action, "dup2:%d:%d", &fd, &other_fd) == 2) {
		error = posix_spawn_file_actions_adddup2(actions, fd, other_fd);
	} else if (sscanf(action, "read:%d:%255s", &fd, path) == 2) {
		error = posix_spawn_file_actions_addopen(actions, fd, path, O_RDONLY, 0);
	} else if (sscanf(action, "write:%d:%255s", &fd, path) == 2) {
		error = posix_spawn_file_actions_addopen(actions, fd, path, O_WRONLY, 0);
	}
	must(error == 0, action);
}

/* posix_spawn(), and what is to happen to the child's descriptors before its exec: a list separated by
 * commas. libc does that without a call that could be seen, beside this process's memory. */
static void do_spawn_with(char **words)
{
	char **rest = behind_block(next_word);
	posix_spawn_file_actions_t actions;
	char *list = strdup(words[0]);
	char *place;

	must(list && posix_spawn_file_actions_init(&actions) == 0, "file actions");
	for (char *action = strtok_r(list, ",", &place); action;
		action = strtok_r(NULL, ",", &place)) {
		add_file_action(&actions, action);
	}
	spawn("posix_spawn", &actions, rest);
	posix_spawn_file_actions_destroy(&actions);
	free(list);
	next_word = rest;
}

/* A program found in PATH, with stdin and stdout as given and nothing else open. */
static void do_spawn_filter(char **words)
{
	posix_spawn_file_actions_t actions;
	char *const arguments[] = {words[0], NULL};
	pid_t pid;

	must(posix_spawn_file_actions_init(&actions) == 0, "file actions");
	must(posix_spawn_file_actions_adddup2(&actions, number(words[1]), 0) == 0 &&
			posix_spawn_file_actions_adddup2(&actions, number(words[2]), 1) == 0 &&
			posix_spawn_file_actions_addclosefrom_np(&actions, 3) == 0,
		"file actions");
	must(posix_spawnp(&pid, words[0], &actions, NULL, arguments, environ) == 0, "posix_spawnp");
	posix_spawn_file_actions_destroy(&actions);
}

/* Move the talk with the runner to two high descriptors, so that 0 and 1 are free to be used. */
static void do_control(char **words)
{
	int base = number(words[0]);

	must(dup2(0, base) == base && dup2(1, base + 1) == base + 1, "dup2");
	must(fcntl(base, F_SETFD, 0) == 0, "F_SETFD");
	input_fd = base;
	output_fd = base + 1;
}

/* The same in a program that was started with the talk there. */
static void do_talk(char **words)
{
	input_fd = number(words[0]);
	output_fd = input_fd + 1;
}

const struct word words_processes[] = {
	{"fork", BLOCK, do_fork}, /* WORD... end */
	/* _Fork|clone|clone-files|clone3|clone3-files|syscall|inline|forkpty WORD... end */
	{"fork-by", 1 + BLOCK, do_fork_by},
	{"vfork", BLOCK, do_vfork},                   /* WORD... end */
	{"clone-vm", BLOCK, do_clone_vm},             /* WORD... end */
	{"clone-vm-files", BLOCK, do_clone_vm_files}, /* WORD... end */
	{"clone", BLOCK, do_clone},                   /* WORD... end */
	{"daemon", 0, do_daemon},
	{"daemon-silent", 0, do_daemon_silent},
	{"chroot", 1, do_chroot}, /* FOLDER */
	{"setsid", 0, do_setsid},
	{"devices", 1, do_devices}, /* FOLDER: is /dev from now on */
	{"new-users", 0, do_new_users},
	{"new-pids", BLOCK, do_new_pids},   /* WORD... end: and then the process ends */
	{"first-pid", BLOCK, do_first_pid}, /* WORD... end */
	{"first-pid-unseen", BLOCK, do_first_pid_unseen}, /* WORD... end */
	{"foreign-proc", 0, do_foreign_proc},
	{"hidden-pids", BLOCK, do_hidden_pids}, /* the same */
	/* posix_spawn|posix_spawnp|popen|system|system-background WORD... end */
	{"spawn", 1 + BLOCK, do_spawn},
	{"spawn-with", 1 + BLOCK, do_spawn_with}, /* ACTION,... WORD... end */
	{"spawn-filter", 3, do_spawn_filter},     /* NAME IN OUT */
	{"control", 1, do_control},               /* FD: talk there and at FD + 1 */
	{"talk", 1, do_talk},                     /* FD: the same, where they are open */
	{NULL, 0, NULL},
};
