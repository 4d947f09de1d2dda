// SPDX-License-Identifier: MIT
// LINK: json.o timestamp.o report.o line.o config.o only.o
// LIBS: -lyajl
/*
 * sc_json_format(): every key, in order, read back by a JSON library, whatever the names are; and
 * never a line that is too long or broken.
 */
#include "../shim/json.h"
#include "../shim/timestamp.h"
#include "harness/unit.h"

#include <arpa/inet.h>
#include <limits.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <yajl/yajl_tree.h>

enum { GUARD_SIZE = 64, GUARD_BYTE = 0x5a, STACK_MAX = 32, LONG_NAME = 10000 };

static const char *const keys[] = {"v", "ts", "pid", "tid", "comm", "exe", "via", "fd", "proto",
	"local", "peer", "unread", "urgent", "unacked", "mode", "outcome", "why", "drained",
	"elapsed_ms", "site", "symbol", "stack", "guess", "preview"};

enum { KEY_COUNT = sizeof(keys) / sizeof(keys[0]) };

/* ---- events --------------------------------------------------------------------------------- */

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

static const struct sc_site sites[] = {
	{"app", 0x1a2b, "reply_and_close", 0x3c, 0x55e4c0de1a2b},
	{"libserver.so.1", 0xfeed, NULL, 0, 0x7f000000feed},
	{NULL, 0, NULL, 0, 0x7f0000001234},
};

static struct sc_event example(void)
{
	struct sc_event event = {
		.pid = 4242,
		.tid = 4243,
		.fd = 7,
		.closed_us = 1795351774000042, /* 2026-11-22T12:49:34.000042Z */
		.comm = "worker",
		.exe = "/usr/bin/app",
		.via = SC_VIA_DUP2,
		.mode = SC_MODE_FIN,
		.outcome = SC_OUTCOME_TIMEOUT,
		.why = "silence",
		.conn = {.proto = SC_PROTO_TCP,
			.unread_bytes = 312,
			.unacked_bytes = 8192,
			.state = TCP_ESTABLISHED,
			.linger_s = -1},
		.drained_bytes = 313,
		.elapsed_us = 5000007,
		.site = sites[0],
		.stack = sites,
		.stack_count = sizeof(sites) / sizeof(sites[0]),
		.guess = "HTTP request",
		.preview = (const unsigned char *)"GET /\r\n\"\\\x7f\xff",
		.preview_bytes = 11,
	};

	event.conn.local = ipv4("10.0.0.5", 8080);
	event.conn.peer = ipv6("2001:db8::9", 51544);
	return event;
}

/* ---- formatting and reading back ------------------------------------------------------------ */

/* Into exactly size bytes, with guards on both sides. The text lives until the next call. */
static const char *format(const struct sc_event *event, size_t size, size_t *length)
{
	static char text[SC_REPORT_LINE_MAX + 1];
	unsigned char *room = malloc(size + 2 * GUARD_SIZE);

	assert_non_null(room);
	assert_true(size < sizeof(text));
	memset(room, GUARD_BYTE, size + 2 * GUARD_SIZE);
	*length = sc_json_format(event, (char *)room + GUARD_SIZE, size);
	assert_true(*length <= size);
	for (size_t i = 0; i < GUARD_SIZE; i++) {
		assert_int_equal(room[i], GUARD_BYTE);
		assert_int_equal(room[GUARD_SIZE + size + i], GUARD_BYTE);
	}
	memcpy(text, room + GUARD_SIZE, *length);
	text[*length] = '\0';
	free(room);
	return text;
}

static void assert_has_all_keys_in_order(yajl_val object)
{
	assert_true(YAJL_IS_OBJECT(object));
	assert_int_equal(object->u.object.len, KEY_COUNT);
	for (size_t i = 0; i < KEY_COUNT; i++) {
		assert_string_equal(object->u.object.keys[i], keys[i]);
	}
}

