// SPDX-License-Identifier: MIT
/* Logs -> the table, line by line, in bounded memory. Broken lines are named and passed over. */
#ifndef CLI_REPORT_INPUT_H
#define CLI_REPORT_INPUT_H

#include "report_table.h"
#include <stdio.h>
#include <time.h>

enum {
	CLI_INPUT_LINE_MAX = 1 << 20, /* bytes; a longer line is a broken one */
	CLI_INPUT_BROKEN_SHOWN = 20,  /* past that broken lines are counted only */
};

struct cli_input {
	struct cli_table *table;
	FILE *errors;
	bool shows_progress; /* errors is a terminal */
	uint64_t lines, broken;
	uint64_t bytes, bytes_in_all; /* in all: 0 where it is not known */
	struct timespec progress_due;
	bool has_progress; /* a line of it stands on the terminal */
	struct cli_record record;
};

void cli_report_input_begin(
	struct cli_input *input, struct cli_table *table, FILE *errors, bool shows_progress);

/* Name of what is read, for messages. 0 or negative errno of what could not be read. */
int cli_report_input_read(struct cli_input *input, int fd, const char *name);

/* Say how many broken lines were not named, clear the progress. */
void cli_report_input_end(struct cli_input *input);

#endif
