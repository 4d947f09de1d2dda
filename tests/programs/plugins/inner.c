// SPDX-License-Identifier: MIT
/* The library that closes, below outer.c. What follows each call keeps it from being a jump. */
#include <unistd.h>

int inner_close(int fd);
static __attribute__((noinline)) int close_here(int fd)
{
	volatile int result = close(fd);

	return result;
}

int inner_close(int fd)
{
	volatile int result = close_here(fd);

	return result;
}
