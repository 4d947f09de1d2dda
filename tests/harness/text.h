// SPDX-License-Identifier: MIT
/* Questions about the lines of a text. A NULL needle stands in every line. */
#ifndef HARNESS_TEXT_H
#define HARNESS_TEXT_H

#include <stddef.h>

size_t text_lines(const char *text);

/* Lines that contain both. */
size_t text_lines_with(const char *text, const char *needle, const char *other_needle);

/* The number that stands behind prefix in the text ("; drained " -> 312.0), -1 where none does. */
double text_number_after(const char *text, const char *prefix);

/* The text with each needle replaced. The caller frees it. */
char *text_replaced(const char *text, const char *needle, const char *replacement);

/* The content of a file, "" where there is none. The caller frees it. */
char *text_of_file(const char *path);

void assert_contains(const char *text, const char *wanted);

#endif
