// SPDX-License-Identifier: MIT
// LINK: config.o line.o only.o
// HARNESS
/*
 * The table of variables in README.md has exactly the option table's rows, in its order, with its
 * defaults.
 */
#include "config.h"
#include "harness/text.h"
#include "harness/unit.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PREFIX "| `SAFECLOSE_"

/* The cell's text in backquotes, at *place in a line "| `A` | ... |"; *place goes on behind it. */
static char *next_cell(const char **place)
{
	const char *begin = strchr(*place, '|');
	const char *end;

	assert_non_null(begin);
	begin += strspn(begin, "| `");
	end = begin + strcspn(begin, "|\n");
	*place = end;
	while (end > begin && strchr(" `", end[-1])) {
		end--;
	}
	return strndup(begin, (size_t)(end - begin));
}

/* The part of README.md under a heading. */
static char *section(const char *heading)
{
	char *text = text_of_file(SC_SOURCE_DIR "/README.md");
	char *begin = strstr(text, heading);
	char *end;
	char *part;

	assert_non_null(begin);
	end = strstr(begin + strlen(heading), "\n## ");
	part = strndup(begin, end ? (size_t)(end - begin) : strlen(begin));
	free(text);
	return part;
}

static void test_readme_variables_are_the_option_table(void **state)
{
	char *text = section("\n## Variables\n");
	const char *line = text;
	size_t count = 0;

	(void)state;
	while ((line = strstr(line, PREFIX))) {
		const struct sc_option *option = sc_config_option(count);
		const char *place = line;
		char *name = next_cell(&place);
		char *values = next_cell(&place);
		char *standard = next_cell(&place);

		if (!option) {
			fail_msg("%s is in the README alone", name);
		}
		assert_string_equal(name, option->name);
		assert_string_equal(standard, option->default_text);
		free(name);
		free(values);
		free(standard);
		line = place;
		count++;
	}
	if (sc_config_option(count)) {
		fail_msg("%s is not in the README", sc_config_option(count)->name);
	}
	assert_true(count > 0);
	free(text);
}

/* No sentence elsewhere speaks of a variable that there is not. */
static void test_readme_names_no_other_variables(void **state)
{
	char *text = text_of_file(SC_SOURCE_DIR "/README.md");
	const char *place = text;

	(void)state;
	while ((place = strstr(place, "SAFECLOSE_"))) {
		size_t length = strspn(place, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_");
		bool is_known = false;

		for (size_t i = 0; sc_config_option(i); i++) {
			const char *name = sc_config_option(i)->name;

			is_known = is_known ||
				   (strlen(name) == length && strncmp(name, place, length) == 0);
		}
		if (!is_known) {
			fail_msg("no variable: %.*s", (int)length, place);
		}
		place += length;
	}
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_readme_variables_are_the_option_table),
		cmocka_unit_test(test_readme_names_no_other_variables),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
