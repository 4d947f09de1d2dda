// SPDX-License-Identifier: MIT
#include "reporter.h"
#include "deadline.h"
#include "unit.h"

#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define COMMAND SC_BUILD_DIR "/safeclose"

enum { LONG_DEADLINE_MS = 300000 };

static char *content_of(int fd)
{
	off_t size = lseek(fd, 0, SEEK_END);
	char *text = calloc(1, (size_t)size + 1);

	assert_non_null(text);
	assert_int_equal(pread(fd, text, (size_t)size, 0), size);
	close(fd);
	return text;
}

/* In the child. */
static void become(
	const struct reporter_setting *setting, char *const *words, int output, int errors)
{
	static char path[64 + 4096];
	char locale[64];
	char *environment[] = {path, locale, NULL};
	int input = setting->input ? setting->input : open("/dev/null", O_RDONLY);

	snprintf(path, sizeof(path), "PATH=%s", getenv("PATH") ? getenv("PATH") : "/usr/bin:/bin");
	snprintf(
		locale, sizeof(locale), "LC_ALL=%s", setting->locale ? setting->locale : "C.UTF-8");
	dup2(input, 0);
	dup2(setting->terminal ? setting->terminal : output, 1);
	dup2(setting->terminal ? setting->terminal : errors, 2);
	if (setting->memory_bytes > 0) {
		const struct rlimit limit = {setting->memory_bytes, setting->memory_bytes};

		setrlimit(RLIMIT_AS, &limit);
	}
	execve(words[0], words, environment);
	_exit(127);
}

pid_t reporter_start(
	const struct reporter_setting *setting, char *const *words, int output, int errors)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		become(setting, words, output, errors);
	}
	return pid;
}

void reporter_await_end(pid_t pid, struct reporter_outcome *outcome)
{
	int64_t deadline = deadline_in(LONG_DEADLINE_MS);
	struct rusage usage;
	int status;
	pid_t ended;

	while ((ended = wait4(pid, &status, WNOHANG, &usage)) == 0) {
		if (!deadline_pause(deadline)) {
			kill(pid, SIGKILL);
			waitpid(pid, NULL, 0);
			fail_msg("safeclose report did not end");
		}
	}
	assert_int_equal(ended, pid);
	outcome->status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
	outcome->memory_kib = usage.ru_maxrss;
}

void reporter_split(char *text, char *words[REPORTER_WORDS_MAX])
{
	static char command[] = COMMAND, report[] = "report";
	size_t count = 0;
	char *rest = NULL;

	words[count++] = command;
	words[count++] = report;
	for (char *word = strtok_r(text, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) {
		assert_true(count < REPORTER_WORDS_MAX - 1);
		words[count++] = word;
	}
	words[count] = NULL;
}

struct reporter_outcome reporter_run(const struct reporter_setting *setting, const char *form, ...)
{
	struct reporter_outcome outcome;
	char *text, *words[REPORTER_WORDS_MAX];
	int output = memfd_create("output", MFD_CLOEXEC);
	int errors = memfd_create("errors", MFD_CLOEXEC);
	va_list values;

	va_start(values, form);
	assert_true(vasprintf(&text, form, values) >= 0);
	va_end(values);
	reporter_split(text, words);
	reporter_await_end(reporter_start(setting, words, output, errors), &outcome);
	outcome.output = content_of(output);
	outcome.errors = content_of(errors);
	free(text);
	return outcome;
}

void reporter_end(struct reporter_outcome *outcome)
{
	free(outcome->output);
	free(outcome->errors);
}

/* The line of a table that begins so, its blanks made single. */
static char *row(const char *text, const char *beginning)
{
	const char *at = text;
	char *line, *to;

	while (strncmp(at, beginning, strlen(beginning)) != 0) {
		at = strchr(at, '\n');
		if (!at) {
			fail_msg("no line begins with %s in:\n%s", beginning, text);
		}
		at++;
	}
	line = strndup(at, strcspn(at, "\n"));
	to = line;
	for (char *from = line; *from; from++) {
		if (*from != ' ' || from[1] != ' ') {
			*to++ = *from;
		}
	}
	*to = 0;
	return line;
}

void reporter_assert_row(const char *text, const char *beginning, const char *expected)
{
	char *line = row(text, beginning);

	assert_string_equal(line, expected);
	free(line);
}