/* One line without control characters, valid UTF-8 (the library refuses other), all keys. */
static yajl_val read_back(const char *text, size_t length)
{
	char error[256] = "";
	yajl_val object;

	assert_true(length > 0 && length <= SC_REPORT_LINE_MAX);
	assert_int_equal(strlen(text), length);
	assert_int_equal(text[length - 1], '\n');
	for (size_t i = 0; i + 1 < length; i++) {
		unsigned char c = (unsigned char)text[i];
		bool is_c1 = i > 0 && (unsigned char)text[i - 1] == 0xc2 && c >= 0x80 && c < 0xa0;
		if (c < 0x20 || c == 0x7f || is_c1) {
			fail_msg("byte %02x at %zu", c, i);
		}
	}
	object = yajl_tree_parse(text, error, sizeof(error));
	if (object == NULL) {
		fail_msg("%s in: %s", error, text);
	}
	assert_has_all_keys_in_order(object);
	return object;
}

static yajl_val read_whole(const struct sc_event *event)
{
	size_t length;
	const char *text = format(event, SC_REPORT_LINE_MAX, &length);

	return read_back(text, length);
}

static yajl_val value_at(yajl_val object, const char *key)
{
	const char *path[] = {key, NULL};
	yajl_val value = yajl_tree_get(object, path, yajl_t_any);

	assert_non_null(value);
	return value;
}

static const char *text_at(yajl_val object, const char *key)
{
	return YAJL_GET_STRING(value_at(object, key));
}

static void check_text(const struct sc_event *event, const char *key, const char *expected)
{
	yajl_val object = read_whole(event);

	assert_non_null(text_at(object, key));
	assert_string_equal(text_at(object, key), expected);
	yajl_tree_free(object);
}

static void check_null(const struct sc_event *event, const char *key)
{
	yajl_val object = read_whole(event);

	assert_true(YAJL_IS_NULL(value_at(object, key)));
	yajl_tree_free(object);
}

static void check_number(const struct sc_event *event, const char *key, long long expected)
{
	yajl_val object = read_whole(event);

	assert_true(YAJL_IS_INTEGER(value_at(object, key)));
	assert_int_equal(YAJL_GET_INTEGER(value_at(object, key)), expected);
	yajl_tree_free(object);
}

/* ---- values --------------------------------------------------------------------------------- */

static void test_json_line_is_exact(void **state)
{
	struct sc_event event = example();
	size_t length;

	(void)state;
	assert_string_equal(format(&event, SC_REPORT_LINE_MAX, &length),
		"{\"v\":1,\"ts\":\"2026-11-22T12:49:34.000042Z\",\"pid\":4242,\"tid\":4243,"
		"\"comm\":\"worker\",\"exe\":\"/usr/bin/app\",\"via\":\"dup2\",\"fd\":7,"
		"\"proto\":\"tcp\",\"local\":\"10.0.0.5:8080\",\"peer\":\"[2001:db8::9]:51544\","
		"\"unread\":312,\"urgent\":false,\"unacked\":8192,\"mode\":\"fin\","
		"\"outcome\":\"timeout\",\"why\":\"silence\",\"drained\":313,"
		"\"elapsed_ms\":5000.007,\"site\":\"app+0x1a2b\","
		"\"symbol\":\"reply_and_close+0x3c\",\"stack\":[\"app+0x1a2b\","
		"\"libserver.so.1+0xfeed\",\"0x7f0000001234\"],\"guess\":\"HTTP request\","
		"\"preview\":\"GET /\\u000d\\u000a\\\"\\\\\\u007f\\u00ff\"}\n");
	yajl_tree_free(read_whole(&event));
}

