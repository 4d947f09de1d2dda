// SPDX-License-Identifier: MIT
#include "elsewhere.h"
#include "sanitizer.h"
#include "text.h"
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What the test wrote, each line behind a bar: tests/run counts its own runner's lines alone. */
static void tell(char *text)
{
	char *rest;

	for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		print_message("| %s\n", line);
	}
}

static void skip_if_missing(const struct elsewhere *elsewhere)
{
	char actor[512];

	sanitizer_skip_if(sanitizer_is_any(), "the other library has none");
	snprintf(actor, sizeof(actor), "%sactor", elsewhere->folder);
	if (access(actor, X_OK) != 0) {
		print_message("%s\n", elsewhere->why);
		skip();
	}
}

static void set_or_unset(const char *name, const char *value)
{
	if (value) {
		setenv(name, value, 1);
	} else {
		unsetenv(name);
	}
}

void elsewhere_run(const struct elsewhere *elsewhere, const struct elsewhere_row *row)
{
	char log[] = "/tmp/safeclose-elsewhere-XXXXXX";
	char command[512];
	char *text;
	size_t passed;
	int status;
	int fd;

	skip_if_missing(elsewhere);
	fd = mkstemp(log);
	assert_true(fd >= 0);
	close(fd);
	set_or_unset("HARNESS_FOLDER", elsewhere->folder);
	set_or_unset("HARNESS_LIBRARY", elsewhere->library);
	set_or_unset("HARNESS_UNDER", elsewhere->under);
	set_or_unset("HARNESS_ROWS", row->rows);
	snprintf(command, sizeof(command),
		"CMOCKA_MESSAGE_OUTPUT=TAP " SC_BUILD_DIR "/tests/test_%s >%s 2>&1", row->name,
		log);
	status = system(command);
	text = text_of_file(log);
	unlink(log);
	passed = text_lines_with(text, "ok ", " - test_") -
		 text_lines_with(text, "not ok ", " - test_");
	if (status != 0 || passed < row->passed) {
		tell(text);
		fail_msg("status %d, %zu passed", status, passed);
	}
	free(text);
}

void elsewhere_assert_interpreter(const struct elsewhere *elsewhere, const char *text)
{
	char command[512];
	char line[256] = "";
	FILE *answer;

	skip_if_missing(elsewhere);
	snprintf(command, sizeof(command), "LC_ALL=C readelf -lW %sactor | grep 'interpreter: '",
		elsewhere->folder);
	answer = popen(command, "r");
	assert_non_null(answer);
	assert_non_null(fgets(line, sizeof(line), answer));
	pclose(answer);
	assert_non_null(strstr(line, text));
}
