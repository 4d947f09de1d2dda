// SPDX-License-Identifier: MIT
// HARNESS
/* Streams with bytes to be written, where flushing them decides what the close does, or fails. */
#include "harness/rows.h"
#include "harness/stage.h"
#include "harness/verdict.h"

#include <stdlib.h>
#include <string.h>

static const char *const modes[] = {"off", "warn", "drain", "fin"};

enum { MODE_COUNT = sizeof(modes) / sizeof(modes[0]) };

static struct stage_end run_flushes(const char *mode, const char *way)
{
	struct stage *stage = stage_open_uncaptured(PEER_IPV4);
	struct stage_end end = {0};

	program_start(&stage->program,
		&(struct program_options){
			.executable = "flushes", .mode = mode, .wants_all_reports = true},
		"%s", way);
	end.status = program_await_exit(&stage->program);
	end.grown = counters_since(&stage->before);
	end.output = program_output(&stage->program);
	end.errors = program_errors(&stage->program);
	return end;
}

struct row {
	const char *name;
};

static const struct row ways[] = {{"fclose"}, {"freopen"}, {"exit"}};

/* The peer has closed. The flush makes it reset the connection, so that the close has nothing to reset. */
static void test_flush_to_a_peer_that_is_gone_is_no_reset(void **state)
{
	const struct row *row = *state;
	struct stage_end end = run_flushes(NULL, row->name);
	uint64_t resets = end.grown.out_rsts;

	assert_int_equal(end.status, 0);
	assert_int_equal(end.grown.aborts_on_close, 0);
	assert_true(resets > 0);
	for (size_t i = 0; i < MODE_COUNT; i++) {
		end = run_flushes(modes[i], row->name);
		assert_int_equal(end.status, 0);
		assert_int_equal(end.grown.aborts_on_close, 0);
		assert_int_equal(end.grown.out_rsts, resets);
		assert_not_reported(&end);
	}
}

static void test_flush_that_fails_is_told_as_without(void **state)
{
	char *expected = strdup(run_flushes(NULL, "fails").output);

	(void)state;
	assert_non_null(strstr(expected, "half-closed: -1, errno 32, 1 signals\n"));
	for (size_t i = 0; i < MODE_COUNT; i++) {
		struct stage_end end = run_flushes(modes[i], "fails");

		assert_int_equal(end.status, 0);
		assert_string_equal(end.output, expected);
	}
	free(expected);
}

static const struct rows_subject subjects[] = {
	ROWS_SUBJECT(test_flush_to_a_peer_that_is_gone_is_no_reset, ways),
	ROWS_PLAIN(test_flush_that_fails_is_told_as_without),
};

int main(void)
{
	return ROWS_RUN(subjects);
}
