// SPDX-License-Identifier: MIT
// HARNESS
/*
 * SAFECLOSE_ONLY in a program that closes two connections with unread bytes: the one on the list is
 * treated, the other ends as it does without the library, and nothing is said of it; by each way of
 * closing, in each mode.
 */
#include "harness/netns.h"
#include "harness/rows.h"
#include "harness/stage.h"
#include "harness/text.h"
#include "harness/verdict.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const modes[] = {"warn", "drain", "fin"};

enum { MODE_COUNT = sizeof(modes) / sizeof(modes[0]), UNREAD_BYTES = 100 };

/* What closes the connections at descriptors 3 and 4. */
static const struct way {
	const char *name;
	const char *words;
} ways[] = {
	{"close", "close 3 close 4 say closed hear go"},
	{"syscall", "syscall-close 3 syscall-close 4 say closed hear go"},
	{"dup2", "open 5 /dev/null dup2 5 3 dup2 5 4 say closed hear go"},
	{"dup3", "open 5 /dev/null dup3 5 3 0 dup3 5 4 0 say closed hear go"},
	{"close_range", "close-range 3 4 0 say closed hear go"},
	{"closefrom", "closefrom 3 say closed hear go"},
	{"fclose", "fdopen 3 r+ fclose 3 fdopen 4 r+ fclose 4 say closed hear go"},
	{"freopen", "fdopen 3 r+ fdopen 4 r+ freopen 3 /dev/null freopen 4 /dev/null say closed "
		    "hear go"},
	{"return", "say closed hear go"},
	{"_exit", "say closed hear go exit-now 0"},
	{"quick_exit", "say closed hear go quick-exit 0"},
	{"syscall_exit_group", "say closed hear go syscall-exit-group 0"},
	{"exec", "cloexec 3 cloexec 4 exec say closed hear go"},
	{"duplicated", "dup 3 5 dup 4 6 close 3 close 4 close 5 close 6 say closed hear go"},
	{"after_a_fork", "fork end wait close 3 close 4 say closed hear go"},
};

/* Families, and the list on which the first peer is, with its port for PORT. */
static const struct list {
	const char *name;
	enum peer_family family;
} lists[] = {
	{"peer:PORT", PEER_IPV4},
	{"peer:127.0.0.1:PORT", PEER_IPV4},
	{"peer:127.0.0.0/8:PORT", PEER_IPV4},
	{"local:1 peer:10.0.0.0/8, peer:127.0.0.1/32:PORT", PEER_IPV4},
	{"peer:127.0.0.1:PORT", PEER_V4MAPPED},
	{"peer:[::ffff:127.0.0.1]:PORT", PEER_V4MAPPED},
	{"peer:[::1]:PORT", PEER_IPV6},
	{"peer:[::]/0:PORT", PEER_IPV6},
	{"peer:127.0.0.1:PORT", PEER_MPTCP},
};

/* The other peer's connection, which is not on the list, besides the first's. */
struct two_ends {
	struct stage_end first;
	int other_error;
	size_t first_lines;
	size_t other_lines;
};

static size_t lines_of(const struct stage_end *end, uint16_t port)
{
	char text[32];

	snprintf(text, sizeof(text), ":%u: 100 unread, ", port);
	return text_lines_with(end->errors, text, NULL);
}

static struct two_ends judge(struct stage *stage)
{
	struct two_ends ends;

	program_hear(&stage->program, "closed");
	program_say(&stage->program, "go");
	peer_receive_end(&stage->peer);
	peer_receive_end(&stage->other_peer);
	netns_settle();
	peer_late_error(&stage->peer);
	peer_late_error(&stage->other_peer);
	peer_hang_up(&stage->peer);
	peer_hang_up(&stage->other_peer);
	ends.first = stage_judge(stage, program_await_exit(&stage->program));
	assert_int_equal(ends.first.status, 0);
	ends.other_error = stage->other_peer.error;
	ends.first_lines = lines_of(&ends.first, stage->peer.port);
	ends.other_lines = lines_of(&ends.first, stage->other_peer.port);
	assert_int_equal(text_lines(ends.first.errors), ends.first_lines + ends.other_lines);
	return ends;
}

/* list: with PORT for the first peer's; NULL: the variable is not set. */
static struct two_ends close_two(
	enum peer_family family, const char *words, const char *mode, const char *list)
{
	struct stage *stage = stage_open(family);
	char port[8];
	char variable[128];

	peer_listen(&stage->other_peer, family);
	snprintf(port, sizeof(port), "%u", stage->peer.port);
	if (list) {
		char *with_port = text_replaced(list, "PORT", port);

		snprintf(variable, sizeof(variable), "SAFECLOSE_ONLY=%s", with_port);
		free(with_port);
	}
	program_start(&stage->program,
		&(struct program_options){
			.mode = mode, .is_alone = true, .environment = {list ? variable : NULL}},
		"connect 3 %s connect 4 %s await-unread 3 100 await-unread 4 100 %s",
		stage->peer.target, stage->other_peer.target, words);
	peer_accept(&stage->peer);
	peer_accept(&stage->other_peer);
	peer_send(&stage->peer, UNREAD_BYTES);
	peer_send(&stage->other_peer, UNREAD_BYTES);
	return judge(stage);
}

