// SPDX-License-Identifier: MIT
// LINK: cli/report_record.o cli/report_memory.o cli/report_distinct.o cli/report_top.o cli/report_timeline.o cli/report_table.o cli/report_show.o
// LIBS: -lyajl -lm
/*
 * What `safeclose report` counts with: lines of a log, different things, the most frequent one, bars
 * over time, a table in bounded memory; and how text gets on a screen.
 */
#include "cli/report_record.h"
#include "cli/report_show.h"
#include "cli/report_table.h"
#include "harness/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define GOOD_LINE                                                                                \
	"{\"v\":1,\"ts\":\"2024-05-01T12:00:00.000001Z\",\"pid\":1,\"tid\":1,\"comm\":\"a\","    \
	"\"exe\":\"/bin/a\",\"via\":\"close\",\"fd\":7,\"proto\":\"tcp\",\"local\":\"10.0.0.5:"  \
	"8080\",\"peer\":\"10.0.0.9:51544\",\"unread\":312,\"urgent\":false,\"unacked\":8192,"   \
	"\"mode\":\"warn\",\"outcome\":\"rst\",\"why\":\"unread\",\"drained\":0,\"elapsed_ms\":" \
	"0.1,\"site\":\"a+0x1a2b\",\"symbol\":\"f+0x3c\",\"stack\":[\"a+0x1a2b\"],\"guess\":"    \
	"null,\"preview\":null}"

/* GOOD_LINE with a part of it replaced. */
static char *changed_line(const char *part, const char *by)
{
	const char *at = strstr(GOOD_LINE, part);
	char *line;

	assert_non_null(at);
	assert_true(asprintf(&line, "%.*s%s%s", (int)(at - GOOD_LINE), GOOD_LINE, by,
			    at + strlen(part)) >= 0);
	return line;
}

static void test_record_is_read(void **state)
{
	struct cli_record *record = calloc(1, sizeof(*record));
	char what[CLI_RECORD_WHAT_SIZE] = "";

	(void)state;
	assert_true(cli_report_record_read(GOOD_LINE, strlen(GOOD_LINE), record, what));
	assert_int_equal(record->time_us, INT64_C(1714564800000001));
	assert_int_equal(record->outcome, CLI_OUTCOME_RST);
	assert_int_equal(record->unread_bytes, 312);
	assert_int_equal(record->unacked_bytes, 8192);
	assert_false(record->is_listener);
	assert_string_equal(record->site, "a+0x1a2b");
	assert_string_equal(record->exe, "/bin/a");
	assert_string_equal(record->symbol, "f+0x3c");
	assert_string_equal(record->peer, "10.0.0.9:51544");
	assert_string_equal(record->local, "10.0.0.5:8080");
	assert_string_equal(record->guess, "");
	free(record);
}

