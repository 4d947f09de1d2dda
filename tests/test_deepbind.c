// SPDX-License-Identifier: MIT
// HARNESS
/*
 * SAFECLOSE_DEEPBIND: a plugin loaded with RTLD_DEEPBIND takes close() from libc, past everything
 * that is preloaded, so its closes are not seen; with strip they are.
 */
#include "harness/rows.h"
#include "harness/sanitizer.h"
#include "harness/stage.h"
#include "harness/verdict.h"

#define PLUGIN SC_BUILD_DIR "/tests/programs/plugin.so"
#define STRIP "SAFECLOSE_DEEPBIND=strip"

static struct stage_end close_by_plugin(const char *mode, const char *how, const char *variable)
{
	struct stage *stage = stage_open(PEER_IPV4);
	struct stage_end end;

	if (sanitizer_is_any()) {
		print_message("sanitizers forbid RTLD_DEEPBIND\n");
		skip();
	}
	program_start(&stage->program,
		&(struct program_options){.mode = mode, .environment = {variable}},
		"connect 3 %s await-unread 3 100 plugin-close " PLUGIN " %s 3 say closed hear go",
		stage->peer.target, how);
	peer_accept(&stage->peer);
	peer_send(&stage->peer, 100);
	end = stage_finish(stage, true);
	assert_output(&end, "plugin-close 3 -> 0 errno 4242\nclosed\n");
	return end;
}

static void test_deepbind_control_resets(void **state)
{
	struct stage_end end = close_by_plugin(NULL, "deepbind", NULL);

	(void)state;
	assert_was_reset(&end);
}

static void test_deepbind_plain_plugin_is_seen(void **state)
{
	struct stage_end end = close_by_plugin("fin", "plain", NULL);

	(void)state;
	assert_was_fin(&end);
	assert_reported(&end, "]: close(3) ", "; plugin.so+0x");
}

/* The limit that the option is for. */
static void test_deepbind_keep_is_unseen(void **state)
{
	struct stage_end end = close_by_plugin("fin", "deepbind", "SAFECLOSE_DEEPBIND=keep");

	(void)state;
	assert_was_reset(&end);
	assert_not_reported(&end);
}

static void test_deepbind_strip_warns(void **state)
{
	struct stage_end end = close_by_plugin("warn", "deepbind", STRIP);

	(void)state;
	assert_was_reset(&end);
	assert_reported(&end, "]: close(3) ", "rst (unread) in ");
}

static void test_deepbind_strip_ends_with_fin(void **state)
{
	static const char *const modes[] = {"drain", "fin"};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct stage_end end = close_by_plugin(modes[i], "deepbind", STRIP);

		assert_was_fin(&end);
		assert_reported(&end, "]: close(3) ", "; drained 100, fin in ");
		assert_reported(&end, "; plugin.so+0x", NULL);
	}
}

static const struct rows_subject subjects[] = {
	ROWS_PLAIN(test_deepbind_control_resets),
	ROWS_PLAIN(test_deepbind_plain_plugin_is_seen),
	ROWS_PLAIN(test_deepbind_keep_is_unseen),
	ROWS_PLAIN(test_deepbind_strip_warns),
	ROWS_PLAIN(test_deepbind_strip_ends_with_fin),
};

int main(void)
{
	return ROWS_RUN(subjects);
}
