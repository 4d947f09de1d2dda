// SPDX-License-Identifier: MIT
/*
 * wiped: does a forked child find a page zeroed that was marked so (MADV_WIPEONFORK)? Status 0 if it
 * does, 1 if not, whatever madvise() has said.
 */
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef MADV_WIPEONFORK
#define MADV_WIPEONFORK 18
#endif

int main(void)
{
	volatile int *page =
		mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int status = 1;
	pid_t pid;

	if (page == MAP_FAILED) {
		return 1;
	}
	*page = 1;
	madvise((void *)page, 4096, MADV_WIPEONFORK);
	pid = fork();
	if (pid == 0) {
		_exit(*page);
	}
	return pid < 0 || waitpid(pid, &status, 0) != pid || status != 0;
}
