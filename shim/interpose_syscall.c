// SPDX-License-Identifier: MIT
/*
 * The C side of stubs.S: which of the system calls that a program makes by syscall() are followed,
 * and how. Every other number goes straight on, untouched.
 */
#include "births.h"
#include "ending.h"
#include "family.h"
#include "interest.h"
#include "interpose.h"
#include "interpose_exec.h"
#include "interpose_filters.h"
#include "messages.h"
#include "process.h"
#include "real.h"
#include "start.h"
#include "stubs.h"
#include "threads.h"
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/uio.h>

/* The flags in a struct clone_args, which may be no valid pointer. Those of the most that it
 * could do, where it cannot be read so. */
static unsigned long clone3_flags(long arguments)
{
	uint64_t flags = 0;
	struct iovec to = {&flags, sizeof(flags)};
	struct iovec from = {(void *)arguments, sizeof(flags)};
	long size = SC_SYS6(SYS_process_vm_readv, sc_sys_getpid(), &to, 1, &from, 1, 0);
	if (size == -EFAULT) {
		return CLONE_THREAD | CLONE_FILES; /* the call fails */
	}
	return size == sizeof(flags) ? (unsigned long)flags : CLONE_VM;
}

/* What has to be known before the call and nothing after it. */
static void before(long number, long a, const void *caller)
{
	switch (number) {
	case SYS_clone:
		sc_routes_before_clone((unsigned long)a);
		break;
	case SYS_clone3:
		sc_routes_before_clone(clone3_flags(a));
		break;
#ifdef SYS_fork
	case SYS_fork:
		sc_routes_before_clone(0);
		break;
	case SYS_vfork:
		sc_routes_before_clone(CLONE_VM);
		break;
#endif
	case SYS_unshare:
		if (a & CLONE_FILES) {
			sc_threads_before_table_split();
		}
		break;
	case SYS_exit:
		if (sc_threads_is_only_one()) {
			sc_ending_exit(SC_VIA_UNDERSCORE_EXIT, caller, false);
			/* The same for the program; but the library's thread ends too, and the
			 * status is the program's. */
			SC_SYS1(SYS_exit_group, a);
		}
		break;
	case SYS_exit_group:
		sc_ending_exit(SC_VIA_UNDERSCORE_EXIT, caller, false);
		break;
	default:
		break;
	}
}

void *sc_syscall_route(long number, long a, long b, const void *caller)
{
	(void)b;
	sc_start();
	switch (number) {
	case SYS_close:
	case SYS_close_range:
	case SYS_execve:
	case SYS_execveat:
	case SYS_dup:
#ifdef SYS_dup2
	case SYS_dup2:
#endif
	case SYS_dup3:
	case SYS_fcntl:
	case SYS_socket:
#ifdef SYS_accept
	case SYS_accept:
#endif
	case SYS_accept4:
	case SYS_sendmsg:
	case SYS_sendmmsg:
	case SYS_recvmsg:
	case SYS_recvmmsg:
	case SYS_pidfd_getfd:
	case SYS_epoll_ctl:
	case SYS_epoll_create1:
	case SYS_seccomp:
	case SYS_io_uring_register:
		return (void *)sc_syscall_follow;
	case SYS_prctl:
		if (a == PR_SET_SECCOMP) {
			return (void *)sc_syscall_follow;
		}
		return (void *)sc_real.syscall;
	default:
		before(number, a, caller);
		return (void *)sc_real.syscall;
	}
}

