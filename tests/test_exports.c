// SPDX-License-Identifier: MIT
// HARNESS
/*
 * shim/libsafeclose.map and the library hold together: each names what the other has, and nothing
 * else. A program sees no further symbol of ours.
 */
#include "harness/program.h"
#include "harness/text.h"
#include "harness/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

enum { NAME_MAX_COUNT = 512 };

/* Sorted names. Owns them. */
struct names {
	char *names[NAME_MAX_COUNT];
	size_t count;
};

static int compare_names(const void *left, const void *right)
{
	return strcmp(*(char *const *)left, *(char *const *)right);
}

static void add_name(struct names *names, const char *name, size_t length)
{
	assert_true(names->count < NAME_MAX_COUNT);
	names->names[names->count] = strndup(name, length);
	assert_non_null(names->names[names->count]);
	names->count++;
}

static void sort_names(struct names *names)
{
	qsort(names->names, names->count, sizeof(names->names[0]), compare_names);
}

static void free_names(struct names *names)
{
	for (size_t i = 0; i < names->count; i++) {
		free(names->names[i]);
	}
}

/* The words between "global:" and "local:". */
static void read_map(struct names *names)
{
	char *text = text_of_file(SC_SOURCE_DIR "/shim/libsafeclose.map");
	char *global = strstr(text, "global:");
	char *local = strstr(text, "local:");
	char *rest;

	memset(names, 0, sizeof(*names));
	assert_non_null(global);
	assert_non_null(local);
	*local = '\0';
	for (char *word = strtok_r(global + strlen("global:"), " \t\n;", &rest); word;
		word = strtok_r(NULL, " \t\n;", &rest)) {
		add_name(names, word, strlen(word));
	}
	free(text);
	sort_names(names);
}

/* Lines "ADDRESS TYPE NAME" or "ADDRESS TYPE NAME@@VERSION"; type A is a version's own name. */
static void read_library(struct names *names)
{
	FILE *nm = popen("nm -D --defined-only " PROGRAM_LIBRARY, "r");
	char line[512];

	memset(names, 0, sizeof(*names));
	assert_non_null(nm);
	while (fgets(line, sizeof(line), nm)) {
		char name[256];
		char type;

		if (sscanf(line, "%*x %c %255s", &type, name) == 2 && type != 'A') {
			add_name(names, name, strcspn(name, "@"));
		}
	}
	if (WEXITSTATUS(pclose(nm)) == 127) {
		print_message("there is no nm here\n");
		skip();
	}
	sort_names(names);
}

/* Tell the names in left that right lacks. Returns their number. */
static size_t tell_missing(const struct names *left, const struct names *right, const char *where)
{
	size_t missing = 0;

	for (size_t i = 0; i < left->count; i++) {
		if (!bsearch(&left->names[i], right->names, right->count, sizeof(right->names[0]),
			    compare_names)) {
			print_message("%s is not in %s\n", left->names[i], where);
			missing++;
		}
	}
	return missing;
}

static void test_exports_are_the_map(void **state)
{
	struct names map;
	struct names library;
	size_t missing;

	(void)state;
	read_map(&map);
	read_library(&library);
	missing = tell_missing(&map, &library, "the library") +
		  tell_missing(&library, &map, "the map");
	assert_int_equal(missing, 0);
	assert_true(map.count > 0);
	free_names(&map);
	free_names(&library);
}

static void test_exports_map_is_sorted(void **state)
{
	char *text = text_of_file(SC_SOURCE_DIR "/shim/libsafeclose.map");
	char *global = strstr(text, "global:");
	char last[256] = "";
	char *rest;

	(void)state;
	assert_non_null(global);
	*strstr(global, "local:") = '\0';
	for (char *word = strtok_r(global + strlen("global:"), " \t\n;", &rest); word;
		word = strtok_r(NULL, " \t\n;", &rest)) {
		assert_true(strcmp(last, word) < 0);
		snprintf(last, sizeof(last), "%s", word);
	}
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_exports_are_the_map),
		cmocka_unit_test(test_exports_map_is_sorted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