static void test_record_broken_is_named(void **state)
{
	static const struct {
		const char *part, *by, *what;
	} cases[] = {
		{"\"v\":1", "\"v\":2", "\"v\" is not 1"},
		{"\"v\":1", "\"v\":\"1\"", "\"v\" is no number"},
		{"\"v\":1,", "", "there is no \"v\""},
		{"\"v\":1", "\"v\":1,\"v\":1", "\"v\" is there twice"},
		{"\"v\":1", "\"v\\u0000x\":1", "there is no \"v\""},
		{"2024-05-01T", "2024-02-30T", "\"ts\" is no time"},
		{"\"2024-05-01T12:00:00.000001Z\"", "5", "\"ts\" is no string"},
		{"\"2024-05-01T12:00:00.000001Z\"", "null", "\"ts\" is no string"},
		{"\"2024-05-01T12:00:00.000001Z\"", "[]", "\"ts\" is no string"},
		{"\"2024-05-01T12:00:00.000001Z\"", "{}", "\"ts\" is no string"},
		{"312", "-1", "\"unread\" is no whole number"},
		{"312", "1.5", "\"unread\" is no whole number"},
		{"312", "1e3", "\"unread\" is no whole number"},
		{"312", "9223372036854775808", "\"unread\" is too large"},
		{"312", "99999999999999999999999999999999999", "\"unread\" is too large"},
		{"312", "true", "\"unread\" is no number"},
		{"312", "\"312\"", "\"unread\" is no number"},
		{"312", "null", "\"unread\" is no number"},
		{"8192", "[8192]", "\"unacked\" is no number"},
		{"\"rst\"", "\"lost\"", "\"outcome\" is none that is known"},
		{"\"rst\"", "null", "\"outcome\" is no string"},
		{",\"site\":\"a+0x1a2b\"", "", "there is no \"site\""},
		{"\"site\":\"a", "\"site\":\"a\\u0000", "\"site\" holds a zero byte"},
		{"\"guess\":null", "\"guess\":7", "\"guess\" is neither a string nor null"},
		{"\"v\":1", "\"v\":1,", "not JSON: "},
		{"\"a+0x1a2b\"]", "\"\xff\"]", "not JSON: "},
		{"\"preview\":null}", "\"preview\":null", "not JSON: "},
		{"\"preview\":null}", "\"preview\":null}{", "not JSON: "},
		{GOOD_LINE, "[" GOOD_LINE "]", "no JSON object"},
		{GOOD_LINE, "7", "no JSON object"},
		{GOOD_LINE, "null", "no JSON object"},
		{GOOD_LINE, "\"a\"", "no JSON object"},
		{GOOD_LINE, "", "not JSON: "},
		{GOOD_LINE, "safeclose[42]: close(7) ...", "SAFECLOSE_FORMAT=json"},
	};
	struct cli_record *record = calloc(1, sizeof(*record));

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *line = changed_line(cases[i].part, cases[i].by);
		char what[CLI_RECORD_WHAT_SIZE] = "";

		assert_false(cli_report_record_read(line, strlen(line), record, what));
		if (!strstr(what, cases[i].what)) {
			fail_msg("%s\nis told as: %s\nand not: %s", line, what, cases[i].what);
		}
		free(line);
	}
	free(record);
}

static void test_record_passes_over_what_it_does_not_need(void **state)
{
	static const struct {
		const char *part, *by;
	} cases[] = {
		{"\"pid\":1,", ""},
		{"\"pid\":1", "\"pid\":{\"site\":5,\"v\":[null]}"},
		{"\"stack\":[\"a+0x1a2b\"]", "\"stack\":[[{\"ts\":[1,{}]}],1e99]"},
		{"\"v\":1", "\"new\":-1e400,\"v\":1"},
		{"\"v\":1", " \"v\" : 1 "},
		{"\"site\":\"a", "\"s\\u0069te\":\"\\u0061"},
		{"\"exe\":\"/bin/a\"", "\"exe\":null"},
	};
	struct cli_record *record = calloc(1, sizeof(*record));

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *line = changed_line(cases[i].part, cases[i].by);
		char what[CLI_RECORD_WHAT_SIZE] = "";

		if (!cli_report_record_read(line, strlen(line), record, what)) {
			fail_msg("%s: %s", line, what);
		}
		assert_string_equal(record->site, "a+0x1a2b");
		assert_int_equal(record->unread_bytes, 312);
		free(line);
	}
	free(record);
}

static void test_record_nested_deeply_is_broken(void **state)
{
	static const char *const openings[] = {"[", "{\"a\":"};
	struct cli_record *record = calloc(1, sizeof(*record));

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		size_t depth = 200000, piece = strlen(openings[i]);
		char *line = malloc(depth * piece + 16);
		char what[CLI_RECORD_WHAT_SIZE] = "";
		size_t used = (size_t)sprintf(line, "{\"a\":");

		for (size_t n = 0; n < depth; n++) {
			memcpy(line + used, openings[i], piece);
			used += piece;
		}
		assert_false(cli_report_record_read(line, used, record, what));
		assert_non_null(strstr(what, "nested too deeply"));
		free(line);
	}
	free(record);
}

