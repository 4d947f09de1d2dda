// SPDX-License-Identifier: MIT
// HARNESS
/*
 * The ordinary library in programs that were built with AddressSanitizer, whose run-time library has
 * definitions of its own of malloc(), of fork() and of what prints: other tests, with such an actor.
 * test_sanitized.c is about threads.
 */
#include "harness/elsewhere.h"
#include "harness/rows.h"
#include "harness/sanitizer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { COMPILERS = 2 };

static const char *const compilers[COMPILERS] = {"gcc", "clang"};
static char folders[COMPILERS][48]; /* each has an actor, where one can be built */

/* Where a child begins on another stack, AddressSanitizer has something to say. */
static const struct elsewhere_row tests[] = {
	{"ways", "dup2 fclose_flushes syscall_close exit_flushes last_pthread_exit _exit", 6 * 5},
	{"holders", "parent_closes child_closes vfork_child_closes child_exits sharing_child_exits",
		8},
	{"exec", "execve execvp after_a_child", 14},
};

enum { TESTS = sizeof(tests) / sizeof(tests[0]) };

static struct row {
	const char *name;
	const struct elsewhere_row *test;
	const char *compiler;
	const char *folder;
	char name_text[48];
} rows[COMPILERS * TESTS];

static void test_asan_actor_passes(void **state)
{
	const struct row *row = *state;
	const struct elsewhere asan = {
		.folder = row->folder,
		.why = "such programs cannot be built or run here",
	};

	elsewhere_run(&asan, row->test);
}

/* Leaks are not looked for: the actor ends in the middle of things, and in a namespace. gcc's
 * run-time library asks to be the first of all. */
static void build(const char *compiler, char folder[48])
{
	char command[1024];

	strcpy(folder, "/tmp/safeclose-asan-XXXXXX");
	if (!mkdtemp(folder)) {
		abort();
	}
	strcat(folder, "/");
	snprintf(command, sizeof(command),
		"exec >/dev/null 2>&1; cd " SC_SOURCE_DIR "/tests/programs && %s -std=gnu11 -g -O1 "
		"-D_GNU_SOURCE -fsanitize=address -o %sactor actor.c words/*.c -lpthread -ldl && "
		"%sactor || rm -f %sactor",
		compiler, folder, folder, folder);
	if (!sanitizer_is_any() && system(command) < 0) {
		abort();
	}
}

static void remove_actor(char *folder)
{
	char path[128];

	snprintf(path, sizeof(path), "%sactor", folder);
	unlink(path);
	folder[strlen(folder) - 1] = '\0';
	rmdir(folder);
}

int main(void)
{
	int failed;

	setenv("ASAN_OPTIONS", "verify_asan_link_order=0:detect_leaks=0:handle_segv=0", 0);
	for (size_t i = 0; i < COMPILERS * TESTS; i++) {
		struct row *row = &rows[i];

		row->test = &tests[i % TESTS];
		row->compiler = compilers[i / TESTS];
		row->folder = folders[i / TESTS];
		snprintf(row->name_text, sizeof(row->name_text), "%s, %s", row->compiler,
			row->test->name);
		row->name = row->name_text;
	}
	for (size_t i = 0; i < COMPILERS; i++) {
		build(compilers[i], folders[i]);
	}
	const struct rows_subject subjects[] = {ROWS_SUBJECT(test_asan_actor_passes, rows)};

	failed = ROWS_RUN(subjects);
	for (size_t i = 0; i < COMPILERS; i++) {
		remove_actor(folders[i]);
	}
	return failed;
}
