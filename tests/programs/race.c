// SPDX-License-Identifier: MIT
/*
 * race PORT ROUNDS: in each round, a child and its parent close the same connection with unread bytes
 * at the same moment, give or take some. In every other round the child reads them all before.
 */
#include "dial.h"

#include <sched.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/wait.h>

enum { SPINS_STEP = 97, SPINS_MAX = 20000 };

static void child_ends(int fd, _Atomic int *started, bool reads)
{
	char bytes[DIAL_BYTES];

	atomic_store(started, 1);
	while (atomic_load(started) != 2) {
		sched_yield();
	}
	must(!reads || recv(fd, bytes, sizeof(bytes), MSG_WAITALL) == DIAL_BYTES, "recv");
	close_well(fd);
	_exit(0);
}

static void run_round(int port, _Atomic int *started, int round)
{
	int fd = dial(port);
	pid_t pid;
	int status;

	atomic_store(started, 0);
	pid = fork();
	must(pid >= 0, "fork");
	if (pid == 0) {
		child_ends(fd, started, round % 2 == 0);
	}
	while (atomic_load(started) == 0) {
		sched_yield();
	}
	atomic_store(started, 2);
	for (volatile int spins = round * SPINS_STEP % SPINS_MAX; spins > 0; spins--) {
	}
	close_well(fd);
	must(waitpid(pid, &status, 0) == pid && status == 0, "the child");
}

int main(int argc, char **argv)
{
	_Atomic int *started = mmap(
		NULL, sizeof(*started), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	must(argc == 3 && started != MAP_FAILED, "usage: race PORT ROUNDS");
	for (int round = 0; round < number(argv[2]); round++) {
		run_round(number(argv[1]), started, round);
	}
	return 0;
}
