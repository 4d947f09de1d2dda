// SPDX-License-Identifier: MIT
/*
 * The variables: an environment of any bytes. Every field has a value that it may have, the first one
 * of a name counts, whatever is complained of is one printable line, and nothing that was not set
 * differs from its default. Values of numbers are read once more here, by strtoull().
 */
#include "must.h"

#include "config.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

enum { ENTRIES_MAX = 64 };

static const uint64_t day_ms = 24 * 3600 * 1000;

struct complaints {
	size_t count;
	char *const *environment;
};

static void hear(void *context, const char *line)
{
	struct complaints *complaints = context;
	size_t length = strlen(line);

	complaints->count++;
	must(length > 0 && length < 640);
	for (size_t i = 0; i < length; i++) {
		must((unsigned char)line[i] >= ' ' && line[i] != 0x7f);
	}
	must(strncmp(line, "SAFECLOSE_", 10) == 0);
	must(strstr(line, " is not understood; accepted: ") != NULL ||
		strstr(line, " is not a known variable; the nearest is SAFECLOSE_") != NULL);
}

/* As getenv() finds it; NULL: not set. */
static const char *value_of(char *const *environment, const char *name)
{
	size_t length = strlen(name);

	for (; *environment; environment++) {
		if (strncmp(*environment, name, length) == 0 && (*environment)[length] == '=') {
			return *environment + length + 1;
		}
	}
	return NULL;
}

/* The whole of text as digits and one of the units. false: it is none, or more than max. */
static bool read_quantity(const char *text, const char *const *suffixes, const uint64_t *factors,
	uint64_t max, uint64_t *result)
{
	char *end;

	if (*text < '0' || *text > '9') {
		return false;
	}
	errno = 0;
	unsigned long long value = strtoull(text, &end, 10);
	for (size_t i = 0; suffixes[i] && errno == 0; i++) {
		unsigned __int128 whole = (unsigned __int128)value * factors[i];

		if (strcmp(end, suffixes[i]) == 0 && whole <= max) {
			*result = (uint64_t)whole;
			return true;
		}
	}
	return false;
}

static void must_be_quantity(char *const *environment, const char *name, uint64_t field,
	const char *const *suffixes, const uint64_t *factors, uint64_t max, uint64_t otherwise)
{
	const char *text = value_of(environment, name);
	uint64_t expected = otherwise;

	if (text && !read_quantity(text, suffixes, factors, max, &expected)) {
		expected = otherwise;
	}
	must(field == expected);
}

static void check_numbers(char *const *environment, const struct sc_config *config)
{
	static const char *const times[] = {"", "ms", "s", "m", NULL};
	static const uint64_t time_factors[] = {1000, 1, 1000, 60000};
	static const char *const sizes[] = {"", "K", "M", "G", NULL};
	static const uint64_t size_factors[] = {1, 1 << 10, 1 << 20, 1 << 30};
	static const char *const plain[] = {"", NULL};
	static const uint64_t one[] = {1};

	must_be_quantity(environment, "SAFECLOSE_LINGER_TIME", config->linger_time_ms, times,
		time_factors, day_ms, 30000);
	must_be_quantity(environment, "SAFECLOSE_LINGER_TIMEOUT", config->linger_timeout_ms, times,
		time_factors, day_ms, 5000);
	must_be_quantity(environment, "SAFECLOSE_EXIT_TIMEOUT", config->exit_timeout_ms, times,
		time_factors, day_ms, 2000);
	must_be_quantity(environment, "SAFECLOSE_DRAIN_MAX", config->drain_max_bytes, sizes,
		size_factors, INT64_MAX, 64 << 20);
	must_be_quantity(environment, "SAFECLOSE_LINGER_MAX", config->linger_max, plain, one,
		UINT32_MAX, SC_LINGER_MAX_AUTO);
	must_be_quantity(environment, "SAFECLOSE_PREVIEW", config->preview_bytes, plain, one,
		SC_PREVIEW_MAX, 0);
	must_be_quantity(
		environment, "SAFECLOSE_STACK", config->stack_frames, plain, one, SC_STACK_MAX, 1);
}

