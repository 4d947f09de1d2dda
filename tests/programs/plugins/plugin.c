// SPDX-License-Identifier: MIT
/* A plugin that closes, for the actor's word plugin-close. */
#include <unistd.h>

int plugin_close(int fd);
int plugin_close(int fd)
{
	volatile int result = close(fd); /* no tail call: the call site is to be here */

	return result;
}
