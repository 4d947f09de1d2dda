// SPDX-License-Identifier: MIT
// HARNESS
/*
 * Where safeclose run finds the library, and that loaders find it too: beside it, in a folder named for
 * their own kind of program, and not under a name that cannot be preloaded.
 */
#include "harness/folder.h"
#include "harness/program.h"
#include "harness/runner.h"
#include "harness/sanitizer.h"
#include "harness/text.h"
#include "harness/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ACTOR PROGRAM_FOLDER "actor"

/* In the folder, with the command's and the library's file as $1 and $2. */
static struct command_end in_folder(const char *script)
{
	char whole[2048];

	snprintf(whole, sizeof(whole), "set -e; cd %s; %s", folder_name(), script);
	return command_run((const char *const[]){"sh", "-c", whole, "sh", SAFECLOSE,
				   PROGRAM_LIBRARY, ACTOR, NULL},
		NULL);
}

static void test_cli_run_library_with_a_blank_or_colon_is_refused(void **state)
{
	static const char *const names[] = {"a b", "a:b", "a$LIB"};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char script[256];
		struct command_end end;

		snprintf(script, sizeof(script),
			"mkdir '%s'; cp $2 '%s/'; exec $1 run -l '%s/libsafeclose.so' true",
			names[i], names[i], names[i]);
		end = in_folder(script);
		assert_refused(&end, names[i]);
		assert_contains(end.errors, "cannot be preloaded");
	}
}

static void test_cli_run_finds_the_library(void **state)
{
	static const struct {
		const char *script;
		const char *library; /* in the folder */
	} rows[] = {
		{"mkdir bin lib; cp $1 bin; cp $2 lib; bin/safeclose run --dry-run true",
			"lib/libsafeclose.so"},
		{"cp $1 $2 .; ./safeclose run --dry-run true", "libsafeclose.so"},
		{"mkdir b; cp $2 b; cd b; $1 run -l libsafeclose.so --dry-run true",
			"b/libsafeclose.so"},
		{"mkdir b; cp $2 b; $1 run --library b/libsafeclose.so --dry-run true",
			"b/libsafeclose.so"},
		/* The command is a link to where it lies. */
		{"mkdir b; cp $1 $2 b; ln -s b/safeclose s; ./s run --dry-run true",
			"b/libsafeclose.so"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char wanted[128];
		struct command_end end;

		end = in_folder(rows[i].script);
		snprintf(wanted, sizeof(wanted), "LD_PRELOAD=%s/%s ", folder_name(),
			rows[i].library);
		assert_int_equal(end.status, 0);
		assert_contains(end.output, wanted);
		assert_int_equal(folder_remove(state), 0);
		assert_int_equal(folder_make(state), 0);
	}
}

static void test_cli_run_without_a_library_says_so(void **state)
{
	struct command_end end = in_folder("cp $1 .; exec ./safeclose run --dry-run true");

	(void)state;
	if (end.status == 0) {
		print_message("a library is installed here\n");
		skip();
	}
	assert_refused(&end, "cannot find libsafeclose.so");
}

#define LIB32 SC_BUILD_DIR "/lib32/"

/* 32-bit ELF, as much of it as is looked at. */
#define FAKE_32_BIT                                                                           \
	"printf "                                                                             \
	"'\\177ELF\\001\\001\\001\\0\\0\\0\\0\\0\\0\\0\\0\\0\\003\\0\\003\\0\\001\\0\\0\\0' " \
	">libsafeclose.so; head -c 28 /dev/zero >>libsafeclose.so; "

/* What $LIB is for the i386 loader here, which Debian has in two packages; NULL: there is none. */
static const char *lib_of_i386(void)
{
	static const char *const places[] = {"lib32", "lib/i386-linux-gnu"};
	char path[4096];

	for (size_t i = 0; i < 2 && realpath("/lib/ld-linux.so.2", path); i++) {
		if (strstr(path, places[i])) {
			return places[i];
		}
	}
	return NULL;
}

/* The loaders know what is meant. */
static void assert_both_are_loaded(void)
{
	struct command_end end = in_folder("exec bin/safeclose run cat /proc/self/maps");

	assert_int_equal(end.status, 0);
	assert_string_equal(end.errors, "");
	assert_contains(end.output, "/lib/x86_64-linux-gnu/libsafeclose.so");
	if (access(LIB32 "libsafeclose.so", F_OK) != 0 ||
		access(LIB32 "tests/programs/actor", X_OK) != 0) {
		return;
	}
	end = in_folder("cp " LIB32 "libsafeclose.so \"$(find . -path './lib*32*/libsafeclose.so' "
			"-o -path '*i386*/libsafeclose.so')\"; exec bin/safeclose run " LIB32
			"tests/programs/actor say hello");
	assert_string_equal(end.errors, "");
	assert_int_equal(end.status, 0);
	end = in_folder("exec bin/safeclose check " LIB32 "tests/programs/actor");
	assert_int_equal(end.status, 0);
	assert_contains(end.output, "32-bit x86");
}

static void test_cli_run_both_classes_go_by_lib(void **state)
{
	const char *other = lib_of_i386();
	struct command_end end;
	char script[512];
	char wanted[128];

	(void)state;
	if (access("/lib/x86_64-linux-gnu/libc.so.6", F_OK) != 0 || !other) {
		print_message("this loader's $LIB is not known to this test, or i386 has none\n");
		skip();
	}
	/* Without the other class's library, as it is. */
	snprintf(script, sizeof(script),
		"mkdir -p bin lib/x86_64-linux-gnu %s; cp $1 bin; "
		"cp $2 lib/x86_64-linux-gnu; bin/safeclose run --dry-run true",
		other);
	end = in_folder(script);
	snprintf(wanted, sizeof(wanted), "LD_PRELOAD=%s/lib/x86_64-linux-gnu/libsafeclose.so true",
		folder_name());
	assert_contains(end.output, wanted);
	snprintf(script, sizeof(script),
		"(cd %s; " FAKE_32_BIT "); bin/safeclose run --dry-run true", other);
	end = in_folder(script);
	snprintf(
		wanted, sizeof(wanted), "LD_PRELOAD='%s/$LIB/libsafeclose.so' true", folder_name());
	assert_contains(end.output, wanted);
	if (!sanitizer_is_any()) {
		assert_both_are_loaded();
	}
	/* Where this loader's $LIB is something else, the path stays. */
	end = in_folder("mkdir -p lib64 lib; cp $2 lib64; (cd lib; " FAKE_32_BIT
			"); $1 run -l lib64/libsafeclose.so --dry-run true");
	assert_contains(end.output, "/lib64/libsafeclose.so true");
}

#define WITH_FOLDER(test) cmocka_unit_test_setup_teardown(test, folder_make, folder_remove)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_FOLDER(test_cli_run_library_with_a_blank_or_colon_is_refused),
		WITH_FOLDER(test_cli_run_finds_the_library),
		WITH_FOLDER(test_cli_run_without_a_library_says_so),
		WITH_FOLDER(test_cli_run_both_classes_go_by_lib),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
