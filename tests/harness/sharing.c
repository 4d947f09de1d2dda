// SPDX-License-Identifier: MIT
#include "sharing.h"
#include "netns.h"
#include "text.h"
#include "unit.h"
#include "verdict.h"

#include <stdlib.h>
#include <string.h>

const char *const sharing_modes[SHARING_MODES] = {NULL, "warn", "drain", "fin"};

static void assert_nothing_was_sent(struct stage *stage)
{
	netns_settle();
	assert_false(
		capture_saw(&stage->capture, stage->peer.program_port, SEGMENT_FIN | SEGMENT_RST));
}

struct stage_end sharing_run(const char *words, const struct sharing_options *options)
{
	struct stage *stage = stage_open(PEER_IPV4);
	char *script = text_replaced(words, "TARGET", stage->peer.target);
	struct program_options program = {.mode = options->mode, .is_alone = true};

	memcpy(program.environment, options->environment, sizeof(program.environment));
	program_start(&stage->program, &program, "%s hear go", script);
	free(script);
	peer_accept(&stage->peer);
	peer_send(&stage->peer, SHARING_UNREAD_BYTES);
	program_hear(&stage->program, "closed");
	if (options->closing) {
		program_await_errors(&stage->program, options->closing);
	}
	assert_nothing_was_sent(stage);
	program_say(&stage->program, "on");
	peer_receive_end(&stage->peer);
	netns_settle();
	peer_late_error(&stage->peer);
	peer_hang_up(&stage->peer);
	if (options->ending) {
		program_await_errors(&stage->program, options->ending);
	}
	program_say(&stage->program, "go");
	return stage_judge(stage, program_await_exit(&stage->program));
}

/* ---- left alone ---------------------------------------------------------------------------- */

void assert_was_untouched(const struct stage_end *end)
{
	assert_int_equal(end->status, 0);
	assert_was_fin(end);
	assert_int_equal(end->received_bytes, SHARING_WRITTEN_BYTES);
}

void sharing_test_left_alone(void **state)
{
	const struct sharing_row *row = *state;

	for (size_t i = 0; i < SHARING_MODES; i++) {
		struct stage_end end = sharing_run(
			row->words, &(struct sharing_options){.mode = sharing_modes[i]});

		assert_was_untouched(&end);
		assert_not_reported(&end);
	}
}

/* The close is reported as shared; so may be the exit of a process that held a copy. */
void sharing_test_reported_as_shared(void **state)
{
	static const char *const modes[] = {"drain", "fin"};
	const struct sharing_row *row = *state;

	for (size_t i = 0; i < 2; i++) {
		struct stage_end end =
			sharing_run(row->words, &(struct sharing_options){.mode = modes[i],
							.environment = {"SAFECLOSE_REPORT=all"},
							.closing = "; shared"});
		size_t shared_lines = text_lines_with(end.errors, ": 1000 unread", "; shared");

		assert_was_untouched(&end);
		if (text_lines_with(end.errors, "close(", "; shared") != 1 ||
			text_lines(end.errors) != shared_lines) {
			fail_msg("not one close, shared:\n%s", end.errors);
		}
	}
}

void sharing_test_left_unknown(void **state)
{
	static const char *const modes[] = {"drain", "fin"};
	const struct sharing_row *row = *state;

	for (size_t i = 0; i < 2; i++) {
		struct stage_end end = sharing_run(
			row->words, &(struct sharing_options){.mode = modes[i],
					    .environment = {"SAFECLOSE_REPORT=all"},
					    .closing = "; shared (holders unknown) in "});

		assert_was_untouched(&end);
	}
}

/* ---- the last holder ----------------------------------------------------------------------- */

void sharing_test_last_control_resets(void **state)
{
	const struct sharing_row *row = *state;
	struct stage_end end = sharing_run(row->words, &(struct sharing_options){0});

	assert_was_reset(&end);
}

void sharing_test_last_warn_reports_once(void **state)
{
	const struct sharing_row *row = *state;
	struct stage_end end = sharing_run(row->words,
		&(struct sharing_options){.mode = "warn", .ending = "rst (unread) in "});

	assert_was_reset(&end);
	assert_reported(&end, ": 1000 unread", "rst (unread) in ");
}

static void assert_last_is_cured(const struct sharing_row *row, const char *mode)
{
	struct stage_end end = sharing_run(row->words,
		&(struct sharing_options){.mode = mode, .ending = "; drained 1000, fin "});

	assert_was_fin(&end);
	assert_reported(&end, ": 1000 unread", "; drained 1000, fin in ");
}

void sharing_test_last_drain_ends_with_fin(void **state)
{
	assert_last_is_cured(*state, "drain");
}

void sharing_test_last_fin_ends_with_fin(void **state)
{
	assert_last_is_cured(*state, "fin");
}
