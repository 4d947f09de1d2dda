// SPDX-License-Identifier: MIT
#include "reports.h"
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Behind "KEY": in the line, which has no other such key: strings have their quotation marks escaped. */
static const char *value_of(const char *line, const char *key)
{
	char quoted[32];
	const char *found;

	snprintf(quoted, sizeof(quoted), "\"%s\":", key);
	found = strstr(line, quoted);
	assert_non_null(found);
	return found + strlen(quoted);
}

static void add_text(
	FILE *text, const char *before, const char *line, const char *key, const char *behind)
{
	const char *value = value_of(line, key);

	if (strncmp(value, "null", 4) != 0) {
		value += *value == '"';
		fprintf(text, "%s%.*s%s", before, (int)strcspn(value, "\",}"), value, behind);
	}
}

static unsigned long long number_of(const char *line, const char *key)
{
	return strtoull(value_of(line, key), NULL, 10);
}

static void add_report(FILE *text, const char *line)
{
	unsigned long long drained = number_of(line, "drained");

	add_text(text, "safeclose[", line, "pid", "]: ");
	add_text(text, "", line, "via", "(");
	add_text(text, "", line, "fd", ") ");
	add_text(text, "", line, "local", " -> ");
	add_text(text, "", line, "peer", ": ");
	fprintf(text, "%llu unread%s, %llu unacknowledged; ", number_of(line, "unread"),
		*value_of(line, "urgent") == 't' ? " urgent" : "", number_of(line, "unacked"));
	if (drained > 0) {
		fprintf(text, "drained %llu, ", drained);
	}
	add_text(text, "", line, "outcome", "");
	add_text(text, " (", line, "why", ")");
	fprintf(text, " in %.1f ms; ", strtod(value_of(line, "elapsed_ms"), NULL));
	add_text(text, "", line, "site", "");
	add_text(text, " (", line, "symbol", ")");
	fputc('\n', text);
}

char *reports_as_text(const char *json)
{
	char *result = NULL;
	size_t size;
	FILE *text = open_memstream(&result, &size);

	assert_non_null(text);
	while (*json) {
		size_t length = strcspn(json, "\n") + (strchr(json, '\n') != NULL);
		char *line = strndup(json, length);

		if (strncmp(line, "{\"v\":1,", 7) == 0 && line[length - 1] == '\n') {
			add_report(text, line);
		} else {
			fputs(line, text);
		}
		free(line);
		json += length;
	}
	assert_int_equal(fclose(text), 0);
	return result;
}