static void test_json_unknown_is_null(void **state)
{
	struct sc_event event = example();

	(void)state;
	event.tid = 0;
	check_null(&event, "tid");
	event.comm = NULL;
	check_null(&event, "comm");
	event.exe = NULL;
	check_null(&event, "exe");
	event.why = NULL;
	check_null(&event, "why");
	event.guess = NULL;
	check_null(&event, "guess");
	event.preview = NULL;
	check_null(&event, "preview");
	event.conn.local.any.sa_family = AF_UNSPEC;
	check_null(&event, "local");
	event.conn.peer.any.sa_family = AF_UNSPEC;
	check_null(&event, "peer");
	event.site = (struct sc_site){0};
	check_null(&event, "site");
	check_null(&event, "symbol");
}

static void test_json_site_without_module_is_its_address(void **state)
{
	struct sc_event event = example();

	(void)state;
	event.site = sites[2];
	check_text(&event, "site", "0x7f0000001234");
	check_null(&event, "symbol");
}

static void test_json_listener_has_no_peer_and_counts_connections(void **state)
{
	struct sc_event event = example();

	(void)state;
	event.conn.is_listener = true;
	event.conn.backlog = UINT32_MAX;
	event.conn.unread_bytes = 0;
	event.outcome = SC_OUTCOME_RST;
	event.why = "listener";
	check_null(&event, "peer");
	check_number(&event, "unread", UINT32_MAX);
	check_text(&event, "local", "10.0.0.5:8080");
	check_text(&event, "why", "listener");
}

static void test_json_numbers_are_whole(void **state)
{
	struct sc_event event = example();
	yajl_val object;

	(void)state;
	event.pid = event.tid = event.fd = INT32_MAX;
	event.conn.unread_bytes = UINT32_MAX;
	event.conn.unacked_bytes = UINT32_MAX - 1;
	event.drained_bytes = INT64_MAX;
	event.elapsed_us = 1;
	check_number(&event, "pid", INT32_MAX);
	check_number(&event, "tid", INT32_MAX);
	check_number(&event, "fd", INT32_MAX);
	check_number(&event, "unread", UINT32_MAX);
	check_number(&event, "unacked", UINT32_MAX - 1);
	check_number(&event, "drained", INT64_MAX);
	object = read_whole(&event);
	assert_true(YAJL_GET_DOUBLE(value_at(object, "elapsed_ms")) == 0.001);
	yajl_tree_free(object);
}

static void test_json_names_of_all_kinds_are_told(void **state)
{
	struct sc_event event = example();

	(void)state;
	for (int i = 0; i < SC_VIA_COUNT; i++) {
		event.via = (enum sc_via)i;
		check_text(&event, "via", sc_report_via_name(event.via));
	}
	for (int i = SC_OUTCOME_RST; i <= SC_OUTCOME_LIMIT; i++) {
		event.outcome = (enum sc_outcome)i;
		check_text(&event, "outcome", sc_report_outcome_name(event.outcome));
	}
	event.mode = SC_MODE_WARN;
	check_text(&event, "mode", "warn");
	event.mode = SC_MODE_DRAIN;
	check_text(&event, "mode", "drain");
	event.conn.proto = SC_PROTO_MPTCP;
	check_text(&event, "proto", "mptcp");
}

static void test_json_urgent_is_a_boolean(void **state)
{
	struct sc_event event = example();
	yajl_val object = read_whole(&event);

	(void)state;
	assert_true(YAJL_IS_FALSE(value_at(object, "urgent")));
	yajl_tree_free(object);
	event.conn.is_urgent = true;
	object = read_whole(&event);
	assert_true(YAJL_IS_TRUE(value_at(object, "urgent")));
	yajl_tree_free(object);
}

/* ---- time ----------------------------------------------------------------------------------- */

