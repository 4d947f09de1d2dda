// SPDX-License-Identifier: MIT
#include "report_record.h"
#include "report_memory.h"
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yajl/yajl_parse.h>

enum { DEPTH_MAX = 64, REPORT_VERSION = 1, FIRST_EPHEMERAL_PORT = 32768 };

enum kind { NUMBER, STRING, STRING_OR_NULL };

/* What the table reads; of the other keys only the syntax is looked at. */
enum key {
	KEY_V,
	KEY_TS,
	KEY_EXE,
	KEY_VIA,
	KEY_LOCAL,
	KEY_PEER,
	KEY_UNREAD,
	KEY_UNACKED,
	KEY_OUTCOME,
	KEY_WHY,
	KEY_SITE,
	KEY_SYMBOL,
	KEY_GUESS,
	KEY_COUNT,
	KEY_OTHER = KEY_COUNT
};

#define NAME(text) text, sizeof(text) - 1
static const struct {
	const char *name;
	size_t length;
	enum kind kind;
} keys[KEY_COUNT] = {
	[KEY_V] = {NAME("v"), NUMBER},
	[KEY_TS] = {NAME("ts"), STRING},
	[KEY_EXE] = {NAME("exe"), STRING_OR_NULL},
	[KEY_VIA] = {NAME("via"), STRING_OR_NULL},
	[KEY_LOCAL] = {NAME("local"), STRING_OR_NULL},
	[KEY_PEER] = {NAME("peer"), STRING_OR_NULL},
	[KEY_UNREAD] = {NAME("unread"), NUMBER},
	[KEY_UNACKED] = {NAME("unacked"), NUMBER},
	[KEY_OUTCOME] = {NAME("outcome"), STRING},
	[KEY_WHY] = {NAME("why"), STRING_OR_NULL},
	[KEY_SITE] = {NAME("site"), STRING_OR_NULL},
	[KEY_SYMBOL] = {NAME("symbol"), STRING_OR_NULL},
	[KEY_GUESS] = {NAME("guess"), STRING_OR_NULL},
};
#undef NAME

static const char *const outcome_names[CLI_OUTCOME_COUNT] = {
	[CLI_OUTCOME_RST] = "rst",
	[CLI_OUTCOME_FIN] = "fin",
	[CLI_OUTCOME_SHARED] = "shared",
	[CLI_OUTCOME_ABORTIVE] = "abortive",
	[CLI_OUTCOME_TIMEOUT] = "timeout",
	[CLI_OUTCOME_LIMIT] = "limit",
};

struct parse {
	struct cli_record *record;
	char *what;
	int depth;
	enum key key; /* whose value comes next */
	unsigned seen;
	uint64_t version;
	char time[64];
	char outcome[CLI_RECORD_WORD_MAX + 1];
	char why[CLI_RECORD_WORD_MAX + 1];
};

const char *cli_report_outcome_name(enum cli_outcome outcome)
{
	return (unsigned)outcome < CLI_OUTCOME_COUNT ? outcome_names[outcome] : "?";
}

/* Ends the parsing: yajl's callbacks return 0 for that. */
static int refuse(struct parse *parse, const char *before, const char *name, const char *after)
{
	snprintf(parse->what, CLI_RECORD_WHAT_SIZE, "%s\"%.64s\"%s", before, name, after);
	return 0;
}

static int refuse_plainly(struct parse *parse, const char *sentence)
{
	snprintf(parse->what, CLI_RECORD_WHAT_SIZE, "%s", sentence);
	return 0;
}

/* A value begins at this depth. */
static int begin_value(struct parse *parse, bool is_object)
{
	if (parse->depth == 0 && !is_object) {
		return refuse_plainly(parse, "not a report: the line is no JSON object");
	}
	return 1;
}

static bool is_wanted(const struct parse *parse)
{
	return parse->depth == 1 && parse->key != KEY_OTHER;
}

static int refuse_kind(struct parse *parse)
{
	static const char *const accepted[] = {
		[NUMBER] = " is no number",
		[STRING] = " is no string",
		[STRING_OR_NULL] = " is neither a string nor null",
	};
	return refuse(parse, "", keys[parse->key].name, accepted[keys[parse->key].kind]);
}

