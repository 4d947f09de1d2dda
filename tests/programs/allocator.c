// SPDX-License-Identifier: MIT
/*
 * allocator PORT: closes a connection with unread bytes, in a program with an allocator of its own, as
 * jemalloc is one: at its first use, which is before any library's constructor, it makes a system call
 * by syscall(), under a lock. Whoever allocates in there waits for ever; here the program ends.
 */
#include "dial.h"

#include <fcntl.h>
#include <sys/syscall.h>

static _Alignas(16) char arena[4 << 20];
static size_t used;
static bool is_begun;
static bool is_locked;

void *malloc(size_t size)
{
	char *block = arena + used;

	if (is_locked) {
		static const char text[] = "an allocation within the allocator\n";

		syscall(SYS_write, STDERR_FILENO, text, sizeof(text) - 1);
		abort();
	}
	if (!is_begun) {
		is_begun = true;
		is_locked = true;
		syscall(SYS_readlinkat, AT_FDCWD, "/etc/malloc.conf", NULL, 0);
		is_locked = false;
	}
	used += (size + 31) / 16 * 16;
	if (used > sizeof(arena)) {
		return NULL;
	}
	memcpy(block, &size, sizeof(size));
	return block + 16;
}

void free(void *block)
{
	(void)block;
}

void *calloc(size_t count, size_t size)
{
	return malloc(count * size); /* the arena is zero, and nothing is used twice */
}

void *realloc(void *block, size_t size)
{
	char *moved = malloc(size);

	if (moved && block) {
		size_t before;

		memcpy(&before, (char *)block - 16, sizeof(before));
		memcpy(moved, block, before < size ? before : size);
	}
	return moved;
}

static void begin(void)
{
	must(malloc(1) != NULL, "malloc");
}

__attribute__((section(".preinit_array"), used)) static void (*const preinit)(void) = begin;

int main(int argc, char **argv)
{
	must(argc == 2, "arguments");
	close_well(dial(number(argv[1])));
	return 0;
}
