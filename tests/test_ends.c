// SPDX-License-Identifier: MIT
// HARNESS
/*
 * The ends of a process stay as they were: the order of handlers, of stdio's flushing and of what
 * they do with a connection, the exit status, the signal. What a signal kills resets all the same.
 */
#include "harness/rows.h"
#include "harness/sanitizer.h"
#include "harness/sharing.h"
#include "harness/stage.h"
#include "harness/verdict.h"

#include <errno.h>
#include <string.h>

enum what { CURED, UNTOUCHED, RESET };

/* The connection at 3 has 1000 bytes unread when the words begin. */
static const struct row {
	const char *name;
	const char *words;
	const char *output;
	int status;
	enum what what;
} rows[] = {
	{"handlers_then_stdio", "at-exit say first end at-exit say second end puts buffered exit 7",
		"second\nfirst\nbuffered\n", 7, CURED},
	{"handlers_of_return", "at-exit say first end at-exit say second end puts buffered",
		"second\nfirst\nbuffered\n", 0, CURED},
	{"handler_that_exits",
		"at-exit say first end at-exit exit 9 end at-exit say third end puts buffered exit "
		"7",
		"third\nfirst\nbuffered\n", 9, CURED},
	{"handler_that_registers", "at-exit at-exit say late end say first end exit 7",
		"first\nlate\n", 7, CURED},
	{"handler_that_prints", "at-exit puts handler end puts buffered exit 7",
		"buffered\nhandler\n", 7, CURED},
	{"handlers_of_quick_exit",
		"at-exit say never end at-quick-exit say first end at-quick-exit say second end "
		"puts never quick-exit 7",
		"second\nfirst\n", 7, CURED},
	{"nothing_at__exit", "at-exit say never end puts never exit-now 7", "", 7, CURED},
	{"nothing_at__Exit", "at-exit say never end puts never c-exit-now 7", "", 7, CURED},
	{"nothing_at_abort", "at-exit say never end puts never abort", "", 134, CURED},
	{"nothing_at_syscall", "at-exit say never end puts never syscall-exit-group 7", "", 7,
		CURED},
	{"handler_that_closes", "at-exit close 3 end exit 7", "close 3 -> 0 errno 4242\n", 7,
		CURED},
	{"handler_that_uses", "at-exit read 3 1000 write 3 5000 end exit 7", "", 7, UNTOUCHED},
	{"handler_that_uses_first_registered",
		"at-exit read 3 1000 write 3 5000 close 3 end at-exit say second end exit 7",
		"second\nclose 3 -> 0 errno 4242\n", 7, UNTOUCHED},
	{"quick_handler_that_uses", "at-quick-exit read 3 1000 write 3 5000 end quick-exit 7", "",
		7, UNTOUCHED},
	{"thread_that_uses_is_last",
		"thread await-main-ended read 3 1000 write 3 5000 say last end pthread-exit",
		"last\n", 0, UNTOUCHED},
	{"syscall_exit_of_a_thread", "thread syscall-exit 7 end join read 3 1000 write 3 5000", "",
		0, UNTOUCHED},
	{"pthread_exit_of_a_thread", "thread pthread-exit end join read 3 1000 write 3 5000", "", 0,
		UNTOUCHED},
	{"syscall_exit_before_a_thread",
		"thread await-main-ended read 3 1000 write 3 5000 say last exit 5 end "
		"syscall-exit 7",
		"last\n", 5, UNTOUCHED},
	{"high_number", "dup2 3 100 close 3 exit 7",
		"dup2 100 -> 100 errno 4242\nclose 3 -> 0 errno 4242\n", 7, CURED},
	{"higher_number", "dupfd 3 400 close 3 exit-now 7", "close 3 -> 0 errno 4242\n", 7, CURED},
	{"high_number_inherited", "dup2 3 100 close 3 exec exit 7",
		"dup2 100 -> 100 errno 4242\nclose 3 -> 0 errno 4242\n", 7, CURED},
	{"higher_number_inherited", "dupfd 3 400 close 3 exec exit-now 7",
		"close 3 -> 0 errno 4242\n", 7, CURED},
	{"status_of_255", "exit 255", "", 255, CURED},
	{"status_of_256", "exit 256", "", 0, CURED},
	{"abort_caught", "abort-caught return", "caught\n", 134, RESET},
	{"abort_left", "abort-caught jump read 3 1000 write 3 5000", "back\n", 0, UNTOUCHED},
	{"SIGTERM", "raise 15", "", 143, RESET},
	{"SIGABRT", "raise 6", "", 134, RESET},
	{"SIGKILL", "raise 9", "", 137, RESET},
	{"SIGSEGV", "raise 11", "", 139, RESET},
};

static void skip_if_sanitized(const struct row *row)
{
	static const struct {
		const char *row;
		const char *why;
	} known[] = {
		{"nothing_at__exit", "it flushes stdio"},
		{"nothing_at_abort", "it flushes stdio"},
		{"thread_that_uses_is_last", "its own thread outlives the last"},
		{"syscall_exit_of_a_thread", "it waits for threads that end unseen"},
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		sanitizer_skip_if(
			sanitizer_is_for_threads() && strcmp(row->name, known[i].row) == 0,
			known[i].why);
	}
}

static struct stage_end end_so(const struct row *row, const char *mode)
{
	struct stage *stage = stage_open(PEER_IPV4);
	struct stage_end end;

	program_start(&stage->program, &(struct program_options){.mode = mode, .is_alone = true},
		"connect 3 %s await-unread 3 1000 %s", stage->peer.target, row->words);
	peer_accept(&stage->peer);
	peer_send(&stage->peer, SHARING_UNREAD_BYTES);
	end = stage_finish(stage, false);
	assert_string_equal(end.output, row->output);
	assert_int_equal(end.status, row->status);
	return end;
}

static void test_end_stays_as_it_was(void **state)
{
	const struct row *row = *state;

	skip_if_sanitized(row);
	for (size_t i = 0; i < SHARING_MODES; i++) {
		struct stage_end end = end_so(row, sharing_modes[i]);

		if (row->what == UNTOUCHED) {
			assert_was_fin(&end);
			assert_int_equal(end.received_bytes, SHARING_WRITTEN_BYTES);
			assert_not_reported(&end);
		} else if (row->what == RESET || i < 2) {
			assert_was_reset(&end);
		} else {
			assert_was_fin(&end);
			assert_reported(&end, ": 1000 unread", "; drained 1000, fin in ");
		}
	}
}

static const struct rows_subject subjects[] = {
	ROWS_SUBJECT(test_end_stays_as_it_was, rows),
};

int main(void)
{
	return ROWS_RUN(subjects);
}