/* ---- each way ------------------------------------------------------------------------------- */

static void test_chosen_control_resets_both(void **state)
{
	const struct way *way = *state;
	struct two_ends ends = close_two(PEER_IPV4, way->words, NULL, NULL);

	assert_int_equal(ends.first.peer_error, ECONNRESET);
	assert_int_equal(ends.other_error, ECONNRESET);
	assert_int_equal(ends.first.grown.aborts_on_close, 2);
}

/* Without a list both are treated. */
static void test_chosen_all_treats_both(void **state)
{
	const struct way *way = *state;

	for (size_t i = 0; i < MODE_COUNT; i++) {
		bool is_cured = strcmp(modes[i], "warn") != 0;
		struct two_ends ends = close_two(PEER_IPV4, way->words, modes[i], NULL);

		assert_int_equal(ends.first.peer_error, is_cured ? 0 : ECONNRESET);
		assert_int_equal(ends.other_error, is_cured ? 0 : ECONNRESET);
		assert_int_equal(ends.first.grown.aborts_on_close, is_cured ? 0 : 2);
		assert_int_equal(ends.first_lines, 1);
		assert_int_equal(ends.other_lines, 1);
	}
}

static void assert_first_alone_is_treated(const struct two_ends *ends, const char *mode)
{
	bool is_cured = strcmp(mode, "warn") != 0;

	assert_int_equal(ends->first.peer_error, is_cured ? 0 : ECONNRESET);
	assert_int_equal(ends->other_error, ECONNRESET);
	assert_int_equal(ends->first_lines, 1);
	assert_int_equal(ends->other_lines, 0);
}

static void test_chosen_alone_is_treated(void **state)
{
	const struct way *way = *state;

	for (size_t i = 0; i < MODE_COUNT; i++) {
		struct two_ends ends = close_two(PEER_IPV4, way->words, modes[i], "peer:PORT");

		assert_first_alone_is_treated(&ends, modes[i]);
		assert_int_equal(
			ends.first.grown.aborts_on_close, strcmp(modes[i], "warn") != 0 ? 1 : 2);
	}
}

/* A list on which neither is. */
static void test_chosen_none_is_as_without_the_library(void **state)
{
	const struct way *way = *state;

	for (size_t i = 0; i < MODE_COUNT; i++) {
		struct two_ends ends =
			close_two(PEER_IPV4, way->words, modes[i], "local:1,peer:192.0.2.1");

		assert_int_equal(ends.first.peer_error, ECONNRESET);
		assert_int_equal(ends.other_error, ECONNRESET);
		assert_int_equal(ends.first.grown.aborts_on_close, 2);
		assert_not_reported(&ends.first);
	}
}

/* ---- each kind of list ---------------------------------------------------------------------- */

static void test_chosen_by_each_list(void **state)
{
	const struct list *list = *state;

	for (size_t i = 0; i < MODE_COUNT; i++) {
		struct two_ends ends = close_two(list->family, ways[0].words, modes[i], list->name);

		assert_first_alone_is_treated(&ends, modes[i]);
	}
}

static void test_chosen_by_list_that_is_not_understood_is_all(void **state)
{
	(void)state;
	for (size_t i = 0; i < MODE_COUNT; i++) {
		struct stage *stage = stage_open(PEER_IPV4);
		struct stage_end end;

		program_start(&stage->program,
			&(struct program_options){.mode = modes[i],
				.environment = {"SAFECLOSE_ONLY=local:1,peer:example.org"}},
			"connect 3 %s await-unread 3 100 close 3 say closed hear go",
			stage->peer.target);
		peer_accept(&stage->peer);
		peer_send(&stage->peer, UNREAD_BYTES);
		end = stage_finish(stage, true);
		assert_int_equal(text_lines(end.errors), 2);
		assert_int_equal(
			text_lines_with(end.errors,
				"SAFECLOSE_ONLY=local:1,peer:example.org is not understood",
				"; using all"),
			1);
		assert_int_equal(lines_of(&end, stage->peer.port), 1);
	}
}

/* The program serves a port, and the list names it, or another. */
static struct stage_end serve_one(const char *mode, const char *prefix)
{
	struct stage *stage = stage_open(PEER_IPV4);

	program_start(&stage->program, &(struct program_options){.mode = mode},
		"listen 3 4 port 3 setenv-port SAFECLOSE_ONLY %s 3 exec accept 3 4 "
		"await-unread 4 100 close 4 close 3 say closed hear go",
		prefix);
	peer_close(&stage->peer);
	peer_connect(
		&stage->peer, PEER_IPV4, (uint16_t)program_hear_number(&stage->program, "port "));
	peer_send(&stage->peer, UNREAD_BYTES);
	return stage_finish(stage, true);
}

