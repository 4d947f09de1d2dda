// SPDX-License-Identifier: MIT
/*
 * early PORT WHEN: closes a connection with unread bytes at the edges of a process's life. WHEN:
 *     preinit      before the constructor of any library
 *     constructor  before main
 *     atexit       in a handler, in exit
 *     destructor   behind all handlers of the program
 *     late         in a handler that was registered before any library's constructor ran
 *     pipe-first   before main, but a pipe was closed before the constructor of any library
 */
#include "dial.h"

static const char *when = "";
static int port;

static void close_if(const char *name)
{
	if (strcmp(when, name) == 0) {
		int fd = dial(port);

		tell("%s", name);
		close_well(fd);
	}
}

static void close_late(int status, void *unused)
{
	(void)status;
	(void)unused;
	close_if("late");
}

static void close_in_exit(void)
{
	close_if("atexit");
}

/* glibc gives them the arguments of main. */
static void begin(int argc, char **argv)
{
	must(argc == 3, "arguments");
	port = number(argv[1]);
	when = argv[2];
	if (strcmp(when, "late") == 0) {
		on_exit(close_late, NULL); /* which belongs to no library's destructors */
	}
	if (strcmp(when, "pipe-first") == 0) {
		int ends[2];

		must(pipe(ends) == 0, "pipe");
		close_well(ends[0]);
		close_well(ends[1]);
	}
	close_if("preinit");
}

__attribute__((section(".preinit_array"), used)) static void (*const preinit)(int, char **) = begin;

__attribute__((constructor(101))) static void construct(void)
{
	close_if("constructor");
	close_if("pipe-first");
}

__attribute__((destructor(101))) static void destruct(void)
{
	close_if("destructor");
}

int main(void)
{
	atexit(close_in_exit);
	return 0;
}