static int take_null(void *context)
{
	struct parse *parse = context;
	if (!begin_value(parse, false)) {
		return 0;
	}
	if (is_wanted(parse) && keys[parse->key].kind != STRING_OR_NULL) {
		return refuse_kind(parse);
	}
	return 1;
}

static int take_boolean(void *context, int value)
{
	(void)value;
	struct parse *parse = context;
	if (!begin_value(parse, false)) {
		return 0;
	}
	return is_wanted(parse) ? refuse_kind(parse) : 1;
}

static int take_count(struct parse *parse, const char *text, size_t length, uint64_t *value)
{
	uint64_t sum = 0;
	for (size_t i = 0; i < length; i++) {
		if (text[i] < '0' || text[i] > '9') {
			return refuse(parse, "", keys[parse->key].name,
				" is no whole number of 0 or more");
		}
		if (sum > (INT64_MAX - 9) / 10) {
			return refuse(parse, "", keys[parse->key].name, " is too large a number");
		}
		sum = sum * 10 + (uint64_t)(text[i] - '0');
	}
	*value = sum;
	return 1;
}

static int take_number(void *context, const char *text, size_t length)
{
	struct parse *parse = context;
	if (!begin_value(parse, false)) {
		return 0;
	}
	if (!is_wanted(parse)) {
		return 1;
	}
	switch (parse->key) {
	case KEY_V:
		return take_count(parse, text, length, &parse->version);
	case KEY_UNREAD:
		return take_count(parse, text, length, &parse->record->unread_bytes);
	case KEY_UNACKED:
		return take_count(parse, text, length, &parse->record->unacked_bytes);
	default:
		return refuse_kind(parse);
	}
}

static char *place_of(struct parse *parse, size_t *size)
{
	struct cli_record *record = parse->record;
	switch (parse->key) {
#define PLACE(key, array)              \
	case key:                      \
		*size = sizeof(array); \
		return array
		PLACE(KEY_TS, parse->time);
		PLACE(KEY_OUTCOME, parse->outcome);
		PLACE(KEY_WHY, parse->why);
		PLACE(KEY_EXE, record->exe);
		PLACE(KEY_VIA, record->via);
		PLACE(KEY_LOCAL, record->local);
		PLACE(KEY_PEER, record->peer);
		PLACE(KEY_SITE, record->site);
		PLACE(KEY_SYMBOL, record->symbol);
		PLACE(KEY_GUESS, record->guess);
#undef PLACE
	default:
		return NULL;
	}
}

static int take_string(void *context, const unsigned char *text, size_t length)
{
	struct parse *parse = context;
	if (!begin_value(parse, false)) {
		return 0;
	}
	if (!is_wanted(parse)) {
		return 1;
	}
	size_t size;
	char *place = place_of(parse, &size);
	if (place == NULL) {
		return refuse_kind(parse);
	}
	if (length >= size) {
		return refuse(parse, "", keys[parse->key].name, " is too long a string");
	}
	if (memchr(text, 0, length) != NULL) {
		return refuse(parse, "", keys[parse->key].name, " holds a zero byte");
	}
	memcpy(place, text, length);
	place[length] = 0;
	return 1;
}

static int take_key(void *context, const unsigned char *text, size_t length)
{
	struct parse *parse = context;
	if (parse->depth != 1) {
		return 1;
	}
	parse->key = KEY_OTHER;
	for (enum key key = 0; key < KEY_COUNT; key++) {
		if (keys[key].length == length && memcmp(keys[key].name, text, length) == 0) {
			parse->key = key;
			break;
		}
	}
	if (parse->key == KEY_OTHER) {
		return 1;
	}
	if (parse->seen & 1U << parse->key) {
		return refuse(parse, "", keys[parse->key].name, " is there twice");
	}
	parse->seen |= 1U << parse->key;
	return 1;
}

static int enter(struct parse *parse)
{
	if (is_wanted(parse)) {
		return refuse_kind(parse);
	}
	if (++parse->depth > DEPTH_MAX) {
		return refuse_plainly(parse, "nested too deeply for a report");
	}
	return 1;
}