static void check_timestamp(uint64_t us)
{
	char text[64], expected[64], fraction[16];
	struct sc_line line = {text, sizeof(text) - 1, 0};
	time_t second = (time_t)(us / 1000000);
	struct tm tm;

	sc_timestamp_add(&line, us);
	text[line.length] = '\0';
	assert_non_null(gmtime_r(&second, &tm));
	strftime(expected, sizeof(expected), "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(fraction, sizeof(fraction), ".%06uZ", (unsigned int)(us % 1000000));
	strcat(expected, fraction);
	assert_string_equal(text, expected);
}

static void test_timestamp_of_each_day_until_2500_is_the_c_librarys(void **state)
{
	(void)state;
	for (uint64_t day = 0; day < 530 * 366; day++) {
		check_timestamp(day * 86400 * 1000000);
		check_timestamp(day * 86400 * 1000000 + 86399999999);
	}
	check_timestamp(1);
	check_timestamp(12345678901234567);
}

/* ---- hostile names -------------------------------------------------------------------------- */

static void check_name(const char *name, const char *expected)
{
	struct sc_event event = example();
	char whole[256];

	event.comm = name;
	event.exe = name;
	event.site.module = name;
	event.site.symbol = name;
	check_text(&event, "comm", expected);
	check_text(&event, "exe", expected);
	snprintf(whole, sizeof(whole), "%s+0x1a2b", expected);
	check_text(&event, "site", whole);
	snprintf(whole, sizeof(whole), "%s+0x3c", expected);
	check_text(&event, "symbol", whole);
}

#define REPLACED "\xef\xbf\xbd"

static void test_json_names_are_text_whatever_they_were(void **state)
{
	static const struct {
		const char *name;
		const char *expected;
	} rows[] = {
		{"", ""},
		{"a b", "a b"},
		{"\"}\\", "\"}\\"},
		{"</script>", "</script>"},
		{"\n\r\t\x1b[31m\x7f", "\n\r\t\x1b[31m\x7f"},
		{"\xc2\x9b", "\xc2\x9b"}, /* a control character of two bytes */
		{"gr\xc3\xb6\xc3\x9f", "gr\xc3\xb6\xc3\x9f"},
		{"\xe2\x82\xac", "\xe2\x82\xac"},
		{"\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80"},
		{"\xf4\x8f\xbf\xbf", "\xf4\x8f\xbf\xbf"},
		/* not UTF-8: cut, overlong, a surrogate, too high, Latin-1 */
		{"\xff", REPLACED},
		{"\x80", REPLACED},
		{"a\xc3", "a" REPLACED},
		{"\xc3(", REPLACED "("},
		{"\xe2\x82", REPLACED REPLACED},
		{"\xe2\x82z", REPLACED REPLACED "z"},
		{"\xf0\x9f\x98", REPLACED REPLACED REPLACED},
		{"\xc0\xaf", REPLACED REPLACED},
		{"\xc1\xbf", REPLACED REPLACED},
		{"\xe0\x80\xaf", REPLACED REPLACED REPLACED},
		{"\xf0\x80\x80\xaf", REPLACED REPLACED REPLACED REPLACED},
		{"\xed\xa0\x80", REPLACED REPLACED REPLACED},
		{"\xf4\x90\x80\x80", REPLACED REPLACED REPLACED REPLACED},
		{"\xf8\x88\x80\x80", REPLACED REPLACED REPLACED REPLACED},
		{"\xfe\xfe", REPLACED REPLACED},
		{"gr\xf6\xdf", "gr" REPLACED REPLACED},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		check_name(rows[i].name, rows[i].expected);
	}
}

static void test_json_every_two_bytes_in_a_name_are_read_back(void **state)
{
	struct sc_event event = example();

	(void)state;
	for (int c = 1; c < 256; c++) {
		for (int d = 1; d < 256; d++) {
			char name[] = {(char)c, (char)d, '\0'};
			event.comm = name;
			yajl_tree_free(read_whole(&event));
		}
	}
}

/* Each byte is the character of its number. (0 is by itself: the library's strings end there.) */
static void test_json_preview_is_lossless(void **state)
{
	struct sc_event event = example();
	unsigned char bytes[255];
	yajl_val object;
	const unsigned char *text;
	size_t length;

	(void)state;
	for (size_t i = 0; i < sizeof(bytes); i++) {
		bytes[i] = (unsigned char)(i + 1);
	}
	event.preview = bytes;
	event.preview_bytes = sizeof(bytes);
	object = read_whole(&event);
	text = (const unsigned char *)text_at(object, "preview");
	for (size_t i = 0; i < sizeof(bytes); i++) {
		if (bytes[i] >= 0x80) {
			assert_int_equal(*text++, 0xc0 | bytes[i] >> 6);
		}
		assert_int_equal(*text++, bytes[i] < 0x80 ? bytes[i] : 0x80 | (bytes[i] & 0x3f));
	}
	assert_int_equal(*text, '\0');
	yajl_tree_free(object);
	bytes[0] = '\0';
	event.preview_bytes = 2;
	assert_non_null(strstr(
		format(&event, SC_REPORT_LINE_MAX, &length), "\"preview\":\"\\u0000\\u0002\"}\n"));
}

/* ---- bounds --------------------------------------------------------------------------------- */

static char *name_of(const char *piece, size_t length)
{
	char *name = malloc(length + 1);

	assert_non_null(name);
	for (size_t i = 0; i < length; i++) {
		name[i] = piece[i % strlen(piece)];
	}
	name[length] = '\0';
	return name;
}

/* All at its longest. */
static struct sc_event longest(const char *name, struct sc_site stack[STACK_MAX])
{
	static unsigned char preview[SC_PREVIEW_MAX];
	struct sc_event event = example();

	event.pid = event.tid = event.fd = INT32_MAX;
	event.closed_us = 253402300799999999;
	event.via = SC_VIA_UNDERSCORES_CLOSE;
	event.outcome = SC_OUTCOME_ABORTIVE;
	event.why = "holders unknown";
	event.conn.proto = SC_PROTO_MPTCP;
	event.conn.local = ipv6("2001:db8:1111:2222:3333:4444:5555:6666", 65535);
	event.conn.peer = event.conn.local;
	event.conn.unread_bytes = event.conn.unacked_bytes = UINT32_MAX;
	event.drained_bytes = INT64_MAX;
	event.elapsed_us = INT64_MAX;
	event.comm = name;
	event.exe = name;
	event.site = (struct sc_site){name, UINT64_MAX, name, UINT64_MAX, UINT64_MAX};
	for (size_t i = 0; i < STACK_MAX; i++) {
		stack[i] = event.site;
	}
	event.stack = stack;
	event.stack_count = STACK_MAX;
	event.guess = "TLS application data or session ticket";
	memset(preview, 0x1b, sizeof(preview));
	event.preview = preview;
	event.preview_bytes = sizeof(preview);
	return event;
}

static void test_json_at_its_longest_fits_into_every_size(void **state)
{
	static const char *const pieces[] = {
		"x", "\n", "\x1b", "\\", "\"", "\xff", "\xc3\xb6", "\xf0\x9f\x98\x80", "\xc2\x9b"};

	(void)state;
	for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
		char *name = name_of(pieces[i], LONG_NAME);
		struct sc_site stack[STACK_MAX];
		struct sc_event event = longest(name, stack);

		for (size_t size = SC_JSON_SIZE_MIN; size <= SC_REPORT_LINE_MAX; size += 31) {
			size_t length;
			const char *text = format(&event, size, &length);
			yajl_tree_free(read_back(text, length));
		}
		free(name);
	}
}

