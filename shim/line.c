// SPDX-License-Identifier: MIT
#include "line.h"
#include <stdbool.h>

void sc_line_add_char(struct sc_line *line, char c)
{
	if (line->length < line->size) {
		line->text[line->length++] = c;
	}
}

void sc_line_add(struct sc_line *line, const char *text)
{
	while (*text != '\0') {
		sc_line_add_char(line, *text++);
	}
}

static void add_digits(struct sc_line *line, uint64_t value, unsigned base)
{
	char digits[20];
	size_t count = 0;
	do {
		digits[count++] = "0123456789abcdef"[value % base];
		value /= base;
	} while (value != 0);
	while (count > 0) {
		sc_line_add_char(line, digits[--count]);
	}
}

void sc_line_add_number(struct sc_line *line, uint64_t value)
{
	add_digits(line, value, 10);
}

void sc_line_add_hex(struct sc_line *line, uint64_t value)
{
	add_digits(line, value, 16);
}

void sc_line_add_escaped(struct sc_line *line, const char *text, size_t max)
{
	size_t added = 0;
	for (; *text != '\0'; text++) {
		unsigned char c = (unsigned char)*text;
		bool is_hex = c < 0x20 || c > 0x7e;
		added += is_hex ? 4 : c == '\\' ? 2 : 1;
		if (added > max) {
			sc_line_add(line, "...");
			return;
		}
		if (is_hex) {
			sc_line_add(line, "\\x");
			sc_line_add_char(line, "0123456789abcdef"[c >> 4]);
			sc_line_add_char(line, "0123456789abcdef"[c & 15]);
		} else {
			sc_line_add(line, c == '\\' ? "\\" : "");
			sc_line_add_char(line, (char)c);
		}
	}
}

void sc_line_end(struct sc_line *line)
{
	if (line->length < line->size) {
		line->text[line->length++] = '\n';
	} else if (line->size > 0) {
		line->text[line->size - 1] = '\n';
	}
}
