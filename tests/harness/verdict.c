// SPDX-License-Identifier: MIT
#include "verdict.h"
#include "text.h"
#include "unit.h"

#include <errno.h>

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

void assert_reported(const struct stage_end *end, const char *text, const char *other_text)
{
	if (text_lines(end->errors) != 1 || text_lines_with(end->errors, text, other_text) != 1) {
		fail_msg("expected one line with \"%s\" and \"%s\", not:\n%s", text ? text : "",
			other_text ? other_text : "", end->errors);
	}
}
