// SPDX-License-Identifier: MIT
// LINK: report.o line.o
/*
 * sc_report_format(): the exact line of every kind of event, and its bounds.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "../shim/report.h"

enum { GUARD_SIZE = 64, GUARD_BYTE = 0x5a, LONG_NAME = 10000 };

/* Events. */

static union sc_addr ipv4(const char *text, uint16_t port)
{
	union sc_addr addr = {.v4 = {.sin_family = AF_INET, .sin_port = htons(port)}};

	assert_int_equal(inet_pton(AF_INET, text, &addr.v4.sin_addr), 1);
	return addr;
}

static union sc_addr ipv6(const char *text, uint16_t port)
{
	union sc_addr addr = {.v6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)}};

	assert_int_equal(inet_pton(AF_INET6, text, &addr.v6.sin6_addr), 1);
	return addr;
}

/* The example of the contract. */
static struct sc_event example(void)
{
	struct sc_event event = {
		.pid = 4242,
		.fd = 7,
		.via = SC_VIA_CLOSE,
		.outcome = SC_OUTCOME_FIN,
		.conn =
			{
				.proto = SC_PROTO_TCP,
				.unread_bytes = 312,
				.unacked_bytes = 8192,
				.state = TCP_ESTABLISHED,
				.linger_s = -1,
			},
		.drained_bytes = 312,
		.elapsed_us = 300,
		.site =
			{
				.module = "app",
				.module_offset = 0x1a2b,
				.symbol = "reply_and_close",
				.symbol_offset = 0x3c,
				.address = 0x55e4c0de1a2b,
			},
	};

	event.conn.local = ipv4("10.0.0.5", 8080);
	event.conn.peer = ipv4("10.0.0.9", 51544);
	return event;
}

/* Format into exactly size bytes with guards on both sides. The text is returned in a buffer that
 * the next call overwrites. */
static const char *format(const struct sc_event *event, size_t size, size_t *length)
{
	static char text[2 * SC_REPORT_LINE_MAX];
	unsigned char *room = malloc(size + 2 * GUARD_SIZE);
	char *line = (char *)room + GUARD_SIZE;

	assert_non_null(room);
	assert_in_range(size, 0, sizeof(text) - 1);
	memset(room, GUARD_BYTE, size + 2 * GUARD_SIZE);
	*length = sc_report_format(event, line, size);
	assert_in_range(*length, 0, size);
	for (size_t i = 0; i < GUARD_SIZE; i++) {
		assert_int_equal(room[i], GUARD_BYTE);
		assert_int_equal(room[GUARD_SIZE + size + i], GUARD_BYTE);
	}
	memcpy(text, line, *length);
	text[*length] = '\0';
	free(room);
	return text;
}

/* One line: printable, and a newline at its end alone. */
static void assert_is_line(const char *text, size_t length)
{
	assert_int_equal(strlen(text), length);
	assert_in_range(length, 1, SC_REPORT_LINE_MAX);
	assert_int_equal(text[length - 1], '\n');
	for (size_t i = 0; i + 1 < length; i++) {
		assert_in_range((unsigned char)text[i], 0x20, 0x7e);
	}
}

static const char *format_whole(const struct sc_event *event)
{
	size_t length;
	const char *text = format(event, SC_REPORT_LINE_MAX, &length);

	assert_is_line(text, length);
	return text;
}

static void check(const struct sc_event *event, const char *expected)
{
	assert_string_equal(format_whole(event), expected);
}

/* The line with the given piece where the example has its own. */
static void check_example(const struct sc_event *event, const char *ends, const char *bytes,
	const char *result, const char *site)
{
	char expected[SC_REPORT_LINE_MAX];

	snprintf(expected, sizeof(expected), "safeclose[4242]: close(7) %s: %s; %s; %s\n",
		ends != NULL ? ends : "10.0.0.5:8080 -> 10.0.0.9:51544",
		bytes != NULL ? bytes : "312 unread, 8192 unacknowledged",
		result != NULL ? result : "drained 312, fin in 0.3 ms",
		site != NULL ? site : "app+0x1a2b (reply_and_close+0x3c)");
	check(event, expected);
}

/* Whole lines. */

