// SPDX-License-Identifier: MIT
/*
 * The program under test: a child of the runner with an environment of its own, in which alone the
 * library is preloaded. The runner talks with it over its stdin and stdout, line by line; what it
 * and the library write to stderr is kept in memory. It is killed, with its children, at the end of
 * the test or at a deadline.
 */
#ifndef HARNESS_PROGRAM_H
#define HARNESS_PROGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* From the Makefile: SC_BUILD_DIR, the folder of what was built, absolute; SC_PRELOAD_FIRST, the
 * run-time library of the sanitizer that the library was built with, or "". */
#define PROGRAM_LIBRARY SC_BUILD_DIR "/libsafeclose.so"
#define PROGRAM_FOLDER SC_BUILD_DIR "/tests/programs/"
#define PROGRAM_STRACE "/usr/bin/strace"

enum { PROGRAM_ENVIRONMENT_MAX = 8 };

struct program_options {
	/* SAFECLOSE_MODE; "" preloads the library and leaves the variable unset; NULL is the control:
	 * the library is not preloaded. */
	const char *mode;
	/* Preloaded before and behind the library, or in its place where mode is NULL; NULL: nothing. As
	 * LD_PRELOAD names them. */
	const char *preloaded_before;
	const char *preloaded_behind;
	/* Further "NAME=value", up to the first NULL. */
	const char *environment[PROGRAM_ENVIRONMENT_MAX];
	/* Name in PROGRAM_FOLDER or an absolute path; NULL: the actor. */
	const char *executable;
	/* All reports are wanted, however many there are of one call site in a second: they come as
	 * JSON, and are shown as text. */
	bool wants_all_reports;
	/* Absolute name of a program that is given the executable's name and its arguments. */
	const char *under;
	/* Run as user and group 65534; where that cannot be, the test is skipped. */
	bool is_unprivileged;
	/* See no processes but its own relatives, where that can be: the machine's others may hold
	 * connections, or have descriptors in flight, as far as anybody can tell. */
	bool is_alone;
};

/* Zero-initialise before the first use. */
struct program {
	pid_t pid; /* 0: none, or its status is known */
	int input;
	int output;
	int errors;
	char *script;      /* its command line, for messages */
	char *output_text; /* all of stdout so far */
	size_t output_bytes;
	size_t heard_bytes; /* of output_text, taken by program_hear() */
	char *errors_text;  /* of the last program_errors() */
	bool wants_all_reports;
};

/* Skip the test in a user namespace without another user to become, for programs that drop root. */
void program_require_other_user(void);

/* Skip the test where there is no strace, or where a sanitizer makes calls of its own. */
void program_require_strace(void);

/* Skip it where strace itself could not trace: it ended with this status, and said so on stderr. */
void program_require_traced(int status, const char *errors);

/* Start it with the arguments that stand in the formatted text, separated by blanks. */
void program_start(struct program *program, const struct program_options *options,
	const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Write a line to its stdin. */
void program_say(struct program *program, const char *line);

/* Wait until it has written this line to stdout; lines before it are passed over. */
void program_hear(struct program *program, const char *line);

/* Wait for a line "PREFIX NUMBER" and return the number. */
long program_hear_number(struct program *program, const char *prefix);

/* Wait until stderr contains the text. */
void program_await_errors(struct program *program, const char *text);

/* Read what it has written meanwhile. Returns false once it has closed its stdout. */
bool program_pump(struct program *program, int wait_ms);

/* Wait for its end. Returns its exit status, 128 + N where signal N ended it. */
int program_await_exit(struct program *program);

/* All of stdout so far; after program_await_exit(), all. Valid until the next call. */
const char *program_output(struct program *program);

/* All of stderr so far. Valid until the next call. */
const char *program_errors(struct program *program);

/* Kill it if it still runs, with its children; free all. */
void program_end(struct program *program);

#endif
