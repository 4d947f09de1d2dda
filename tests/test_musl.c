// SPDX-License-Identifier: MIT
// HARNESS
/*
 * The very same library in programs that are linked with musl: other tests, with
 * programs that musl-gcc built. Left out is what differs in musl itself (exit() waits for a stream that is being
 * read; the message of abort()), and names of functions that it has not.
 */
#include "harness/elsewhere.h"
#include "harness/rows.h"

static const struct elsewhere musl = {
	.folder = SC_BUILD_DIR "/musl/",
	.why = "there is no musl-gcc here (Debian: musl-tools)",
};

static const struct elsewhere_row rows[] = {
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
	{"unseen", NULL, 15},
};

static void test_musl_actor_is_musl_s(void **state)
{
	(void)state;
	elsewhere_assert_interpreter(&musl, "/ld-musl-");
}

static void test_musl_actor_passes(void **state)
{
	elsewhere_run(&musl, *state);
}

static const struct rows_subject subjects[] = {
	ROWS_PLAIN(test_musl_actor_is_musl_s),
	ROWS_SUBJECT(test_musl_actor_passes, rows),
};

int main(void)
{
	return ROWS_RUN(subjects);
}
