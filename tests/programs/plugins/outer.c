// SPDX-License-Identifier: MIT
/* A library that is called by the program and calls the one that closes. Its frame has no fixed size. */
#include <string.h>

int outer_call(int (*close_by)(int fd), int fd);
static __attribute__((noinline)) int call_on_room(int (*close_by)(int fd), int fd, size_t size)
{
	char room[size];

	memset(room, fd, size);
	return close_by(*(volatile char *)room) + *(volatile char *)&room[size - 1] - fd;
}

int outer_call(int (*close_by)(int fd), int fd)
{
	volatile int result = call_on_room(close_by, fd, 100 + (size_t)fd);

	return result;
}