static void test_report_example_of_the_contract_is_exact(void **state)
{
	struct sc_event event = example();

	(void)state;
	check(&event, "safeclose[4242]: close(7) 10.0.0.5:8080 -> 10.0.0.9:51544: 312 unread, "
		      "8192 unacknowledged; drained 312, fin in 0.3 ms; "
		      "app+0x1a2b (reply_and_close+0x3c)\n");
}

static void test_report_reset_with_its_cause_is_exact(void **state)
{
	struct sc_event event = example();

	(void)state;
	event.outcome = SC_OUTCOME_RST;
	event.why = "unread";
	event.drained_bytes = 0;
	event.elapsed_us = 0;
	check(&event, "safeclose[4242]: close(7) 10.0.0.5:8080 -> 10.0.0.9:51544: 312 unread, "
		      "8192 unacknowledged; rst (unread) in 0.0 ms; "
		      "app+0x1a2b (reply_and_close+0x3c)\n");
}

static void test_report_listener_tells_who_was_not_accepted(void **state)
{
	struct sc_event event = example();

	(void)state;
	event.conn.is_listener = true;
	event.conn.state = TCP_LISTEN;
	event.conn.backlog = 3;
	event.conn.unread_bytes = 0;
	event.conn.unacked_bytes = 0;
	event.conn.local = ipv4("0.0.0.0", 80);
	event.conn.peer = (union sc_addr){.any = {.sa_family = AF_UNSPEC}};
	event.outcome = SC_OUTCOME_RST;
	event.why = "listener";
	event.drained_bytes = 0;
	check(&event, "safeclose[4242]: close(7) listener 0.0.0.0:80: 3 not accepted; "
		      "rst (listener) in 0.3 ms; app+0x1a2b (reply_and_close+0x3c)\n");
	event.conn.local = ipv6("::", 443);
	event.conn.backlog = UINT32_MAX;
	check(&event, "safeclose[4242]: close(7) listener [::]:443: 4294967295 not accepted; "
		      "rst (listener) in 0.3 ms; app+0x1a2b (reply_and_close+0x3c)\n");
}

/* Addresses. */

static void test_report_ipv4_ends_are_dotted(void **state)
{
	struct sc_event event = example();

	(void)state;
	event.conn.local = ipv4("255.255.255.255", 65535);
	event.conn.peer = ipv4("0.0.0.0", 0);
	check_example(&event, "255.255.255.255:65535 -> 0.0.0.0:0", NULL, NULL, NULL);
}

static void test_report_ipv6_ends_are_in_brackets(void **state)
{
	struct sc_event event = example();

	(void)state;
	event.conn.local = ipv6("::1", 80);
	event.conn.peer = ipv6("2001:db8::1:0:0:42", 51544);
	check_example(&event, "[::1]:80 -> [2001:db8::1:0:0:42]:51544", NULL, NULL, NULL);
	event.conn.local = ipv6("::", 0);
	event.conn.peer = ipv6("fe80::", 1);
	check_example(&event, "[::]:0 -> [fe80::]:1", NULL, NULL, NULL);
}

static void test_report_v4_mapped_ends_are_plain_ipv4(void **state)
{
	struct sc_event event = example();

	(void)state;
	event.conn.local = ipv6("::ffff:10.0.0.5", 8080);
	event.conn.peer = ipv6("::ffff:192.168.255.1", 51544);
	check_example(&event, "10.0.0.5:8080 -> 192.168.255.1:51544", NULL, NULL, NULL);
}

static void test_report_unknown_ends_are_question_marks(void **state)
{
	struct sc_event event = example();

	(void)state;
	event.conn.peer = (union sc_addr){.any = {.sa_family = AF_UNSPEC}};
	check_example(&event, "10.0.0.5:8080 -> ?", NULL, NULL, NULL);
	event.conn.local = (union sc_addr){.any = {.sa_family = AF_UNSPEC}};
	check_example(&event, "? -> ?", NULL, NULL, NULL);
}

