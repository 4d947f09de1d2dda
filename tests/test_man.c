// SPDX-License-Identifier: MIT
// LINK: config.o line.o only.o
// HARNESS
/*
 * The man pages say what there is: libsafeclose(7) every variable with its default and an example that
 * is understood, safeclose(1) every option that the command's own help names, and neither anything else.
 */
#include "config.h"
#include "harness/text.h"
#include "harness/unit.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ITEM ".It Ev SAFECLOSE_"
#define OPTION ".It Fl "

static char *page(const char *name)
{
	char path[512];
	char *text;

	snprintf(path, sizeof(path), SC_SOURCE_DIR "/shim/man/%s", name);
	text = text_of_file(path);
	assert_true(*text);
	return text;
}

/* The item's text, up to the next one or the end of the list. */
static char *item(const char *text, const char *head)
{
	const char *begin = strstr(text, head);
	const char *next;
	const char *end;

	if (!begin) {
		fail_msg("not in the man page: %s", head);
		abort();
	}
	begin += strlen(head);
	next = strstr(begin, "\n.It ");
	end = strstr(begin, "\n.El");
	if (next && (!end || next < end)) {
		end = next;
	}
	assert_non_null(end);
	return strndup(begin, (size_t)(end - begin));
}

static void count_complaint(void *context, const char *line)
{
	print_message("%s\n", line);
	(*(int *)context)++;
}

/* The line behind ".Dl ", which would be understood. */
static void check_example(const char *part, const char *name)
{
	const char *place = strstr(part, "\n.Dl ");
	struct sc_config config;
	char line[256];
	char *environment[] = {line, NULL};
	int complaints = 0;

	if (!place) {
		fail_msg("no example of %s", name);
		abort();
	}
	place += strlen("\n.Dl ");
	snprintf(line, sizeof(line), "%.*s", (int)strcspn(place, "\n"), place);
	assert_int_equal(strncmp(line, name, strlen(name)), 0);
	assert_int_equal(line[strlen(name)], '=');
	sc_config_load(&config, environment, count_complaint, &complaints);
	assert_int_equal(complaints, 0);
}

static void test_man_variables_are_the_option_table(void **state)
{
	char *text = page("libsafeclose.7");
	size_t count = 0;

	(void)state;
	for (; sc_config_option(count); count++) {
		const struct sc_option *option = sc_config_option(count);
		char head[128];
		char standard[128];
		char *part;

		snprintf(head, sizeof(head), "\n.It Ev %s\n", option->name);
		snprintf(
			standard, sizeof(standard), "\nDefault:\n.Ql %s .\n", option->default_text);
		part = item(text, head);
		if (!strstr(part, standard)) {
			fail_msg("%s: another default than %s", option->name, option->default_text);
		}
		check_example(part, option->name);
		free(part);
	}
	assert_int_equal(text_lines_with(text, ITEM, NULL), count);
	free(text);
}

static char *help_of(const char *command)
{
	char line[512];
	char *text = NULL;
	size_t bytes = 0;
	FILE *memory = open_memstream(&text, &bytes);
	FILE *answer;

	snprintf(line, sizeof(line), SC_BUILD_DIR "/safeclose %s --help", command);
	answer = popen(line, "r");
	assert_non_null(memory);
	assert_non_null(answer);
	while (fgets(line, sizeof(line), answer)) {
		fputs(line, memory);
	}
	fclose(memory);
	assert_int_equal(pclose(answer), 0);
	assert_true(bytes > 0);
	return text;
}

/* "--linger-time" of the help is "Fl -linger-time" of the page, and the other way round. */
static size_t check_options(const char *page_text, const char *help, const char *command)
{
	size_t count = 0;

	for (const char *place = help; (place = strstr(place, "--"));) {
		size_t length = strspn(place + 2, "abcdefghijklmnopqrstuvwxyz-");
		char wanted[128];

		snprintf(wanted, sizeof(wanted), "Fl -%.*s", (int)length, place + 2);
		place += 2 + length;
		if (length == 0) {
			continue;
		}
		count++;
		if (!strstr(page_text, wanted)) {
			fail_msg("safeclose.1 lacks --%s of %s", wanted + strlen("Fl -"), command);
		}
	}
	return count;
}

static void test_man_options_are_the_command_s(void **state)
{
	static const char *const commands[] = {"", "run", "check", "report"};
	char *text = page("safeclose.1");
	char *all = strdup("");

	(void)state;
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		char *help = help_of(commands[i]);
		char *longer = NULL;

		assert_true(check_options(text, help, commands[i]) > 0);
		assert_true(asprintf(&longer, "%s%s", all, help) >= 0);
		free(all);
		free(help);
		all = longer;
	}
	for (const char *place = text; (place = strstr(place, OPTION));) {
		char wanted[128];
		size_t length;

		place += strlen(OPTION);
		if (*place != '-') {
			continue; /* a letter, with its long name beside it */
		}
		length = strspn(place + 1, "abcdefghijklmnopqrstuvwxyz-");
		snprintf(wanted, sizeof(wanted), "--%.*s", (int)length, place + 1);
		if (!strstr(all, wanted)) {
			fail_msg("%s is in the man page alone", wanted);
		}
	}
	free(all);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_man_variables_are_the_option_table),
		cmocka_unit_test(test_man_options_are_the_command_s),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
