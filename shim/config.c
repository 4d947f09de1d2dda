// SPDX-License-Identifier: MIT
#include "config.h"
#include "line.h"
#include <stdbool.h>
#include <string.h>

#define PREFIX "SAFECLOSE_"
#define TALLY_ENTRY SC_CONFIG_TALLY "="

enum { SHOWN_VALUE_MAX = 64, SHOWN_NAME_MAX = 64, COMPLAINT_MAX = 512, NAME_MAX_LENGTH = 32 };
/* Strings in tables are arrays: each pointer would be a relocation in every program. */
enum { CHOICE_SIZE = sizeof("unread") };

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

/* A row: what users see, then how it is parsed and where it goes. */
struct row {
	struct sc_option option;
	enum kind kind;
	uint32_t offset;                    /* of the field in struct sc_config */
	const char (*choices)[CHOICE_SIZE]; /* KIND_CHOICE: in the order of the enum, then "" */
};

static const char mode_choices[][CHOICE_SIZE] = {"off", "warn", "drain", "fin", ""};
static const char when_choices[][CHOICE_SIZE] = {"unread", "always", ""};
static const char shutdown_choices[][CHOICE_SIZE] = {"keep", "half", ""};
static const char deepbind_choices[][CHOICE_SIZE] = {"keep", "strip", ""};
static const char report_choices[][CHOICE_SIZE] = {"acted", "all", ""};
static const char summary_choices[][CHOICE_SIZE] = {"0", "1", ""};
static const char format_choices[][CHOICE_SIZE] = {"text", "json", ""};

#define ACCEPTS_DURATION "a duration up to 24h such as 250ms, 5s or 2m (a bare number is seconds)"
#define ACCEPTS_SIZE "a size such as 64K, 16M or 1G (a bare number is bytes)"
#define ACCEPTS_COUNT "a count, or auto (a quarter of the soft limit of descriptors)"
#define ACCEPTS_ONLY                                                                   \
	"all, or a list of local:PORT, peer:PORT and peer:ADDR[/LEN][:PORT], with an " \
	"IPv6 address in brackets"
/* Only the command shows help. The library, which is in every program, goes without. */
#ifdef SC_CONFIG_HAS_HELP
#define HELP(text) text
#else
#define HELP(text) NULL
#endif
#define FIELD(name) offsetof(struct sc_config, name)

static const struct row rows[] = {
	{{PREFIX "MODE", "warn", "off, warn, drain or fin",
		 HELP("What to do about a close that would reset its connection.")},
		KIND_CHOICE, FIELD(mode), mode_choices},
	{{PREFIX "WHEN", "unread", "unread or always",
		 HELP("In fin: linger when bytes are unread, or whenever the peer has not sent "
		      "FIN.")},
		KIND_CHOICE, FIELD(when), when_choices},
	{{PREFIX "LINGER_TIME", "30s", ACCEPTS_DURATION,
		 HELP("In fin: all that one connection may linger.")},
		KIND_DURATION, FIELD(linger_time_ms), NULL},
	{{PREFIX "LINGER_TIMEOUT", "5s", ACCEPTS_DURATION,
		 HELP("In fin: longest silence of the peer while a connection lingers.")},
		KIND_DURATION, FIELD(linger_timeout_ms), NULL},
	{{PREFIX "EXIT_TIMEOUT", "2s", ACCEPTS_DURATION,
		 HELP("In fin: longest that process exit waits for lingering connections.")},
		KIND_DURATION, FIELD(exit_timeout_ms), NULL},
	{{PREFIX "DRAIN_MAX", "64M", ACCEPTS_SIZE,
		 HELP("In drain and fin: most bytes discarded for one connection.")},
		KIND_SIZE, FIELD(drain_max_bytes), NULL},
	{{PREFIX "LINGER_MAX", "auto", ACCEPTS_COUNT,
		 HELP("In fin: connections that linger at once; past it the oldest is finished.")},
		KIND_COUNT, FIELD(linger_max), NULL},
	{{PREFIX "LOG", "stderr", "stderr, syslog or a path, in which %p stands for the process id",
		 HELP("Where reports go.")},
		KIND_TEXT, FIELD(log), NULL},
	{{PREFIX "ONLY", "all", ACCEPTS_ONLY, HELP("Connections to look at.")}, KIND_ONLY,
		FIELD(only), NULL},
	{{PREFIX "FORMAT", "text", "text or json",
		 HELP("Reports as lines of text or as one JSON object a line.")},
		KIND_CHOICE, FIELD(format), format_choices},
	{{PREFIX "PREVIEW", "0", "a number from 0 to 256",
		 HELP("Unread bytes shown in a report, escaped; they may be secret.")},
		KIND_PREVIEW, FIELD(preview_bytes), NULL},
	{{PREFIX "STACK", "1", "a number from 0 to 32",
		 HELP("Frames of the closing call stack in a report; 1 is the call site.")},
		KIND_FRAMES, FIELD(stack_frames), NULL},
	{{PREFIX "REPORT", "acted", "acted or all",
		 HELP("Report resets and what was done against them, or also closes left alone.")},
		KIND_CHOICE, FIELD(report), report_choices},
	{{PREFIX "SUMMARY", "0", "0 or 1", HELP("At exit, totals per call site.")}, KIND_CHOICE,
		FIELD(summary), summary_choices},
	{{PREFIX "SHUTDOWN", "keep", "keep or half",
		 HELP("In fin: half makes the program's shutdown for reading wait for the close.")},
		KIND_CHOICE, FIELD(shutdown), shutdown_choices},
	{{PREFIX "DEEPBIND", "keep", "keep or strip",
		 HELP("strip takes RTLD_DEEPBIND from the program's dlopen, so that such plugins "
		      "are "
		      "seen.")},
		KIND_CHOICE, FIELD(deepbind), deepbind_choices},
};

