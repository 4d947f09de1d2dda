// SPDX-License-Identifier: MIT
/*
 * What the words of the actor share. A word is a function that gets its arguments; words that take
 * a block ("fork WORD... end") find it at next_word. See ../actor.c.
 */
#ifndef PROGRAMS_WORDS_H
#define PROGRAMS_WORDS_H

#include "../../harness/pattern.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/socket.h>

enum {
	ERRNO_BEFORE = 4242,
	STATUS_FAILED = 125,
	WAIT_MS = 20000,
	FD_MAX = 256, /* descriptors whose place in the pattern is known */
	LINE_MAX_BYTES = 512,
	BLOCK = 0x100, /* added to a word's number of arguments: "WORD... end" follows them */
};

/* A row of a group's table, which ends with one without a name. */
struct word {
	const char *name;
	int arguments;
	void (*perform)(char **words);
};

extern const struct word words_opening[];
extern const struct word words_waiting[];
extern const struct word words_using[];
extern const struct word words_sharing[];
extern const struct word words_closing[];
extern const struct word words_ending[];
extern const struct word words_processes[];
extern const struct word words_exec[];
extern const struct word words_rings[];

/* Of this thread. A vfork child shares all of this with its parent. */
extern __thread char **next_word; /* of the command line */
extern __thread const char *running_word;

extern int input_fd; /* where hear listens; see the word control */
extern int output_fd;
extern uint64_t read_place[FD_MAX]; /* bytes of the pattern read from each descriptor */
extern uint64_t written_place[FD_MAX];
extern FILE *streams[FD_MAX]; /* opened by fdopen */

/* One line, in one write. */
void tell(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* What a close-like call came to. Keep it the only thing between the call and the line. */
void tell_result(const char *call, const char *arguments, long result);

void give_up(const char *what) __attribute__((noreturn));
void must(bool is_done, const char *what);
int number(const char *text);
int64_t now_ms(void);

/* Lets a millisecond pass; gives up where the wait that began at start_ms has lasted too long. */
void pause_within(int64_t start_ms);

void await_events(int fd, short events);

/* A descriptor has come out as the script says; its streams begin at their start. */
void must_be(int fd, int wanted_fd);

/* Perform the words up to the last one or up to the block's "end". */
void run_words(char **words);

/* The word behind the "end" that belongs to the block which begins at words. */
char **behind_block(char **words);

/* Perform the block at next_word in a child, which leaves by _exit(0); the parent (result of the
 * fork greater than 0) goes on behind. */
void part_after_fork(long result);

#endif
