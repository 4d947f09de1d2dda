// SPDX-License-Identifier: MIT
// HARNESS
/*
 * The library beside others in LD_PRELOAD, before them and behind them: two allocators (jemalloc, and a
 * small one of the tests' own that has close() and dup2() as well) and one that has calls of files
 * (libeatmydata). Resets are seen and cured as ever, and whoever is behind us gets each call once.
 */
#include "harness/crowd.h"
#include "harness/rows.h"
#include "harness/sanitizer.h"
#include "harness/sharing.h"
#include "harness/text.h"
#include "harness/verdict.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ACTOR SC_BUILD_DIR "/tests/programs/actor"
#define NEIGHBOUR SC_BUILD_DIR "/tests/programs/neighbour.so"

enum { WRITTEN_BYTES = 100000 };

static const struct neighbour {
	const char *name;
	const char *library;
	bool tells; /* of each call that it gets */
} neighbours[] = {
	{"jemalloc", "libjemalloc.so.2", false},
	{"libeatmydata", "libeatmydata.so", false},
	{"one with close, dup2 and malloc", NEIGHBOUR, true},
};

/* What closes the connection at descriptor 3 with 1000 bytes unread. */
static const struct scene {
	const char *name;
	const char *words;
	const char *via;
	size_t calls; /* of close() or dup2() for it */
	int status;
	uint64_t written_bytes;
} scenes[] = {
	{"close", "write 3 100000 close 3 say closed hear go", "]: close(3)", 1, 0, WRITTEN_BYTES},
	{"dup2", "write 3 100000 open 4 /dev/null dup2 4 3 say closed hear go", "]: dup2(3)", 1, 0,
		WRITTEN_BYTES},
	{"fclose", "fdopen 3 r+ print 3 1000 fclose 3 say closed hear go", "]: fclose(3)", 0, 0,
		1000},
	{"fork", "fork close 3 end wait close 3 say closed hear go", "]: close(3)", 2, 0, 0},
	{"thread", "thread close 3 end join say closed hear go", "]: close(3)", 1, 0, 0},
	{"exit", "write 3 100000 exit 7", "]: exit(3)", 0, 7, WRITTEN_BYTES},
	{"exec", "cloexec 3 exec-by execve " ACTOR " is-open 3 say closed hear go", "]: execve(3)",
		0, 0, 0},
};

enum {
	NEIGHBOURS = sizeof(neighbours) / sizeof(neighbours[0]),
	SCENES = sizeof(scenes) / sizeof(scenes[0]),
	ROWS = NEIGHBOURS * SCENES * 2,
};

static struct row {
	const char *name;
	const struct neighbour *neighbour;
	const struct scene *scene;
	bool is_before; /* the neighbour is before us */
	char name_text[96];
} rows[ROWS];

static void fill_rows(void)
{
	for (size_t i = 0; i < ROWS; i++) {
		struct row *row = &rows[i];

		row->neighbour = &neighbours[i / SCENES % NEIGHBOURS];
		row->scene = &scenes[i % SCENES];
		row->is_before = i < ROWS / 2;
		snprintf(row->name_text, sizeof(row->name_text), "%s, %s %s", row->scene->name,
			row->is_before ? "behind" : "before", row->neighbour->name);
		row->name = row->name_text;
	}
}

/* The loader complains of a library that it does not find. */
static void skip_if_missing(const struct neighbour *neighbour)
{
	char command[512];

	sanitizer_skip_if(sanitizer_is_any(), "it has an allocator itself, and has to be first");
	snprintf(command, sizeof(command),
		"test -z \"$(LD_PRELOAD=%s /bin/sh -c : 2>&1 >/dev/null)\"", neighbour->library);
	if (!neighbour->tells && system(command) != 0) {
		print_message("%s is not here (Debian: libjemalloc2, libeatmydata1)\n",
			neighbour->library);
		skip();
	}
}

static struct program_options options_of(const struct row *row, const char *mode)
{
	const char *library = row->neighbour->library;

	skip_if_missing(row->neighbour);
	return (struct program_options){
		.mode = mode,
		.is_alone = true,
		.preloaded_before = row->is_before ? library : NULL,
		.preloaded_behind = row->is_before ? NULL : library,
	};
}

