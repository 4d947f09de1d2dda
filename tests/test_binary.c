// SPDX-License-Identifier: MIT
// HARNESS
/*
 * The library as a file: it asks for nothing that an old system lacks, nothing in it can be both
 * written and executed, all of it is bound at the start, and it is small.
 */
#include "harness/deadline.h"
#include "harness/process.h"
#include "harness/rows.h"
#include "harness/sanitizer.h"
#include "harness/stage.h"
#include "harness/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* What is installed is built by gcc; clang's code is larger by a tenth. */
#ifdef __clang__
enum { STRIPPED_BYTES_MAX = 110 * 1024 };
#else
enum { STRIPPED_BYTES_MAX = 100 * 1024 };
#endif

enum { OLDEST_GLIBC = 2 * 1000 + 17 };

/* What a command of binutils says of the library, in one line each. The caller frees it. */
static char *ask(const char *command)
{
	char line[512];
	char *text = NULL;
	size_t bytes = 0;
	FILE *memory;
	FILE *answer;

	sanitizer_skip_if(sanitizer_is_any(), "its run-time library has needs of its own");
	memory = open_memstream(&text, &bytes);
	snprintf(line, sizeof(line), "LC_ALL=C %s " PROGRAM_LIBRARY, command);
	answer = popen(line, "r");
	assert_non_null(memory);
	assert_non_null(answer);
	while (fgets(line, sizeof(line), answer)) {
		fputs(line, memory);
	}
	fclose(memory);
	if (WEXITSTATUS(pclose(answer)) == 127) {
		free(text);
		print_message("there is no %s here\n", command);
		skip();
	}
	assert_true(bytes > 0);
	return text;
}

/* ---- what it needs -------------------------------------------------------------------------- */

static void test_binary_needs_no_glibc_newer_than_2_17(void **state)
{
	char *symbols = ask("objdump -T");
	size_t count = 0;

	(void)state;
	for (char *place = symbols; (place = strstr(place, "GLIBC_")); count++) {
		char *version = place + strlen("GLIBC_");
		char *rest;
		long major = strtol(version, &rest, 10);
		long minor = *rest == '.' ? strtol(rest + 1, NULL, 10) : 0;

		if (major == 0 || major * 1000 + minor > OLDEST_GLIBC) {
			fail_msg("%.*s", (int)strcspn(version, "\n"), version);
		}
		place = version;
	}
	assert_true(count > 0);
	free(symbols);
}

/* glibc's alone: musl's loader would refuse the library. */
static void test_binary_needs_no_checked_function(void **state)
{
	char *symbols = ask("objdump -T");

	(void)state;
	assert_null(strstr(symbols, "_chk\n"));
	assert_non_null(strstr(symbols, "dlsym\n"));
	free(symbols);
}

/* Before glibc 2.34 dlsym() is in libdl, which a program need not have loaded. */
static void test_binary_needs_libc_and_libdl_alone(void **state)
{
	char *needs = ask("readelf -dW");

	(void)state;
	assert_int_equal(text_lines_with(needs, "(NEEDED)", "[libdl.so.2]"), 1);
	assert_int_equal(text_lines_with(needs, "(NEEDED)", "[libc.so.6]"), 1);
	assert_int_equal(text_lines_with(needs, "(NEEDED)", NULL), 2);
	assert_int_equal(text_lines_with(needs, "(SONAME)", "[libsafeclose.so]"), 1);
	assert_int_equal(text_lines_with(needs, "PATH)", NULL), 0);
	free(needs);
}

/* ---- hardening ------------------------------------------------------------------------------ */

static void test_binary_is_bound_at_the_start(void **state)
{
	char *dynamic = ask("readelf -dW");
	char *segments = ask("readelf -lW");

	(void)state;
	assert_int_equal(text_lines_with(dynamic, "BIND_NOW", NULL), 1);
	assert_int_equal(text_lines_with(dynamic, "FLAGS_1", "NOW"), 1);
	assert_int_equal(text_lines_with(dynamic, "TEXTREL", NULL), 0);
	assert_int_equal(text_lines_with(segments, "GNU_RELRO", "0x"), 1);
	free(dynamic);
	free(segments);
}

static void test_binary_has_no_segment_to_write_and_execute(void **state)
{
	char *segments = ask("readelf -lW");

	(void)state;
	assert_int_equal(text_lines_with(segments, "RWE", NULL), 0);
	assert_int_equal(text_lines_with(segments, "GNU_STACK", "RW "), 1);
	assert_true(text_lines_with(segments, "LOAD", "R E") > 0);
	free(segments);
}

/* Lines of /proc/PID/maps: "START-END rwxp ...". */
static void assert_never_both(const char *maps)
{
	assert_true(text_lines_with(maps, " r-xp ", "libsafeclose.so") > 0);
	for (const char *line = maps; *line;) {
		size_t length = strcspn(line, "\n");
		const char *access = strchr(line, ' ');

		assert_non_null(access);
		if (access[2] == 'w' && access[3] == 'x') {
			fail_msg("%.*s", (int)length, line);
		}
		line += length + (line[length] == '\n');
	}
}

/* The program while a connection lingers, so with the library's thread. */
static void test_binary_maps_nothing_to_write_and_execute(void **state)
{
	struct stage *stage = stage_open(PEER_IPV4);
	int64_t deadline = deadline_in(DEADLINE_MS);
	char path[64];
	char *maps;

	(void)state;
	sanitizer_skip_if(sanitizer_is_any(), "it maps memory of its own");
	program_start(&stage->program, &(struct program_options){.mode = "fin"},
		"connect 3 %s await-unread 3 100 close 3 say closed hear go", stage->peer.target);
	peer_accept(&stage->peer);
	peer_send(&stage->peer, 100);
	program_hear(&stage->program, "closed");
	while (process_background_tid(stage->program.pid) == 0) {
		assert_true(deadline_pause(deadline)); /* the thread names itself */
	}
	snprintf(path, sizeof(path), "/proc/%d/maps", stage->program.pid);
	maps = text_of_file(path);
	assert_never_both(maps);
	free(maps);
	assert_int_equal(stage_finish(stage, true).status, 0);
}

/* ---- size ----------------------------------------------------------------------------------- */

static void test_binary_is_small_when_stripped(void **state)
{
	char copy[] = "/tmp/safeclose-stripped-XXXXXX";
	char command[512];
	struct stat status;
	int fd = mkstemp(copy);

	(void)state;
	assert_true(fd >= 0);
	close(fd);
	free(ask("readelf -hW")); /* skips where there are no binutils */
	snprintf(command, sizeof(command), "strip -o %s " PROGRAM_LIBRARY, copy);
	assert_int_equal(system(command), 0);
	assert_int_equal(stat(copy, &status), 0);
	unlink(copy);
	print_message("stripped: %ld bytes\n", (long)status.st_size);
	assert_in_range(status.st_size, 1, STRIPPED_BYTES_MAX);
}

static const struct rows_subject subjects[] = {
	ROWS_PLAIN(test_binary_needs_no_glibc_newer_than_2_17),
	ROWS_PLAIN(test_binary_needs_no_checked_function),
	ROWS_PLAIN(test_binary_needs_libc_and_libdl_alone),
	ROWS_PLAIN(test_binary_is_bound_at_the_start),
	ROWS_PLAIN(test_binary_has_no_segment_to_write_and_execute),
	ROWS_PLAIN(test_binary_maps_nothing_to_write_and_execute),
	ROWS_PLAIN(test_binary_is_small_when_stripped),
};

int main(void)
{
	return ROWS_RUN(subjects);
}
