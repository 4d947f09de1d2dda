// SPDX-License-Identifier: MIT
#include "config.h"
#include "line.h"
#include <stdbool.h>
#include <string.h>

#define PREFIX "SAFECLOSE_"
#define TALLY_ENTRY SC_CONFIG_TALLY "="

struct sc_config sc_config;

enum { SHOWN_VALUE_MAX = 64, SHOWN_NAME_MAX = 64, COMPLAINT_MAX = 512, NAME_MAX_LENGTH = 32 };
/* Tables without pointers: each would be a relocation in every program. */
enum { CHOICE_SIZE = sizeof("unread"), CHOICE_MAX = 4 };

/* How a value is parsed. First those with a choice of words. */
enum kind {
	KIND_MODE,
	KIND_WHEN,
	KIND_REPORT,
	KIND_SHUTDOWN,
	KIND_DEEPBIND,
	KIND_FORMAT,
	KIND_SUMMARY,
	KIND_DURATION,
	KIND_SIZE,
	KIND_COUNT,
	KIND_PREVIEW,
	KIND_FRAMES,
	KIND_LOG,
	KIND_ONLY
};

/* Of each such kind, in the order of its enum. */
static const char choices[][CHOICE_MAX + 1][CHOICE_SIZE] = {
	[KIND_MODE] = {"off", "warn", "drain", "fin"},
	[KIND_WHEN] = {"unread", "always"},
	[KIND_REPORT] = {"acted", "all"},
	[KIND_SHUTDOWN] = {"keep", "half"},
	[KIND_DEEPBIND] = {"keep", "strip"},
	[KIND_FORMAT] = {"text", "json"},
	[KIND_SUMMARY] = {"0", "1"},
};

/* What each kind accepts, for the complaint and for help: in the order of the kinds. */
static const char accepts[] =
	"off, warn, drain or fin\0"
	"unread or always\0"
	"acted or all\0"
	"keep or half\0"
	"keep or strip\0"
	"text or json\0"
	"0 or 1\0"
	"a duration up to 24h such as 250ms, 5s or 2m (a bare number is seconds)\0"
	"a size such as 64K, 16M or 1G (a bare number is bytes)\0"
	"a count, or auto (a quarter of the soft limit of descriptors)\0"
	"a number from 0 to 256\0"
	"a number from 0 to 32\0"
	"stderr, syslog or a path, in which %p stands for the process id\0"
	"all, or a list of local:PORT, peer:PORT and peer:ADDR[/LEN][:PORT], with an IPv6 address "
	"in brackets";

/* Only the command shows help. The library, which is in every program, goes without. */
#ifdef SC_CONFIG_HAS_HELP
#define HELP(text) .help = text,
#else
#define HELP(text)
#endif
#define FIELD(name) .offset = offsetof(struct sc_config, name)

/* What users see, then how it is parsed and where it goes. */
struct row {
	struct sc_option option;
	uint8_t kind;    /* enum kind */
	uint16_t offset; /* of the field in struct sc_config */
#ifdef SC_CONFIG_HAS_HELP
	const char *help; /* one sentence */
#endif
};

static const struct row rows[] = {
	{{PREFIX "MODE", "warn"}, KIND_MODE, FIELD(mode),
		HELP("What to do about a close that would reset its connection.")},
	{{PREFIX "WHEN", "unread"}, KIND_WHEN, FIELD(when),
		HELP("In fin: linger when bytes are unread, or whenever the peer has not sent "
		     "FIN.")},
	{{PREFIX "LINGER_TIME", "30s"}, KIND_DURATION, FIELD(linger_time_ms),
		HELP("In fin: all that one connection may linger.")},
	{{PREFIX "LINGER_TIMEOUT", "5s"}, KIND_DURATION, FIELD(linger_timeout_ms),
		HELP("In fin: longest silence of the peer while a connection lingers.")},
	{{PREFIX "EXIT_TIMEOUT", "2s"}, KIND_DURATION, FIELD(exit_timeout_ms),
		HELP("In fin: longest that process exit waits for lingering connections.")},
	{{PREFIX "DRAIN_MAX", "64M"}, KIND_SIZE, FIELD(drain_max_bytes),
		HELP("In drain and fin: most bytes discarded for one connection.")},
	{{PREFIX "LINGER_MAX", "auto"}, KIND_COUNT, FIELD(linger_max),
		HELP("In fin: connections that linger at once; past it the oldest is finished.")},
	{{PREFIX "LOG", "stderr"}, KIND_LOG, FIELD(log),
		HELP("Where reports go: stderr, syslog or a path, in which %p is the process id.")},
	{{PREFIX "ONLY", "all"}, KIND_ONLY, FIELD(only),
		HELP("Connections to look at, a list: local:PORT peer:PORT "
		     "peer:ADDR[/LEN][:PORT].")},
	{{PREFIX "FORMAT", "text"}, KIND_FORMAT, FIELD(format),
		HELP("Reports as lines of text or as one JSON object a line.")},
	{{PREFIX "PREVIEW", "0"}, KIND_PREVIEW, FIELD(preview_bytes),
		HELP("Unread bytes shown in a report, escaped; they may be secret.")},
	{{PREFIX "STACK", "1"}, KIND_FRAMES, FIELD(stack_frames),
		HELP("Frames of the closing call stack in a report; 1 is the call site.")},
	{{PREFIX "REPORT", "acted"}, KIND_REPORT, FIELD(report),
		HELP("Report resets and what was done against them, or also closes left alone.")},
	{{PREFIX "SUMMARY", "0"}, KIND_SUMMARY, FIELD(summary),
		HELP("At exit, totals per call site.")},
	{{PREFIX "SHUTDOWN", "keep"}, KIND_SHUTDOWN, FIELD(shutdown),
		HELP("In fin: half makes the program's shutdown for reading wait for the close.")},
	{{PREFIX "DEEPBIND", "keep"}, KIND_DEEPBIND, FIELD(deepbind),
		HELP("strip takes RTLD_DEEPBIND from dlopen, so that plugins loaded so are seen.")},
};

enum { ROW_COUNT = sizeof(rows) / sizeof(rows[0]) };

const struct sc_option *sc_config_option(size_t index)
{
	return index < ROW_COUNT ? &rows[index].option : NULL;
}

static const char *accepts_of(const struct row *row)
{
	const char *text = accepts;
	for (unsigned kind = 0; kind < row->kind; kind++) {
		text += strlen(text) + 1;
	}
	return text;
}

const char *sc_config_accepts(size_t index)
{
	return accepts_of(&rows[index]);
}

#ifdef SC_CONFIG_HAS_HELP
const char *sc_config_help(size_t index)
{
	return rows[index].help;
}
#endif

const char *sc_config_mode_name(enum sc_mode mode)
{
	return choices[KIND_MODE][mode];
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

static bool parse_choice(const char *text, uint8_t kind, void *field)
{
	for (unsigned i = 0; choices[kind][i][0] != '\0'; i++) {
		if (strcmp(text, choices[kind][i]) == 0) {
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
	case KIND_LOG:
		return parse_text(text, field);
	case KIND_ONLY:
		return sc_only_parse(text, field);
	default:
		return parse_choice(text, row->kind, field);
	}
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
	sc_line_add(&complaint.line, accepts_of(row));
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
