// SPDX-License-Identifier: MIT
/*
 * The calls by which a process gets a descriptor, gives one away or is multiplied. The real call is
 * made once; before or after it a number in memory is noted. No system call of our own.
 */
#include "births.h"
#include "family.h"
#include "interest.h"
#include "interpose.h"
#include "messages.h"
#include "process.h"
#include "real.h"
#include "threads.h"
#include "start.h"
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

enum { SPAWNED = 1 }; /* for sc_process_end_fork(): this is the parent */

static int record(int fd, uint32_t moment, bool is_tcp)
{
	if (fd >= 0) {
		sc_births_record(fd, moment, is_tcp);
	}
	return fd;
}

SC_EXPORT int socket(int domain, int type, int protocol)
{
	sc_start();
	uint32_t moment = sc_process_moment();
	bool is_tcp = (domain == AF_INET || domain == AF_INET6) &&
		      (type & ~(SOCK_CLOEXEC | SOCK_NONBLOCK)) == SOCK_STREAM &&
		      (protocol == 0 || protocol == IPPROTO_TCP);
	return record(sc_real.socket(domain, type, protocol), moment, is_tcp);
}

SC_EXPORT int socketpair(int domain, int type, int protocol, int fds[2])
{
	sc_start();
	uint32_t moment = sc_process_moment();
	int result = sc_real.socketpair(domain, type, protocol, fds);
	if (result == 0) {
		sc_births_record(fds[0], moment, false);
		sc_births_record(fds[1], moment, false);
	}
	return result;
}

SC_EXPORT int accept(int fd, struct sockaddr *addr, socklen_t *size)
{
	sc_start();
	uint32_t moment = sc_process_moment();
	return record(sc_real.accept(fd, addr, size), moment, sc_births_is_tcp(fd));
}

SC_EXPORT int accept4(int fd, struct sockaddr *addr, socklen_t *size, int flags)
{
	sc_start();
	uint32_t moment = sc_process_moment();
	return record(sc_real.accept4(fd, addr, size, flags), moment, sc_births_is_tcp(fd));
}

SC_EXPORT int dup(int fd)
{
	sc_start();
	int copy = sc_real.dup(fd);
	if (copy >= 0) {
		sc_births_record_dup(fd, copy);
	}
	return copy;
}

static void after_fcntl(int fd, int command, int result)
{
	if ((command == F_DUPFD || command == F_DUPFD_CLOEXEC) && result >= 0) {
		sc_births_record_dup(fd, result);
	}
}

/* Every command takes at most one argument, of a word's size. */
SC_EXPORT int fcntl(int fd, int command, ...)
{
	va_list list;
	va_start(list, command);
	void *argument = va_arg(list, void *);
	va_end(list);
	sc_start();
	int result = sc_real.fcntl(fd, command, argument);
	after_fcntl(fd, command, result);
	return result;
}

SC_EXPORT int fcntl64(int fd, int command, ...)
{
	va_list list;
	va_start(list, command);
	void *argument = va_arg(list, void *);
	va_end(list);
	sc_start();
	int result = sc_real.fcntl64(fd, command, argument);
	after_fcntl(fd, command, result);
	return result;
}

SC_EXPORT ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
	sc_start();
	ssize_t result = sc_real.sendmsg(fd, message, flags);
	if (result >= 0) {
		sc_messages_after_sending(message);
	}
	return result;
}

SC_EXPORT int sendmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags)
{
	sc_start();
	int result = sc_real.sendmmsg(fd, messages, count, flags);
	if (result > 0) {
		sc_messages_after_sending_many(messages, (unsigned)result);
	}
	return result;
}

SC_EXPORT ssize_t recvmsg(int fd, struct msghdr *message, int flags)
{
	sc_start();
	ssize_t result = sc_real.recvmsg(fd, message, flags);
	if (result >= 0) {
		sc_messages_after_receiving(message);
	}
	return result;
}

