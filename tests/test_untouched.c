// SPDX-License-Identifier: MIT
// HARNESS
/*
 * What is not the library's business stays as it is in every mode: resets that the program asked for
 * (SO_LINGER {1, 0}), however it closes; sockets in repair, which close without a segment; sockets
 * without a connection, and those that are not TCP's.
 */
#include "harness/netns.h"
#include "harness/rows.h"
#include "harness/stage.h"
#include "harness/text.h"
#include "harness/verdict.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define ACTOR SC_BUILD_DIR "/tests/programs/actor"

static const char *const modes[] = {NULL, "off", "warn", "drain", "fin"};

enum { MODE_COUNT = sizeof(modes) / sizeof(modes[0]), LOUD_FROM = 2 };

/* ---- asked for ------------------------------------------------------------------------------ */

/* The connection at 3, with 100 bytes unread. */
static const struct way {
	const char *name;
	const char *words;
	const char *via;
	int status;
} ways[] = {
	{"close", "close 3 say closed hear go", "]: close(3) ", 0},
	{"__close", "other-close 3 say closed hear go", "]: __close(3) ", 0},
	{"syscall", "syscall-close 3 say closed hear go", "]: close(3) ", 0},
	{"dup2", "open 4 /dev/null dup2 4 3 say closed hear go", "]: dup2(3) ", 0},
	{"dup3", "open 4 /dev/null dup3 4 3 0 say closed hear go", "]: dup3(3) ", 0},
	{"close_range", "close-range 3 -1 0 say closed hear go", "]: close_range(3) ", 0},
	{"closefrom", "closefrom 3 say closed hear go", "]: closefrom(3) ", 0},
	{"fclose", "fdopen 3 r+ fclose 3 say closed hear go", "]: fclose(3) ", 0},
	{"freopen", "fdopen 3 r+ freopen 3 /dev/null say closed hear go", "]: freopen(3) ", 0},
	{"exit", "exit 7", "]: exit(3) ", 7},
	{"return", "", "]: exit(3) ", 0},
	{"_exit", "exit-now 7", "]: _exit(3) ", 7},
	{"quick_exit", "quick-exit 7", "]: quick_exit(3) ", 7},
	{"abort", "abort", "]: abort(3) ", 134},
	{"exit_group", "syscall-exit-group 7", "]: _exit(3) ", 7},
	{"exec", "cloexec 3 exec-by execve " ACTOR " say closed hear go", "]: execve(3) ", 0},
};

static struct stage_end close_abortively(
	const struct way *way, const char *mode, const char *variable)
{
	struct stage *stage = stage_open(PEER_IPV4);
	struct stage_end end;

	program_start(&stage->program,
		&(struct program_options){
			.mode = mode, .environment = {variable}, .is_alone = true},
		"connect 3 %s linger 3 1 0 await-unread 3 100 %s", stage->peer.target, way->words);
	peer_accept(&stage->peer);
	peer_send(&stage->peer, 100);
	end = stage_finish(stage, strstr(way->words, "hear go") != NULL);
	assert_int_equal(end.status, way->status);
	assert_int_equal(end.peer_error, ECONNRESET);
	assert_true(end.was_rst_sent);
	assert_false(end.was_fin_sent);
	return end;
}

static void test_abortive_stays_a_reset(void **state)
{
	for (size_t i = 0; i < MODE_COUNT; i++) {
		struct stage_end end = close_abortively(*state, modes[i], NULL);

		assert_not_reported(&end);
	}
}

static void test_abortive_is_reported_where_all_is(void **state)
{
	const struct way *way = *state;

	for (size_t i = LOUD_FROM; i < MODE_COUNT; i++) {
		struct stage_end end = close_abortively(way, modes[i], "SAFECLOSE_REPORT=all");

		assert_reported(&end, way->via, ": 100 unread, ");
		assert_reported(&end, "; abortive in ", NULL);
	}
}

/* ---- in repair ------------------------------------------------------------------------------ */

