// SPDX-License-Identifier: MIT
/* `safeclose run` as a user types it, with its words and what it inherits, and what it says of them. */
#ifndef HARNESS_RUNNER_H
#define HARNESS_RUNNER_H

#include "command.h"

#define SAFECLOSE COMMAND_SAFECLOSE
#define RUN(...)                                    \
	(const char *const[])                       \
	{                                           \
		SAFECLOSE, "run", __VA_ARGS__, NULL \
	}
#define ENVIRONMENT(...)          \
	(const char *const[])     \
	{                         \
		__VA_ARGS__, NULL \
	}

/* A sanitizer's library has to be the first one, and this command puts ours there. */
void runner_skip_for_sanitizer(void);

/* The line of `env` that begins so, without its newline. The caller frees it. */
char *runner_variable(const struct command_end *end, const char *begin);

/* One line of stderr, which begins as all do and names the word. */
void assert_refused(const struct command_end *end, const char *word);

#endif
