// SPDX-License-Identifier: MIT
/*
 * System calls without libc in between. Each returns the kernel's own answer: 0 or more, or a
 * negative errno. None touches errno, none is a cancellation point, none passes through an
 * interposed symbol, so all may be used in signal handlers, vfork children and on a thread that
 * libc does not know. EINTR comes back as -EINTR.
 */
#ifndef SC_SYS_H
#define SC_SYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>

#if defined(__x86_64__)
static inline long sc_sys6(long number, long a, long b, long c, long d, long e, long f)
{
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;
	long result;
	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return result;
}
#elif defined(__aarch64__)
static inline long sc_sys6(long number, long a, long b, long c, long d, long e, long f)
{
	register long x8 __asm__("x8") = number;
	register long x0 __asm__("x0") = a;
	register long x1 __asm__("x1") = b;
	register long x2 __asm__("x2") = c;
	register long x3 __asm__("x3") = d;
	register long x4 __asm__("x4") = e;
	register long x5 __asm__("x5") = f;
	__asm__ volatile("svc 0"
			 : "+r"(x0)
			 : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
			 : "memory");
	return x0;
}
#else
#error "libsafeclose: add this architecture's six-argument system call to sys.h"
#endif

#define SC_SYS1(n, a) sc_sys6(n, (long)(a), 0, 0, 0, 0, 0)
#define SC_SYS2(n, a, b) sc_sys6(n, (long)(a), (long)(b), 0, 0, 0, 0)
#define SC_SYS3(n, a, b, c) sc_sys6(n, (long)(a), (long)(b), (long)(c), 0, 0, 0)
#define SC_SYS4(n, a, b, c, d) sc_sys6(n, (long)(a), (long)(b), (long)(c), (long)(d), 0, 0)
#define SC_SYS5(n, a, b, c, d, e) \
	sc_sys6(n, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), 0)
#define SC_SYS6(n, a, b, c, d, e, f) \
	sc_sys6(n, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f))

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
