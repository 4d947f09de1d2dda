// SPDX-License-Identifier: MIT
// HARNESS
/*
 * The symbol of a call site that is not exported: from the file of the program or library, in text
 * and JSON, in every mode. Null where there is no symbol table any more, or where the file by that
 * name is another one; remembered once it is known.
 */
#include "harness/rows.h"
#include "harness/sanitizer.h"
#include "harness/stage.h"
#include "harness/text.h"
#include "harness/verdict.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ACTOR PROGRAM_FOLDER "actor"
#define PLUGIN PROGRAM_FOLDER "plugin.so"
#define OTHER_LIBRARY PROGRAM_FOLDER "inner.so"
#define JSON "SAFECLOSE_FORMAT=json"
#define DIAL "connect 3 %s await-unread 3 100 "

static char folder[] = "/tmp/safeclose-symbol-XXXXXX";
static char copy[64]; /* of ACTOR or PLUGIN, in folder */

static void perform(const char *command, const char *path)
{
	char line[1024];

	snprintf(line, sizeof(line), "%s %s %s", command, path, copy);
	assert_int_equal(system(line), 0);
}

static int make_folder(void **state)
{
	(void)state;
	snprintf(copy, sizeof(copy), "%s", "/tmp/safeclose-symbol-XXXXXX");
	assert_non_null(mkdtemp(copy));
	memcpy(folder, copy, sizeof(folder));
	strcat(copy, "/copy");
	return 0;
}

static int remove_folder(void **state)
{
	unlink(copy);
	rmdir(folder);
	return stage_teardown(state);
}

/* Where the file's symbol table has the function. */
static unsigned long address_of(const char *path, const char *function)
{
	char command[512];
	unsigned long address = 0;
	FILE *answer;

	if (system("nm --version >/dev/null 2>&1") != 0) {
		print_message("there is no nm here\n");
		skip();
	}
	snprintf(command, sizeof(command), "nm %s | sed -n 's/ [tT] %s$//p'", path, function);
	answer = popen(command, "r");
	assert_non_null(answer);
	assert_int_equal(fscanf(answer, "%lx", &address), 1);
	pclose(answer);
	return address;
}

/* "module+0xOFFSET (function+0xDISTANCE)" is of one place in the file. */
static void assert_named(
	const char *report, const char *module, const char *path, const char *function)
{
	char site[128];
	char symbol[128];
	unsigned long offset;
	unsigned long distance;
	const char *place;

	snprintf(site, sizeof(site), "%s+0x", module);
	snprintf(symbol, sizeof(symbol), " (%s+0x", function);
	place = strstr(report, site);
	if (!place || !strstr(place, symbol)) {
		fail_msg("no \"%s\" and \"%s\" in:\n%s", site, symbol, report);
	}
	offset = strtoul(place + strlen(site), NULL, 16);
	distance = strtoul(strstr(place, symbol) + strlen(symbol), NULL, 16);
	assert_int_equal(offset - distance, address_of(path, function));
}

struct run {
	const char *executable;
	const char *mode;
	const char *variable;
};

static struct stage *open_stage(void)
{
	sanitizer_skip_if(sanitizer_is_for_threads(), "its close calls the library's");
	return stage_open(PEER_IPV4);
}

static struct stage *start(const struct run *run, const char *words)
{
	struct stage *stage = open_stage();
	char *script = text_replaced(words, "%s", stage->peer.target);

	program_start(&stage->program,
		&(struct program_options){.executable = run->executable,
			.mode = run->mode,
			.environment = {run->variable}},
		"%s", script);
	free(script);
	peer_accept(&stage->peer);
	peer_send(&stage->peer, 100);
	return stage;
}

static struct stage_end close_one(const struct run *run)
{
	struct stage *stage = start(run, DIAL "close 3 say closed hear go");

	return stage_finish(stage, true);
}

static const struct row {
	const char *name;
	const char *mode;
} modes[] = {{"in_warn", "warn"}, {"in_drain", "drain"}, {"in_fin", "fin"}};

static void test_symbol_of_a_static_function_is_told(void **state)
{
	const struct row *row = *state;
	struct stage_end end = close_one(&(struct run){.mode = row->mode});

	assert_reported(&end, "; actor+0x", " (do_close+0x");
	assert_named(end.errors, "actor", ACTOR, "do_close");
}

static void test_symbol_of_a_static_function_is_told_in_json(void **state)
{
	struct stage_end end = close_one(&(struct run){.mode = "warn", .variable = JSON});
	const char *symbol = strstr(end.errors, "\"symbol\":\"do_close+0x");
	const char *site = strstr(end.errors, "\"site\":\"actor+0x");

	(void)state;
	assert_non_null(symbol);
	assert_non_null(site);
	assert_int_equal(strtoul(strchr(site, '+') + 3, NULL, 16) -
				 strtoul(strchr(symbol, '+') + 3, NULL, 16),
		address_of(ACTOR, "do_close"));
}

/* Two reports with the one call's two frames. */
static void test_symbol_of_each_frame_is_told(void **state)
{
	struct stage_end end =
		close_one(&(struct run){.mode = "warn", .variable = "SAFECLOSE_STACK=2"});

	(void)state;
	assert_reported(&end, " (do_close+0x", " < actor+0x");
	assert_named(strstr(end.errors, " < "), "actor", ACTOR, "run_words");
}

