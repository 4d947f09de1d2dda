// SPDX-License-Identifier: MIT
/* A program that we start: fork, environment, exec; a pipe for its output. */
#include "process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

void process_init(struct process *process, struct process_seen *seen)
{
	*process = (struct process){.output_fd = -1, .seen = seen};
}

static void set(const char *name, const char *value)
{
	if (value != NULL) {
		setenv(name, value, 1);
	}
}

/*
 * LD_PRELOAD is a list parted by spaces and colons, and no path in it can contain one: such a
 * library is named from its own folder.
 */
static void set_preload(const char *library)
{
	char name[4096];
	const char *file = strrchr(library, '/');

	if (strpbrk(library, " :") == NULL || file == NULL) {
		setenv("LD_PRELOAD", library, 1);
		return;
	}
	snprintf(name, sizeof(name), "%.*s", (int)(file - library + 1), library);
	if (chdir(name) == 0) {
		snprintf(name, sizeof(name), ".%s", file);
		setenv("LD_PRELOAD", name, 1);
	}
}

/* The child, until it is the program. */
static void become(char *const arguments[], const struct process_preload *preload, int output)
{
	int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
	sigset_t none;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	dup2(nothing, STDIN_FILENO);
	dup2(output, STDOUT_FILENO);
	dup2(output, STDERR_FILENO);
	if (preload != NULL) {
		set("SAFECLOSE_MODE", preload->mode);
		set("SAFECLOSE_WHEN", preload->when);
		set_preload(preload->library);
	}
	execv(arguments[0], arguments);
	dprintf(STDERR_FILENO, "%s: %s\n", arguments[0], strerror(errno));
	_exit(127);
}

int process_start(
	struct process *process, char *const arguments[], const struct process_preload *preload)
{
	int ends[2];
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) != 0) {
		return -errno;
	}
	pid = fork();
	if (pid == 0) {
		become(arguments, preload, ends[1]);
	}
	close(ends[1]);
	if (pid < 0) {
		close(ends[0]);
		return -EAGAIN;
	}
	process->pid = pid;
	process->output_fd = ends[0];
	process->seen->end = PROCESS_KILLED; /* until it ends otherwise */
	return 0;
}

void process_read(struct process *process)
{
	char lost[512];
	size_t room = OUTPUT_BYTES - 1 - process->output_bytes;
	char *into = process->seen->output + process->output_bytes;
	ssize_t got = room > 0 ? read(process->output_fd, into, room)
			       : read(process->output_fd, lost, sizeof(lost));

	if (got > 0 && room > 0) {
		process->output_bytes += (size_t)got;
	} else if (got == 0 || (got < 0 && errno != EINTR)) {
		close(process->output_fd);
		process->output_fd = -1;
	}
}

static void note_end(struct process *process, int status)
{
	process->pid = 0;
	if (WIFEXITED(status)) {
		process->seen->end = PROCESS_EXITED;
		process->seen->status = WEXITSTATUS(status);
	} else {
		process->seen->end = PROCESS_SIGNALED;
		process->seen->status = WTERMSIG(status);
	}
}

void process_reap(struct process *process)
{
	int status;

	if (process->pid > 0 && waitpid(process->pid, &status, WNOHANG) == process->pid) {
		note_end(process, status);
	}
}

bool process_is_done(const struct process *process)
{
	return process->pid == 0 && process->output_fd < 0;
}

void process_kill(struct process *process)
{
	process_reap(process);
	if (process->pid > 0) {
		kill(process->pid, SIGKILL);
		waitpid(process->pid, NULL, 0);
		process->pid = 0;
	}
	if (process->output_fd >= 0) {
		close(process->output_fd);
		process->output_fd = -1;
	}
}