static int enter_object(void *context)
{
	return enter(context);
}

static int enter_list(void *context)
{
	return begin_value(context, false) && enter(context);
}

static int leave(void *context)
{
	((struct parse *)context)->depth--;
	return 1;
}

/* The first line of yajl's own sentence, which quotes nothing. */
static void tell_syntax(yajl_handle handle, char *what)
{
	unsigned char *sentence = yajl_get_error(handle, 0, NULL, 0);
	snprintf(what, CLI_RECORD_WHAT_SIZE, "not JSON: %.*s", (int)strcspn((char *)sentence, "\n"),
		(char *)sentence);
	yajl_free_error(handle, sentence);
}

static bool parse_line(struct parse *parse, const char *line, size_t length)
{
	static const yajl_callbacks callbacks = {
		.yajl_null = take_null,
		.yajl_boolean = take_boolean,
		.yajl_number = take_number,
		.yajl_string = take_string,
		.yajl_start_map = enter_object,
		.yajl_map_key = take_key,
		.yajl_end_map = leave,
		.yajl_start_array = enter_list,
		.yajl_end_array = leave,
	};
	yajl_handle handle = yajl_alloc(&callbacks, cli_report_memory_yajl(), parse);
	yajl_status status = yajl_parse(handle, (const unsigned char *)line, length);
	if (status == yajl_status_ok) {
		status = yajl_complete_parse(handle);
	}
	if (status == yajl_status_error) {
		tell_syntax(handle, parse->what);
	}
	yajl_free(handle);
	return status == yajl_status_ok;
}

/* Days since 1970-01-01 in the Gregorian calendar, without the C library's time zones. */
static int64_t days_since_1970(int year, int month, int day)
{
	/* Years that begin in March have the leap day at their end. */
	int64_t shifted = month > 2 ? year : year - 1;
	int month_from_march = month > 2 ? month - 3 : month + 9;
	int64_t era = (shifted >= 0 ? shifted : shifted - 399) / 400;
	int64_t year_of_era = shifted - era * 400;
	int64_t day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
	int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
	return era * 146097 + day_of_era - 719468;
}

/* Exactly count digits. Returns what follows them, NULL: no digits, or text was NULL. */
static const char *read_digits(const char *text, int count, int *value)
{
	*value = 0;
	for (int i = 0; text != NULL && i < count; i++, text++) {
		if (*text < '0' || *text > '9') {
			return NULL;
		}
		*value = *value * 10 + (*text - '0');
	}
	return text;
}

static const char *read_mark(const char *text, char mark)
{
	return text != NULL && *text == mark ? text + 1 : NULL;
}

/* ".123456" or nothing; digits past the microsecond are passed over. */
static const char *read_fraction(const char *text, int *us)
{
	*us = 0;
	if (text == NULL || *text != '.') {
		return text;
	}
	text++;
	if (*text < '0' || *text > '9') {
		return NULL;
	}
	int scale = 100000;
	for (; *text >= '0' && *text <= '9'; text++) {
		*us += (*text - '0') * scale;
		scale /= 10;
	}
	return text;
}

static const char *read_zone(const char *text, int *offset_s)
{
	*offset_s = 0;
	if (text == NULL || *text == 'Z') {
		return text == NULL ? NULL : text + 1;
	}
	if (*text != '+' && *text != '-') {
		return NULL;
	}
	int sign = *text == '-' ? -1 : 1;
	int hours, minutes;
	text = read_digits(text + 1, 2, &hours);
	text = read_digits(read_mark(text, ':'), 2, &minutes);
	if (text == NULL || hours > 23 || minutes > 59) {
		return NULL;
	}
	*offset_s = sign * (hours * 3600 + minutes * 60);
	return text;
}

static int days_in(int year, int month)
{
	bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
	if (month == 2) {
		return is_leap ? 29 : 28;
	}
	return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
}

