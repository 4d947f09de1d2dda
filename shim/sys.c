// SPDX-License-Identifier: MIT
#include "sys.h"
#include <errno.h>
#include <stdatomic.h>

bool (*_Atomic sc_sys_is_deadly)(long number, const long arguments[6]);

#if defined(__x86_64__)
static long call_kernel(long number, long a, long b, long c, long d, long e, long f)
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
static long call_kernel(long number, long a, long b, long c, long d, long e, long f)
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
#elif defined(__i386__)
/* The sixth argument lies in %ebp, and %ebx may hold the place of what is addressed: both are kept. */
static long call_kernel(long number, long a, long b, long c, long d, long e, long f)
{
	const long all[7] = {number, a, b, c, d, e, f};
	long result;
	__asm__ volatile("pushl %%ebx\n\t"
			 "pushl %%ebp\n\t"
			 "movl 4(%%eax), %%ebx\n\t"
			 "movl 8(%%eax), %%ecx\n\t"
			 "movl 12(%%eax), %%edx\n\t"
			 "movl 16(%%eax), %%esi\n\t"
			 "movl 20(%%eax), %%edi\n\t"
			 "movl 24(%%eax), %%ebp\n\t"
			 "movl (%%eax), %%eax\n\t"
			 "int $0x80\n\t"
			 "popl %%ebp\n\t"
			 "popl %%ebx"
			 : "=a"(result)
			 : "0"(all)
			 : "ecx", "edx", "esi", "edi", "memory");
	return result;
}
#else
#error "libsafeclose: add this architecture's six-argument system call to sys.h"
#endif

static bool is_forbidden(long number, const long arguments[6])
{
	bool (*is_deadly)(long, const long[6]) =
		atomic_load_explicit(&sc_sys_is_deadly, memory_order_relaxed);
	return is_deadly != NULL && is_deadly(number, arguments);
}

bool sc_sys_is_allowed(long number, long a)
{
	const long arguments[6] = {a};
	return !is_forbidden(number, arguments);
}

long sc_sys6(long number, long a, long b, long c, long d, long e, long f)
{
	if (atomic_load_explicit(&sc_sys_is_deadly, memory_order_relaxed) != NULL) {
		const long arguments[6] = {a, b, c, d, e, f};
		if (is_forbidden(number, arguments)) {
			return -EPERM;
		}
	}
	return call_kernel(number, a, b, c, d, e, f);
}