static void test_json_in_too_little_room_is_nothing_or_whole(void **state)
{
	struct sc_event event = example();
	bool was_whole = false;

	(void)state;
	for (size_t size = 0; size <= SC_JSON_SIZE_MIN; size++) {
		size_t length;
		const char *text = format(&event, size, &length);
		assert_true(length > 0 || !was_whole);
		was_whole = length > 0;
		if (was_whole) {
			yajl_tree_free(read_back(text, length));
		}
	}
	assert_true(was_whole);
}

static void test_json_names_of_every_length_are_read_back(void **state)
{
	(void)state;
	for (size_t length = 0; length < 700; length++) {
		char *name = name_of("\xff", length);
		struct sc_site stack[STACK_MAX];
		struct sc_event event = longest(name, stack);
		yajl_tree_free(read_whole(&event));
		free(name);
	}
}

/* Names that there are, and all the frames and the bytes that may be asked for: nothing is cut. */
static void test_json_of_ordinary_names_is_whole(void **state)
{
	struct sc_site stack[STACK_MAX];
	struct sc_event event = longest("libcrypto.so.1.1", stack);
	yajl_val object;

	(void)state;
	event.exe = "/usr/lib/jvm/java-17-openjdk-amd64/bin/java";
	for (size_t i = 0; i < STACK_MAX; i++) {
		stack[i].module_offset = 0x1234567 + i;
	}
	object = read_whole(&event);
	assert_string_equal(text_at(object, "exe"), event.exe);
	assert_int_equal(value_at(object, "stack")->u.array.len, STACK_MAX);
	assert_string_equal(
		YAJL_GET_STRING(value_at(object, "stack")->u.array.values[STACK_MAX - 1]),
		"libcrypto.so.1.1+0x1234586");
	assert_int_equal(strlen(text_at(object, "preview")), event.preview_bytes);
	yajl_tree_free(object);
}

