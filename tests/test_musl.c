// SPDX-License-Identifier: MIT
// HARNESS
/*
 * The very same library in programs that are linked with musl: other tests, with an actor that
 * musl-gcc built. Left out is what differs in musl itself (exit() waits for a stream that is being
 * read; the message of abort()), and names of functions that it has not.
 */
#include "harness/rows.h"
#include "harness/sanitizer.h"
#include "harness/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define ACTOR SC_BUILD_DIR "/tests/musl/actor"

static const struct row {
	const char *name; /* of the test */
	const char *rows; /* that it runs; NULL: all */
	size_t passed;    /* at least so many pass */
} rows[] = {
	{"close", NULL, 48},
	{"ways",
		"close_range close_range_to_the_last close_range_unshare dup2 dup3 fclose "
		"fclose_flushes freopen freopen_flushes freopen_that_fails fcloseall syscall_close "
		"syscall_close_range syscall_dup2 syscall_dup3 return exit exit_flushes "
		"exit_in_a_handler exit_in_a_thread return_beside_a_thread last_pthread_exit _exit "
		"_Exit quick_exit abort syscall_exit syscall_exit_group",
		28 * 5},
	{"sent", NULL, 50},
	{"listener", NULL, 10},
	{"states", NULL, 10},
	{"background", NULL, 15},
	{"unseen", NULL, 15},
};

/* What the test wrote, each line behind a bar: tests/run counts its own runner's lines alone. */
static void tell(char *text)
{
	char *rest;

	for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		print_message("| %s\n", line);
	}
}

static void test_musl_actor_passes(void **state)
{
	const struct row *row = *state;
	char log[] = "/tmp/safeclose-musl-XXXXXX";
	char command[512];
	char *text;
	size_t passed;
	int status;
	int fd = mkstemp(log);

	assert_true(fd >= 0);
	close(fd);
	if (sanitizer_is_any() || access(ACTOR, X_OK) != 0) {
		unlink(log);
		print_message("there is no actor of musl's here (Debian: musl-tools)\n");
		skip();
	}
	setenv("HARNESS_ACTOR", ACTOR, 1);
	if (row->rows) {
		setenv("HARNESS_ROWS", row->rows, 1);
	} else {
		unsetenv("HARNESS_ROWS");
	}
	snprintf(command, sizeof(command),
		"CMOCKA_MESSAGE_OUTPUT=TAP " SC_BUILD_DIR "/tests/test_%s >%s 2>&1", row->name,
		log);
	status = system(command);
	text = text_of_file(log);
	unlink(log);
	passed = text_lines_with(text, "ok ", " - test_") -
		 text_lines_with(text, "not ok ", " - test_");
	if (status != 0 || passed < row->passed) {
		tell(text);
		fail_msg("status %d, %zu passed", status, passed);
	}
	free(text);
}

/* Or the tests above would be of the wrong thing. */
static void test_musl_actor_is_musl_s(void **state)
{
	char *text;
	FILE *loader;
	char line[256] = "";

	(void)state;
	if (access(ACTOR, X_OK) != 0) {
		skip();
	}
	loader = popen("LC_ALL=C readelf -lW " ACTOR " | grep -c 'interpreter: .*ld-musl-'", "r");
	assert_non_null(loader);
	text = fgets(line, sizeof(line), loader);
	pclose(loader);
	assert_non_null(text);
	assert_string_equal(line, "1\n");
}

static const struct rows_subject subjects[] = {
	ROWS_PLAIN(test_musl_actor_is_musl_s),
	ROWS_SUBJECT(test_musl_actor_passes, rows),
};

int main(void)
{
	return ROWS_RUN(subjects);
}
