// SPDX-License-Identifier: MIT
// HARNESS
/*
 * What the library cannot know, it leaves alone: threads with descriptor tables of their own,
 * connections inherited over exec by who may not read all processes. As README's Limits say.
 */
#include "harness/netns.h"
#include "harness/rows.h"
#include "harness/sanitizer.h"
#include "harness/sharing.h"
#include "harness/text.h"
#include "harness/verdict.h"

#include <string.h>

#define HOLDER(split)                                                                   \
	CONNECT AWAIT_UNREAD "unix 4 5 thread " split " write 5 1 hear on read 3 1000 " \
			     "write 3 5000 close 3 end await-unread 4 1 "

/* A thread keeps in its own table what another closes. */
static const struct sharing_row tables[] = {
	{"unshare", HOLDER("unshare-files libc") "close 3 say closed join"},
	{"unshare_by_number", HOLDER("unshare-files number") "close 3 say closed join"},
	{"unshare_by_close_range", HOLDER("close-range 60 70 2") "close 3 say closed join"},
};

/* The thread that has unshared closes, the others go on. */
static const struct sharing_row other_tables[] = {
	{"thread_closes", CONNECT AWAIT_UNREAD
		"thread unshare-files libc close 3 say closed end join " USE("3")},
	{"thread_closes_by_dup2",
		CONNECT AWAIT_UNREAD "open 4 /dev/null thread unshare-files libc dup2 4 3 "
				     "say closed end join " USE("3")},
	{"thread_closes_range", CONNECT AWAIT_UNREAD
		"thread unshare-files libc close-range 3 3 0 say closed end join " USE("3")},
};

/* Nothing is sent at the close; the end of the process resets, with the library and without. */
static void test_thread_born_with_a_table_holds_it(void **state)
{
	(void)state;
	sanitizer_skip_if(sanitizer_is_for_threads(), "it has to know of every thread");
	for (size_t i = 0; i < SHARING_MODES; i++) {
		struct stage *stage = stage_open(PEER_IPV4);
		struct stage_end end;

		program_start(&stage->program, &(struct program_options){.mode = sharing_modes[i]},
			"connect 3 %s " AWAIT_UNREAD
			"thread-with-a-table close 3 say closed hear go",
			stage->peer.target);
		peer_accept(&stage->peer);
		peer_send(&stage->peer, SHARING_UNREAD_BYTES);
		program_hear(&stage->program, "closed");
		netns_settle();
		assert_false(capture_saw(
			&stage->capture, stage->peer.program_port, SEGMENT_FIN | SEGMENT_RST));
		program_say(&stage->program, "go");
		end = stage_finish(stage, false);
		assert_int_equal(end.status, 0);
		assert_was_reset(&end);
		assert_not_reported(&end);
	}
}

static const struct rows_subject subjects[] = {
	ROWS_NAMED("test_table_of_a_thread_is_left_alone", sharing_test_left_alone, tables),
	ROWS_NAMED("test_table_of_a_thread_is_left_alone", sharing_test_left_alone, other_tables),
	ROWS_NAMED("test_table_of_a_thread_leaves_it_unknown", sharing_test_left_unknown, tables),
	ROWS_PLAIN(test_thread_born_with_a_table_holds_it),
};

int main(void)
{
	return ROWS_RUN(subjects);
}