enum { ROW_COUNT = sizeof(rows) / sizeof(rows[0]) };

const struct sc_option *sc_config_option(size_t index)
{
	return index < ROW_COUNT ? &rows[index].option : NULL;
}

const char *sc_config_mode_name(enum sc_mode mode)
{
	return mode_choices[mode];
}

/* Digits at the start of text, at most max. NULL where there are none or they are too many;
 * else what follows them. */
static const char *parse_number(const char *text, uint64_t max, uint64_t *value)
{
	if (*text < '0' || *text > '9') {
		return NULL;
	}
	for (*value = 0; *text >= '0' && *text <= '9'; text++) {
		uint64_t digit = (uint64_t)(*text - '0');
		if (*value > (max - digit) / 10) {
			return NULL;
		}
		*value = *value * 10 + digit;
	}
	return text;
}

struct unit {
	char suffix[4];
	uint32_t factor; /* 0: behind the last */
};

static const struct unit duration_units[] = {
	{"", 1000}, {"ms", 1}, {"s", 1000}, {"m", 60000}, {"", 0}};
static const struct unit size_units[] = {
	{"", 1}, {"K", 1 << 10}, {"M", 1 << 20}, {"G", 1 << 30}, {"", 0}};

static const uint64_t duration_max_ms = 24 * 3600 * 1000;

/* A number with one of the units; result at most max. */
static bool parse_quantity(
	const char *text, const struct unit *units, uint64_t max, uint64_t *result)
{
	uint64_t value;
	const char *suffix = parse_number(text, max, &value);
	if (suffix == NULL) {
		return false;
	}
	for (; units->factor != 0; units++) {
		if (strcmp(suffix, units->suffix) == 0 && value <= max / units->factor) {
			*result = value * units->factor;
			return true;
		}
	}
	return false;
}

static bool parse_choice(const char *text, const char (*choices)[CHOICE_SIZE], void *field)
{
	for (unsigned i = 0; *choices[i] != '\0'; i++) {
		if (strcmp(text, choices[i]) == 0) {
			memcpy(field, &i, sizeof(i)); /* every enum of the table is unsigned int */
			return true;
		}
	}
	return false;
}

static bool parse_up_to(const char *text, uint64_t max, uint64_t *number)
{
	uint64_t value;
	const char *end = parse_number(text, max, &value);
	if (end == NULL || *end != '\0') {
		return false;
	}
	*number = value;
	return true;
}

static bool parse_count(const char *text, uint64_t *count)
{
	if (strcmp(text, "auto") == 0) {
		*count = SC_LINGER_MAX_AUTO;
		return true;
	}
	return parse_up_to(text, UINT32_MAX, count);
}

static bool parse_text(const char *text, char *field)
{
	size_t length = strlen(text);
	if (length == 0 || length >= SC_LOG_MAX) {
		return false;
	}
	memcpy(field, text, length + 1);
	return true;
}

/* Parse text whole into the row's field; false leaves the field alone. */
static bool parse_row(const struct row *row, const char *text, struct sc_config *config)
{
	void *field = (char *)config + row->offset;
	switch (row->kind) {
	case KIND_CHOICE:
		return parse_choice(text, row->choices, field);
	case KIND_DURATION:
		return parse_quantity(text, duration_units, duration_max_ms, field);
	case KIND_SIZE:
		return parse_quantity(text, size_units, INT64_MAX, field);
	case KIND_COUNT:
		return parse_count(text, field);
	case KIND_PREVIEW:
		return parse_up_to(text, SC_PREVIEW_MAX, field);
	case KIND_FRAMES:
		return parse_up_to(text, SC_STACK_MAX, field);
	case KIND_TEXT:
		return parse_text(text, field);
	case KIND_ONLY:
		return sc_only_parse(text, field);
	}
	return false;
}

