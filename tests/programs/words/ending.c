// SPDX-License-Identifier: MIT
/* Words that end the process or a thread, and what happens then. */
#include "words.h"

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { HANDLERS_MAX = 8 };

static char **handlers[HANDLERS_MAX]; /* blocks to be performed at exit, last one first */
static int handler_count;
static pthread_t thread;

static void do_exit(char **words)
{
	exit(number(words[0]));
}

static void do_exit_now(char **words)
{
	_exit(number(words[0]));
}

static void do_c_exit_now(char **words)
{
	_Exit(number(words[0]));
}

static void do_quick_exit(char **words)
{
	quick_exit(number(words[0]));
}

static void do_abort(char **words)
{
	(void)words;
	abort();
}

static sigjmp_buf before_abort;

static void return_from_abort(int signal_number)
{
	(void)signal_number;
	tell("caught");
}

static void jump_from_abort(int signal_number)
{
	(void)signal_number;
	siglongjmp(before_abort, 1);
}

/* SIGABRT is caught: the process ends all the same, or it goes on. */
static void do_abort_caught(char **words)
{
	bool is_jump = strcmp(words[0], "jump") == 0;

	signal(SIGABRT, is_jump ? jump_from_abort : return_from_abort);
	if (sigsetjmp(before_abort, 1) == 0) {
		abort();
	}
	tell("back");
}

static void do_raise(char **words)
{
	raise(number(words[0]));
}

static void do_syscall_exit(char **words)
{
	syscall(SYS_exit, number(words[0]));
}

static void do_syscall_exit_group(char **words)
{
	syscall(SYS_exit_group, number(words[0]));
}

static void run_handler(void)
{
	run_words(handlers[--handler_count]);
}

static void do_at_exit(char **words)
{
	(void)words;
	must(handler_count < HANDLERS_MAX, "too many handlers");
	handlers[handler_count++] = next_word;
	must(atexit(run_handler) == 0, "atexit");
	next_word = behind_block(next_word);
}

static void do_at_quick_exit(char **words)
{
	(void)words;
	must(handler_count < HANDLERS_MAX, "too many handlers");
	handlers[handler_count++] = next_word;
	must(at_quick_exit(run_handler) == 0, "at_quick_exit");
	next_word = behind_block(next_word);
}

/* Into stdout's buffer, which is flushed at exit. */
static void do_puts(char **words)
{
	must(puts(words[0]) >= 0, "puts");
}

/* ---- threads ------------------------------------------------------------------------------- */

static void *run_thread(void *words)
{
	run_words(words);
	return NULL;
}

/* One at a time; the words behind the block go on beside it. */
static void do_thread(char **words)
{
	(void)words;
	must(pthread_create(&thread, NULL, run_thread, next_word) == 0, "pthread_create");
	next_word = behind_block(next_word);
}

static void do_join(char **words)
{
	(void)words;
	must(pthread_join(thread, NULL) == 0, "pthread_join");
}

/* Wait for the main thread's end: until then this one is not the last. */
static void do_await_main_ended(char **words)
{
	int64_t start_ms = now_ms();
	char path[64];
	char state = ' ';

	(void)words;
	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", getpid());
	while (state != 'Z') {
		FILE *file = fopen(path, "re");

		must(file && fscanf(file, "%*d %*s %c", &state) == 1, "stat");
		fclose(file);
		pause_within(start_ms);
	}
}

static void do_pthread_exit(char **words)
{
	(void)words;
	pthread_exit(NULL);
}

/* Sleep in stdio, with the lock of stdin held. */
static void do_fgets(char **words)
{
	char line[LINE_MAX_BYTES];

	(void)words;
	must(fgets(line, sizeof(line), stdin) == NULL, "fgets came back with a line");
}

/* For ever. */
static void do_sleep(char **words)
{
	(void)words;
	for (;;) {
		pause();
	}
}

const struct word words_ending[] = {
	{"exit", 1, do_exit},             /* STATUS */
	{"exit-now", 1, do_exit_now},     /* STATUS: _exit */
	{"c-exit-now", 1, do_c_exit_now}, /* STATUS: _Exit */
	{"quick-exit", 1, do_quick_exit}, /* STATUS */
	{"abort", 0, do_abort},
	{"abort-caught", 1, do_abort_caught}, /* return|jump: jump goes on, and tells "back" */
	{"raise", 1, do_raise},               /* SIGNAL */
	{"syscall-exit", 1, do_syscall_exit}, /* STATUS */
	{"syscall-exit-group", 1, do_syscall_exit_group}, /* STATUS */
	{"at-exit", BLOCK, do_at_exit},                   /* WORD... end */
	{"at-quick-exit", BLOCK, do_at_quick_exit},       /* WORD... end */
	{"puts", 1, do_puts},                             /* LINE */
	{"thread", BLOCK, do_thread},                     /* WORD... end */
	{"join", 0, do_join},                             /* the thread */
	{"await-main-ended", 0, do_await_main_ended},     /* in the thread */
	{"pthread-exit", 0, do_pthread_exit},
	{"fgets", 0, do_fgets}, /* from stdin, until its end */
	{"sleep", 0, do_sleep}, /* for ever */
	{NULL, 0, NULL},
};