static void test_repair_closes_without_a_segment(void **state)
{
	const struct way *way = *state;

	for (size_t i = 0; i < MODE_COUNT; i++) {
		struct stage *stage = stage_open(PEER_IPV4);
		struct stage_end end;

		program_start(&stage->program,
			&(struct program_options){.mode = modes[i],
				.environment = {"SAFECLOSE_REPORT=all"},
				.is_alone = true},
			"connect 3 %s await-unread 3 100 repair 3 %s", stage->peer.target,
			way->words);
		peer_accept(&stage->peer);
		peer_send(&stage->peer, 100);
		if (program_hear_number(&stage->program, "repair 3 -> ") != 0) {
			print_message("TCP_REPAIR is not allowed here\n");
			skip();
		}
		if (strstr(way->words, "hear go")) {
			program_hear(&stage->program, "closed");
			program_say(&stage->program, "go");
		}
		end = stage_judge(stage, program_await_exit(&stage->program));
		assert_int_equal(end.status, way->status);
		assert_false(end.was_fin_sent);
		assert_false(end.was_rst_sent);
		assert_int_equal(peer_late_error(&stage->peer), 0);
		assert_not_reported(&end);
	}
}

/* ---- no connection -------------------------------------------------------------------------- */

/* 104 is ECONNRESET, with which a unix socket answers unread bytes; 111 is ECONNREFUSED. */
static const struct other {
	const char *name;
	const char *words;
	const char *output;
} others[] = {
	{"unconnected", "socket 3 4 close 3", "close 3 -> 0 errno 4242\n"},
	{"unconnected_v6", "socket 3 6 close 3", "close 3 -> 0 errno 4242\n"},
	{"refused", "socket 3 4 try-connect 3 4 127.0.0.1 1 close 3",
		"connect 3 -> -1 errno 111\nclose 3 -> 0 errno 4242\n"},
	{"listener", "listen 3 4 close 3", "close 3 -> 0 errno 4242\n"},
	{"unix_with_unread_bytes", "unix 3 4 write 3 100 close 4 read-end 3",
		"close 4 -> 0 errno 4242\nread-end 3 -> 0 errno 104\n"},
	{"unix_all_read", "unix 3 4 write 4 100 close 4 read-end 3",
		"close 4 -> 0 errno 4242\nread-end 3 -> 100 errno 0\n"},
	{"unix_at_exit", "unix 3 4 fork close 3 write 4 10 exit 0 end wait close 4 read-end 3",
		"close 3 -> 0 errno 4242\nchild ended 0\nclose 4 -> 0 errno 4242\n"
		"read-end 3 -> 10 errno 0\n"},
	{"udp_with_unread_bytes", "udp 3 write 3 100 await-unread 3 100 close 3",
		"close 3 -> 0 errno 4242\n"},
	{"udp_at_exit", "udp 3 write 3 100 await-unread 3 100 exit 0", ""},
	{"pipe_with_unread_bytes", "pipe 3 4 write 4 100 close 4 read-end 3 close 3",
		"close 4 -> 0 errno 4242\nread-end 3 -> 100 errno 0\nclose 3 -> 0 errno 4242\n"},
	{"tty_with_unread_bytes", "tty 3 4 write 4 100 close 4 await-readable 3 close 3",
		"close 4 -> 0 errno 4242\nclose 3 -> 0 errno 4242\n"},
};

static void test_other_is_untouched(void **state)
{
	static const char *const variables[] = {"SAFECLOSE_REPORT=acted", "SAFECLOSE_WHEN=always"};
	const struct other *other = *state;

	for (size_t i = 0; i < MODE_COUNT; i++) {
		for (size_t v = 0; v < 2; v++) {
			struct stage *stage = stage_open(PEER_IPV4);
			struct stage_end end;

			program_start(&stage->program,
				&(struct program_options){
					.mode = modes[i], .environment = {variables[v]}},
				"%s", other->words);
			end = stage_judge(stage, program_await_exit(&stage->program));
			assert_output(&end, other->output);
			assert_not_reported(&end);
			assert_int_equal(
				end.grown.out_rsts, strcmp(other->name, "refused") == 0 ? 1 : 0);
		}
	}
}

static const struct rows_subject subjects[] = {
	ROWS_SUBJECT(test_abortive_stays_a_reset, ways),
	ROWS_SUBJECT(test_abortive_is_reported_where_all_is, ways),
	ROWS_SUBJECT(test_repair_closes_without_a_segment, ways),
	ROWS_SUBJECT(test_other_is_untouched, others),
};

int main(void)
{
	return ROWS_RUN(subjects);
}
