// SPDX-License-Identifier: MIT
/*
 * The instruction that calls the kernel, for sys.c and what is too hot to go through it. Returns the kernel's
 * own answer: 0 or more, or a negative errno. Async-signal-safe; leaves errno alone.
 */
#ifndef SC_KERNEL_H
#define SC_KERNEL_H

#if defined(__x86_64__)
static inline long sc_kernel_call(long number, long a, long b, long c, long d, long e, long f)
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
static inline long sc_kernel_call(long number, long a, long b, long c, long d, long e, long f)
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
static inline long sc_kernel_call(long number, long a, long b, long c, long d, long e, long f)
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
#error "libsafeclose: add this architecture's six-argument system call to kernel.h"
#endif

#endif