static struct stage_end play(const struct row *row, const char *mode)
{
	const struct scene *scene = row->scene;
	struct program_options options = options_of(row, mode);
	struct stage *stage = stage_open(PEER_IPV4);
	struct stage_end end;

	program_start(&stage->program, &options, "connect 3 %s await-unread 3 1000 %s",
		stage->peer.target, scene->words);
	peer_accept(&stage->peer);
	peer_send(&stage->peer, 1000);
	end = stage_finish(stage, strstr(scene->words, "hear go") != NULL);
	assert_int_equal(end.status, scene->status);
	assert_int_equal(text_lines_with(end.output, "neighbour: ", NULL),
		row->neighbour->tells ? scene->calls : 0);
	return end;
}

static void test_preloads_control_resets(void **state)
{
	struct stage_end end = play(*state, NULL);

	assert_was_reset(&end);
	assert_not_reported(&end);
}

static void test_preloads_off_resets_silently(void **state)
{
	struct stage_end end = play(*state, "off");

	assert_was_reset(&end);
	assert_not_reported(&end);
}

static void test_preloads_warn_resets_and_reports(void **state)
{
	const struct row *row = *state;
	struct stage_end end = play(row, "warn");

	assert_was_reset(&end);
	assert_reported(&end, row->scene->via, ": 1000 unread, ");
	assert_reported(&end, "; rst (unread) in ", NULL);
}

static void assert_cured(const struct row *row, const char *mode)
{
	struct stage_end end = play(row, mode);

	assert_was_fin(&end);
	assert_int_equal(end.received_bytes, row->scene->written_bytes);
	assert_reported(&end, row->scene->via, ": 1000 unread, ");
	assert_reported(&end, "; drained 1000, fin in ", NULL);
}

static void test_preloads_drain_ends_with_fin(void **state)
{
	assert_cured(*state, "drain");
}

static void test_preloads_fin_ends_with_fin(void **state)
{
	assert_cured(*state, "fin");
}

/* Threads that open and close at full speed. */
static void test_preloads_many_end_with_fin(void **state)
{
	struct program_options options = options_of(*state, "fin");
	struct crowd_end end;

	options.executable = "threads";
	options.wants_all_reports = true;
	end = crowd_run(&(struct crowd_options){.program = options}, "churn");
	assert_crowd_was_fin(&end, 360);
	assert_int_equal(text_lines(end.report), 240);
	assert_int_equal(text_lines_with(end.report, ", fin in ", NULL) +
				 text_lines_with(end.report, ", fin (exit) in ", NULL),
		240);
}

/* Whoever is before us closes in the program's name: it is the site, the program called it. */
static void test_preloads_site_is_who_called_us(void **state)
{
	const struct row *row = *state;
	struct program_options options = options_of(row, "warn");
	struct stage *stage = stage_open(PEER_IPV4);
	struct stage_end end;

	options.environment[0] = "SAFECLOSE_STACK=2";
	program_start(&stage->program, &options,
		"connect 3 %s await-unread 3 1000 close 3 say closed hear go", stage->peer.target);
	peer_accept(&stage->peer);
	peer_send(&stage->peer, 1000);
	end = stage_finish(stage, true);
	assert_was_reset(&end);
	if (row->is_before && row->neighbour->tells) {
		assert_reported(&end, "; neighbour.so+0x", " < actor+0x");
	} else {
		assert_reported(&end, "; actor+0x", " < actor+0x");
	}
}

int main(void)
{
	static struct row orders[NEIGHBOURS * 2];

	fill_rows();
	for (size_t i = 0; i < NEIGHBOURS * 2; i++) {
		orders[i] = rows[i * SCENES];
	}
	const struct rows_subject subjects[] = {
		ROWS_SUBJECT(test_preloads_control_resets, rows),
		ROWS_SUBJECT(test_preloads_off_resets_silently, rows),
		ROWS_SUBJECT(test_preloads_warn_resets_and_reports, rows),
		ROWS_SUBJECT(test_preloads_drain_ends_with_fin, rows),
		ROWS_SUBJECT(test_preloads_fin_ends_with_fin, rows),
		ROWS_SUBJECT(test_preloads_many_end_with_fin, orders),
		ROWS_SUBJECT(test_preloads_site_is_who_called_us, orders),
	};

	return rows_run_between(
		subjects, sizeof(subjects) / sizeof(subjects[0]), NULL, crowd_teardown);
}