static void test_chosen_by_the_own_port(void **state)
{
	(void)state;
	for (size_t i = 0; i < MODE_COUNT; i++) {
		struct stage_end chosen = serve_one(modes[i], "local:");

		assert_reported(&chosen, "close(4) ", ": 100 unread, ");
		assert_int_equal(chosen.peer_error, i == 0 ? ECONNRESET : 0);
	}
	for (size_t i = 0; i < MODE_COUNT; i++) {
		struct stage_end other = serve_one(modes[i], "local:1,peer:");

		assert_was_reset(&other);
		assert_not_reported(&other);
	}
}

static void test_chosen_listener_by_its_port(void **state)
{
	static const char *const prefixes[] = {"local:", "local:1,peer:"};

	(void)state;
	for (size_t i = 0; i < 2 * MODE_COUNT; i++) {
		struct stage *stage = stage_open(PEER_IPV4);
		struct stage_end end;

		program_start(&stage->program, &(struct program_options){.mode = modes[i / 2]},
			"listen 3 4 port 3 setenv-port SAFECLOSE_ONLY %s 3 exec await-backlog 3 1 "
			"close 3 say closed hear go",
			prefixes[i % 2]);
		peer_close(&stage->peer);
		peer_connect(&stage->peer, PEER_IPV4,
			(uint16_t)program_hear_number(&stage->program, "port "));
		program_hear(&stage->program, "closed");
		end = stage_finish(stage, true);
		assert_int_equal(end.peer_error, ECONNRESET);
		assert_int_equal(text_lines(end.errors), i % 2 == 0 ? 1 : 0);
		assert_int_equal(
			text_lines_with(end.errors, ": 1 not accepted; rst (listener)", NULL),
			i % 2 == 0 ? 1 : 0);
	}
}

/* ---- what is costly or risky is not done ----------------------------------------------------- */

/* SAFECLOSE_SHUTDOWN=half: for what is not on the list the shutdown is the program's own. */
static void test_chosen_shutdown_is_halved_alone(void **state)
{
	static const char *const variables[] = {"SAFECLOSE_ONLY=local:1", "SAFECLOSE_ONLY=all"};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct stage *stage = stage_open(PEER_IPV4);
		struct stage_end end;

		program_start(&stage->program,
			&(struct program_options){.mode = "fin",
				.environment = {"SAFECLOSE_SHUTDOWN=half", variables[i]}},
			"connect 3 %s shutdown 3 rdwr say shut hear late close 3 say closed hear "
			"go",
			stage->peer.target);
		peer_accept(&stage->peer);
		program_hear(&stage->program, "shut");
		assert_true(peer_try_send(&stage->peer, UNREAD_BYTES) == UNREAD_BYTES);
		netns_settle();
		program_say(&stage->program, "late");
		program_hear(&stage->program, "closed");
		end = stage_finish(stage, true);
		assert_int_equal(end.grown.aborts_on_data, i == 0 ? 1 : 0);
		assert_int_equal(text_lines(end.errors), i);
	}
}

/* SAFECLOSE_WHEN=always lingers for no other, and SAFECLOSE_REPORT=all tells of no other. */
static void test_chosen_neither_lingers_nor_is_told_with_all(void **state)
{
	static const char *const variables[] = {"SAFECLOSE_ONLY=local:1", "SAFECLOSE_ONLY=all"};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct stage *stage = stage_open(PEER_IPV4);
		struct stage_end end;

		program_start(&stage->program,
			&(struct program_options){.mode = "fin",
				.environment = {"SAFECLOSE_WHEN=always", "SAFECLOSE_REPORT=all",
					variables[i]}},
			"connect 3 %s dup 3 4 linger 3 1 0 close 3 say once linger 4 0 0 close 4 "
			"say "
			"closed hear go",
			stage->peer.target);
		peer_accept(&stage->peer);
		program_hear(&stage->program, "closed");
		end = stage_finish(stage, true);
		assert_output(&end, "close 3 -> 0 errno 4242\nonce\nclose 4 -> 0 errno "
				    "4242\nclosed\n");
		assert_was_fin(&end);
		assert_int_equal(text_lines(end.errors), i == 0 ? 0 : 2);
	}
}

static const struct rows_subject subjects[] = {
	ROWS_SUBJECT(test_chosen_control_resets_both, ways),
	ROWS_SUBJECT(test_chosen_all_treats_both, ways),
	ROWS_SUBJECT(test_chosen_alone_is_treated, ways),
	ROWS_SUBJECT(test_chosen_none_is_as_without_the_library, ways),
	ROWS_SUBJECT(test_chosen_by_each_list, lists),
	ROWS_PLAIN(test_chosen_by_list_that_is_not_understood_is_all),
	ROWS_PLAIN(test_chosen_by_the_own_port),
	ROWS_PLAIN(test_chosen_listener_by_its_port),
	ROWS_PLAIN(test_chosen_shutdown_is_halved_alone),
	ROWS_PLAIN(test_chosen_neither_lingers_nor_is_told_with_all),
};

int main(void)
{
	return ROWS_RUN(subjects);
}
