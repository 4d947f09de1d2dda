// SPDX-License-Identifier: MIT
/*
 * The calls by which a process gets a descriptor, gives one away or is multiplied, and which may
 * wait or run the program's functions (the others: interpose_made.c). The real call is made once;
 * before or after it a number in memory is noted. No system call of our own.
 */
#include "births.h"
#include "departures.h"
#include "inheritance.h"
#include "interpose.h"
#include "messages.h"
#include "process.h"
#include "real.h"
#include "start.h"
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

SC_EXPORT int accept(int fd, struct sockaddr *addr, socklen_t *size)
{
	sc_start();
	uint32_t moment = sc_process_moment();
	return sc_births_record(sc_real.accept(fd, addr, size), moment, sc_births_is_tcp(fd));
}

SC_EXPORT int accept4(int fd, struct sockaddr *addr, socklen_t *size, int flags)
{
	sc_start();
	uint32_t moment = sc_process_moment();
	return sc_births_record(
		sc_real.accept4(fd, addr, size, flags), moment, sc_births_is_tcp(fd));
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

SC_EXPORT FILE *popen(const char *command, const char *mode)
{
	sc_start();
	sc_inheritance_note(false);
	sc_process_begin_fork();
	FILE *stream = sc_real.popen(command, mode);
	sc_process_end_fork(SC_PROCESS_SPAWNED);
	if (stream != NULL) {
		sc_departures_note_child(0);
	}
	return stream;
}

SC_EXPORT int system(const char *command)
{
	sc_start();
	sc_inheritance_note(false);
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
