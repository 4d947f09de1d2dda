// SPDX-License-Identifier: MIT
/*
 * Between stubs.S, interpose_syscall.c and interpose_routes.c. None of these touches errno but
 * sc_syscall_follow(), which leaves it as the real call did.
 */
#ifndef SC_STUBS_H
#define SC_STUBS_H

#include <stdint.h>
#include <sys/types.h>

/* Where syscall() is to go on with the same arguments: the real one or sc_syscall_follow(). caller:
 * where syscall() returns to. */
void *sc_syscall_route(long number, long a, long b, const void *caller);

/* A followed system call, with the arguments of syscall(). */
long sc_syscall_follow(long number, long a, long b, long c, long d, long e, long f);

/* About to clone with these flags, by whatever call. */
void sc_routes_before_clone(unsigned long flags);

/* Where clone() is to go on. */
void *sc_routes_clone(void *function, void *stack, int flags);

/* The real dlopen, and the flags to call it with. It finds its caller by the return address, whose
 * search path counts, so it must not be called from here. */
struct sc_dlopen_entry {
	void *(*real)(const char *, int);
	long flags;
};
struct sc_dlopen_entry sc_routes_dlopen(const char *path, int flags);

/* The real vfork, and whether sc_routes_end_vfork() is to be told its results. */
struct sc_vfork_entry {
	pid_t (*real)(void);
	uint64_t is_followed;
};
struct sc_vfork_entry sc_routes_begin_vfork(void);
void sc_routes_end_vfork(int pid); /* by the child with 0, then by the parent */

#endif