/* Every place of zero groups, against the C library; two values for the others. */
static void test_report_ipv6_text_is_that_of_inet_ntop(void **state)
{
	struct sc_event event = example();
	unsigned int count = 0;

	(void)state;
	for (unsigned int bits = 0; bits < 512; bits++) {
		char text[INET6_ADDRSTRLEN], ends[2 * INET6_ADDRSTRLEN + 32];
		union sc_addr addr = ipv6("::", 80);
		for (unsigned int i = 0; i < 8; i++) {
			uint16_t group = htons(bits & 256u ? 0xab0c : 1);
			group = bits & 1u << i ? group : 0;
			memcpy(&addr.v6.sin6_addr.s6_addr[2 * i], &group, sizeof(group));
		}
		assert_non_null(inet_ntop(AF_INET6, &addr.v6.sin6_addr, text, sizeof(text)));
		if (strchr(text, '.') != NULL) {
			continue; /* the deprecated v4-compatible form */
		}
		event.conn.local = addr;
		event.conn.peer = addr;
		snprintf(ends, sizeof(ends), "[%s]:80 -> [%s]:80", text, text);
		check_example(&event, ends, NULL, NULL, NULL);
		count++;
	}
	assert_true(count > 500);
}

/* Numbers. */

static void test_report_zero_bytes_are_told(void **state)
{
	struct sc_event event = example();

	(void)state;
	event.conn.unread_bytes = 0;
	event.conn.unacked_bytes = 0;
	check_example(&event, NULL, "0 unread, 0 unacknowledged", NULL, NULL);
}

static void test_report_huge_numbers_are_whole(void **state)
{
	struct sc_event event = example();

	(void)state;
	event.pid = INT32_MAX;
	event.fd = INT32_MAX;
	event.conn.unread_bytes = UINT32_MAX;
	event.conn.unacked_bytes = UINT32_MAX - 1;
	event.drained_bytes = UINT64_MAX;
	event.elapsed_us = UINT64_MAX;
	event.site.module_offset = UINT64_MAX;
	event.site.symbol_offset = UINT64_MAX;
	check(&event, "safeclose[2147483647]: close(2147483647) "
		      "10.0.0.5:8080 -> 10.0.0.9:51544: 4294967295 unread, "
		      "4294967294 unacknowledged; drained 18446744073709551615, "
		      "fin in 18446744073709551.6 ms; app+0xffffffffffffffff "
		      "(reply_and_close+0xffffffffffffffff)\n");
}

static void test_report_urgent_follows_unread(void **state)
{
	struct sc_event event = example();

	(void)state;
	event.conn.is_urgent = true;
	check_example(&event, NULL, "312 unread urgent, 8192 unacknowledged", NULL, NULL);
	event.conn.unread_bytes = 0;
	check_example(&event, NULL, "0 unread urgent, 8192 unacknowledged", NULL, NULL);
}

static void test_report_drained_stands_only_where_bytes_were(void **state)
{
	struct sc_event event = example();

	(void)state;
	event.drained_bytes = 1;
	check_example(&event, NULL, NULL, "drained 1, fin in 0.3 ms", NULL);
	event.drained_bytes = 0;
	check_example(&event, NULL, NULL, "fin in 0.3 ms", NULL);
}

static void test_report_time_is_in_tenths_of_milliseconds(void **state)
{
	static const struct {
		uint64_t us;
		const char *text;
	} times[] = {
		{0, "fin in 0.0 ms"},
		{49, "fin in 0.0 ms"},
		{100, "fin in 0.1 ms"},
		{900, "fin in 0.9 ms"},
		{1000, "fin in 1.0 ms"},
		{10100, "fin in 10.1 ms"},
		{30000000, "fin in 30000.0 ms"},
	};
	struct sc_event event = example();

	(void)state;
	event.drained_bytes = 0;
	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		event.elapsed_us = times[i].us;
		check_example(&event, NULL, NULL, times[i].text, NULL);
	}
}

/* Names. */

static void test_report_every_outcome_has_its_name(void **state)
{
	static const char *const outcomes[] = {
		[SC_OUTCOME_RST] = "rst",
		[SC_OUTCOME_FIN] = "fin",
		[SC_OUTCOME_SHARED] = "shared",
		[SC_OUTCOME_ABORTIVE] = "abortive",
		[SC_OUTCOME_TIMEOUT] = "timeout",
		[SC_OUTCOME_LIMIT] = "limit",
	};
	struct sc_event event = example();

	(void)state;
	for (int i = SC_OUTCOME_RST; i <= SC_OUTCOME_LIMIT; i++) {
		char result[64];
		event.outcome = (enum sc_outcome)i;
		assert_string_equal(sc_report_outcome_name(event.outcome), outcomes[i]);
		snprintf(result, sizeof(result), "drained 312, %s in 0.3 ms", outcomes[i]);
		check_example(&event, NULL, NULL, result, NULL);
	}
}

