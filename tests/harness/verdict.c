// SPDX-License-Identifier: MIT
#include "verdict.h"
#include "text.h"
#include "unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void assert_output(const struct stage_end *end, const char *output)
{
	assert_string_equal(end->output, output);
	assert_int_equal(end->status, 0);
}

void assert_was_reset(const struct stage_end *end)
{
	assert_int_equal(end->peer_error, ECONNRESET);
	assert_true(end->was_rst_sent);
	assert_int_equal(end->grown.aborts_on_close, end->family == PEER_MPTCP ? 0 : 1);
}

void assert_was_fin(const struct stage_end *end)
{
	assert_int_equal(end->peer_error, 0);
	assert_true(end->was_fin_sent);
	assert_false(end->was_rst_sent);
	assert_int_equal(end->grown.aborts_on_close, 0);
	/*
	 * OutRsts is not asked: where the library's last read and the peer's FIN meet, the kernel
	 * acknowledges twice, and the second finds the peer's end gone. That reset reaches nobody.
	 */
	assert_int_equal(end->grown.aborts_on_data, 0);
}

void assert_not_reported(const struct stage_end *end)
{
	assert_string_equal(end->errors, "");
}

/* A peer that is slow to hang up lets the program's end come first, which then is told of as well. */
static char *at_exit(const char *text)
{
	return text_replaced(text ? text : "", "fin in ", "fin (exit) in ");
}

static size_t lines_with(const char *lines, const char *text, const char *other_text)
{
	char *late = at_exit(text);
	char *other_late = at_exit(other_text);
	size_t count = text_lines_with(lines, text, other_text);

	if ((text && strcmp(late, text) != 0) ||
		(other_text && strcmp(other_late, other_text) != 0)) {
		count += text_lines_with(lines, late, other_late);
	}
	free(late);
	free(other_late);
	return count;
}

void assert_reported(const struct stage_end *end, const char *text, const char *other_text)
{
	if (text_lines(end->errors) != 1 || lines_with(end->errors, text, other_text) != 1) {
		fail_msg("expected one line with \"%s\" and \"%s\", not:\n%s", text ? text : "",
			other_text ? other_text : "", end->errors);
	}
}
