// SPDX-License-Identifier: MIT
// HARNESS
/*
 * The ways in which a program closes, besides close(): each resets without the library, is reported
 * by its own name, and is cured. Results, errno and exit status stay as they were.
 */
#include "harness/rows.h"
#include "harness/sanitizer.h"
#include "harness/stage.h"
#include "harness/unit.h"
#include "harness/verdict.h"

#include <string.h>

/* What closes the connection at descriptor 3 with 100 bytes unread. */
struct row {
	const char *name;
	const char *words;
	const char *via; /* in the report */
	const char *output;
	int status;
	uint64_t written_bytes; /* through a stream that the close flushes */
};

#define OPENED_AFTER " say closed hear go"

static const struct row rows[] = {
	{"close_range", "close-range 3 3 0" OPENED_AFTER, "]: close_range(3)",
		"close-range 3 -> 0 errno 4242\nclosed\n", 0, 0},
	{"close_range_to_the_last", "close-range 3 -1 0" OPENED_AFTER, "]: close_range(3)",
		"close-range 3 -> 0 errno 4242\nclosed\n", 0, 0},
	{"close_range_unshare", "close-range 3 3 2" OPENED_AFTER, "]: close_range(3)",
		"close-range 3 -> 0 errno 4242\nclosed\n", 0, 0},
	{"__close", "other-close 3" OPENED_AFTER, "]: __close(3)",
		"other-close 3 -> 0 errno 4242\nclosed\n", 0, 0},
	{"closefrom", "closefrom 3" OPENED_AFTER, "]: closefrom(3)", "closed\n", 0, 0},
	{"dup2", "open 4 /dev/null dup2 4 3" OPENED_AFTER, "]: dup2(3)",
		"dup2 3 -> 3 errno 4242\nclosed\n", 0, 0},
	{"dup3", "open 4 /dev/null dup3 4 3 0" OPENED_AFTER, "]: dup3(3)",
		"dup3 3 -> 3 errno 4242\nclosed\n", 0, 0},
	{"fclose", "fdopen 3 r+ fclose 3" OPENED_AFTER, "]: fclose(3)",
		"fclose 3 -> 0 errno 4242\nclosed\n", 0, 0},
	{"fclose_flushes", "fdopen 3 r+ print 3 1000 fclose 3" OPENED_AFTER, "]: fclose(3)",
		"fclose 3 -> 0 errno 4242\nclosed\n", 0, 1000},
	{"freopen", "fdopen 3 r+ freopen 3 /dev/null" OPENED_AFTER, "]: freopen(3)",
		"freopen 3 -> 3 errno 4242\nclosed\n", 0, 0},
	{"freopen_flushes", "fdopen 3 r+ print 3 1000 freopen 3 /dev/null" OPENED_AFTER,
		"]: freopen(3)", "freopen 3 -> 3 errno 4242\nclosed\n", 0, 1000},
	{"freopen_that_fails", "fdopen 3 r+ freopen 3 /nowhere/x" OPENED_AFTER, "]: freopen(3)",
		"freopen 3 -> -1 errno 2\nclosed\n", 0, 0},
	{"freopen64", "fdopen 3 r+ print 3 1000 freopen64 3 /dev/null" OPENED_AFTER,
		"]: freopen64(3)", "freopen64 3 -> 3 errno 4242\nclosed\n", 0, 1000},
	{"fcloseall", "fdopen 3 r+ print 3 1000 fcloseall", "]: exit(3)",
		"fcloseall all -> 0 errno 4242\n", 0, 1000},
	{"syscall_close", "syscall-close 3" OPENED_AFTER, "]: close(3)",
		"syscall-close 3 -> 0 errno 4242\nclosed\n", 0, 0},
	{"syscall_close_range", "syscall-close-range 3 3 0" OPENED_AFTER, "]: close_range(3)",
		"syscall-close-range 3 -> 0 errno 4242\nclosed\n", 0, 0},
	{"syscall_dup2", "open 4 /dev/null syscall-dup2 4 3" OPENED_AFTER, "]: dup2(3)",
		"syscall-dup2 3 -> 3 errno 4242\nclosed\n", 0, 0},
	{"syscall_dup3", "open 4 /dev/null syscall-dup3 4 3 0" OPENED_AFTER, "]: dup3(3)",
		"syscall-dup3 3 -> 3 errno 4242\nclosed\n", 0, 0},
	{"return", "", "]: exit(3)", "", 0, 0},
	{"exit", "exit 7", "]: exit(3)", "", 7, 0},
	{"exit_flushes", "fdopen 3 r+ print 3 1000 exit 7", "]: exit(3)", "", 7, 1000},
	{"exit_flushes_stdout",
		"control 100 dup2 3 1 dup2 1 0 close 3 use-stdout print 1 1000 exit 7",
		"]: exit(1)",
		"dup2 1 -> 1 errno 4242\ndup2 0 -> 0 errno 4242\nclose 3 -> 0 errno 4242\n", 7,
		1000},
	{"exit_in_a_handler", "at-exit exit 9 end exit 7", "]: exit(3)", "", 9, 0},
	{"exit_in_a_thread", "thread exit 7 end join", "]: exit(3)", "", 7, 0},
	{"exit_beside_fgets", "thread fgets end await-stdin-busy exit 7", "]: exit(3)", "", 7, 0},
	{"return_beside_fgets", "thread fgets end await-stdin-busy", "]: exit(3)", "", 0, 0},
	{"return_beside_a_thread", "thread sleep end", "]: exit(3)", "", 0, 0},
	{"last_pthread_exit", "fdopen 3 r+ print 3 1000 pthread-exit", "]: exit(3)", "", 0, 1000},
	{"last_pthread_exit_of_two", "thread await-main-ended pthread-exit end pthread-exit",
		"]: exit(3)", "", 0, 0},
	{"_exit", "exit-now 7", "]: _exit(3)", "", 7, 0},
	{"_Exit", "c-exit-now 7", "]: _Exit(3)", "", 7, 0},
	{"_exit_beside_a_thread", "thread sleep end exit-now 7", "]: _exit(3)", "", 7, 0},
	{"quick_exit", "quick-exit 7", "]: quick_exit(3)", "", 7, 0},
	{"abort", "abort", "]: abort(3)", "", 134, 0},
	{"syscall_exit", "syscall-exit 7", "]: _exit(3)", "", 7, 0},
	{"syscall_exit_group", "syscall-exit-group 7", "]: _exit(3)", "", 7, 0},
};