static void test_report_why_follows_the_outcome_in_brackets(void **state)
{
	struct sc_event event = example();

	(void)state;
	event.outcome = SC_OUTCOME_SHARED;
	event.why = "holders unknown";
	event.drained_bytes = 0;
	check_example(&event, NULL, NULL, "shared (holders unknown) in 0.3 ms", NULL);
}

static void test_report_every_call_has_its_name(void **state)
{
	static const char *const calls[SC_VIA_COUNT] = {
		[SC_VIA_CLOSE] = "close",
		[SC_VIA_UNDERSCORES_CLOSE] = "__close",
		[SC_VIA_CLOSE_RANGE] = "close_range",
		[SC_VIA_CLOSEFROM] = "closefrom",
		[SC_VIA_DUP2] = "dup2",
		[SC_VIA_DUP3] = "dup3",
		[SC_VIA_FCLOSE] = "fclose",
		[SC_VIA_FREOPEN] = "freopen",
		[SC_VIA_FREOPEN64] = "freopen64",
		[SC_VIA_EXIT] = "exit",
		[SC_VIA_UNDERSCORE_EXIT] = "_exit",
		[SC_VIA_CAPITAL_EXIT] = "_Exit",
		[SC_VIA_QUICK_EXIT] = "quick_exit",
		[SC_VIA_ABORT] = "abort",
		[SC_VIA_DAEMON] = "daemon",
		[SC_VIA_EXECVE] = "execve",
		[SC_VIA_EXECV] = "execv",
		[SC_VIA_EXECVP] = "execvp",
		[SC_VIA_EXECVPE] = "execvpe",
		[SC_VIA_EXECL] = "execl",
		[SC_VIA_EXECLP] = "execlp",
		[SC_VIA_EXECLE] = "execle",
		[SC_VIA_FEXECVE] = "fexecve",
		[SC_VIA_EXECVEAT] = "execveat",
	};
	struct sc_event event = example();

	(void)state;
	for (int i = 0; i < SC_VIA_COUNT; i++) {
		char beginning[64];
		assert_non_null(calls[i]);
		event.via = (enum sc_via)i;
		assert_string_equal(sc_report_via_name(event.via), calls[i]);
		snprintf(beginning, sizeof(beginning), "safeclose[4242]: %s(7) 10.0.0.5:8080 -> ",
			calls[i]);
		assert_memory_equal(format_whole(&event), beginning, strlen(beginning));
	}
}

/* The call site. */

static void test_report_without_symbol_ends_at_the_module(void **state)
{
	struct sc_event event = example();

	(void)state;
	event.site.symbol = NULL;
	check_example(&event, NULL, NULL, NULL, "app+0x1a2b");
	event.site.module_offset = 0;
	check_example(&event, NULL, NULL, NULL, "app+0x0");
}

static void test_report_without_module_shows_the_address(void **state)
{
	struct sc_event event = example();

	(void)state;
	event.site.module = NULL;
	event.site.symbol = NULL;
	check_example(&event, NULL, NULL, NULL, "0x55e4c0de1a2b");
	event.site.address = UINT64_MAX;
	check_example(&event, NULL, NULL, NULL, "0xffffffffffffffff");
}

static void test_report_without_any_site_shows_a_question_mark(void **state)
{
	struct sc_event event = example();

	(void)state;
	event.site = (struct sc_site){0};
	check_example(&event, NULL, NULL, NULL, "?");
}

/* Stacks. */

static void test_report_callers_follow_the_site(void **state)
{
	const struct sc_site stack[] = {
		{.module = "app",
			.module_offset = 0x1a2b,
			.symbol = "reply_and_close",
			.symbol_offset = 0x3c,
			.address = 1},
		{.module = "libserve.so.1", .module_offset = 0x77, .address = 2},
		{.address = 0x7f0000000123},
	};
	struct sc_event event = example();

	(void)state;
	event.stack = stack;
	event.stack_count = 1;
	check_example(&event, NULL, NULL, NULL, NULL);
	event.stack_count = 3;
	check_example(&event, NULL, NULL, NULL,
		"app+0x1a2b (reply_and_close+0x3c) < libserve.so.1+0x77 < 0x7f0000000123");
	event.preview = (const unsigned char *)"GET";
	event.preview_bytes = 3;
	event.guess = "HTTP request";
	check_example(&event, NULL, NULL, NULL,
		"app+0x1a2b (reply_and_close+0x3c) < libserve.so.1+0x77 < 0x7f0000000123; \"GET\" "
		"(HTTP request)");
}

