// SPDX-License-Identifier: MIT
/*
 * Made into a shared library by the test: its constructor runs before, its destructor behind those
 * of a library that was preloaded before it. Each closes a connection with unread bytes; the port is
 * the program's first argument.
 */
#include "dial.h"

static int port;

__attribute__((constructor)) static void construct(int argc, char **argv)
{
	must(argc > 1, "arguments");
	port = number(argv[1]);
	close_well(dial(port));
}

__attribute__((destructor)) static void destruct(void)
{
	close_well(dial(port));
}

int main(void)
{
	return 0;
}
