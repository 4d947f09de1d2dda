// SPDX-License-Identifier: MIT
// LINK: cli/config.o line.o only.o
/*
 * sc_config_*: every row of the option table, by an own list of what each variable must be and by
 * loops over whatever rows there are.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "../shim/config.h"

/* No complaint may be longer: it becomes one line on a terminal. */
enum { COMPLAINT_MAX = 1023, HUGE_LENGTH = 64 * 1024 };

/* Complaints, as they came. */

struct complaints {
	unsigned int count;
	char last[COMPLAINT_MAX + 1];
};

static void collect(void *context, const char *line)
{
	struct complaints *complaints = context;

	assert_non_null(line);
	assert_in_range(strlen(line), 1, COMPLAINT_MAX);
	for (const char *c = line; *c != '\0'; c++) {
		assert_in_range((unsigned char)*c, 0x20, 0x7e);
	}
	complaints->count++;
	strcpy(complaints->last, line);
}

/* Load over garbage, so that a field left unset shows. */
static void load(struct sc_config *config, char *const *environment, struct complaints *complaints)
{
	memset(config, 0xa5, sizeof(*config));
	*complaints = (struct complaints){0};
	sc_config_load(config, environment, collect, complaints);
	assert_non_null(memchr(config->log, '\0', sizeof(config->log)));
}

static void load_one(struct sc_config *config, const char *name, const char *value,
	struct complaints *complaints)
{
	size_t size = strlen(name) + 1 + strlen(value) + 1;
	char *entry = malloc(size);

	assert_non_null(entry);
	snprintf(entry, size, "%s=%s", name, value);
	load(config, (char *[]){entry, NULL}, complaints);
	free(entry);
}

static void load_defaults(struct sc_config *config)
{
	struct complaints complaints;

	load(config, NULL, &complaints);
	assert_int_equal(complaints.count, 0);
}

static void assert_configs_equal(const struct sc_config *a, const struct sc_config *b)
{
	assert_int_equal(a->mode, b->mode);
	assert_int_equal(a->when, b->when);
	assert_int_equal(a->report, b->report);
	assert_int_equal(a->format, b->format);
	assert_int_equal(a->preview_bytes, b->preview_bytes);
	assert_int_equal(a->linger_time_ms, b->linger_time_ms);
	assert_int_equal(a->linger_timeout_ms, b->linger_timeout_ms);
	assert_int_equal(a->exit_timeout_ms, b->exit_timeout_ms);
	assert_int_equal(a->drain_max_bytes, b->drain_max_bytes);
	assert_int_equal(a->linger_max, b->linger_max);
	assert_string_equal(a->log, b->log);
	assert_int_equal(a->summary, b->summary);
	assert_int_equal(a->only.count, b->only.count);
}

