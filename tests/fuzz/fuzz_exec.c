// SPDX-License-Identifier: MIT
/*
 * A file of any bytes that a program is about to execute. Whether that may succeed has an answer: no
 * crash, no descriptor left, errno as it was; nothing but a whole program of this machine or a script
 * is said to run, anything else at most by the shell.
 */
#include "must.h"

#include "executable.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static bool may_run(int fd, bool is_shell_allowed)
{
	char *words[] = {(char[]){"file"}, NULL};
	struct sc_exec exec = {.folder = fd,
		.path = "",
		.flags = AT_EMPTY_PATH,
		.argv = words,
		.envp = words + 1,
		.is_shell_allowed = is_shell_allowed};

	errno = 4242;
	bool answer = sc_executable_may_run(&exec);
	must(errno == 4242);
	return answer;
}

int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t size)
{
	static int fd = -1;
	static int next_fd;

	if (fd < 0) {
		fd = memfd_create("file", MFD_CLOEXEC);
		must(fd >= 0 && fchmod(fd, 0755) == 0);
		next_fd = dup(fd);
		close(next_fd);
	}
	must(ftruncate(fd, 0) == 0 && pwrite(fd, bytes, size, 0) == (ssize_t)size);
	bool is_elf = size >= sizeof(Elf64_Ehdr) && memcmp(bytes, ELFMAG, SELFMAG) == 0;
	bool is_script = size > 2 && memcmp(bytes, "#!", 2) == 0;
	bool runs = may_run(fd, false);
	bool runs_by_shell = may_run(fd, true);

	must(!runs || is_elf || is_script);
	must(!runs || runs_by_shell);
	must(is_elf || is_script || runs_by_shell);
	int fd_now = dup(fd);
	must(fd_now == next_fd);
	close(fd_now);
	return 0;
}
