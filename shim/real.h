// SPDX-License-Identifier: MIT
/*
 * The next definition of each symbol that interpose.c exports, as the dynamic linker finds it
 * behind this library, so that other preloaded libraries keep their turn. While sc_real_find()
 * looks, and where there is no next one, the bare system call; NULL for what is more than a system
 * call, and before.
 */
#ifndef SC_REAL_H
#define SC_REAL_H

#include "compiler.h"
#include <poll.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/types.h>

struct termios;
struct winsize;

struct sc_real {
	int (*close)(int);
	int (*close_range)(unsigned, unsigned, int);
	int (*fclose)(FILE *);
	FILE *(*fdopen)(int, const char *);
	FILE *(*freopen)(const char *, const char *, FILE *);
	FILE *(*freopen64)(const char *, const char *, FILE *);
	int (*shutdown)(int, int);
	void *(*dlopen)(const char *, int);
	void (*_exit)(int);
	void (*abort)(void);
	int (*execve)(const char *, char *const[], char *const[]);
	int (*execvpe)(const char *, char *const[], char *const[]);
	int (*fexecve)(int, char *const[], char *const[]);
	int (*execveat)(int, const char *, char *const[], char *const[], int);
	int (*socket)(int, int, int);
	int (*socketpair)(int, int, int, int[2]);
	int (*accept)(int, struct sockaddr *, socklen_t *);
	int (*accept4)(int, struct sockaddr *, socklen_t *, int);
	int (*dup)(int);
	int (*dup2)(int, int);
	int (*dup3)(int, int, int);
	int (*fcntl)(int, int, ...);
	int (*fcntl64)(int, int, ...);
	ssize_t (*sendmsg)(int, const struct msghdr *, int);
	int (*sendmmsg)(int, struct mmsghdr *, unsigned, int);
	ssize_t (*recvmsg)(int, struct msghdr *, int);
	int (*recvmmsg)(int, struct mmsghdr *, unsigned, int, struct timespec *);
	int (*pidfd_getfd)(int, int, unsigned);
	int (*epoll_create)(int);
	int (*epoll_create1)(int);
	int (*epoll_ctl)(int, int, int, struct epoll_event *);
	pid_t (*fork)(void);
	pid_t (*_Fork)(void);
	pid_t (*vfork)(void);
	int (*clone)(int (*)(void *), void *, int, void *, ...);
	int (*unshare)(int);
	int (*prctl)(int, ...);
	int (*posix_spawn)(pid_t *, const char *, const posix_spawn_file_actions_t *,
		const posix_spawnattr_t *, char *const[], char *const[]);
	int (*posix_spawnp)(pid_t *, const char *, const posix_spawn_file_actions_t *,
		const posix_spawnattr_t *, char *const[], char *const[]);
	int (*posix_spawn_file_actions_adddup2)(posix_spawn_file_actions_t *, int, int);
	FILE *(*popen)(const char *, const char *);
	int (*system)(const char *);
	int (*forkpty)(int *, char *, const struct termios *, const struct winsize *);
	int (*daemon)(int, int);
	int (*setuid)(uid_t);
	int (*seteuid)(uid_t);
	int (*setreuid)(uid_t, uid_t);
	int (*setresuid)(uid_t, uid_t, uid_t);
	int (*setgid)(gid_t);
	int (*setegid)(gid_t);
	int (*setregid)(gid_t, gid_t);
	int (*setresgid)(gid_t, gid_t, gid_t);
	int (*setgroups)(size_t, const gid_t *);
	int (*initgroups)(const char *, gid_t);
	long (*syscall)(long, ...);
};

extern SC_HIDDEN struct sc_real sc_real;

/* Look all of them up. Once; not async-signal-safe (dlsym). */
void sc_real_find(void);

#endif
