// SPDX-License-Identifier: MIT
/* A plugin that closes, for the actor's word plugin-close. */
#include <unistd.h>

int plugin_close(int fd);
static __attribute__((noinline)) int close_unexported(int fd)
{
	volatile int result = close(fd); /* no tail call: the call site is to be here */

	return result;
}

int plugin_close(int fd)
{
	volatile int result = close_unexported(fd);

	return result;
}