bool cli_report_record_time(const char *text, int64_t *time_us)
{
	int year, month, day, hour, minute, second, us, offset_s;
	text = read_digits(text, 4, &year);
	text = read_digits(read_mark(text, '-'), 2, &month);
	text = read_digits(read_mark(text, '-'), 2, &day);
	text = read_digits(read_mark(text, 'T'), 2, &hour);
	text = read_digits(read_mark(text, ':'), 2, &minute);
	text = read_digits(read_mark(text, ':'), 2, &second);
	text = read_zone(read_fraction(text, &us), &offset_s);
	if (text == NULL || *text != 0 || month < 1 || month > 12 || day < 1 ||
		day > days_in(year, month) || hour > 23 || minute > 59 || second > 60) {
		return false;
	}
	int64_t seconds = days_since_1970(year, month, day) * 86400 + hour * 3600 + minute * 60 +
			  second - offset_s;
	*time_us = seconds * 1000000 + us;
	return true;
}

/* All values are there and of their kind: what they mean. */
static bool understand(struct parse *parse)
{
	struct cli_record *record = parse->record;
	for (enum key key = 0; key < KEY_COUNT; key++) {
		if (!(parse->seen & 1U << key)) {
			return refuse(parse, "there is no ", keys[key].name, "");
		}
	}
	if (parse->version != REPORT_VERSION) {
		return refuse_plainly(parse, "\"v\" is not 1: a report of another version");
	}
	if (!cli_report_record_time(parse->time, &record->time_us)) {
		return refuse_plainly(
			parse, "\"ts\" is no time such as 2024-05-01T12:00:00.000000Z");
	}
	record->is_listener = strcmp(parse->why, "listener") == 0 || record->peer[0] == 0;
	for (enum cli_outcome outcome = 0; outcome < CLI_OUTCOME_COUNT; outcome++) {
		if (strcmp(parse->outcome, outcome_names[outcome]) == 0) {
			record->outcome = outcome;
			return true;
		}
	}
	return refuse_plainly(parse, "\"outcome\" is none that is known");
}

bool cli_report_record_read(const char *line, size_t length, struct cli_record *record, char *what)
{
	static const char text_report[] = "safeclose[";
	if (length >= sizeof(text_report) - 1 &&
		memcmp(line, text_report, sizeof(text_report) - 1) == 0) {
		snprintf(what, CLI_RECORD_WHAT_SIZE,
			"a report as text; SAFECLOSE_FORMAT=json writes what is read here");
		return false;
	}
	struct parse parse = {.record = record, .what = what, .key = KEY_OTHER};
	record->site[0] = record->exe[0] = record->symbol[0] = 0;
	record->peer[0] = record->local[0] = record->guess[0] = record->via[0] = 0;
	return parse_line(&parse, line, length) && understand(&parse);
}

void cli_report_record_site(const struct cli_record *record, char *name, size_t size)
{
	if (record->site[0] != 0 || record->via[0] == 0) {
		snprintf(name, size, "%s", record->site);
	} else {
		snprintf(name, size, "(%s)", record->via);
	}
}

/* The port at the end of addr:port, and where its colon is. -1: none. */
static int port_of(const char *address, size_t *colon)
{
	const char *last = strrchr(address, ':');
	if (last == NULL || last[1] < '0' || last[1] > '9') {
		return -1;
	}
	char *end;
	long port = strtol(last + 1, &end, 10);
	if (*end != 0 || port > 65535) {
		return -1;
	}
	*colon = (size_t)(last - address);
	return (int)port;
}

void cli_report_record_peer(const struct cli_record *record, char *name, size_t size)
{
	size_t peer_colon, local_colon;
	int peer_port = port_of(record->peer, &peer_colon);
	int local_port = port_of(record->local, &local_colon);
	if (peer_port < 0 || (peer_port < FIRST_EPHEMERAL_PORT && peer_port < local_port)) {
		snprintf(name, size, "%s", record->peer);
		return;
	}
	size_t length = peer_colon;
	const char *start = record->peer;
	if (length >= 2 && start[0] == '[' && start[length - 1] == ']') {
		start++;
		length -= 2;
	}
	snprintf(name, size, "%.*s", (int)length, start);
}

size_t cli_report_module_length(const char *site)
{
	const char *last = NULL;
	for (const char *at = site; (at = strstr(at, "+0x")) != NULL; at++) {
		last = at;
	}
	return last != NULL ? (size_t)(last - site) : strlen(site);
}