static struct stage_end close_so(const struct row *row, const char *mode)
{
	sanitizer_skip_if(sanitizer_is_for_threads() && mode &&
				  strcmp(row->name, "last_pthread_exit_of_two") == 0,
		"its own thread outlives the last");
	struct stage *stage = stage_open(PEER_IPV4);
	struct stage_end end;

	program_start(&stage->program, &(struct program_options){.mode = mode},
		"connect 3 %s await-unread 3 100 %s", stage->peer.target, row->words);
	peer_accept(&stage->peer);
	peer_send(&stage->peer, 100);
	end = stage_finish(stage, strstr(row->words, "hear go") != NULL);
	assert_string_equal(end.output, row->output);
	assert_int_equal(end.status, row->status);
	return end;
}

static void test_way_control_resets(void **state)
{
	struct stage_end end = close_so(*state, NULL);

	assert_was_reset(&end);
}

static void test_way_off_resets_silently(void **state)
{
	struct stage_end end = close_so(*state, "off");

	assert_was_reset(&end);
	assert_not_reported(&end);
}

static void test_way_warn_resets_and_reports(void **state)
{
	const struct row *row = *state;
	struct stage_end end = close_so(row, "warn");

	assert_was_reset(&end);
	assert_reported(&end, row->via, ": 100 unread, ");
	assert_reported(&end, "rst (unread) in ", NULL);
}

static void assert_cured(const struct row *row, const char *mode)
{
	struct stage_end end = close_so(row, mode);

	assert_was_fin(&end);
	assert_int_equal(end.received_bytes, row->written_bytes);
	assert_reported(&end, row->via, ": 100 unread, ");
	assert_reported(&end, "; drained 100, fin in ", NULL);
}

static void test_way_drain_ends_with_fin(void **state)
{
	assert_cured(*state, "drain");
}

static void test_way_fin_ends_with_fin(void **state)
{
	assert_cured(*state, "fin");
}

static const struct rows_subject subjects[] = {
	ROWS_SUBJECT(test_way_control_resets, rows),
	ROWS_SUBJECT(test_way_off_resets_silently, rows),
	ROWS_SUBJECT(test_way_warn_resets_and_reports, rows),
	ROWS_SUBJECT(test_way_drain_ends_with_fin, rows),
	ROWS_SUBJECT(test_way_fin_ends_with_fin, rows),
};

int main(void)
{
	return ROWS_RUN(subjects);
}
