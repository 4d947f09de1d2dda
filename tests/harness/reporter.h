// SPDX-License-Identifier: MIT
/* `safeclose report` as its users run it: in files, pipes and terminals, with little memory. */
#ifndef HARNESS_REPORTER_H
#define HARNESS_REPORTER_H

#include <sys/resource.h>
#include <sys/types.h>

enum { REPORTER_WORDS_MAX = 16 };

/* How it is run, beside its words. */
struct reporter_setting {
	int input;           /* descriptor, 0: /dev/null */
	const char *locale;  /* LC_ALL; NULL: C.UTF-8 */
	rlim_t memory_bytes; /* RLIMIT_AS, 0: none */
	int terminal;        /* descriptor for stdout and stderr, 0: files */
};

struct reporter_outcome {
	int status; /* 128 + N for a signal */
	char *output, *errors;
	long memory_kib; /* most that was resident */
};

/* Words behind "report", with blanks between them. The caller ends it by reporter_end(). */
struct reporter_outcome reporter_run(const struct reporter_setting *setting, const char *form, ...)
	__attribute__((format(printf, 2, 3)));
void reporter_end(struct reporter_outcome *outcome);

/* The same in steps. Words of the command behind "report", NULL-terminated, which lie in text. */
void reporter_split(char *text, char *words[REPORTER_WORDS_MAX]);

/* output, errors: descriptors, where the setting has no terminal */
pid_t reporter_start(
	const struct reporter_setting *setting, char *const *words, int output, int errors);

/* Sets what is not text. */
void reporter_await_end(pid_t pid, struct reporter_outcome *outcome);

/* The line of a table that begins so, its blanks made single, is as expected. */
void reporter_assert_row(const char *text, const char *beginning, const char *expected);

#endif
