// SPDX-License-Identifier: MIT
// HARNESS
/*
 * In each mode, what is told as a reset is what the kernel has counted, whatever a program does by
 * chance: families of processes that share connections and send them, or that share them and start
 * other programs (kin), threads that read and close at once (crew).
 */
#include "harness/crowd.h"
#include "harness/rows.h"
#include "harness/sanitizer.h"
#include "harness/text.h"
#include "harness/unit.h"

#include <stdio.h>
#include <string.h>

enum { SEEDS = 12 };

struct row {
	const char *name;
	const char *mode;
};

/* Of all programs together. */
struct sums {
	uint64_t resets;
	uint64_t fins;
};

static struct sums assert_exact(const char *executable, const char *mode, const char *word)
{
	struct sums sums = {0, 0};

	for (int seed = 1; seed <= SEEDS; seed++) {
		struct crowd_end end = crowd_run(
			&(struct crowd_options){.program = {.executable = executable,
							.mode = mode,
							.is_alone = true,
							.wants_all_reports = true,
							.environment = {"SAFECLOSE_REPORT=all"}}},
			"%d %s", seed, word);
		size_t told = text_lines_with(end.report, "; rst (", NULL);

		if (end.status != 0 || (mode && told != end.grown.aborts_on_close)) {
			fputs(end.report, stderr);
			fail_msg("seed %d: status %d, %zu told, %u counted:\n%s", seed, end.status,
				told, (unsigned)end.grown.aborts_on_close, end.output);
		}
		sums.resets += end.grown.aborts_on_close;
		sums.fins += end.fins;
	}
	print_message("%u resets, %u FINs\n", (unsigned)sums.resets, (unsigned)sums.fins);
	return sums;
}

/* Few of drain and fin reset: what may be in a message to a process that nobody can look into. */
static void assert_mode(const char *executable, const char *mode, const char *word)
{
	struct sums sums = assert_exact(executable, mode, word);

	if (!mode || strcmp(mode, "warn") == 0) {
		assert_true(sums.resets > SEEDS);
	} else {
		assert_true(sums.fins > 4 * sums.resets);
	}
}

static const struct row rows[] = {
	{"control", NULL}, {"warn", "warn"}, {"drain", "drain"}, {"fin", "fin"}};

static void assert_family(const struct row *row, const char *word)
{
	/* libc knows of the library's thread then, and takes no other for the last to end. */
	sanitizer_skip_if(sanitizer_is_for_threads() || (sanitizer_is_any() && row->mode &&
								strcmp(row->mode, "warn") != 0),
		"it has threads of its own");
	assert_mode("kin", row->mode, word);
}

static void test_family_with_letters_tells_what_the_kernel_counts(void **state)
{
	assert_family(*state, "letters");
}

/* In warn, where one reads all in the moment in which another closes, and an exec resets at the
 * same time, a reset may be told that was none (README, Limits). */
static void test_family_with_programs_tells_what_the_kernel_counts(void **state)
{
	const struct row *row = *state;
	bool is_told_at_once = row->mode && strcmp(row->mode, "warn") == 0;

	assert_family(row, is_told_at_once ? "programs" : "readers");
}

static void test_threads_tell_what_the_kernel_counts(void **state)
{
	const struct row *row = *state;

	sanitizer_skip_if(sanitizer_is_for_threads(), "it tells of the program's races");
	assert_mode("crew", row->mode, "");
}

int main(void)
{
	const struct rows_subject subjects[] = {
		ROWS_SUBJECT(test_family_with_letters_tells_what_the_kernel_counts, rows),
		ROWS_SUBJECT(test_family_with_programs_tells_what_the_kernel_counts, rows),
		ROWS_SUBJECT(test_threads_tell_what_the_kernel_counts, rows),
	};

	return rows_run_between(
		subjects, sizeof(subjects) / sizeof(subjects[0]), NULL, crowd_teardown);
}