/* choices: names in the order of the enum, the default first. */
static void must_be_choice(
	char *const *environment, const char *name, unsigned field, const char *const *choices)
{
	const char *text = value_of(environment, name);
	unsigned expected = 0;

	for (unsigned i = 0; text && choices[i]; i++) {
		if (strcmp(text, choices[i]) == 0) {
			expected = i;
		}
	}
	must(field == expected);
}

static void check_choices(char *const *environment, const struct sc_config *config)
{
	const char *mode = value_of(environment, "SAFECLOSE_MODE");
	enum sc_mode expected = mode && strcmp(mode, "off") == 0     ? SC_MODE_OFF
				: mode && strcmp(mode, "drain") == 0 ? SC_MODE_DRAIN
				: mode && strcmp(mode, "fin") == 0   ? SC_MODE_FIN
								     : SC_MODE_WARN;

	must(config->mode == expected);
	must_be_choice(environment, "SAFECLOSE_WHEN", config->when,
		(const char *const[]){"unread", "always", NULL});
	must_be_choice(environment, "SAFECLOSE_FORMAT", config->format,
		(const char *const[]){"text", "json", NULL});
	must_be_choice(environment, "SAFECLOSE_REPORT", config->report,
		(const char *const[]){"acted", "all", NULL});
	must_be_choice(environment, "SAFECLOSE_SUMMARY", config->summary,
		(const char *const[]){"0", "1", NULL});
	must_be_choice(environment, "SAFECLOSE_SHUTDOWN", config->shutdown,
		(const char *const[]){"keep", "half", NULL});
	must_be_choice(environment, "SAFECLOSE_DEEPBIND", config->deepbind,
		(const char *const[]){"keep", "strip", NULL});
}

static void check_texts(char *const *environment, const struct sc_config *config)
{
	const char *log = value_of(environment, "SAFECLOSE_LOG");
	const char *only = value_of(environment, "SAFECLOSE_ONLY");
	bool is_usable = log && *log && strlen(log) < SC_LOG_MAX;

	must(strcmp(config->log, is_usable ? log : "stderr") == 0);
	must(config->tally == value_of(environment, SC_CONFIG_TALLY));
	must(config->only.count <= SC_ONLY_MAX);
	must(config->only.count == 0 || only != NULL);
}

/* A complaint for each variable that is not known, and at most one for each that is. */
static void check_complaints(char *const *environment, size_t count)
{
	size_t unknown = 0;
	size_t most = 0;

	for (; *environment; environment++) {
		const char *equals = strchr(*environment, '=');
		bool is_known = false;

		if (!equals || strncmp(*environment, "SAFECLOSE_", 10) != 0) {
			continue;
		}
		size_t length = (size_t)(equals - *environment);
		for (size_t i = 0; sc_config_option(i); i++) {
			const char *name = sc_config_option(i)->name;

			is_known = is_known || (strlen(name) == length &&
						       memcmp(name, *environment, length) == 0);
		}
		bool is_tally = length == strlen(SC_CONFIG_TALLY) &&
				memcmp(*environment, SC_CONFIG_TALLY, length) == 0;
		unknown += !is_known && !is_tally;
		most += !is_tally;
	}
	must(count >= unknown && count <= most);
}

/* The input is entries with a NUL behind each; each lies in memory of its own, of exactly its size. */
int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t size)
{
	char *environment[ENTRIES_MAX + 1] = {NULL};
	struct sc_config config;
	struct complaints complaints = {0, environment};
	size_t count = 0;

	memset(&config, 0xa5, sizeof(config));
	while (size > 0 && count < ENTRIES_MAX) {
		size_t length = strnlen((const char *)bytes, size);

		environment[count++] = strndup((const char *)bytes, length);
		bytes += length + (length < size);
		size -= length + (length < size);
	}
	sc_config_load(&config, environment, hear, &complaints);
	check_numbers(environment, &config);
	check_choices(environment, &config);
	check_texts(environment, &config);
	check_complaints(environment, complaints.count);
	while (count > 0) {
		free(environment[--count]);
	}
	return 0;
}
