// SPDX-License-Identifier: MIT
/*
 * Text put together piece by piece in a buffer of the caller's, without stdio or allocation.
 * What does not fit is cut; no terminating zero. Async-signal-safe.
 */
#ifndef SC_LINE_H
#define SC_LINE_H

#include <stddef.h>
#include <stdint.h>

struct sc_line {
	char *text;
	size_t size;
	size_t length; /* never above size */
};

void sc_line_add_char(struct sc_line *line, char c);
void sc_line_add(struct sc_line *line, const char *text);
void sc_line_add_number(struct sc_line *line, uint64_t value);
void sc_line_add_hex(struct sc_line *line, uint64_t value);

/* Add a foreign text, control characters and bytes above 0x7e as \xNN, the backslash doubled, in at
 * most max characters; "..." follows where it was longer. */
void sc_line_add_escaped(struct sc_line *line, const char *text, size_t max);

/* End the line with a newline, in the place of the last byte where it is full. */
void sc_line_end(struct sc_line *line);

#endif