static bool is_name_character(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/* Does the line hold the whole name, not merely the beginning of a longer one? */
static bool names(const char *line, const char *name)
{
	size_t length = strlen(name);

	for (const char *at = line; (at = strstr(at, name)) != NULL; at++) {
		bool begins = at == line || !is_name_character(at[-1]);
		if (begins && !is_name_character(at[length])) {
			return true;
		}
	}
	return false;
}

/* The row's index; SIZE_MAX: there is none. */
static size_t find_option(const char *name)
{
	const struct sc_option *option;

	for (size_t i = 0; (option = sc_config_option(i)) != NULL; i++) {
		if (strcmp(option->name, name) == 0) {
			return i;
		}
	}
	return SIZE_MAX;
}

/* What each variable must be. */

enum kind {
	KIND_CHOICE,
	KIND_DURATION,
	KIND_SIZE,
	KIND_COUNT,
	KIND_PREVIEW,
	KIND_FRAMES,
	KIND_TEXT,
	KIND_ONLY
};

struct expected {
	const char *name;
	const char *default_text;
	enum kind kind;
	uint64_t default_value;
	const char *choices[5];
};

static const struct expected expected_rows[] = {
	{"SAFECLOSE_MODE", "warn", KIND_CHOICE, SC_MODE_WARN,
		{"off", "warn", "drain", "fin", NULL}},
	{"SAFECLOSE_WHEN", "unread", KIND_CHOICE, SC_WHEN_UNREAD, {"unread", "always", NULL}},
	{"SAFECLOSE_LINGER_TIME", "30s", KIND_DURATION, 30000, {NULL}},
	{"SAFECLOSE_LINGER_TIMEOUT", "5s", KIND_DURATION, 5000, {NULL}},
	{"SAFECLOSE_EXIT_TIMEOUT", "2s", KIND_DURATION, 2000, {NULL}},
	{"SAFECLOSE_DRAIN_MAX", "64M", KIND_SIZE, 67108864, {NULL}},
	{"SAFECLOSE_LINGER_MAX", "auto", KIND_COUNT, SC_LINGER_MAX_AUTO, {NULL}},
	{"SAFECLOSE_LOG", "stderr", KIND_TEXT, 0, {NULL}},
	{"SAFECLOSE_FORMAT", "text", KIND_CHOICE, SC_FORMAT_TEXT, {"text", "json", NULL}},
	{"SAFECLOSE_PREVIEW", "0", KIND_PREVIEW, 0, {NULL}},
	{"SAFECLOSE_STACK", "1", KIND_FRAMES, 1, {NULL}},
	{"SAFECLOSE_REPORT", "acted", KIND_CHOICE, SC_REPORT_ACTED, {"acted", "all", NULL}},
	{"SAFECLOSE_ONLY", "all", KIND_ONLY, 0, {NULL}},
	{"SAFECLOSE_SUMMARY", "0", KIND_CHOICE, SC_SUMMARY_NONE, {"0", "1", NULL}},
};

enum { EXPECTED_COUNT = sizeof(expected_rows) / sizeof(expected_rows[0]) };

static uint64_t get_field(const struct sc_config *config, const char *name)
{
	if (strcmp(name, "SAFECLOSE_MODE") == 0) {
		return config->mode;
	}
	if (strcmp(name, "SAFECLOSE_WHEN") == 0) {
		return config->when;
	}
	if (strcmp(name, "SAFECLOSE_REPORT") == 0) {
		return config->report;
	}
	if (strcmp(name, "SAFECLOSE_SUMMARY") == 0) {
		return config->summary;
	}
	if (strcmp(name, "SAFECLOSE_FORMAT") == 0) {
		return config->format;
	}
	if (strcmp(name, "SAFECLOSE_PREVIEW") == 0) {
		return config->preview_bytes;
	}
	if (strcmp(name, "SAFECLOSE_STACK") == 0) {
		return config->stack_frames;
	}
	if (strcmp(name, "SAFECLOSE_LINGER_TIME") == 0) {
		return config->linger_time_ms;
	}
	if (strcmp(name, "SAFECLOSE_LINGER_TIMEOUT") == 0) {
		return config->linger_timeout_ms;
	}
	if (strcmp(name, "SAFECLOSE_EXIT_TIMEOUT") == 0) {
		return config->exit_timeout_ms;
	}
	if (strcmp(name, "SAFECLOSE_LINGER_MAX") == 0) {
		return config->linger_max;
	}
	assert_string_equal(name, "SAFECLOSE_DRAIN_MAX");
	return config->drain_max_bytes;
}

static void set_field(struct sc_config *config, const char *name, uint64_t value)
{
	if (strcmp(name, "SAFECLOSE_MODE") == 0) {
		config->mode = (enum sc_mode)value;
	} else if (strcmp(name, "SAFECLOSE_WHEN") == 0) {
		config->when = (enum sc_when)value;
	} else if (strcmp(name, "SAFECLOSE_REPORT") == 0) {
		config->report = (enum sc_report_level)value;
	} else if (strcmp(name, "SAFECLOSE_SUMMARY") == 0) {
		config->summary = (enum sc_summary)value;
	} else if (strcmp(name, "SAFECLOSE_FORMAT") == 0) {
		config->format = (enum sc_format)value;
	} else if (strcmp(name, "SAFECLOSE_PREVIEW") == 0) {
		config->preview_bytes = value;
	} else if (strcmp(name, "SAFECLOSE_STACK") == 0) {
		config->stack_frames = value;
	} else if (strcmp(name, "SAFECLOSE_LINGER_TIME") == 0) {
		config->linger_time_ms = value;
	} else if (strcmp(name, "SAFECLOSE_LINGER_TIMEOUT") == 0) {
		config->linger_timeout_ms = value;
	} else if (strcmp(name, "SAFECLOSE_EXIT_TIMEOUT") == 0) {
		config->exit_timeout_ms = value;
	} else if (strcmp(name, "SAFECLOSE_LINGER_MAX") == 0) {
		config->linger_max = value;
	} else {
		assert_string_equal(name, "SAFECLOSE_DRAIN_MAX");
		config->drain_max_bytes = value;
	}
}

/* The value is taken, without a word, and changes its own field alone. */
static void check_good(const char *name, const char *value, uint64_t expected)
{
	struct sc_config config, wanted;
	struct complaints complaints;

	load_defaults(&wanted);
	set_field(&wanted, name, expected);
	load_one(&config, name, value, &complaints);
	if (complaints.count != 0 || get_field(&config, name) != expected) {
		fail_msg("%s=%s: %llu, wanted %llu; %s", name, value,
			(unsigned long long)get_field(&config, name), (unsigned long long)expected,
			complaints.count != 0 ? complaints.last : "no complaint");
	}
	assert_configs_equal(&config, &wanted);
}

/* The value is refused: one complaint about it, and the defaults stand. */
static void check_bad(const char *name, const char *value)
{
	struct sc_config config, defaults;
	struct complaints complaints;
	const char *accepts = sc_config_accepts(find_option(name));

	load_defaults(&defaults);
	load_one(&config, name, value, &complaints);
	if (complaints.count != 1) {
		fail_msg("%s='%.80s': %u complaints", name, value, complaints.count);
	}
	if (!names(complaints.last, name) || strstr(complaints.last, accepts) == NULL) {
		fail_msg("name or accepted values missing: %s", complaints.last);
	}
	assert_configs_equal(&config, &defaults);
}

/* The same for a printable value, which the complaint must show as it is. */
static void check_bad_shown(const char *name, const char *value)
{
	struct sc_config config;
	struct complaints complaints;

	check_bad(name, value);
	load_one(&config, name, value, &complaints);
	if (strstr(complaints.last, value) == NULL) {
		fail_msg("the complaint does not show '%s': %s", value, complaints.last);
	}
}

static void check_every_bad(enum kind kind, const char *const *values)
{
	for (size_t i = 0; i < EXPECTED_COUNT; i++) {
		for (size_t j = 0; expected_rows[i].kind == kind && values[j] != NULL; j++) {
			check_bad_shown(expected_rows[i].name, values[j]);
		}
	}
}

/* The table. */

static void test_config_table_has_every_variable_with_its_default(void **state)
{
	(void)state;
	for (size_t i = 0; i < EXPECTED_COUNT; i++) {
		const struct sc_option *option =
			sc_config_option(find_option(expected_rows[i].name));

		if (option == NULL) {
			fail_msg("no row for %s", expected_rows[i].name);
			return;
		}
		assert_string_equal(option->default_text, expected_rows[i].default_text);
	}
}

static void test_config_table_rows_are_complete_and_unique(void **state)
{
	const struct sc_option *option;
	size_t count = 0;

	(void)state;
	for (; (option = sc_config_option(count)) != NULL; count++) {
		assert_non_null(option->name);
		assert_int_equal(strncmp(option->name, "SAFECLOSE_", 10), 0);
		assert_true(option->name[10] != '\0');
		assert_true(sc_config_accepts(count)[0] != '\0');
		assert_non_null(sc_config_help(count));
		assert_true(sc_config_help(count)[0] != '\0');
		assert_true(option->default_text[0] != 0);
		assert_int_equal(find_option(option->name), count);
	}
	assert_true(count >= EXPECTED_COUNT);
	assert_null(sc_config_option(count));
	assert_null(sc_config_option(count + 1));
	assert_null(sc_config_option(SIZE_MAX));
}

static void test_config_choices_are_named_in_what_is_accepted(void **state)
{
	(void)state;
	for (size_t i = 0; i < EXPECTED_COUNT; i++) {
		const char *accepts = sc_config_accepts(find_option(expected_rows[i].name));

		for (const char *const *choice = expected_rows[i].choices; *choice; choice++) {
			assert_non_null(strstr(accepts, *choice));
		}
	}
}

static void test_config_default_text_of_every_row_gives_the_defaults(void **state)
{
	struct sc_config config, defaults;
	struct complaints complaints;
	const struct sc_option *option;

	(void)state;
	load_defaults(&defaults);
	for (size_t i = 0; (option = sc_config_option(i)) != NULL; i++) {
		load_one(&config, option->name, option->default_text, &complaints);
		assert_int_equal(complaints.count, 0);
		assert_configs_equal(&config, &defaults);
	}
}

/* The environment. */

static void test_config_null_or_empty_environment_gives_the_defaults(void **state)
{
	struct sc_config config;
	struct complaints complaints;
	char *const *environments[] = {NULL, (char *[]){NULL}, (char *[]){"PATH=/bin", "", NULL}};

	(void)state;
	for (size_t i = 0; i < sizeof(environments) / sizeof(environments[0]); i++) {
		load(&config, environments[i], &complaints);
		assert_int_equal(complaints.count, 0);
		for (size_t j = 0; j < EXPECTED_COUNT; j++) {
			const struct expected *row = &expected_rows[j];
			if (row->kind != KIND_TEXT && row->kind != KIND_ONLY) {
				assert_int_equal(get_field(&config, row->name), row->default_value);
			}
		}
		assert_string_equal(config.log, "stderr");
	}
}

static void test_config_entry_without_equals_is_ignored(void **state)
{
	struct sc_config config;
	struct complaints complaints;

	(void)state;
	load(&config,
		(char *[]){"SAFECLOSE_MODE", "SAFECLOSE_", "SAFECLOSE_MOED", "", "=", "=fin",
			"SAFECLOSE_MODE=fin", NULL},
		&complaints);
	assert_int_equal(complaints.count, 0);
	assert_int_equal(config.mode, SC_MODE_FIN);
}

static void test_config_same_variable_twice_takes_the_first(void **state)
{
	struct sc_config config;
	struct complaints complaints;

	(void)state;
	load(&config,
		(char *[]){"SAFECLOSE_MODE=off", "SAFECLOSE_DRAIN_MAX=1K", "SAFECLOSE_MODE=fin",
			"SAFECLOSE_DRAIN_MAX=2K", NULL},
		&complaints);
	assert_int_equal(complaints.count, 0);
	assert_int_equal(config.mode, SC_MODE_OFF);
	assert_int_equal(config.drain_max_bytes, 1024);
}

static void test_config_bad_second_value_is_not_looked_at(void **state)
{
	struct sc_config config;
	struct complaints complaints;

	(void)state;
	load(&config, (char *[]){"SAFECLOSE_MODE=drain", "SAFECLOSE_MODE=bogus", NULL},
		&complaints);
	assert_int_equal(complaints.count, 0);
	assert_int_equal(config.mode, SC_MODE_DRAIN);
}

/* A second, good value must not turn a refused one into a mode that acts. */
static void test_config_bad_first_value_is_not_healed_by_the_second(void **state)
{
	struct sc_config config;
	struct complaints complaints;

	(void)state;
	load(&config, (char *[]){"SAFECLOSE_MODE=bogus", "SAFECLOSE_MODE=fin", NULL}, &complaints);
	assert_int_equal(complaints.count, 1);
	assert_int_equal(config.mode, SC_MODE_WARN);
}

static void test_config_all_variables_at_once_are_all_taken(void **state)
{
	struct sc_config config;
	struct complaints complaints;

	(void)state;
	load(&config,
		(char *[]){"HOME=/", "SAFECLOSE_REPORT=all", "SAFECLOSE_LOG=/tmp/log.%p",
			"SAFECLOSE_DRAIN_MAX=3G", "SAFECLOSE_EXIT_TIMEOUT=0",
			"SAFECLOSE_LINGER_TIMEOUT=250ms", "SAFECLOSE_LINGER_TIME=2m",
			"SAFECLOSE_WHEN=always", "SAFECLOSE_MODE=fin", "TERM=dumb", NULL},
		&complaints);
	assert_int_equal(complaints.count, 0);
	assert_int_equal(config.mode, SC_MODE_FIN);
	assert_int_equal(config.when, SC_WHEN_ALWAYS);
	assert_int_equal(config.report, SC_REPORT_ALL);
	assert_int_equal(config.linger_time_ms, 120000);
	assert_int_equal(config.linger_timeout_ms, 250);
	assert_int_equal(config.exit_timeout_ms, 0);
	assert_int_equal(config.drain_max_bytes, UINT64_C(3) << 30);
	assert_string_equal(config.log, "/tmp/log.%p");
}

static void test_config_several_bad_values_give_one_complaint_each(void **state)
{
	struct sc_config config, wanted;
	struct complaints complaints;

	(void)state;
	load_defaults(&wanted);
	wanted.when = SC_WHEN_ALWAYS;
	load(&config,
		(char *[]){"SAFECLOSE_MODE=bogus", "SAFECLOSE_WHEN=always",
			"SAFECLOSE_DRAIN_MAX=lots", "SAFECLOSE_MOED=fin", NULL},
		&complaints);
	assert_int_equal(complaints.count, 3);
	assert_configs_equal(&config, &wanted);
}

/* Good values. */

static void test_config_choice_by_its_name_is_taken(void **state)
{
	(void)state;
	for (size_t i = 0; i < EXPECTED_COUNT; i++) {
		const struct expected *row = &expected_rows[i];
		for (unsigned int j = 0; row->choices[j] != NULL; j++) {
			check_good(row->name, row->choices[j], j);
		}
	}
}

static void test_config_duration_with_each_unit_is_taken(void **state)
{
	static const struct {
		const char *text;
		uint64_t ms;
	} good[] = {
		{"0", 0},
		{"0ms", 0},
		{"0s", 0},
		{"0m", 0},
		{"1ms", 1},
		{"250ms", 250},
		{"1", 1000},
		{"7", 7000},
		{"5s", 5000},
		{"90s", 90000},
		{"2m", 120000},
		{"86400", 86400000},
		{"86400s", 86400000},
		{"1440m", 86400000},
		{"86400000ms", 86400000},
	};

	(void)state;
	for (size_t i = 0; i < EXPECTED_COUNT; i++) {
		size_t count = sizeof(good) / sizeof(good[0]);
		for (size_t j = 0; expected_rows[i].kind == KIND_DURATION && j < count; j++) {
			check_good(expected_rows[i].name, good[j].text, good[j].ms);
		}
	}
}

static void test_config_size_with_each_unit_is_taken(void **state)
{
	static const struct {
		const char *text;
		uint64_t bytes;
	} good[] = {
		{"0", 0},
		{"0K", 0},
		{"0M", 0},
		{"0G", 0},
		{"1", 1},
		{"65537", 65537},
		{"64K", 65536},
		{"16M", 16777216},
		{"1G", 1073741824},
		{"4096M", UINT64_C(1) << 32},
		{"4294967297", (UINT64_C(1) << 32) + 1},
		{"1024G", UINT64_C(1) << 40},
	};

	(void)state;
	for (size_t i = 0; i < EXPECTED_COUNT; i++) {
		size_t count = sizeof(good) / sizeof(good[0]);
		for (size_t j = 0; expected_rows[i].kind == KIND_SIZE && j < count; j++) {
			check_good(expected_rows[i].name, good[j].text, good[j].bytes);
		}
	}
}

static void test_config_count_is_taken_and_auto_is_none_of_them(void **state)
{
	(void)state;
	check_good("SAFECLOSE_LINGER_MAX", "0", 0);
	check_good("SAFECLOSE_LINGER_MAX", "1", 1);
	check_good("SAFECLOSE_LINGER_MAX", "65536", 65536);
	check_good("SAFECLOSE_LINGER_MAX", "auto", SC_LINGER_MAX_AUTO);
}

static void test_config_preview_is_taken_up_to_its_highest(void **state)
{
	(void)state;
	check_good("SAFECLOSE_PREVIEW", "0", 0);
	check_good("SAFECLOSE_PREVIEW", "1", 1);
	check_good("SAFECLOSE_PREVIEW", "256", 256);
}

static void test_config_stack_is_taken_up_to_its_highest(void **state)
{
	(void)state;
	check_good("SAFECLOSE_STACK", "0", 0);
	check_good("SAFECLOSE_STACK", "2", 2);
	check_good("SAFECLOSE_STACK", "32", 32);
}

static void test_config_log_takes_paths_up_to_its_room(void **state)
{
	struct sc_config config;
	struct complaints complaints;
	char path[SC_LOG_MAX + 1];

	(void)state;
	load_one(&config, "SAFECLOSE_LOG", "/var/log/a b=c %p.log", &complaints);
	assert_int_equal(complaints.count, 0);
	assert_string_equal(config.log, "/var/log/a b=c %p.log");
	memset(path, 'p', sizeof(path));
	path[0] = '/';
	path[SC_LOG_MAX - 1] = '\0';
	load_one(&config, "SAFECLOSE_LOG", path, &complaints);
	assert_int_equal(complaints.count, 0);
	assert_string_equal(config.log, path);
	path[SC_LOG_MAX - 1] = 'p';
	path[SC_LOG_MAX] = '\0';
	check_bad("SAFECLOSE_LOG", path);
}

static void test_config_only_is_taken_whole_or_not_at_all(void **state)
{
	static const char *const bad[] = {"local:80 peer", "local:80;peer:1", "local",
		"peer:", "all,local:80", "local:65536", "peer:10.0.0.0/33", NULL};
	struct sc_config config;
	struct complaints complaints;

	(void)state;
	load_one(&config, "SAFECLOSE_ONLY", "local:80 peer:[2001:db8::]/32:443", &complaints);
	assert_int_equal(complaints.count, 0);
	assert_int_equal(config.only.count, 2);
	assert_true(config.only.items[0].is_local);
	assert_int_equal(config.only.items[1].port, 443);
	for (size_t i = 0; bad[i] != NULL; i++) {
		check_bad_shown("SAFECLOSE_ONLY", bad[i]);
	}
}

/* Bad values. */

static void test_config_bad_mode_gives_warn_and_never_acts(void **state)
{
	static const char *const bad[] = {"FIN", "Fin", "fin ", " fin", "fin,drain", "fi", "finn",
		"drain!", "3", "2", "-1", "on", "true", "WARN", "fin=", "warn drain", NULL};

	(void)state;
	for (size_t i = 0; bad[i] != NULL; i++) {
		struct sc_config config;
		struct complaints complaints;
		load_one(&config, "SAFECLOSE_MODE", bad[i], &complaints);
		assert_int_equal(config.mode, SC_MODE_WARN);
		check_bad_shown("SAFECLOSE_MODE", bad[i]);
	}
}

static void test_config_choice_not_written_exactly_is_bad(void **state)
{
	(void)state;
	for (size_t i = 0; i < EXPECTED_COUNT; i++) {
		const struct expected *row = &expected_rows[i];
		for (const char *const *choice = row->choices; *choice != NULL; choice++) {
			char text[32];
			snprintf(text, sizeof(text), "%s ", *choice);
			check_bad_shown(row->name, text);
			snprintf(text, sizeof(text), " %s", *choice);
			check_bad_shown(row->name, text);
			snprintf(text, sizeof(text), "%sx", *choice);
			check_bad_shown(row->name, text);
			snprintf(text, sizeof(text), "%s\n", *choice);
			check_bad(row->name, text);
			snprintf(text, sizeof(text), "%.*s", (int)strlen(*choice) - 1, *choice);
			check_bad_shown(row->name, text);
			if ((*choice)[0] >= 'a') {
				snprintf(text, sizeof(text), "%s", *choice);
				text[0] = (char)(text[0] - 'a' + 'A');
				check_bad_shown(row->name, text);
			}
		}
	}
}

static void test_config_duration_not_whole_is_bad(void **state)
{
	static const char *const bad[] = {"5sx", "5 s", " 5s", "5s ", "-1", "-1s", "+5", "1.5s",
		"1,5s", "0x10", "1e3", "s", "ms", "m", "s5", "64K", "1M", "1G", "5S", "5MS", "5mS",
		"5h", "5d", "5us", "5min", "1m30s", "5ss", "5sms", "five", "-", "+", ".", NULL};

	(void)state;
	check_every_bad(KIND_DURATION, bad);
	check_bad("SAFECLOSE_LINGER_TIME", "5\n");
	check_bad("SAFECLOSE_LINGER_TIME", "5s\n");
	check_bad("SAFECLOSE_LINGER_TIME", "\xd9\xa5s"); /* a digit, but not one of ours */
}

/* The last ones become small durations where a multiplication wraps round at 2^64. */
static void test_config_duration_beyond_its_range_is_bad(void **state)
{
	static const char *const bad[] = {"86401", "86401s", "1441m", "86400001ms", "4294967296",
		"4294967297s", "18446744073709551615", "18446744073709551616",
		"18446744073709551617ms", "99999999999999999999999s", "18446744073709552",
		"18446744073709552s", "307445734561826m", "18446744073709551615m",
		"18446744073709551615s", NULL};

	(void)state;
	check_every_bad(KIND_DURATION, bad);
}

static void test_config_size_not_whole_is_bad(void **state)
{
	static const char *const bad[] = {"64K1", "64KB", "64KiB", "64k", "16m", "1g", "64 K",
		" 64K", "64K ", "-1", "-64K", "+5", "1.5M", "0x10", "1e6", "K", "M", "G", "5s",
		"10ms", "5b", "5B", "1T", "64KK", "64MK", "K64", "lots", "-", NULL};

	(void)state;
	check_every_bad(KIND_SIZE, bad);
	check_bad("SAFECLOSE_DRAIN_MAX", "64K\n");
}

/* 17179869184G is 2^64, 17179869185G then wraps round to 1G. */
static void test_config_size_beyond_its_range_is_bad(void **state)
{
	static const char *const bad[] = {"18446744073709551616", "18446744073709551617",
		"99999999999999999999999", "17179869184G", "17179869185G", "18446744073709551615G",
		"17592186044416M", "17592186044417M", "18014398509481984K", "18014398509481985K",
		"18446744073709551616K", NULL};

	(void)state;
	check_every_bad(KIND_SIZE, bad);
}

static void test_config_count_not_whole_or_beyond_its_range_is_bad(void **state)
{
	static const char *const bad[] = {"1K", "5s", "-1", "+5", "1.5", "0x10", "1e3", " 5", "5 ",
		"Auto", "AUTO", "auto ", "aut", "18446744073709551615", "18446744073709551616",
		"99999999999999999999999", NULL};

	(void)state;
	check_every_bad(KIND_COUNT, bad);
}

static void test_config_preview_not_whole_or_beyond_its_range_is_bad(void **state)
{
	static const char *const bad[] = {"257", "1000", "1K", "-1", "+5", "1.5", "0x10", " 5",
		"5 ", "auto", "18446744073709551616", "18446744073709551617", NULL};

	(void)state;
	check_every_bad(KIND_PREVIEW, bad);
}

static void test_config_stack_not_whole_or_beyond_its_range_is_bad(void **state)
{
	static const char *const bad[] = {"33", "100", "1K", "-1", "+5", "1.5", "0x10", " 5", "5 ",
		"auto", "18446744073709551616", "18446744073709551617", NULL};

	(void)state;
	check_every_bad(KIND_FRAMES, bad);
}

/* Whether 2^63 .. 2^64 - 1 bytes are accepted is open, that they are not taken for less is not. */
static void test_config_huge_size_is_exact_or_refused(void **state)
{
	static const uint64_t huge[] = {INT64_MAX, UINT64_C(1) << 63, UINT64_MAX};

	(void)state;
	for (size_t i = 0; i < sizeof(huge) / sizeof(huge[0]); i++) {
		struct sc_config config;
		struct complaints complaints;
		char text[32];
		snprintf(text, sizeof(text), "%llu", (unsigned long long)huge[i]);
		load_one(&config, "SAFECLOSE_DRAIN_MAX", text, &complaints);
		if (complaints.count == 0) {
			assert_int_equal(config.drain_max_bytes, huge[i]);
		} else {
			check_bad_shown("SAFECLOSE_DRAIN_MAX", text);
		}
	}
}

static void test_config_empty_value_of_every_row_is_bad(void **state)
{
	const struct sc_option *option;

	(void)state;
	for (size_t i = 0; (option = sc_config_option(i)) != NULL; i++) {
		check_bad(option->name, "");
	}
}

static void test_config_junk_value_of_every_row_is_bad(void **state)
{
	const struct sc_option *option;

	(void)state;
	for (size_t i = 0; (option = sc_config_option(i)) != NULL; i++) {
		if (strcmp(option->name, "SAFECLOSE_LOG") != 0) { /* to which all is a path */
			check_bad_shown(option->name, "?!");
		}
	}
}

/* Hostile values: collect() holds every complaint to one bounded printable line. */

static void check_huge_value(const char *name, char filling)
{
	char *value = malloc(HUGE_LENGTH + 1);

	assert_non_null(value);
	memset(value, filling, HUGE_LENGTH);
	value[HUGE_LENGTH] = '\0';
	check_bad(name, value);
	free(value);
}

static void test_config_huge_value_of_every_row_is_refused_in_bounds(void **state)
{
	static const char fillings[] = {'x', '9', '0', '\\', '\x1b', '\n', '\x7f', '\xff', '='};
	const struct sc_option *option;

	(void)state;
	for (size_t i = 0; (option = sc_config_option(i)) != NULL; i++) {
		for (size_t j = 0; j < sizeof(fillings); j++) {
			bool is_number =
				fillings[j] == '0' && strcmp(option->name, "SAFECLOSE_LOG") != 0;
			if (!is_number) { /* many zeros may well be zero */
				check_huge_value(option->name, fillings[j]);
			}
		}
	}
}

/* Every length, so that the edges of any buffer of the implementation are among them. */
static void test_config_value_of_every_length_is_refused_in_bounds(void **state)
{
	char value[1200];

	(void)state;
	for (size_t length = 1; length < sizeof(value) - 1; length++) {
		memset(value, '\x1b', length);
		value[length] = '\0';
		check_bad("SAFECLOSE_MODE", value);
		memset(value, '\\', length);
		check_bad("SAFECLOSE_DRAIN_MAX", value);
	}
}

static void test_config_control_characters_are_shown_escaped(void **state)
{
	struct sc_config config;
	struct complaints complaints;

	(void)state;
	load_one(&config, "SAFECLOSE_MODE",
		"\x1b[31mfin\r\n\x7f\x9b"
		"a\\b",
		&complaints);
	assert_int_equal(complaints.count, 1);
	assert_non_null(strstr(complaints.last, "\\x1b[31mfin\\x0d\\x0a\\x7f\\x9b"
						"a\\\\b"));
}

static void test_config_every_byte_in_a_value_comes_out_printable(void **state)
{
	(void)state;
	for (int c = 1; c < 256; c++) {
		char value[] = {'f', (char)c, 'n', '\0'};
		if (c != 'i') {
			check_bad("SAFECLOSE_MODE", value);
		}
	}
}

/* Unknown names. */

/* The only complaint is about the name, and proposes exactly the wanted one. */
static void check_proposal(const char *name, const char *wanted)
{
	struct sc_config config, defaults;
	struct complaints complaints;
	const struct sc_option *option;

	load_defaults(&defaults);
	load_one(&config, name, "fin", &complaints);
	assert_int_equal(complaints.count, 1);
	assert_configs_equal(&config, &defaults);
	for (size_t i = 0; (option = sc_config_option(i)) != NULL; i++) {
		bool is_wanted = strcmp(option->name, wanted) == 0;
		if (names(complaints.last, option->name) != is_wanted) {
			fail_msg("wanted %s: %s", wanted, complaints.last);
		}
	}
	if (!names(complaints.last, name)) {
		fail_msg("%s not named: %s", name, complaints.last);
	}
}

static void test_config_swapped_letters_propose_the_nearest_name(void **state)
{
	const struct sc_option *option;

	(void)state;
	check_proposal("SAFECLOSE_MOED", "SAFECLOSE_MODE");
	for (size_t i = 0; (option = sc_config_option(i)) != NULL; i++) {
		size_t length = strlen(option->name);
		for (size_t j = strlen("SAFECLOSE_"); j + 1 < length; j++) {
			char name[64];
			snprintf(name, sizeof(name), "%s", option->name);
			name[j] = option->name[j + 1];
			name[j + 1] = option->name[j];
			if (find_option(name) == SIZE_MAX) {
				check_proposal(name, option->name);
			}
		}
	}
}

static void test_config_missing_letter_proposes_the_nearest_name(void **state)
{
	const struct sc_option *option;

	(void)state;
	for (size_t i = 0; (option = sc_config_option(i)) != NULL; i++) {
		size_t length = strlen(option->name);
		for (size_t j = strlen("SAFECLOSE_"); j < length; j++) {
			char name[64];
			snprintf(name, sizeof(name), "%.*s%s", (int)j, option->name,
				option->name + j + 1);
			if (find_option(name) == SIZE_MAX) {
				check_proposal(name, option->name);
			}
		}
	}
}

static void test_config_extra_letter_proposes_the_nearest_name(void **state)
{
	const struct sc_option *option;

	(void)state;
	for (size_t i = 0; (option = sc_config_option(i)) != NULL; i++) {
		char name[64];
		snprintf(name, sizeof(name), "%sS", option->name);
		check_proposal(name, option->name);
		snprintf(name, sizeof(name), "SAFECLOSE_X%s", option->name + 10);
		check_proposal(name, option->name);
	}
}

static void test_config_hopeless_name_still_complains(void **state)
{
	static const char *const hopeless[] = {"SAFECLOSE_", "SAFECLOSE_QQQQQQQQQQQQQQQQQQ",
		"SAFECLOSE_mode", "SAFECLOSE_MODE ", "SAFECLOSE_ MODE", "SAFECLOSE__MODE",
		"SAFECLOSE_0"};

	(void)state;
	for (size_t i = 0; i < sizeof(hopeless) / sizeof(hopeless[0]); i++) {
		struct sc_config config, defaults;
		struct complaints complaints;
		load_defaults(&defaults);
		load_one(&config, hopeless[i], "fin", &complaints);
		assert_int_equal(complaints.count, 1);
		assert_non_null(strstr(complaints.last, hopeless[i]));
		assert_configs_equal(&config, &defaults);
	}
}

static void test_config_foreign_names_are_not_ours(void **state)
{
	struct sc_config config, defaults;
	struct complaints complaints;

	(void)state;
	load_defaults(&defaults);
	load(&config,
		(char *[]){"SAFECLOSER=fin", "SAFECLOSER_MODE=fin", "SAFECLOSE=fin",
			"SAFECLOSEMODE=fin", "safeclose_mode=fin", "Safeclose_MODE=fin",
			"XSAFECLOSE_MODE=fin", " SAFECLOSE_MODE=fin", "_SAFECLOSE_MODE=fin",
			"OTHER=SAFECLOSE_MODE=fin", NULL},
		&complaints);
	assert_int_equal(complaints.count, 0);
	assert_configs_equal(&config, &defaults);
}

static void test_config_huge_unknown_name_complains_in_bounds(void **state)
{
	static const char fillings[] = {'X', '\x1b', '\\', '\xff'};
	struct sc_config config;
	struct complaints complaints;
	char *name = malloc(HUGE_LENGTH + 1);

	(void)state;
	assert_non_null(name);
	for (size_t i = 0; i < sizeof(fillings); i++) {
		memset(name, fillings[i], HUGE_LENGTH);
		memcpy(name, "SAFECLOSE_", 10);
		name[HUGE_LENGTH] = '\0';
		load_one(&config, name, "fin", &complaints);
		assert_int_equal(complaints.count, 1);
		for (size_t length = 11; length < 1200; length++) {
			name[length] = '\0';
			load_one(&config, name, "fin", &complaints);
			assert_int_equal(complaints.count, 1);
			name[length] = fillings[i];
		}
	}
	free(name);
}

static void test_config_control_characters_in_a_name_are_shown_escaped(void **state)
{
	struct sc_config config;
	struct complaints complaints;

	(void)state;
	load_one(&config, "SAFECLOSE_\x1b[2J\nMODE", "fin", &complaints);
	assert_int_equal(complaints.count, 1);
	assert_non_null(strstr(complaints.last, "SAFECLOSE_\\x1b[2J\\x0aMODE"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_config_table_has_every_variable_with_its_default),
		cmocka_unit_test(test_config_table_rows_are_complete_and_unique),
		cmocka_unit_test(test_config_choices_are_named_in_what_is_accepted),
		cmocka_unit_test(test_config_default_text_of_every_row_gives_the_defaults),
		cmocka_unit_test(test_config_null_or_empty_environment_gives_the_defaults),
		cmocka_unit_test(test_config_entry_without_equals_is_ignored),
		cmocka_unit_test(test_config_same_variable_twice_takes_the_first),
		cmocka_unit_test(test_config_bad_second_value_is_not_looked_at),
		cmocka_unit_test(test_config_bad_first_value_is_not_healed_by_the_second),
		cmocka_unit_test(test_config_all_variables_at_once_are_all_taken),
		cmocka_unit_test(test_config_several_bad_values_give_one_complaint_each),
		cmocka_unit_test(test_config_choice_by_its_name_is_taken),
		cmocka_unit_test(test_config_duration_with_each_unit_is_taken),
		cmocka_unit_test(test_config_size_with_each_unit_is_taken),
		cmocka_unit_test(test_config_count_is_taken_and_auto_is_none_of_them),
		cmocka_unit_test(test_config_preview_is_taken_up_to_its_highest),
		cmocka_unit_test(test_config_stack_is_taken_up_to_its_highest),
		cmocka_unit_test(test_config_log_takes_paths_up_to_its_room),
		cmocka_unit_test(test_config_only_is_taken_whole_or_not_at_all),
		cmocka_unit_test(test_config_bad_mode_gives_warn_and_never_acts),
		cmocka_unit_test(test_config_choice_not_written_exactly_is_bad),
		cmocka_unit_test(test_config_duration_not_whole_is_bad),
		cmocka_unit_test(test_config_duration_beyond_its_range_is_bad),
		cmocka_unit_test(test_config_size_not_whole_is_bad),
		cmocka_unit_test(test_config_size_beyond_its_range_is_bad),
		cmocka_unit_test(test_config_count_not_whole_or_beyond_its_range_is_bad),
		cmocka_unit_test(test_config_preview_not_whole_or_beyond_its_range_is_bad),
		cmocka_unit_test(test_config_stack_not_whole_or_beyond_its_range_is_bad),
		cmocka_unit_test(test_config_huge_size_is_exact_or_refused),
		cmocka_unit_test(test_config_empty_value_of_every_row_is_bad),
		cmocka_unit_test(test_config_junk_value_of_every_row_is_bad),
		cmocka_unit_test(test_config_huge_value_of_every_row_is_refused_in_bounds),
		cmocka_unit_test(test_config_value_of_every_length_is_refused_in_bounds),
		cmocka_unit_test(test_config_control_characters_are_shown_escaped),
		cmocka_unit_test(test_config_every_byte_in_a_value_comes_out_printable),
		cmocka_unit_test(test_config_swapped_letters_propose_the_nearest_name),
		cmocka_unit_test(test_config_missing_letter_proposes_the_nearest_name),
		cmocka_unit_test(test_config_extra_letter_proposes_the_nearest_name),
		cmocka_unit_test(test_config_hopeless_name_still_complains),
		cmocka_unit_test(test_config_foreign_names_are_not_ours),
		cmocka_unit_test(test_config_huge_unknown_name_complains_in_bounds),
		cmocka_unit_test(test_config_control_characters_in_a_name_are_shown_escaped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
