// SPDX-License-Identifier: MIT
#include "real.h"
#include "lookup.h"
#include "sys.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* As libc gives it. */
static long answer(long result)
{
	if (result < 0 && result > -4096) {
		errno = (int)-result;
		return -1;
	}
	return result;
}

static long ask(long a, long b, long c, long d, long e, long number)
{
	return answer(sc_sys6(number, a, b, c, d, e, 0));
}

/*
 * Where there is no next definition, or none has been looked for yet: the bare system call. As in
 * libc's syscall(), five arguments are handed on whatever the caller gave: the kernel reads as many
 * as its call has. So these are called by pointers of other types than their own, which every
 * calling convention here allows.
 */
#define RAW(name, number)                                              \
	static long raw_##name(long a, long b, long c, long d, long e) \
	{                                                              \
		return ask(a, b, c, d, e, number);                     \
	}

RAW(close, SYS_close)
RAW(close_range, SYS_close_range)
RAW(shutdown, SYS_shutdown)
RAW(_exit, SYS_exit_group)
RAW(execve, SYS_execve)
RAW(execveat, SYS_execveat)
RAW(socket, SYS_socket)
RAW(accept4, SYS_accept4)
RAW(dup, SYS_dup)
RAW(dup3, SYS_dup3)
RAW(fcntl, SYS_fcntl)
RAW(sendmsg, SYS_sendmsg)
RAW(sendmmsg, SYS_sendmmsg)
RAW(recvmsg, SYS_recvmsg)
RAW(recvmmsg, SYS_recvmmsg)
RAW(pidfd_getfd, SYS_pidfd_getfd)
RAW(epoll_create1, SYS_epoll_create1)
RAW(epoll_ctl, SYS_epoll_ctl)
RAW(prctl, SYS_prctl)
RAW(unshare, SYS_unshare)

/* Older calls, which not every architecture has. */
#ifdef SYS_accept
RAW(accept, SYS_accept)
#else
static long raw_accept(long fd, long addr, long size)
{
	return raw_accept4(fd, addr, size, 0, 0);
}
#endif

#ifdef SYS_dup2
RAW(dup2, SYS_dup2)
#else
static long raw_dup2(long from, long to)
{
	if ((int)from == (int)to) {
		return raw_fcntl(from, F_GETFD, 0, 0, 0) >= 0 ? to : -1;
	}
	return raw_dup3(from, to, 0, 0, 0);
}
#endif

#ifdef SYS_epoll_create
RAW(epoll_create, SYS_epoll_create)
#else
static long raw_epoll_create(long size)
{
	return (int)size > 0 ? raw_epoll_create1(0, 0, 0, 0, 0) : answer(-EINVAL);
}
#endif

static long raw_fork(void)
{
	return ask(SIGCHLD, 0, 0, 0, 0, SYS_clone);
}

static long raw_syscall(long number, long a, long b, long c, long d, long e, long f)
{
	return answer(sc_sys6(number, a, b, c, d, e, f));
}

struct sc_real sc_real;

#define LIKE(name, other) sc_real.name = (__typeof__(sc_real.name))(void (*)(void))raw_##other
#define PLAIN(name) LIKE(name, name)

/* By code: as initial values they would take more room, and the dynamic linker's time. */
static void set_raw(void)
{
	PLAIN(close);
	PLAIN(close_range);
	PLAIN(shutdown);
	PLAIN(_exit);
	PLAIN(execve);
	PLAIN(execveat);
	PLAIN(socket);
	PLAIN(accept);
	PLAIN(accept4);
	PLAIN(dup);
	PLAIN(dup2);
	PLAIN(dup3);
	PLAIN(fcntl);
	LIKE(fcntl64, fcntl);
	PLAIN(sendmsg);
	PLAIN(sendmmsg);
	PLAIN(recvmsg);
	PLAIN(recvmmsg);
	PLAIN(pidfd_getfd);
	PLAIN(epoll_create);
	PLAIN(epoll_create1);
	PLAIN(epoll_ctl);
	PLAIN(prctl);
	PLAIN(fork);
	LIKE(_Fork, fork);
	LIKE(vfork, fork);
	PLAIN(unshare);
	PLAIN(syscall);
}

/*
 * Names one behind the other, and where the pointer of each lies: a table of pointers would be
 * filled by the dynamic linker, at each start. All pointers to functions are alike for dlsym
 * (POSIX).
 */
/* clang-format off */
#define NAMES(of) \
	of(close) of(close_range) of(fclose) of(fdopen) of(freopen) of(freopen64) \
	of(shutdown) of(dlopen) of(_exit) of(abort) of(execve) of(execvpe) \
	of(fexecve) of(execveat) of(socket) of(socketpair) of(accept) of(accept4) of(dup) \
	of(dup2) of(dup3) of(fcntl) of(fcntl64) of(sendmsg) of(sendmmsg) of(recvmsg) \
	of(recvmmsg) of(pidfd_getfd) of(epoll_create) of(epoll_create1) of(epoll_ctl) \
	of(prctl) of(fork) of(_Fork) of(vfork) of(clone) of(unshare) of(posix_spawn) \
	of(posix_spawnp) of(posix_spawn_file_actions_adddup2) of(popen) of(system) \
	of(forkpty) of(daemon) of(setuid) \
	of(seteuid) of(setreuid) of(setresuid) of(setgid) of(setegid) of(setregid) \
	of(setresgid) of(setgroups) of(initgroups) of(syscall)
/* clang-format on */
#define TEXT(name) #name "\0"
#define PLACE(name) offsetof(struct sc_real, name) / sizeof(void *),

static const char names[] = NAMES(TEXT);
static const uint8_t places[] = {NAMES(PLACE)};

void sc_real_find(void)
{
	const char *name = names;
	set_raw();
	for (size_t i = 0; i < sizeof(places); i++, name += strlen(name) + 1) {
		void *next = dlsym(RTLD_NEXT, name);
		if (next != NULL) {
			((void **)&sc_real)[places[i]] = next;
		}
	}
}
