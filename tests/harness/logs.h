// SPDX-License-Identifier: MIT
/* Logs of reports in JSON, as the library writes them, for who reads them. */
#ifndef HARNESS_LOGS_H
#define HARNESS_LOGS_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* A log that a test writes. */
struct logs_file {
	FILE *file;
	char *text;
	size_t size;
};

void logs_begin(struct logs_file *log);

/* Returns a descriptor that it can be read from. */
int logs_end(struct logs_file *log);

/* A descriptor that these bytes can be read from. */
int logs_input(const void *bytes, size_t size);

/* What is not set is of no importance, or null. */
struct logs_line {
	const char *exe, *site, *symbol, *local, *peer, *outcome, *why, *guess;
	uint64_t unread, unacked;
	unsigned second; /* of 2024-05-01 */
};

void logs_write_line(FILE *file, const struct logs_line *line);

/* Three call sites, in two programs, of one client with many ports and some more: 13 reports, as a
 * descriptor or into a file. */
int logs_sample(void);
void logs_write_sample(FILE *file);

/* A report whose names mean something to terminals, shells, browsers and readers of metrics. */
int logs_hostile_names(void);

#endif