/* Whole frames alone, and all of the preview. */
static void test_report_callers_that_do_not_fit_are_left_out(void **state)
{
	enum { FRAMES = 32, PREVIEW = 256, FRAME_LENGTH = 3 + 3 + 1 + 1 + 120 + 15 };

	static unsigned char preview[PREVIEW];
	static struct sc_site stack[FRAMES];
	char name[121];
	char ending[32 + 4 * PREVIEW];
	struct sc_event event = example();
	const char *text;
	const char *more;
	size_t length;

	(void)state;
	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	stack[0] = event.site;
	for (size_t i = 1; i < FRAMES; i++) {
		stack[i] = (struct sc_site){
			.module = "lib", .module_offset = 7, .symbol = name, .address = 1};
	}
	event.stack = stack;
	event.stack_count = FRAMES;
	event.preview = preview;
	event.preview_bytes = PREVIEW;
	text = format(&event, SC_REPORT_LINE_MAX, &length);
	assert_is_line(text, length);
	assert_in_range(length, SC_REPORT_LINE_MAX - FRAME_LENGTH - 16, SC_REPORT_LINE_MAX);
	more = strstr(text, " < ...; \"");
	assert_non_null(more);
	assert_string_equal(more - strlen("+0x0)"), strcat(strcpy(ending, "+0x0)"), more));
	assert_int_equal(strlen(more), strlen(" < ...; \"\"\n") + 4 * PREVIEW);
	event.stack_count = 3;
	assert_null(strstr(format_whole(&event), "..."));
}

/* Bounds. */

/* Every feature of a line at its longest, but for the names of module and symbol. */
static struct sc_event longest(const char *module, const char *symbol)
{
	struct sc_event event = example();

	event.pid = INT32_MAX;
	event.fd = INT32_MAX;
	event.via = SC_VIA_CLOSE_RANGE;
	event.outcome = SC_OUTCOME_ABORTIVE;
	event.why = "holders unknown";
	event.conn.is_urgent = true;
	event.conn.unread_bytes = UINT32_MAX;
	event.conn.unacked_bytes = UINT32_MAX;
	event.conn.local = ipv6("2001:db8:1111:2222:3333:4444:5555:6666", 65535);
	event.conn.peer = event.conn.local;
	event.drained_bytes = UINT64_MAX;
	event.elapsed_us = UINT64_MAX;
	event.site.module = module;
	event.site.module_offset = UINT64_MAX;
	event.site.symbol = symbol;
	event.site.symbol_offset = 0xfedcba9876543210;
	return event;
}

static bool ends_with(const char *text, const char *end)
{
	size_t length = strlen(text), end_length = strlen(end);

	return length >= end_length && strcmp(text + length - end_length, end) == 0;
}

static void check_every_size(const struct sc_event *event)
{
	char whole[SC_REPORT_LINE_MAX + 1];
	size_t whole_length;

	strcpy(whole, format(event, SC_REPORT_LINE_MAX, &whole_length));
	assert_is_line(whole, whole_length);
	for (size_t size = 0; size <= SC_REPORT_LINE_MAX; size++) {
		size_t length;
		const char *text = format(event, size, &length);
		assert_int_equal(length, size < whole_length ? size : whole_length);
		if (length > 0) {
			assert_is_line(text, length);
			assert_memory_equal(text, whole, length - 1);
		}
	}
}

static void test_report_of_every_size_stays_inside_and_ends_in_newline(void **state)
{
	struct sc_event event = example();

	(void)state;
	check_every_size(&event);
	event.conn.is_listener = true;
	event.conn.backlog = 3;
	check_every_size(&event);
}

static char *name_of(char c, size_t length)
{
	char *name = malloc(length + 1);

	assert_non_null(name);
	memset(name, c, length);
	name[length] = '\0';
	return name;
}