static void test_json_what_gives_way_says_so(void **state)
{
	char *name = name_of("abcdefgh", LONG_NAME);
	struct sc_site stack[STACK_MAX];
	struct sc_event event = longest(name, stack);
	yajl_val object = read_whole(&event);
	yajl_val frames = value_at(object, "stack");
	const char *exe = text_at(object, "exe");

	(void)state;
	assert_int_equal(strncmp(exe, "...", 3), 0);
	assert_string_equal(exe + 3, name + LONG_NAME - (strlen(exe) - 3));
	assert_non_null(strstr(text_at(object, "site"), "...+0xffffffffffffffff"));
	assert_non_null(strstr(text_at(object, "symbol"), "...+0xffffffffffffffff"));
	assert_true(frames->u.array.len > 1);
	assert_string_equal(
		YAJL_GET_STRING(frames->u.array.values[frames->u.array.len - 1]), "...");
	assert_string_equal(YAJL_GET_STRING(frames->u.array.values[0]), text_at(object, "site"));
	yajl_tree_free(object);
	free(name);
}

static void test_json_stack_may_be_empty(void **state)
{
	struct sc_event event = example();
	yajl_val object;

	(void)state;
	event.stack_count = 0;
	object = read_whole(&event);
	assert_true(YAJL_IS_ARRAY(value_at(object, "stack")));
	assert_int_equal(value_at(object, "stack")->u.array.len, 0);
	yajl_tree_free(object);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_json_line_is_exact),
		cmocka_unit_test(test_json_unknown_is_null),
		cmocka_unit_test(test_json_site_without_module_is_its_address),
		cmocka_unit_test(test_json_listener_has_no_peer_and_counts_connections),
		cmocka_unit_test(test_json_numbers_are_whole),
		cmocka_unit_test(test_json_names_of_all_kinds_are_told),
		cmocka_unit_test(test_json_urgent_is_a_boolean),
		cmocka_unit_test(test_timestamp_of_each_day_until_2500_is_the_c_librarys),
		cmocka_unit_test(test_json_names_are_text_whatever_they_were),
		cmocka_unit_test(test_json_every_two_bytes_in_a_name_are_read_back),
		cmocka_unit_test(test_json_preview_is_lossless),
		cmocka_unit_test(test_json_at_its_longest_fits_into_every_size),
		cmocka_unit_test(test_json_in_too_little_room_is_nothing_or_whole),
		cmocka_unit_test(test_json_names_of_every_length_are_read_back),
		cmocka_unit_test(test_json_of_ordinary_names_is_whole),
		cmocka_unit_test(test_json_what_gives_way_says_so),
		cmocka_unit_test(test_json_stack_may_be_empty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