SC_EXPORT int recvmmsg(
	int fd, struct mmsghdr *messages, unsigned count, int flags, struct timespec *timeout)
{
	sc_start();
	int result = sc_real.recvmmsg(fd, messages, count, flags, timeout);
	if (result > 0) {
		sc_messages_after_receiving_many(messages, (unsigned)result);
	}
	return result;
}

SC_EXPORT int pidfd_getfd(int pidfd, int fd, unsigned flags);
SC_EXPORT int pidfd_getfd(int pidfd, int fd, unsigned flags)
{
	sc_start();
	sc_family_note_taking();
	int copy = sc_real.pidfd_getfd(pidfd, fd, flags);
	if (copy >= 0) {
		sc_births_record_received(copy);
	}
	return copy;
}

SC_EXPORT int epoll_create(int size)
{
	sc_start();
	int set = sc_real.epoll_create(size);
	if (set >= 0) {
		sc_births_record_epoll_set(set);
	}
	return set;
}

SC_EXPORT int epoll_create1(int flags)
{
	sc_start();
	int set = sc_real.epoll_create1(flags);
	if (set >= 0) {
		sc_births_record_epoll_set(set);
	}
	return set;
}

SC_EXPORT int epoll_ctl(int set, int operation, int fd, struct epoll_event *event)
{
	sc_start();
	sc_interest_before_epoll_ctl(set, operation, fd);
	int result = sc_real.epoll_ctl(set, operation, fd, event);
	if (result == 0) {
		sc_interest_after_epoll_ctl(operation, fd, event);
	}
	return result;
}

pid_t sc_interpose_fork(pid_t (*real)(void))
{
	sc_process_begin_fork();
	pid_t pid = real();
	sc_process_end_fork(pid);
	return pid;
}

SC_EXPORT pid_t fork(void)
{
	sc_start();
	return sc_interpose_fork(sc_real.fork);
}

SC_EXPORT pid_t _Fork(void);
SC_EXPORT pid_t _Fork(void)
{
	sc_start();
	return sc_interpose_fork(sc_real._Fork);
}

SC_EXPORT pid_t __fork(void);
SC_EXPORT pid_t __fork(void)
{
	sc_start();
	return sc_interpose_fork(sc_real.fork);
}

SC_EXPORT int unshare(int flags)
{
	sc_start();
	if (flags & CLONE_FILES) {
		sc_threads_before_table_split();
	}
	return sc_real.unshare(flags);
}

SC_EXPORT int posix_spawn(pid_t *pid, const char *path,
	const posix_spawn_file_actions_t *file_actions, const posix_spawnattr_t *attributes,
	char *const argv[], char *const envp[])
{
	sc_start();
	sc_process_begin_fork();
	int result = sc_real.posix_spawn(pid, path, file_actions, attributes, argv, envp);
	sc_process_end_fork(SPAWNED);
	return result;
}

SC_EXPORT int posix_spawnp(pid_t *pid, const char *file,
	const posix_spawn_file_actions_t *file_actions, const posix_spawnattr_t *attributes,
	char *const argv[], char *const envp[])
{
	sc_start();
	sc_process_begin_fork();
	int result = sc_real.posix_spawnp(pid, file, file_actions, attributes, argv, envp);
	sc_process_end_fork(SPAWNED);
	return result;
}

SC_EXPORT FILE *popen(const char *command, const char *mode)
{
	sc_start();
	sc_process_begin_fork();
	FILE *stream = sc_real.popen(command, mode);
	sc_process_end_fork(SPAWNED);
	return stream;
}

SC_EXPORT int system(const char *command)
{
	sc_start();
	sc_process_record_fork(); /* a thread may be cancelled in there */
	return sc_real.system(command);
}

SC_EXPORT int forkpty(
	int *master, char *name, const struct termios *termios, const struct winsize *size);
SC_EXPORT int forkpty(
	int *master, char *name, const struct termios *termios, const struct winsize *size)
{
	sc_start();
	sc_process_begin_fork();
	int pid = sc_real.forkpty(master, name, termios, size);
	sc_process_end_fork(pid);
	return pid;
}
