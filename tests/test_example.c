// SPDX-License-Identifier: MIT
// HARNESS
/*
 * The example in tests/harness_example, as README shows it: a server's own test suites, which are
 * content, under `safeclose run --fail-on-reset`, which is not.
 */
#include "harness/command.h"
#include "harness/sanitizer.h"
#include "harness/text.h"
#include "harness/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SUITES SC_SOURCE_DIR "/tests/harness_example"
#define SERVER SC_BUILD_DIR "/tests/harness_example/server"

/* What README says behind "safeclose run --fail-on-reset". */
struct suite {
	const char *needs;
	const char *all;
	const char *small; /* without the upload that is refused */
};

static const struct suite python = {
	"python3 -c 'import unittest'",
	"python3 -m unittest test_server",
	"python3 -m unittest test_server.SmallUploads",
};
static const struct suite shell = {
	"bash -c 'exec 3<>/dev/tcp/127.0.0.1/1' 2>&1 | grep -q refused",
	"./test_server.sh",
	"./test_server.sh small",
};

static struct command_end in_folder(const char *format, const char *line)
{
	char script[1024];
	char text[512];

	snprintf(text, sizeof(text), format, line);
	snprintf(script, sizeof(script),
		"cd " SUITES " && export SERVER=" SERVER " PYTHONDONTWRITEBYTECODE=1 && %s", text);
	return command_run((const char *const[]){"sh", "-c", script, NULL}, NULL);
}

static const struct suite *suite_of(void **state)
{
	const struct suite *suite = *state;

	sanitizer_skip_if(sanitizer_is_any(), "the sanitizer's library has to be the first");
	if (in_folder("%s", suite->needs).status != 0) {
		print_message("missing here: %s\n", suite->needs);
		skip();
	}
	return suite;
}

static void test_example_suite_by_itself_sees_nothing(void **state)
{
	const struct suite *suite = suite_of(state);
	struct command_end end = in_folder("%s", suite->all);

	assert_int_equal(end.status, 0);
	assert_null(strstr(end.errors, "safeclose"));
}

static void test_example_without_a_reset_passes(void **state)
{
	const struct suite *suite = suite_of(state);
	struct command_end end =
		in_folder(COMMAND_SAFECLOSE " run --fail-on-reset %s", suite->small);

	assert_int_equal(end.status, 0);
	assert_null(strstr(end.errors, "safeclose"));
}

/* The line in server.c that the site stands for, as README finds it. */
static void assert_is_the_close(const char *site)
{
	char script[256];
	struct command_end end;

	snprintf(script, sizeof(script), "addr2line -f -e " SERVER " %.*s",
		(int)strcspn(site, " ,\n"), site);
	end = command_run((const char *const[]){"sh", "-c", script, NULL}, NULL);
	if (end.status == 127) {
		return; /* no addr2line here */
	}
	assert_int_equal(strncmp(end.output, "refuse\n", 7), 0);
	assert_non_null(strstr(end.output, "harness_example/server.c:"));
}

static void test_example_with_a_reset_fails_and_names_the_site(void **state)
{
	const struct suite *suite = suite_of(state);
	struct command_end end = in_folder(COMMAND_SAFECLOSE " run --fail-on-reset %s", suite->all);
	const char *site;

	assert_int_equal(end.status, 86);
	assert_non_null(strstr(end.errors, "safeclose: 1 connection was reset by a close\n"));
	/* What was unacknowledged depends on the moment. */
	site = strstr(end.errors, "       1         500 ");
	site = site ? strstr(site, "server+0x") : NULL;
	if (!site) {
		fail_msg("no call site in:\n%s", end.errors);
		return;
	}
	assert_non_null(strstr(site, " (refuse+0x"));
	assert_non_null(strstr(site, ", close: unread\n"));
	site = strstr(site, "+0x") + 1;
	char *offset = strdup(site);
	assert_is_the_close(offset);
	free(offset);
}

static void test_example_fin_passes(void **state)
{
	const struct suite *suite = suite_of(state);
	struct command_end end =
		in_folder(COMMAND_SAFECLOSE " run --fail-on-reset --mode fin %s", suite->all);

	assert_int_equal(end.status, 0);
	assert_int_equal(text_lines_with(end.errors, ": 500 unread", "drained 500, fin "), 1);
	assert_null(strstr(end.errors, "reset by a close"));
}

#define WITH(test, suite)                                                             \
	{                                                                             \
#test "[" #suite "]", test, NULL, NULL, (void *)(uintptr_t) & (suite) \
	}
#define BOTH(test) WITH(test, python), WITH(test, shell)

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH(test_example_suite_by_itself_sees_nothing),
		BOTH(test_example_without_a_reset_passes),
		BOTH(test_example_with_a_reset_fails_and_names_the_site),
		BOTH(test_example_fin_passes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
