// SPDX-License-Identifier: MIT
/*
 * atonce ROUNDS: both ends of a connection, in two processes, have a byte unread and are closed in the same
 * moment. Whichever comes second may have been reset by then, and resets nothing.
 */
#include "dial.h"

#include <sched.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/wait.h>

enum { PAUSE_MAX = 3000, MAPPED = MAP_SHARED | MAP_ANONYMOUS };

/* How many rounds each of the two has come to the end of. */
static atomic_int *ready;

static void close_both(int fd, int mine, int round)
{
	char byte;

	must(send(fd, "x", 1, 0) == 1, "send");
	must(recv(fd, &byte, 1, MSG_PEEK) == 1, "recv");
	atomic_store(&ready[mine], round);
	while (atomic_load(&ready[!mine]) < round) {
		sched_yield();
	}
	for (volatile int pause = rand() % PAUSE_MAX; pause > 0; pause--) {
	}
	close_well(fd);
}

int main(int argc, char **argv)
{
	int listener = listen_here();
	int rounds;
	int status;
	pid_t pid;

	must(argc == 2, "usage: atonce ROUNDS");
	rounds = number(argv[1]);
	ready = mmap(NULL, 2 * sizeof(*ready), PROT_READ | PROT_WRITE, MAPPED, -1, 0);
	must(ready != MAP_FAILED, "mmap");
	pid = fork();
	must(pid >= 0, "fork");
	for (int round = 1; round <= rounds; round++) {
		int fd = pid == 0 ? connect_here(listener) : accept(listener, NULL, NULL);

		must(fd >= 0, "accept");
		close_both(fd, pid == 0, round);
	}
	must(pid == 0 || (waitpid(pid, &status, 0) == pid && status == 0), "waitpid");
	return 0;
}
