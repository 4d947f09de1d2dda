// SPDX-License-Identifier: MIT
/*
 * A command line as a user types it: its words may hold blanks, it inherits what descriptors there are,
 * and what it writes is kept. It is killed at the end of the test or at a deadline.
 */
#ifndef HARNESS_COMMAND_H
#define HARNESS_COMMAND_H

#include <sys/types.h>

#define COMMAND_SAFECLOSE SC_BUILD_DIR "/safeclose"

struct command {
	pid_t pid;
	int input; /* its stdin; -1: closed */
	int output;
	int errors;
};

/* Valid until the next command_finish(). */
struct command_end {
	int status; /* 128 + N where signal N ended it */
	const char *output;
	const char *errors;
};

/* words: NULL-terminated; the first one is looked up in PATH. environment: "NAME=value" beside PATH,
 * NULL-terminated, or NULL. */
void command_start(
	struct command *command, const char *const *words, const char *const *environment);

/* Its stdin ends; wait for its end. */
struct command_end command_finish(struct command *command);

/* Both. */
struct command_end command_run(const char *const *words, const char *const *environment);

/* Wait until its stdout so far contains the text, which is returned with all that follows. */
const char *command_await_output(struct command *command, const char *text);

#endif
