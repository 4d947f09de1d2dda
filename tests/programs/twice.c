// SPDX-License-Identifier: MIT
/*
 * twice: a thread closes a connection, and while the library looks at it, another thread closes the same
 * descriptor, unseen by the library, and then a second connection, whose look gets the free number.
 * Tells how often the first was closed: once, with the library and without.
 */
#include "dial.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <sys/wait.h>

static int first;
static atomic_bool is_done;

/* By an instruction of its own. */
static long close_unseen(int fd)
{
#ifdef __x86_64__
	long result = SYS_close;

	__asm__ volatile("syscall" : "+a"(result) : "D"((long)fd) : "rcx", "r11", "memory");
	return result;
#else
	return close(fd);
#endif
}

/* Is the library at its last look, the one into the kernel's counts? */
static bool is_last_look(int fd)
{
	char name[64];
	char target[256];
	ssize_t length;

	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	length = readlink(name, target, sizeof(target) - 1);
	target[length > 0 ? length : 0] = '\0';
	return strstr(target, "netstat") != NULL;
}

static void *close_first(void *result)
{
	errno = 0;
	*(int *)result = close(first);
	must(*(int *)result == 0 || errno == EBADF, "neither closed nor EBADF");
	atomic_store(&is_done, true);
	return NULL;
}

int main(void)
{
	pthread_t thread;
	int listener = listen_here();
	int ends[2];
	int others[2];
	int of_thread;
	int of_this;
	int status;
	pid_t pid;

	connect_pair(listener, ends);
	connect_pair(listener, others);
	first = ends[1];
	pid = fork(); /* from now on each has to be looked for in /proc */
	if (pid == 0) {
		_exit(0);
	}
	must(waitpid(pid, &status, 0) == pid && status == 0, "fork");

	must(pthread_create(&thread, NULL, close_first, &of_thread) == 0, "pthread_create");
	while (!atomic_load(&is_done) && !is_last_look(others[1] + 1)) {
	}
	of_this = (int)close_unseen(first);
	close_well(others[1]);
	must(pthread_join(thread, NULL) == 0, "pthread_join");
	tell("closed %d times", (of_this == 0) + (of_thread == 0));
	return 0;
}