static void test_report_of_huge_names_of_every_size_stays_inside(void **state)
{
	static const char fillings[] = {'x', '\n', '\x1b', '\\', '\xff'};

	(void)state;
	for (size_t i = 0; i < sizeof(fillings); i++) {
		char *name = name_of(fillings[i], LONG_NAME);
		struct sc_event event = longest(name, name);
		check_every_size(&event);
		free(name);
	}
}

/* Names give way, not what stands behind them. */
static void test_report_with_all_at_its_longest_is_not_cut(void **state)
{
	char *name = name_of('x', LONG_NAME);
	struct sc_event event = longest(name, name);

	(void)state;
	assert_true(ends_with(format_whole(&event), "+0xfedcba9876543210)\n"));
	assert_non_null(strstr(format_whole(&event), "+0xffffffffffffffff ("));
	event.site.symbol = NULL;
	assert_true(ends_with(format_whole(&event), "+0xffffffffffffffff\n"));
	free(name);
}

static void test_report_names_of_every_length_stay_inside(void **state)
{
	(void)state;
	for (size_t length = 0; length < 600; length++) {
		char *name = name_of('\x1b', length);
		struct sc_event event = longest(name, name);
		format_whole(&event);
		free(name);
	}
}

static void test_report_control_characters_in_names_are_escaped(void **state)
{
	struct sc_event event = example();

	(void)state;
	event.site.module = "a\nb\x1b[31m";
	event.site.symbol = "c\\d\r\x7f\xc2\x9b";
	check_example(&event, NULL, NULL, NULL,
		"a\\x0ab\\x1b[31m+0x1a2b (c\\\\d\\x0d\\x7f\\xc2\\x9b+0x3c)");
}

static void test_report_every_byte_in_a_name_comes_out_printable(void **state)
{
	struct sc_event event = example();

	(void)state;
	for (int c = 1; c < 256; c++) {
		char name[] = {'a', (char)c, 'z', '\0'};
		event.site.module = name;
		event.site.symbol = name;
		assert_true(ends_with(format_whole(&event), "z+0x3c)\n"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_report_example_of_the_contract_is_exact),
		cmocka_unit_test(test_report_reset_with_its_cause_is_exact),
		cmocka_unit_test(test_report_listener_tells_who_was_not_accepted),
		cmocka_unit_test(test_report_ipv4_ends_are_dotted),
		cmocka_unit_test(test_report_ipv6_ends_are_in_brackets),
		cmocka_unit_test(test_report_v4_mapped_ends_are_plain_ipv4),
		cmocka_unit_test(test_report_unknown_ends_are_question_marks),
		cmocka_unit_test(test_report_ipv6_text_is_that_of_inet_ntop),
		cmocka_unit_test(test_report_zero_bytes_are_told),
		cmocka_unit_test(test_report_huge_numbers_are_whole),
		cmocka_unit_test(test_report_urgent_follows_unread),
		cmocka_unit_test(test_report_drained_stands_only_where_bytes_were),
		cmocka_unit_test(test_report_time_is_in_tenths_of_milliseconds),
		cmocka_unit_test(test_report_every_outcome_has_its_name),
		cmocka_unit_test(test_report_why_follows_the_outcome_in_brackets),
		cmocka_unit_test(test_report_every_call_has_its_name),
		cmocka_unit_test(test_report_without_symbol_ends_at_the_module),
		cmocka_unit_test(test_report_without_module_shows_the_address),
		cmocka_unit_test(test_report_without_any_site_shows_a_question_mark),
		cmocka_unit_test(test_report_callers_follow_the_site),
		cmocka_unit_test(test_report_callers_that_do_not_fit_are_left_out),
		cmocka_unit_test(test_report_of_every_size_stays_inside_and_ends_in_newline),
		cmocka_unit_test(test_report_of_huge_names_of_every_size_stays_inside),
		cmocka_unit_test(test_report_with_all_at_its_longest_is_not_cut),
		cmocka_unit_test(test_report_names_of_every_length_stay_inside),
		cmocka_unit_test(test_report_control_characters_in_names_are_escaped),
		cmocka_unit_test(test_report_every_byte_in_a_name_comes_out_printable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
