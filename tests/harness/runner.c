// SPDX-License-Identifier: MIT
#include "runner.h"
#include "sanitizer.h"
#include "text.h"
#include "unit.h"

#include <string.h>

void runner_skip_for_sanitizer(void)
{
	sanitizer_skip_if(sanitizer_is_any(), "the sanitizer's library has to be the first");
}

void assert_refused(const struct command_end *end, const char *word)
{
	assert_int_equal(end->status, 2);
	assert_string_equal(end->output, "");
	assert_int_equal(text_lines(end->errors), 1);
	assert_int_equal(strncmp(end->errors, "safeclose: ", 11), 0);
	assert_contains(end->errors, word);
}

char *runner_variable(const struct command_end *end, const char *begin)
{
	const char *place = strstr(end->output, begin);

	if (!place) {
		fail_msg("no %s in:\n%s", begin, end->output);
		return NULL;
	}
	place += strlen(begin);
	return strndup(place, strcspn(place, "\n"));
}
