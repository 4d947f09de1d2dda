// SPDX-License-Identifier: MIT
// HARNESS
/* The library for i386 (make lib32): other tests, with programs for i386. */
#include "harness/elsewhere.h"
#include "harness/rows.h"

static const struct elsewhere lib32 = {
	.folder = SC_BUILD_DIR "/lib32/tests/programs/",
	.library = SC_BUILD_DIR "/lib32/libsafeclose.so",
	.why = "the compiler does not build for i386 (Debian: gcc-12-multilib)",
};

static const struct elsewhere_row rows[] = {
	{"close", NULL, 48},
	{"ways", NULL, 180},
	{"holders", NULL, 100},
	{"sent", NULL, 50},
	/* Those of x86-64 would be started by the others: a loader's complaint on stderr. */
	{"exec",
		"execve execv execvp execl fexecve execveat execveat_empty_path syscall "
		"syscall_execveat two_descriptors execveat_where_execve_is_forbidden with_a_thread "
		"after_a_child",
		13 * 3},
	{"ends", NULL, 20},
	{"listener", NULL, 10},
	{"states", NULL, 10},
	{"unseen", NULL, 15},
	{"written", NULL, 5},
	{"urgent", NULL, 5},
	{"limits", NULL, 5},
	{"background", NULL, 20},
	{"stack", NULL, 7},
};

static void test_lib32_actor_is_of_32_bits(void **state)
{
	(void)state;
	elsewhere_assert_interpreter(&lib32, "/ld-linux.so.2");
}

static void test_lib32_actor_passes(void **state)
{
	elsewhere_run(&lib32, *state);
}

static const struct rows_subject subjects[] = {
	ROWS_PLAIN(test_lib32_actor_is_of_32_bits),
	ROWS_SUBJECT(test_lib32_actor_passes, rows),
};

int main(void)
{
	return ROWS_RUN(subjects);
}
