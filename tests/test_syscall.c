// SPDX-License-Identifier: MIT
// HARNESS
/*
 * syscall() with a number that closes nothing, and clone(): arguments, results, errno and the stack
 * are as they are without the library.
 */
#include "harness/rows.h"
#include "harness/stage.h"
#include "harness/text.h"
#include "harness/verdict.h"

#include <stdlib.h>
#include <string.h>

static struct stage_end run(const char *mode)
{
	struct stage *stage = stage_open(PEER_IPV4);
	struct stage_end end;

	program_start(
		&stage->program, &(struct program_options){.executable = "raw", .mode = mode}, " ");
	end = stage_judge(stage, program_await_exit(&stage->program));
	assert_int_equal(end.status, 0);
	return end;
}

/* The program's own expectations, where they are not the kernel's to say. */
static void assert_went_well(const char *output)
{
	static const char *const lines[] = {"mmap where wanted -> 1 errno 4242\n",
		"mmap of the second page -> 1 errno 4242\n", "mmap is private -> 1 errno 4242\n",
		"no such number -> -1 errno 38\n", "getpid -> 1 errno 4242\n",
		"close of nothing -> -1 errno 9\n", "futex -> 1 errno 4242\n",
		"child -> 7 errno 4242\n", "parent's word -> 1 errno 4242\n",
		"child -> 9 errno 4242\n"};

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		if (!strstr(output, lines[i])) {
			fail_msg("not %sbut:\n%s", lines[i], output);
		}
	}
}

static void test_syscall_passes_through_untouched(void **state)
{
	static const char *const modes[] = {"off", "warn", "drain", "fin"};
	char *expected = strdup(run(NULL).output);

	(void)state;
	assert_went_well(expected);
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		struct stage_end end = run(modes[i]);

		assert_string_equal(end.output, expected);
		assert_not_reported(&end);
	}
	free(expected);
}

static const struct rows_subject subjects[] = {
	ROWS_PLAIN(test_syscall_passes_through_untouched),
};

int main(void)
{
	return ROWS_RUN(subjects);
}
