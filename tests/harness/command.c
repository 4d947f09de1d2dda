// SPDX-License-Identifier: MIT
#include "command.h"
#include "deadline.h"
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ENVIRONMENT_ROOM = 16 };

/* Two at a time: stdout's and stderr's. */
static char *texts[2];

static void __attribute__((noreturn)) become(const char *const *words,
	const char *const *environment, int input, const struct command *command)
{
	char path[4096];
	char *entries[ENVIRONMENT_ROOM] = {path};
	size_t count = 1;

	snprintf(path, sizeof(path), "PATH=%s", getenv("PATH"));
	for (; environment && *environment && count < ENVIRONMENT_ROOM - 1; environment++) {
		entries[count++] = (char *)(uintptr_t)*environment;
	}
	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	dup2(input, 0);
	dup2(command->output, 1);
	dup2(command->errors, 2);
	execvpe(words[0], (char **)(uintptr_t)words, entries);
	dprintf(2, "%s: %s\n", words[0], strerror(errno));
	_exit(127);
}

static int open_memory(void)
{
	int fd = memfd_create("output", MFD_CLOEXEC);

	assert_true(fd > 2);
	fcntl(fd, F_SETFL, O_APPEND);
	return fd;
}

void command_start(
	struct command *command, const char *const *words, const char *const *environment)
{
	int ends[2];

	signal(SIGPIPE, SIG_IGN);
	assert_return_code(pipe2(ends, O_CLOEXEC), errno);
	command->input = ends[1];
	command->output = open_memory();
	command->errors = open_memory();
	command->pid = fork();
	if (command->pid == 0) {
		signal(SIGPIPE, SIG_DFL);
		become(words, environment, ends[0], command);
	}
	assert_true(command->pid > 0);
	setpgid(command->pid, command->pid);
	close(ends[0]);
}

static const char *text_of(int fd, size_t which)
{
	struct stat status;
	ssize_t bytes;

	assert_return_code(fstat(fd, &status), errno);
	free(texts[which]);
	texts[which] = malloc((size_t)status.st_size + 1);
	assert_non_null(texts[which]);
	bytes = pread(fd, texts[which], (size_t)status.st_size, 0);
	assert_true(bytes >= 0);
	texts[which][bytes] = '\0';
	return texts[which];
}

static void kill_group(const struct command *command)
{
	kill(-command->pid, SIGKILL);
	waitpid(command->pid, NULL, 0);
}

const char *command_await_output(struct command *command, const char *text)
{
	int64_t deadline = deadline_in(DEADLINE_MS);
	const char *place;

	while ((place = strstr(text_of(command->output, 0), text)) == NULL) {
		if (!deadline_pause(deadline)) {
			kill_group(command);
			fail_msg("waited for \"%s\"; stdout:\n%s\nstderr:\n%s", text, texts[0],
				text_of(command->errors, 1));
		}
	}
	return place;
}

struct command_end command_finish(struct command *command)
{
	int64_t deadline = deadline_in(DEADLINE_MS);
	struct command_end end;
	int status;

	if (command->input >= 0) {
		close(command->input);
	}
	while (waitpid(command->pid, &status, WNOHANG) == 0) {
		if (!deadline_pause(deadline)) {
			kill_group(command);
			fail_msg("did not end; stdout:\n%s\nstderr:\n%s",
				text_of(command->output, 0), text_of(command->errors, 1));
		}
	}
	end.status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
	end.output = text_of(command->output, 0);
	end.errors = text_of(command->errors, 1);
	close(command->output);
	close(command->errors);
	return end;
}

struct command_end command_run(const char *const *words, const char *const *environment)
{
	struct command command;

	command_start(&command, words, environment);
	return command_finish(&command);
}
