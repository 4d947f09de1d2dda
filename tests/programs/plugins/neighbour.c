// SPDX-License-Identifier: MIT
/*
 * Another library that is preloaded: calls that the one under test intercepts, and the allocator, are its
 * too. Each passes on to the next one. It tells on stdout what became of descriptor 3. Its allocator
 * duplicates and closes a descriptor now and then under its lock; whoever allocates in there ends the
 * program.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { TOLD_FD = 3, HIGH_FD = 100, CALLS_BETWEEN_CLOSES = 16 };

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *block, size_t size);
void __libc_free(void *block);

static void say(int fd, const char *text)
{
	if (write(fd, text, strlen(text)) < 0) {
		_exit(124);
	}
}

/* ---- what closes --------------------------------------------------------------------------- */

int close(int fd)
{
	static int (*next)(int);

	if (!next) {
		*(void **)&next = dlsym(RTLD_NEXT, "close");
	}
	if (fd == TOLD_FD) {
		say(STDOUT_FILENO, "neighbour: close\n");
	}
	volatile int result = next(fd); /* no tail call: the call site is to be here */
	return result;
}

int dup2(int from, int to)
{
	static int (*next)(int, int);

	if (!next) {
		*(void **)&next = dlsym(RTLD_NEXT, "dup2");
	}
	if (to == TOLD_FD) {
		say(STDOUT_FILENO, "neighbour: dup2\n");
	}
	volatile int result = next(from, to);
	return result;
}

/* ---- the allocator ------------------------------------------------------------------------- */

static _Atomic long owner; /* the thread that is in there; 0: none */
static _Atomic bool can_look_up;
static unsigned calls; /* by the owner alone */

static void enter(void)
{
	long self = syscall(SYS_gettid);
	long nobody = 0;

	if (atomic_load(&owner) == self) {
		say(STDERR_FILENO, "neighbour: an allocation within the allocator\n");
		_exit(124);
	}
	while (!atomic_compare_exchange_weak(&owner, &nobody, self)) {
		nobody = 0;
	}
	/* dlsym() itself allocates: not before all libraries are there. */
	if (atomic_load(&can_look_up) && calls++ % CALLS_BETWEEN_CLOSES == 0) {
		int fd = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, HIGH_FD);

		if (fd >= 0 && close(fd) != 0) {
			_exit(124);
		}
	}
}

static void leave(void)
{
	atomic_store(&owner, 0);
}

void *malloc(size_t size)
{
	enter();
	void *block = __libc_malloc(size);
	leave();
	return block;
}

void *calloc(size_t count, size_t size)
{
	enter();
	void *block = __libc_calloc(count, size);
	leave();
	return block;
}

void *realloc(void *block, size_t size)
{
	enter();
	void *moved = __libc_realloc(block, size);
	leave();
	return moved;
}

void free(void *block)
{
	enter();
	__libc_free(block);
	leave();
}

static __attribute__((constructor)) void begin(void)
{
	close(-1); /* looks the next one up, outside of the allocator */
	dup2(-1, -1);
	atomic_store(&can_look_up, true);
}