static void test_symbol_of_a_stripped_program_is_none(void **state)
{
	struct stage_end end;

	(void)state;
	if (system("objcopy --version >/dev/null 2>&1") != 0) {
		print_message("there is no objcopy here\n");
		skip();
	}
	perform("objcopy --strip-all", ACTOR);
	end = close_one(&(struct run){.executable = copy, .mode = "warn"});
	assert_reported(&end, "; copy+0x", NULL);
	assert_null(strstr(end.errors, "do_close"));
	assert_null(strchr(strstr(end.errors, "; copy+0x"), '('));
}

/* The program that runs can be found under no name any more, but it is there. */
static void test_symbol_of_a_replaced_program_is_told(void **state)
{
	struct run run = {.executable = copy, .mode = "warn"};
	struct stage *stage;
	struct stage_end end;

	(void)state;
	perform("cp", ACTOR);
	stage = start(&run, DIAL "say ready hear replaced close 3 say closed hear go");
	program_hear(&stage->program, "ready");
	unlink(copy);
	perform("cp", PROGRAM_FOLDER "server");
	program_say(&stage->program, "replaced");
	end = stage_finish(stage, true);
	assert_named(end.errors, "copy", ACTOR, "do_close");
}

static const struct replacement {
	const char *name;
	const char *by;
} replacements[] = {
	{"by_nothing", ""},
	{"by_another", OTHER_LIBRARY},
	{"by_the_same", PLUGIN},
};

static void test_symbol_of_a_library_that_was_replaced(void **state)
{
	const struct replacement *row = *state;
	struct run run = {.mode = "warn"};
	char script[512];
	struct stage *stage;
	struct stage_end end;

	perform("cp", PLUGIN);
	snprintf(script, sizeof(script),
		"plugin-load %s " DIAL
		"say ready hear replaced plugin-close %s plain 3 say closed hear go",
		copy, "%s", copy);
	stage = start(&run, script);
	program_hear(&stage->program, "ready");
	unlink(copy);
	if (row->by[0] != '\0') {
		perform("cp", row->by);
	}
	program_say(&stage->program, "replaced");
	end = stage_finish(stage, true);
	if (strcmp(row->by, PLUGIN) == 0) {
		assert_named(end.errors, "copy", PLUGIN, "close_unexported");
	} else {
		assert_reported(&end, "; copy+0x", NULL);
		assert_null(strchr(strstr(end.errors, "; copy+0x"), '('));
	}
}

static const struct row once_modes[] = {{"in_warn", "warn"}, {"in_fin", "fin"}};

/* The file is asked once: the second time it is not there any more. */
static void test_symbol_is_remembered(void **state)
{
	const struct row *row = *state;
	struct stage *stage = open_stage();
	struct stage_end end;

	perform("cp", PLUGIN);
	peer_listen(&stage->other_peer, PEER_IPV4);
	program_start(&stage->program, &(struct program_options){.mode = row->mode},
		DIAL "plugin-close %s plain 3 hear unlinked " DIAL
		     "plugin-close %s plain 3 say closed hear go",
		stage->other_peer.target, copy, stage->peer.target, copy);
	peer_accept(&stage->other_peer);
	peer_send(&stage->other_peer, 100);
	if (strcmp(row->mode, "fin") == 0) {
		peer_finish(&stage->other_peer); /* in warn it may have been reset by now */
	}
	program_await_errors(&stage->program, "close_unexported");
	unlink(copy);
	program_say(&stage->program, "unlinked");
	peer_accept(&stage->peer);
	peer_send(&stage->peer, 100);
	end = stage_finish(stage, true);
	assert_int_equal(text_lines_with(end.errors, "; copy+0x", " (close_unexported+0x"), 2);
}

/* A vfork child tells without touching what is its parent's, who tells it all. */
static void test_symbol_is_told_behind_a_vfork(void **state)
{
	struct run run = {.mode = "warn", .variable = "SAFECLOSE_REPORT=all"};
	struct stage *stage = start(&run, DIAL "vfork close 3 end close 3 say closed hear go");
	struct stage_end end = stage_finish(stage, true);

	(void)state;
	assert_int_equal(text_lines_with(end.errors, "; shared in ", "; actor+0x"), 1);
	assert_int_equal(text_lines_with(end.errors, "; shared in ", "do_close"), 0);
	assert_int_equal(text_lines_with(end.errors, "; rst (unread) in ", "do_close"), 1);
}

static const struct rows_subject subjects[] = {
	ROWS_SUBJECT(test_symbol_of_a_static_function_is_told, modes),
	ROWS_PLAIN(test_symbol_of_a_static_function_is_told_in_json),
	ROWS_PLAIN(test_symbol_of_each_frame_is_told),
	ROWS_PLAIN(test_symbol_of_a_stripped_program_is_none),
	ROWS_PLAIN(test_symbol_of_a_replaced_program_is_told),
	ROWS_SUBJECT(test_symbol_of_a_library_that_was_replaced, replacements),
	ROWS_SUBJECT(test_symbol_is_remembered, once_modes),
	ROWS_PLAIN(test_symbol_is_told_behind_a_vfork),
};

int main(void)
{
	return rows_run_between(
		subjects, sizeof(subjects) / sizeof(subjects[0]), make_folder, remove_folder);
}
