// SPDX-License-Identifier: MIT
// HARNESS
/*
 * The library for aarch64 (make aarch64): other tests, with programs for aarch64 that qemu-user runs.
 * Left out is what qemu-user itself lacks:
 *
 * - a new program under it, clone3(), memory of this process read by process_vm_readv(): so exec, and
 *   stacks of more than the call site;
 * - more of TCP_INFO than the state: so listeners;
 * - SO_NETNS_COOKIE: so a connection that another holder reads to its end, while it is closed, may be
 *   told as reset (README, Limits), and those who read at once are left out;
 * - silence at abort(), of which it tells on stderr;
 * - no thread of its own, which holds descriptors as the program's do (CLOSE_RANGE_UNSHARE), and
 *   without which the first thread's end by syscall() would be the last.
 */
#include "harness/elsewhere.h"
#include "harness/rows.h"
#include "harness/sanitizer.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define FOLDER SC_BUILD_DIR "/aarch64/tests/programs/"
#define EMULATOR "/usr/bin/qemu-aarch64-static"

/* Debian's place for libraries of aarch64 elsewhere. */
#define ROOT "/usr/aarch64-linux-gnu"

static struct elsewhere aarch64 = {
	.folder = FOLDER,
	.library = SC_BUILD_DIR "/aarch64/libsafeclose.so",
	.why = "no compiler for aarch64 (Debian: gcc-aarch64-linux-gnu, libc6-dev-arm64-cross)",
};

static const struct elsewhere_row rows[] = {
	{"close", NULL, 48},
	{"ways",
		"close_range closefrom dup2 fclose freopen syscall_close return exit "
		"exit_in_a_thread last_pthread_exit _exit quick_exit",
		12 * 5},
	{"holders",
		"dup dup_and_exit parent_first child_first vfork_child_first "
		"clone_vm_child_first raw_child_at__exit child_at_exit after_a_killed_child",
		2 + 9 * 4},
	{"ends",
		"handlers_then_stdio handlers_of_return handlers_of_quick_exit "
		"handler_that_closes thread_that_uses_is_last syscall_exit_of_a_thread SIGSEGV",
		7},
	{"states", NULL, 10},
	{"written", NULL, 5},
	{"urgent", NULL, 5},
};

static void skip_because(const char *why)
{
	print_message("%s\n", why);
	skip();
}

static void require_emulator(void)
{
	const char *other = getenv("QEMU_AARCH64");
	char command[512];

	sanitizer_skip_if(sanitizer_is_any(), "the other library has none");
	aarch64.under = other ? other : EMULATOR;
	if (access(FOLDER "actor", X_OK) != 0) {
		skip_because(aarch64.why);
	}
	if (access(aarch64.under, X_OK) != 0) {
		skip_because("no " EMULATOR " (Debian: qemu-user-static)");
	}
	setenv("QEMU_LD_PREFIX", ROOT, 1);
	snprintf(command, sizeof(command), "%s " FOLDER "wiped", aarch64.under);
	if (system(command) != 0) {
		skip_because(
			"this qemu-user only feigns MADV_WIPEONFORK (7.2 does, 10.0 does not)");
	}
}

static void test_aarch64_actor_is_of_aarch64(void **state)
{
	(void)state;
	elsewhere_assert_interpreter(&aarch64, "/ld-linux-aarch64.so.1");
}

static void test_aarch64_actor_passes(void **state)
{
	require_emulator();
	elsewhere_run(&aarch64, *state);
}

static const struct rows_subject subjects[] = {
	ROWS_PLAIN(test_aarch64_actor_is_of_aarch64),
	ROWS_SUBJECT(test_aarch64_actor_passes, rows),
};

int main(void)
{
	return ROWS_RUN(subjects);
}
