// SPDX-License-Identifier: MIT
#include "real.h"
#include "lookup.h"
#include "sys.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>

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

/* Where each name's pointer lies. All pointers to functions are alike for dlsym (POSIX). */
static const struct {
	const char *name;
	size_t offset;
} names[] = {
#define NAME(name)                                    \
	{                                             \
#name, offsetof(struct sc_real, name) \
	}
	NAME(close),
	NAME(close_range),
	NAME(fclose),
	NAME(fdopen),
	NAME(freopen),
	NAME(freopen64),
	NAME(shutdown),
	NAME(dlopen),
	NAME(_exit),
	NAME(abort),
	NAME(execve),
	NAME(execvpe),
	NAME(fexecve),
	NAME(execveat),
	NAME(socket),
	NAME(accept),
	NAME(accept4),
	NAME(dup),
	NAME(dup2),
	NAME(dup3),
	NAME(fcntl),
	NAME(fcntl64),
	NAME(sendmsg),
	NAME(sendmmsg),
	NAME(recvmsg),
	NAME(recvmmsg),
	NAME(pidfd_getfd),
	NAME(epoll_create),
	NAME(epoll_create1),
	NAME(epoll_ctl),
	NAME(prctl),
	NAME(fork),
	NAME(_Fork),
	NAME(vfork),
	NAME(clone),
	NAME(unshare),
	NAME(posix_spawn),
	NAME(posix_spawnp),
	NAME(popen),
	NAME(system),
	NAME(forkpty),
	NAME(daemon),
	NAME(setuid),
	NAME(seteuid),
	NAME(setreuid),
	NAME(setresuid),
	NAME(setgid),
	NAME(setegid),
	NAME(setregid),
	NAME(setresgid),
	NAME(setgroups),
	NAME(initgroups),
	NAME(syscall),
#undef NAME
};

void sc_real_find(void)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		void *next = dlsym(RTLD_NEXT, names[i].name);
		if (next != NULL) {
			*(void **)((char *)&sc_real + names[i].offset) = next;
		}
	}
}