static long follow_births(long number, long a, long b, long c, long d, long e, long f)
{
	if (number == SYS_pidfd_getfd) {
		sc_family_note_taking();
	} else if (number == SYS_epoll_ctl) {
		sc_interest_before_epoll_ctl((int)a, (int)b, (int)c);
	}
	uint32_t moment = sc_process_moment();
	long result = sc_real.syscall(number, a, b, c, d, e, f);
	if (result < 0) {
		return result;
	}
	switch (number) {
	case SYS_dup:
		sc_births_record_dup((int)a, (int)result);
		break;
	case SYS_fcntl:
		if (b == F_DUPFD || b == F_DUPFD_CLOEXEC) {
			sc_births_record_dup((int)a, (int)result);
		}
		break;
	case SYS_pidfd_getfd:
		sc_births_record_received((int)result);
		break;
	case SYS_recvmsg:
		sc_messages_after_receiving((const struct msghdr *)b);
		break;
	case SYS_recvmmsg:
		sc_messages_after_receiving_many((const struct mmsghdr *)b, (unsigned)result);
		break;
	case SYS_epoll_create1:
		sc_births_record_epoll_set((int)result);
		break;
	case SYS_sendmsg:
		sc_messages_after_sending((const struct msghdr *)b);
		break;
	case SYS_sendmmsg:
		sc_messages_after_sending_many((const struct mmsghdr *)b, (unsigned)result);
		break;
	case SYS_io_uring_register:
		sc_messages_after_registering((unsigned)b, (const void *)c, (unsigned)d, result);
		break;
	case SYS_epoll_ctl:
		sc_interest_after_epoll_ctl((int)b, (int)c, (const struct epoll_event *)d);
		break;
	default: /* socket, accept, accept4 */
		sc_births_record((int)result, moment, false);
		break;
	}
	return result;
}

static long follow_filters(long number, long a, long b, long c, long d, long e)
{
	bool is_followed = sc_filters_are_followed();
	long result = sc_real.syscall(number, a, b, c, d, e);
	if (!is_followed || result < 0) {
		return result; /* SECCOMP_FILTER_FLAG_NEW_LISTENER: a descriptor */
	}
	if (number == SYS_prctl) {
		sc_filters_after_prctl(b, c);
	} else {
		sc_filters_after_seccomp(a, c);
	}
	return result;
}

static int real_close(int fd)
{
	return (int)sc_real.syscall(SYS_close, fd);
}

#ifdef SYS_dup2
static int real_dup2(int from, int to, long flags)
{
	(void)flags;
	return (int)sc_real.syscall(SYS_dup2, from, to);
}
#endif

static int real_dup3(int from, int to, long flags)
{
	return (int)sc_real.syscall(SYS_dup3, from, to, flags);
}

static int real_execve(const char *path, char *const argv[], char *const envp[])
{
	return (int)sc_real.syscall(SYS_execve, path, argv, envp);
}

static int real_execveat(
	int folder, const char *path, char *const argv[], char *const envp[], int flags)
{
	return (int)sc_real.syscall(SYS_execveat, folder, path, argv, envp, flags);
}

static int real_close_range(unsigned first, unsigned last, int flags)
{
	return (int)sc_real.syscall(SYS_close_range, first, last, flags);
}

long sc_syscall_follow(long number, long a, long b, long c, long d, long e, long f)
{
	const void *caller = __builtin_return_address(0);
	switch (number) {
	case SYS_close:
		return sc_interpose_close((int)a, SC_VIA_CLOSE, caller, real_close);
	case SYS_execve:
		return sc_interpose_execve(SC_VIA_EXECVE, (const char *)a, (char *const *)b,
			(char *const *)c, caller, real_execve);
	case SYS_execveat:
		return sc_interpose_execveat((int)a, (const char *)b, (char *const *)c,
			(char *const *)d, (int)e, caller, real_execveat);
	case SYS_close_range:
		return sc_interpose_close_range((unsigned)a, (unsigned)b, (int)c,
			SC_VIA_CLOSE_RANGE, caller, real_close_range);
#ifdef SYS_dup2
	case SYS_dup2:
		return sc_interpose_replace((int)a, (int)b, SC_VIA_DUP2, caller, real_dup2, 0);
#endif
	case SYS_dup3:
		return sc_interpose_replace((int)a, (int)b, SC_VIA_DUP3, caller, real_dup3, c);
	case SYS_prctl:
	case SYS_seccomp:
		return follow_filters(number, a, b, c, d, e);
	default:
		return follow_births(number, a, b, c, d, e, f);
	}
}
