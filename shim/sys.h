// SPDX-License-Identifier: MIT
/*
 * System calls without libc in between. Each returns the kernel's own answer: 0 or more, or a
 * negative errno. None touches errno, none is a cancellation point, none passes through an
 * interposed symbol, so all may be used in signal handlers, vfork children and on a thread that
 * libc does not know. EINTR comes back as -EINTR.
 */
#ifndef SC_SYS_H
#define SC_SYS_H

#include "compiler.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>

/*
 * i386: what fills today's structs, with numbers of 32 bits and more. Sockets have calls of their
 * own there since Linux 4.3.
 */
#ifdef __i386__
#undef SYS_mmap
#define SYS_mmap SYS_mmap2 /* the offset is in pages: always 0 here */
#undef SYS_fcntl
#define SYS_fcntl SYS_fcntl64
#undef SYS_fstat
#define SYS_fstat SYS_fstat64
#define SYS_newfstatat SYS_fstatat64
#undef SYS_getgroups
#define SYS_getgroups SYS_getgroups32
#undef SYS_setgroups
#define SYS_setgroups SYS_setgroups32
#undef SYS_getresuid
#define SYS_getresuid SYS_getresuid32
#undef SYS_getresgid
#define SYS_getresgid SYS_getresgid32
#undef SYS_setresuid
#define SYS_setresuid SYS_setresuid32
#undef SYS_setresgid
#define SYS_setresgid SYS_setresgid32
#endif

/* Where seccomp would kill for it, the call is not made: -EPERM (filters.h). */
long sc_sys6(long number, long a, long b, long c, long d, long e, long f);

/* Whether a system call with these arguments would be the end of the process; NULL: none would. */
extern SC_HIDDEN bool (*_Atomic sc_sys_is_deadly)(long number, const long arguments[6]);

/* Would the call be made, for all that is known of its first argument? */
bool sc_sys_is_allowed(long number, long a);

#define SC_SYS1(n, a) sc_sys6(n, (long)(a), 0, 0, 0, 0, 0)
#define SC_SYS2(n, a, b) sc_sys6(n, (long)(a), (long)(b), 0, 0, 0, 0)
#define SC_SYS3(n, a, b, c) sc_sys6(n, (long)(a), (long)(b), (long)(c), 0, 0, 0)
#define SC_SYS4(n, a, b, c, d) sc_sys6(n, (long)(a), (long)(b), (long)(c), (long)(d), 0, 0)
#define SC_SYS5(n, a, b, c, d, e) \
	sc_sys6(n, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), 0)
#define SC_SYS6(n, a, b, c, d, e, f) \
	sc_sys6(n, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f))

/* Less than a second; 0: the timer's slack. A signal ends it. */
void sc_sys_pause(uint32_t ns);

void sc_sys_yield(void);

/* Which of these events (poll(2)) fd has, or an error: 0 where it has none for that long, which is less than a
 * second. Negative errno: that cannot be told, or a signal came. */
int sc_sys_poll(int fd, int events, uint32_t ns);

static inline int sc_sys_close(int fd)
{
	return (int)SC_SYS1(SYS_close, fd);
}

static inline int sc_sys_getpid(void)
{
	return (int)sc_sys6(SYS_getpid, 0, 0, 0, 0, 0, 0);
}

static inline int sc_sys_getsockopt(int fd, int level, int name, void *value, unsigned *size)
{
	return (int)SC_SYS5(SYS_getsockopt, fd, level, name, value, size);
}

static inline int sc_sys_setsockopt(int fd, int level, int name, const void *value, unsigned size)
{
	return (int)SC_SYS5(SYS_setsockopt, fd, level, name, value, size);
}

static inline int sc_sys_ioctl(int fd, unsigned long request, void *argument)
{
	return (int)SC_SYS3(SYS_ioctl, fd, request, argument);
}

static inline int sc_sys_fcntl(int fd, int command, long argument)
{
	return (int)SC_SYS3(SYS_fcntl, fd, command, argument);
}

static inline long sc_sys_recv(int fd, void *buffer, size_t size, int flags)
{
	return SC_SYS6(SYS_recvfrom, fd, buffer, size, flags, 0, 0);
}

static inline int sc_sys_shutdown(int fd, int how)
{
	return (int)SC_SYS2(SYS_shutdown, fd, how);
}

#endif