struct complaint {
	struct sc_line line;
	char text[COMPLAINT_MAX];
};

static void complaint_begin(struct complaint *complaint)
{
	complaint->line = (struct sc_line){complaint->text, sizeof(complaint->text) - 1, 0};
}

static void complaint_send(struct complaint *complaint, sc_config_complain *complain, void *context)
{
	complaint->text[complaint->line.length] = '\0';
	complain(context, complaint->text);
}

static void complain_of_value(
	const struct row *row, const char *value, sc_config_complain *complain, void *context)
{
	struct complaint complaint;
	complaint_begin(&complaint);
	sc_line_add(&complaint.line, row->option.name);
	sc_line_add(&complaint.line, "=");
	sc_line_add_escaped(&complaint.line, value, SHOWN_VALUE_MAX);
	sc_line_add(&complaint.line, " is not understood; accepted: ");
	sc_line_add(&complaint.line, row->option.accepts);
	sc_line_add(&complaint.line, "; using ");
	sc_line_add(&complaint.line, row->option.default_text);
	complaint_send(&complaint, complain, context);
}

static size_t min3(size_t a, size_t b, size_t c)
{
	size_t least = a < b ? a : b;
	return least < c ? least : c;
}

/* Levenshtein distance of two names; length of a is at most NAME_MAX_LENGTH. */
static size_t name_distance(const char *a, size_t a_length, const char *b)
{
	size_t costs[NAME_MAX_LENGTH + 1];
	for (size_t i = 0; i <= a_length; i++) {
		costs[i] = i;
	}
	for (size_t j = 0; b[j] != '\0'; j++) {
		size_t diagonal = costs[0];
		costs[0] = j + 1;
		for (size_t i = 1; i <= a_length; i++) {
			size_t substitution = diagonal + (a[i - 1] != b[j]);
			diagonal = costs[i];
			costs[i] = min3(costs[i] + 1, costs[i - 1] + 1, substitution);
		}
	}
	return costs[a_length];
}

static const char *nearest_name(const char *name, size_t length)
{
	const char *nearest = rows[0].option.name;
	size_t least = SIZE_MAX;
	for (size_t i = 0; i < ROW_COUNT; i++) {
		size_t shown = length < NAME_MAX_LENGTH ? length : NAME_MAX_LENGTH;
		size_t distance = name_distance(name, shown, rows[i].option.name);
		if (distance < least) {
			least = distance;
			nearest = rows[i].option.name;
		}
	}
	return nearest;
}

static void complain_of_name(
	const char *name, size_t length, sc_config_complain *complain, void *context)
{
	char shown[SHOWN_NAME_MAX + 1];
	size_t shown_length = length < SHOWN_NAME_MAX ? length : SHOWN_NAME_MAX;
	memcpy(shown, name, shown_length);
	shown[shown_length] = '\0';
	struct complaint complaint;
	complaint_begin(&complaint);
	sc_line_add_escaped(&complaint.line, shown, SHOWN_NAME_MAX);
	sc_line_add(&complaint.line, length > SHOWN_NAME_MAX ? "..." : "");
	sc_line_add(&complaint.line, " is not a known variable; the nearest is ");
	sc_line_add(&complaint.line, nearest_name(name, length));
	complaint_send(&complaint, complain, context);
}

static const struct row *find_row(const char *name, size_t length)
{
	for (size_t i = 0; i < ROW_COUNT; i++) {
		const char *known = rows[i].option.name;
		if (strlen(known) == length && memcmp(known, name, length) == 0) {
			return &rows[i];
		}
	}
	return NULL;
}

void sc_config_load(struct sc_config *config, char *const *environment,
	sc_config_complain *complain, void *context)
{
	bool seen[ROW_COUNT] = {false};
	config->tally = NULL;
	for (size_t i = 0; i < ROW_COUNT; i++) {
		parse_row(&rows[i], rows[i].option.default_text, config);
	}
	for (; environment != NULL && *environment != NULL; environment++) {
		const char *entry = *environment;
		const char *equals = strchr(entry, '=');
		if (equals == NULL || strncmp(entry, PREFIX, strlen(PREFIX)) != 0) {
			continue;
		}
		const struct row *row = find_row(entry, (size_t)(equals - entry));
		if (row == NULL && strncmp(entry, TALLY_ENTRY, strlen(TALLY_ENTRY)) == 0) {
			config->tally = config->tally == NULL ? equals + 1 : config->tally;
		} else if (row == NULL) {
			complain_of_name(entry, (size_t)(equals - entry), complain, context);
		} else if (!seen[row - rows]) {
			seen[row - rows] = true; /* the first one counts, as for getenv */
			if (!parse_row(row, equals + 1, config)) {
				/* The default stays, which for the mode is warn: it changes
				 * nothing. */
				complain_of_value(row, equals + 1, complain, context);
			}
		}
	}
}
