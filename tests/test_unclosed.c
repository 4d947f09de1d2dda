// SPDX-License-Identifier: MIT
// HARNESS
/*
 * Calls that look like a close and close nothing: the connection is left as it was, with its bytes
 * and its places in epoll sets; result and errno are the kernel's.
 */
#include "harness/rows.h"
#include "harness/sharing.h"
#include "harness/verdict.h"

#include <stdio.h>
#include <stdlib.h>

/* 4242 is errno as the program left it, 9 is EBADF, 22 is EINVAL. */
static const struct row {
	const char *name;
	const char *words;
	const char *output;
} rows[] = {
	{"dup2_to_itself", "dup2 3 3", "dup2 3 -> 3 errno 4242\n"},
	{"dup2_from_a_closed_one", "dup2 77 3", "dup2 3 -> -1 errno 9\n"},
	{"dup2_from_a_negative_one", "dup2 -1 3", "dup2 3 -> -1 errno 9\n"},
	{"dup2_to_a_negative_one", "dup2 3 -1", "dup2 -1 -> -1 errno 9\n"},
	{"dup2_past_the_limit", "dup2 3 99999999", "dup2 99999999 -> -1 errno 9\n"},
	{"dup3_to_itself", "dup3 3 3 0", "dup3 3 -> -1 errno 22\n"},
	{"dup3_from_a_closed_one", "dup3 77 3 0", "dup3 3 -> -1 errno 9\n"},
	{"dup3_with_a_bad_flag", "open 4 /dev/null dup3 4 3 1", "dup3 3 -> -1 errno 22\n"},
	{"dup3_with_a_bad_flag_in_epoll",
		"epoll 4 epoll-add 4 3 open 5 /dev/null dup3 5 3 1 await-readable 4",
		"dup3 3 -> -1 errno 22\n"},
	{"syscall_dup2_to_itself", "syscall-dup2 3 3", "syscall-dup2 3 -> 3 errno 4242\n"},
	{"syscall_dup2_from_a_closed_one", "syscall-dup2 77 3", "syscall-dup2 3 -> -1 errno 9\n"},
	{"syscall_dup3_to_itself", "syscall-dup3 3 3 0", "syscall-dup3 3 -> -1 errno 22\n"},
	{"syscall_dup3_from_a_closed_one", "syscall-dup3 77 3 0", "syscall-dup3 3 -> -1 errno 9\n"},
	{"close_range_cloexec", "close-range 3 3 4", "close-range 3 -> 0 errno 4242\n"},
	{"close_range_cloexec_unshare", "close-range 3 3 6", "close-range 3 -> 0 errno 4242\n"},
	{"close_range_cloexec_of_all", "close-range 3 -1 4", "close-range 3 -> 0 errno 4242\n"},
	{"close_range_with_a_bad_flag", "close-range 3 3 64", "close-range 3 -> -1 errno 22\n"},
	{"close_range_the_wrong_way_round", "close-range 4 3 0", "close-range 4 -> -1 errno 22\n"},
	{"close_range_beside_it", "close-range 4 -1 0", "close-range 4 -> 0 errno 4242\n"},
	{"syscall_close_range_cloexec", "syscall-close-range 3 3 4",
		"syscall-close-range 3 -> 0 errno 4242\n"},
	{"syscall_close_range_with_a_bad_flag", "syscall-close-range 3 3 64",
		"syscall-close-range 3 -> -1 errno 22\n"},
	{"closefrom_beside_it", "closefrom 4", ""},
	{"fcloseall", "fdopen 3 r+ fcloseall", "fcloseall all -> 0 errno 4242\n"},
	{"close_of_another", "open 4 /dev/null close 4", "close 4 -> 0 errno 4242\n"},
	{"close_in_a_table_of_the_thread", "thread close-range 3 3 2 end join",
		"close-range 3 -> 0 errno 4242\n"},
	{"close_in_a_table_of_a_thread_that_goes_on",
		"unix 4 5 thread close-range 3 3 2 write 5 1 sleep end await-unread 4 1",
		"close-range 3 -> 0 errno 4242\n"},
	{"syscall_in_a_table_of_the_thread", "thread syscall-close-range 3 3 2 end join",
		"syscall-close-range 3 -> 0 errno 4242\n"},
};

static void test_unclosed_is_left_alone(void **state)
{
	const struct row *row = *state;
	char *words;
	char *output;

	assert_true(
		asprintf(&words, CONNECT AWAIT_UNREAD "%s say closed " USE("3"), row->words) > 0);
	assert_true(asprintf(&output, "%sclosed\nclose 3 -> 0 errno 4242\n", row->output) > 0);
	for (size_t i = 0; i < SHARING_MODES; i++) {
		struct stage_end end =
			sharing_run(words, &(struct sharing_options){.mode = sharing_modes[i]});

		assert_output(&end, output);
		assert_was_untouched(&end);
		assert_not_reported(&end);
	}
	free(words);
	free(output);
}

static const struct rows_subject subjects[] = {
	ROWS_SUBJECT(test_unclosed_is_left_alone, rows),
};

int main(void)
{
	return ROWS_RUN(subjects);
}