static void test_time_is_that_of_the_c_library(void **state)
{
	(void)state;
	for (int64_t day = -719528; day < 2932896; day += 97) {
		time_t seconds = day * 86400 + 86399;
		struct tm tm;
		char text[64];
		int64_t time_us;

		assert_non_null(gmtime_r(&seconds, &tm));
		snprintf(text, sizeof(text), "%04d-%02d-%02dT%02d:%02d:%02d.25Z", tm.tm_year + 1900,
			tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
		assert_true(cli_report_record_time(text, &time_us));
		assert_int_equal(time_us, seconds * 1000000 + 250000);
		cli_report_show_rfc3339(time_us, text);
		assert_true(cli_report_record_time(text, &time_us));
		assert_int_equal(time_us, seconds * 1000000 + 250000);
	}
}

static void test_time_forms(void **state)
{
	static const struct {
		const char *text;
		int64_t time_us; /* -1: none */
	} cases[] = {
		{"1970-01-01T00:00:00Z", 0},
		{"1970-01-01T01:30:00+01:30", 0},
		{"1969-12-31T22:30:00.000-01:30", 0},
		{"1970-01-01T00:00:00.123456789Z", 123456},
		{"2024-02-29T00:00:00Z", INT64_C(1709164800000000)},
		{"2016-12-31T23:59:60Z", INT64_C(1483228800000000)},
		{"2023-02-29T00:00:00Z", -1},
		{"1900-02-29T00:00:00Z", -1},
		{"2024-04-31T00:00:00Z", -1},
		{"2024-13-01T00:00:00Z", -1},
		{"2024-00-01T00:00:00Z", -1},
		{"2024-01-00T00:00:00Z", -1},
		{"2024-01-01T24:00:00Z", -1},
		{"2024-01-01T00:60:00Z", -1},
		{"2024-01-01T00:00:61Z", -1},
		{"2024-01-01T00:00:00", -1},
		{"2024-01-01T00:00:00.Z", -1},
		{"2024-01-01T00:00:00Z ", -1},
		{"2024-01-01 00:00:00Z", -1},
		{"2024-1-01T00:00:00Z", -1},
		{"2024-01-01T00:00:00+24:00", -1},
		{"2024-01-01T00:00:00+0100", -1},
		{"-024-01-01T00:00:00Z", -1},
		{"2024", -1},
		{"", -1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int64_t time_us = -1;
		bool is_time = cli_report_record_time(cases[i].text, &time_us);

		if (is_time != (cases[i].time_us >= 0) ||
			(is_time && time_us != cases[i].time_us)) {
			fail_msg("%s: %d, %ld", cases[i].text, is_time, (long)time_us);
		}
	}
}

static void test_peer_has_the_port_of_a_service_only(void **state)
{
	static const struct {
		const char *local, *peer, *name;
	} cases[] = {
		{"10.0.0.5:8080", "10.0.0.9:51544", "10.0.0.9"},
		{"10.0.0.5:51544", "10.0.0.9:443", "10.0.0.9:443"},
		{"10.0.0.5:443", "10.0.0.9:8080", "10.0.0.9"},
		{"10.0.0.5:60000", "10.0.0.9:40000", "10.0.0.9"},
		{"[::1]:8080", "[2001:db8::1]:51544", "2001:db8::1"},
		{"[::1]:51544", "[2001:db8::1]:443", "[2001:db8::1]:443"},
		{"", "10.0.0.9:443", "10.0.0.9"},
		{"?", "?", "?"},
		{"10.0.0.5:1", "10.0.0.9:65536", "10.0.0.9:65536"},
		{"10.0.0.5:1", "10.0.0.9:99999999999999999999", "10.0.0.9:99999999999999999999"},
		{"10.0.0.5:1", "10.0.0.9:-5", "10.0.0.9:-5"},
		{"10.0.0.5:1", ":9", ""},
		{"10.0.0.5:1", "", ""},
	};
	struct cli_record *record = calloc(1, sizeof(*record));

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char name[64];

		strcpy(record->local, cases[i].local);
		strcpy(record->peer, cases[i].peer);
		cli_report_record_peer(record, name, sizeof(name));
		assert_string_equal(name, cases[i].name);
	}
	free(record);
}

static void test_site_that_is_unknown_is_the_call(void **state)
{
	struct cli_record *record = calloc(1, sizeof(*record));
	char name[64];

	(void)state;
	cli_report_record_site(record, name, sizeof(name));
	assert_string_equal(name, "");
	strcpy(record->via, "exit");
	cli_report_record_site(record, name, sizeof(name));
	assert_string_equal(name, "(exit)");
	strcpy(record->site, "a+0x1");
	cli_report_record_site(record, name, sizeof(name));
	assert_string_equal(name, "a+0x1");
	free(record);
}

static void add_numbers(struct cli_distinct *set, unsigned from, unsigned to)
{
	for (unsigned i = from; i < to; i++) {
		char name[32];

		snprintf(name, sizeof(name), "10.0.%u.%u", i / 256, i % 256);
		cli_report_distinct_add(set, cli_report_distinct_hash(name));
	}
}

static void test_distinct_is_exact_and_then_near(void **state)
{
	struct cli_distinct set = {0};
	bool is_exact;

	(void)state;
	assert_int_equal(cli_report_distinct_count(&set, &is_exact), 0);
	assert_true(is_exact);
	add_numbers(&set, 0, CLI_DISTINCT_EXACT_MAX);
	add_numbers(&set, 0, CLI_DISTINCT_EXACT_MAX);
	assert_int_equal(cli_report_distinct_count(&set, &is_exact), CLI_DISTINCT_EXACT_MAX);
	assert_true(is_exact);
	for (unsigned count = 1000; count <= 1000000; count *= 10) {
		uint64_t told;

		add_numbers(&set, 0, count);
		add_numbers(&set, 0, count);
		told = cli_report_distinct_count(&set, &is_exact);
		assert_false(is_exact);
		/* Four standard errors. */
		assert_in_range(told, count * 0.936, count * 1.064);
	}
	cli_report_distinct_end(&set);
}

static unsigned next_random(unsigned *seed)
{
	*seed = *seed * 1103515245 + 12345;
	return *seed >> 8 & 0xffff;
}

static void test_top_is_never_more_than_the_truth(void **state)
{
	struct cli_top top = {0};
	unsigned seed = 1;
	uint64_t truth = 0, count = 0;
	const char *first;

	(void)state;
	assert_null(cli_report_top_first(&top, &count));
	for (unsigned i = 0; i < 20000; i++) {
		char name[16] = "often";

		if (next_random(&seed) % 5 == 0) {
			truth++;
		} else {
			snprintf(name, sizeof(name), "n%u", next_random(&seed));
		}
		cli_report_top_add(&top, name, cli_report_distinct_hash(name));
	}
	first = cli_report_top_first(&top, &count);
	assert_string_equal(first, "often");
	assert_in_range(count, truth / 2, truth);
	cli_report_top_end(&top);
}

static void test_top_of_many_equals_is_none(void **state)
{
	struct cli_top top = {0};
	uint64_t count;

	(void)state;
	for (unsigned i = 0; i < 5000; i++) {
		char name[16];

		snprintf(name, sizeof(name), "n%u", i % 1000);
		cli_report_top_add(&top, name, cli_report_distinct_hash(name));
	}
	assert_null(cli_report_top_first(&top, &count));
	cli_report_top_end(&top);
}

/* Where a time falls, counted plainly. */
static void check_bars(const struct cli_timeline *line, const int64_t *times_us, unsigned count,
	int64_t first_us, int64_t last_us)
{
	uint32_t bars[CLI_TIMELINE_BARS][CLI_BAR_PARTS];
	uint32_t expected[CLI_TIMELINE_BARS] = {0};
	int level;
	int64_t first_slot, last_slot;
	int64_t width_us =
		cli_report_timeline_scale(first_us, last_us, &level, &first_slot, &last_slot);

	assert_in_range(last_slot - first_slot, 0, CLI_TIMELINE_BARS - 1);
	cli_report_timeline_bars(line, level, first_slot, bars);
	for (unsigned i = 0; i < count; i++) {
		int64_t slot = times_us[i] / width_us - (times_us[i] % width_us < 0);

		expected[slot - first_slot]++;
	}
	for (int i = 0; i < CLI_TIMELINE_BARS; i++) {
		assert_int_equal(bars[i][CLI_BAR_RST], expected[i]);
		assert_int_equal(bars[i][CLI_BAR_FIN], 0);
	}
}

static void test_timeline_in_any_order(void **state)
{
	/* Microseconds between the first and the last: a moment to the years 0 to 9999. */
	static const int64_t spans_us[] = {1, 5000, 119999, 120000, 7000000, 3600000000,
		INT64_C(86400000000), INT64_C(31557600000000), INT64_C(315537897599000000)};
	unsigned seed = 7;

	(void)state;
	for (size_t s = 0; s < sizeof(spans_us) / sizeof(spans_us[0]); s++) {
		enum { COUNT = 2000 };
		struct cli_timeline line = {0};
		int64_t times_us[COUNT];
		int64_t base_us = s % 2 ? INT64_C(-62167219200000000) : 1714564800000000;
		int64_t first_us = INT64_MAX, last_us = INT64_MIN;

		base_us = s == 8 ? INT64_C(-62167219200000000) : base_us;
		for (unsigned i = 0; i < COUNT; i++) {
			double part = (double)next_random(&seed) / 0xffff;

			/* Growing, falling, and mixed. */
			part = s % 3 == 0   ? (double)i / COUNT
			       : s % 3 == 1 ? 1 - part * i / COUNT
					    : part;
			times_us[i] = base_us + (int64_t)(part * (double)spans_us[s]);
			first_us = times_us[i] < first_us ? times_us[i] : first_us;
			last_us = times_us[i] > last_us ? times_us[i] : last_us;
			cli_report_timeline_add(&line, times_us[i], CLI_OUTCOME_RST);
		}
		check_bars(&line, times_us, COUNT, first_us, last_us);
		/* The scale of a table is that of all its rows. */
		if (s < 8) {
			check_bars(&line, times_us, COUNT, first_us - spans_us[s] / 3,
				last_us + spans_us[s] * 5);
		}
		cli_report_timeline_end(&line);
	}
}

static void add_report(
	struct cli_table *table, struct cli_record *record, const char *site, uint64_t unacked)
{
	snprintf(record->site, sizeof(record->site), "%s", site);
	record->unread_bytes = 1;
	record->unacked_bytes = unacked;
	record->outcome = CLI_OUTCOME_RST;
	cli_report_table_add(table, record);
}

static void test_table_is_bounded_and_its_sums_exact(void **state)
{
	enum { ROOM = 50, FREQUENT = 10, TURNS = 3000 };
	struct cli_table table;
	struct cli_record *record = calloc(1, sizeof(*record));
	uint64_t reports = 0, lost = 0;
	unsigned found = 0;

	(void)state;
	strcpy(record->peer, "10.0.0.9:50000");
	cli_report_table_begin(&table, CLI_BY_SITE, true, ROOM);
	for (unsigned i = 0; i < TURNS; i++) {
		char site[32];

		snprintf(site, sizeof(site), "rare+0x%x", i + 1);
		add_report(&table, record, site, 5);
		snprintf(site, sizeof(site), "often+0x%x", i % FREQUENT + 1);
		add_report(&table, record, site, 7);
	}
	assert_int_equal(table.count, ROOM);
	cli_report_table_sort(&table);
	for (size_t i = 0; i < table.count; i++) {
		const struct cli_group *group = table.groups[i];

		reports += group->totals.reports;
		lost += group->totals.lost_bytes;
		if (strncmp(group->name, "often", 5) == 0) {
			/* Each makes a twentieth of all: more than one in ROOM. */
			found++;
			assert_true(group->totals.reports <= TURNS / FREQUENT);
			assert_true(group->totals.reports + group->missed >= TURNS / FREQUENT);
		} else {
			assert_int_equal(group->totals.reports, 1);
		}
	}
	assert_int_equal(found, FREQUENT);
	assert_true(table.gave_way >= TURNS - ROOM);
	assert_int_equal(reports + table.rest.reports, 2 * TURNS);
	assert_int_equal(lost + table.rest.lost_bytes, TURNS * (5 + 7));
	assert_int_equal(table.all.reports, 2 * TURNS);
	assert_int_equal(table.all.lost_bytes, TURNS * (5 + 7));
	cli_report_table_end(&table);
	free(record);
}

static void test_table_sums_stop_at_the_largest_number(void **state)
{
	struct cli_table table;
	struct cli_record *record = calloc(1, sizeof(*record));

	(void)state;
	strcpy(record->peer, "10.0.0.9:50000");
	cli_report_table_begin(&table, CLI_BY_SITE, false, 2);
	for (int i = 0; i < 3; i++) {
		add_report(&table, record, "a+0x1", INT64_MAX);
	}
	assert_true(table.all.lost_bytes == UINT64_MAX);
	assert_true(table.groups[0]->totals.lost_bytes == UINT64_MAX);
	assert_int_equal(table.groups[0]->totals.unread_bytes, 3);
	cli_report_table_end(&table);
	free(record);
}

static void test_table_tells_programs_of_one_name_apart(void **state)
{
	static const char *const exes[] = {"/a/app", "/b/app", "/a/app", "/c/other", "/b/app", ""};
	struct cli_table table;
	struct cli_record *record = calloc(1, sizeof(*record));

	(void)state;
	cli_report_table_begin(&table, CLI_BY_SITE, false, CLI_TABLE_GROUPS_MAX);
	for (size_t i = 0; i < sizeof(exes) / sizeof(exes[0]); i++) {
		strcpy(record->exe, exes[i]);
		add_report(&table, record, "app+0x1", 1);
		add_report(&table, record, "libx.so.1+0x1", 1);
	}
	/* The two programs; whoever has something else of that name in it; the library. */
	assert_int_equal(table.count, 4);
	cli_report_table_end(&table);
	free(record);
}

static void test_table_passes_over_the_bytes_of_listeners(void **state)
{
	struct cli_table table;
	struct cli_record *record = calloc(1, sizeof(*record));

	(void)state;
	record->is_listener = true;
	cli_report_table_begin(&table, CLI_BY_SITE, false, 2);
	add_report(&table, record, "a+0x1", 3);
	assert_int_equal(table.all.reports, 1);
	assert_int_equal(table.all.unread_bytes, 0);
	assert_int_equal(table.all.lost_bytes, 0);
	cli_report_table_end(&table);
	free(record);
}

static void test_shown_text_is_printable(void **state)
{
	static const struct {
		const char *text, *in_utf8, *in_ascii;
	} cases[] = {
		{"plain ~", "plain ~", "plain ~"},
		{"a\x1b[31m\n\t\x7f", "a\\x1b[31m\\x0a\\x09\\x7f", "a\\x1b[31m\\x0a\\x09\\x7f"},
		{"gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f", "gr\\xfc\\xdf"},
		{"\xe6\xbc\xa2", "\xe6\xbc\xa2", "\\u6f22"},
		{"\xc2\x9b", "\\x9b", "\\x9b"},
		{"\xe2\x80\xae", "\\u202e", "\\u202e"},
		{"\xef\xbb\xbf", "\\ufeff", "\\ufeff"},
		{"\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80", "\\U0001f600"},
		{"\xff\xc3", "\\xff\\xc3", "\\xff\\xc3"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *utf8 = cli_report_show_printable(cases[i].text, true);
		char *ascii = cli_report_show_printable(cases[i].text, false);

		assert_string_equal(utf8, cases[i].in_utf8);
		assert_string_equal(ascii, cases[i].in_ascii);
		free(utf8);
		free(ascii);
	}
}

static void test_shown_text_is_cut_by_columns(void **state)
{
	static const char *const texts[] = {"abcdefghijkl", "gr\xc3\xbc\xc3\x9f gr\xc3\xbc\xc3\x9f",
		"\xe6\xbc\xa2\xe6\xbc\xa2\xe6\xbc\xa2\xe6\xbc\xa2\xe6\xbc\xa2",
		"e\xcc\x81t\xcc\x81 e"};

	(void)state;
	assert_int_equal(cli_report_show_width(texts[1]), 9);
	assert_int_equal(cli_report_show_width(texts[2]), 10);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		for (size_t width = 4; width < 14; width++) {
			char *text = strdup(texts[i]);
			size_t before = cli_report_show_width(text);

			cli_report_show_cut(text, width, true);
			assert_true(cli_report_show_width(text) <= width);
			assert_int_equal(before <= width, strcmp(text, texts[i]) == 0);
			strcpy(text, texts[i]);
			cli_report_show_cut(text, width, false);
			assert_true(cli_report_show_width(text) <= width);
			free(text);
		}
	}
}

static void test_shown_bytes_have_at_most_four_letters(void **state)
{
	static const struct {
		uint64_t bytes;
		const char *text;
	} cases[] = {
		{0, "0"},
		{1023, "1023"},
		{1024, "1.0K"},
		{10000, "9.8K"},
		{10188, "9.9K"},
		{10200, "10K"},
		{1048063, "1023K"},
		{1048064, "1.0M"},
		{UINT64_MAX, "16E"},
		{UINT64_C(5) << 40, "5.0T"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[CLI_SHOW_NUMBER_SIZE];

		cli_report_show_bytes(cases[i].bytes, text);
		assert_string_equal(text, cases[i].text);
	}
}

static int set_up(void **state)
{
	(void)state;
	cli_report_show_begin();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_record_is_read),
		cmocka_unit_test(test_record_broken_is_named),
		cmocka_unit_test(test_record_passes_over_what_it_does_not_need),
		cmocka_unit_test(test_record_nested_deeply_is_broken),
		cmocka_unit_test(test_time_is_that_of_the_c_library),
		cmocka_unit_test(test_time_forms),
		cmocka_unit_test(test_peer_has_the_port_of_a_service_only),
		cmocka_unit_test(test_site_that_is_unknown_is_the_call),
		cmocka_unit_test(test_distinct_is_exact_and_then_near),
		cmocka_unit_test(test_top_is_never_more_than_the_truth),
		cmocka_unit_test(test_top_of_many_equals_is_none),
		cmocka_unit_test(test_timeline_in_any_order),
		cmocka_unit_test(test_table_is_bounded_and_its_sums_exact),
		cmocka_unit_test(test_table_sums_stop_at_the_largest_number),
		cmocka_unit_test(test_table_tells_programs_of_one_name_apart),
		cmocka_unit_test(test_table_passes_over_the_bytes_of_listeners),
		cmocka_unit_test(test_shown_text_is_printable),
		cmocka_unit_test(test_shown_text_is_cut_by_columns),
		cmocka_unit_test(test_shown_bytes_have_at_most_four_letters),
	};

	return cmocka_run_group_tests(tests, set_up, NULL);
}
