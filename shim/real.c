// SPDX-License-Identifier: MIT
#include "real.h"
#include "lookup.h"
#include "sys.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/*
 * Until the lookup is done, and where there is no next definition: the bare system call, with the
 * answer as libc gives it.
 */
static long answer(long result)
{
	if (result < 0 && result > -4096) {
		errno = (int)-result;
		return -1;
	}
	return result;
}

static int raw_close(int fd)
{
	return (int)answer(sc_sys_close(fd));
}

static int raw_close_range(unsigned first, unsigned last, int flags)
{
	return (int)answer(SC_SYS3(SYS_close_range, first, last, flags));
}

static int raw_shutdown(int fd, int how)
{
	return (int)answer(sc_sys_shutdown(fd, how));
}

static void raw_exit(int status)
{
	SC_SYS1(SYS_exit_group, status);
}

static int raw_execve(const char *path, char *const argv[], char *const envp[])
{
	return (int)answer(SC_SYS3(SYS_execve, path, argv, envp));
}

static int raw_execveat(
	int folder, const char *path, char *const argv[], char *const envp[], int flags)
{
	return (int)answer(SC_SYS5(SYS_execveat, folder, path, argv, envp, flags));
}

static int raw_socket(int domain, int type, int protocol)
{
	return (int)answer(SC_SYS3(SYS_socket, domain, type, protocol));
}

static int raw_accept4(int fd, struct sockaddr *addr, socklen_t *size, int flags)
{
	return (int)answer(SC_SYS4(SYS_accept4, fd, addr, size, flags));
}

static int raw_accept(int fd, struct sockaddr *addr, socklen_t *size)
{
	return raw_accept4(fd, addr, size, 0);
}

static int raw_dup(int fd)
{
	return (int)answer(SC_SYS1(SYS_dup, fd));
}

static int raw_dup3(int from, int to, int flags)
{
	return (int)answer(SC_SYS3(SYS_dup3, from, to, flags));
}

static int raw_dup2(int from, int to)
{
	if (from == to) {
		return sc_sys_fcntl(from, F_GETFD, 0) >= 0 ? to : (int)answer(-EBADF);
	}
	return raw_dup3(from, to, 0);
}

static int raw_fcntl(int fd, int command, ...)
{
	va_list list;
	va_start(list, command);
	long argument = va_arg(list, long);
	va_end(list);
	return (int)answer(sc_sys_fcntl(fd, command, argument));
}

static ssize_t raw_sendmsg(int fd, const struct msghdr *message, int flags)
{
	return answer(SC_SYS3(SYS_sendmsg, fd, message, flags));
}

static int raw_sendmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags)
{
	return (int)answer(SC_SYS4(SYS_sendmmsg, fd, messages, count, flags));
}

static ssize_t raw_recvmsg(int fd, struct msghdr *message, int flags)
{
	return answer(SC_SYS3(SYS_recvmsg, fd, message, flags));
}

static int raw_recvmmsg(
	int fd, struct mmsghdr *messages, unsigned count, int flags, struct timespec *timeout)
{
	return (int)answer(SC_SYS5(SYS_recvmmsg, fd, messages, count, flags, timeout));
}

static int raw_pidfd_getfd(int pidfd, int fd, unsigned flags)
{
	return (int)answer(SC_SYS3(SYS_pidfd_getfd, pidfd, fd, flags));
}

static int raw_epoll_create1(int flags)
{
	return (int)answer(SC_SYS1(SYS_epoll_create1, flags));
}

static int raw_epoll_create(int size)
{
	return size > 0 ? raw_epoll_create1(0) : (int)answer(-EINVAL);
}

static int raw_prctl(int option, ...)
{
	va_list list;
	va_start(list, option);
	unsigned long a = va_arg(list, unsigned long);
	unsigned long b = va_arg(list, unsigned long);
	unsigned long c = va_arg(list, unsigned long);
	unsigned long d = va_arg(list, unsigned long);
	va_end(list);
	return (int)answer(SC_SYS5(SYS_prctl, option, a, b, c, d));
}

static int raw_epoll_ctl(int set, int operation, int fd, struct epoll_event *event)
{
	return (int)answer(SC_SYS4(SYS_epoll_ctl, set, operation, fd, event));
}

static pid_t raw_fork(void)
{
	return (pid_t)answer(SC_SYS5(SYS_clone, SIGCHLD, 0, 0, 0, 0));
}

static int raw_unshare(int flags)
{
	return (int)answer(SC_SYS1(SYS_unshare, flags));
}

static long raw_syscall(long number, ...)
{
	va_list list;
	va_start(list, number);
	long a = va_arg(list, long);
	long b = va_arg(list, long);
	long c = va_arg(list, long);
	long d = va_arg(list, long);
	long e = va_arg(list, long);
	long f = va_arg(list, long);
	va_end(list);
	return answer(sc_sys6(number, a, b, c, d, e, f));
}

struct sc_real sc_real = {
	.close = raw_close,
	.close_range = raw_close_range,
	.shutdown = raw_shutdown,
	._exit = raw_exit,
	.execve = raw_execve,
	.execveat = raw_execveat,
	.socket = raw_socket,
	.accept = raw_accept,
	.accept4 = raw_accept4,
	.dup = raw_dup,
	.dup2 = raw_dup2,
	.dup3 = raw_dup3,
	.fcntl = raw_fcntl,
	.fcntl64 = raw_fcntl,
	.sendmsg = raw_sendmsg,
	.sendmmsg = raw_sendmmsg,
	.recvmsg = raw_recvmsg,
	.recvmmsg = raw_recvmmsg,
	.pidfd_getfd = raw_pidfd_getfd,
	.epoll_create = raw_epoll_create,
	.epoll_create1 = raw_epoll_create1,
	.epoll_ctl = raw_epoll_ctl,
	.prctl = raw_prctl,
	.fork = raw_fork,
	._Fork = raw_fork,
	.vfork = raw_fork,
	.unshare = raw_unshare,
	.syscall = raw_syscall,
};

/*
 * Names one behind the other, and where the pointer of each lies: a table of pointers would be filled
 * by the dynamic linker, at each start. All pointers to functions are alike for dlsym (POSIX).
 */
/* clang-format off */
#define NAMES(of) \
	of(close) of(close_range) of(fclose) of(fdopen) of(freopen) of(freopen64) \
	of(shutdown) of(dlopen) of(_exit) of(abort) of(execve) of(execvpe) \
	of(fexecve) of(execveat) of(socket) of(socketpair) of(accept) of(accept4) of(dup) \
	of(dup2) of(dup3) of(fcntl) of(fcntl64) of(sendmsg) of(sendmmsg) of(recvmsg) \
	of(recvmmsg) of(pidfd_getfd) of(epoll_create) of(epoll_create1) of(epoll_ctl) \
	of(prctl) of(fork) of(_Fork) of(vfork) of(clone) of(unshare) of(posix_spawn) \
	of(posix_spawnp) of(popen) of(system) of(forkpty) of(daemon) of(setuid) \
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
	for (size_t i = 0; i < sizeof(places); i++, name += strlen(name) + 1) {
		void *next = dlsym(RTLD_NEXT, name);
		if (next != NULL) {
			((void **)&sc_real)[places[i]] = next;
		}
	}
}
