// SPDX-License-Identifier: MIT
#include "text.h"
#include "unit.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool line_has(const char *line, size_t length, const char *needle)
{
	return !needle || memmem(line, length, needle, strlen(needle));
}

size_t text_lines_with(const char *text, const char *needle, const char *other_needle)
{
	size_t count = 0;

	while (*text) {
		size_t length = strcspn(text, "\n");

		if (line_has(text, length, needle) && line_has(text, length, other_needle)) {
			count++;
		}
		text += length + (text[length] == '\n');
	}
	return count;
}

size_t text_lines(const char *text)
{
	return text_lines_with(text, NULL, NULL);
}

double text_number_after(const char *text, const char *prefix)
{
	const char *found = strstr(text, prefix);

	return found ? strtod(found + strlen(prefix), NULL) : -1;
}

char *text_replaced(const char *text, const char *needle, const char *replacement)
{
	char *result = NULL;
	size_t size;
	FILE *stream = open_memstream(&result, &size);

	assert_non_null(stream);
	while (*text) {
		const char *next = strstr(text, needle);
		size_t before = next ? (size_t)(next - text) : strlen(text);

		fwrite(text, 1, before, stream);
		text += before;
		if (next) {
			fputs(replacement, stream);
			text += strlen(needle);
		}
	}
	fclose(stream);
	return result;
}

char *text_of_file(const char *path)
{
	FILE *file = fopen(path, "re");
	char *text = NULL;
	size_t size = 0;

	if (!file || getdelim(&text, &size, '\0', file) < 0) {
		free(text);
		text = strdup("");
	}
	if (file) {
		fclose(file);
	}
	assert_non_null(text);
	return text;
}

void assert_contains(const char *text, const char *wanted)
{
	if (!strstr(text, wanted)) {
		fail_msg("no \"%s\" in:\n%s", wanted, text);
	}
}
