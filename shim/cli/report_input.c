// SPDX-License-Identifier: MIT
#include "report_input.h"
#include "report_memory.h"
#include "report_show.h"
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { CHUNK = 1 << 18, PROGRESS_AFTER_MS = 500, PROGRESS_EACH_MS = 200 };

/* One file being read. A line lies in buffer[0, filled) as far as it was read. */
struct reading {
	struct cli_input *input;
	const char *name;
	char *buffer; /* CLI_INPUT_LINE_MAX + CHUNK bytes */
	size_t filled;
	size_t searched; /* no newline before that */
	uint64_t line;   /* number of the line that is being read */
	bool is_too_long;
};

static void set_progress_due(struct cli_input *input, int in_ms)
{
	clock_gettime(CLOCK_MONOTONIC, &input->progress_due);
	input->progress_due.tv_nsec += in_ms % 1000 * 1000000L;
	input->progress_due.tv_sec += in_ms / 1000 + input->progress_due.tv_nsec / 1000000000;
	input->progress_due.tv_nsec %= 1000000000;
}

void cli_report_input_begin(
	struct cli_input *input, struct cli_table *table, FILE *errors, bool shows_progress)
{
	*input = (struct cli_input){
		.table = table, .errors = errors, .shows_progress = shows_progress};
	set_progress_due(input, PROGRESS_AFTER_MS);
}

static void clear_progress(struct cli_input *input)
{
	if (input->has_progress) {
		fputs("\r\033[K", input->errors);
		fflush(input->errors);
		input->has_progress = false;
	}
}

static void show_progress(struct cli_input *input)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	if (now.tv_sec < input->progress_due.tv_sec ||
		(now.tv_sec == input->progress_due.tv_sec &&
			now.tv_nsec < input->progress_due.tv_nsec)) {
		return;
	}
	fprintf(input->errors, "\r\033[K%" PRIu64 " lines", input->lines);
	if (input->bytes_in_all > 0) {
		uint64_t percent = input->bytes / (input->bytes_in_all / 100 + 1);
		fprintf(input->errors, ", %" PRIu64 " %%", percent < 100 ? percent : 100);
	}
	fflush(input->errors);
	input->has_progress = true;
	set_progress_due(input, PROGRESS_EACH_MS);
}

static void tell_broken(struct reading *reading, const char *what)
{
	struct cli_input *input = reading->input;
	if (input->broken++ >= CLI_INPUT_BROKEN_SHOWN) {
		return;
	}
	clear_progress(input);
	cli_report_show_text(input->errors, reading->name, false);
	fprintf(input->errors, ":%" PRIu64 ": %s\n", reading->line, what);
}

static bool is_blank(const char *line, size_t length)
{
	size_t i = 0;
	while (i < length && (line[i] == ' ' || line[i] == '\t' || line[i] == '\r')) {
		i++;
	}
	return i == length;
}

static void take_line(struct reading *reading, const char *line, size_t length, bool is_cut)
{
	struct cli_input *input = reading->input;
	char what[CLI_RECORD_WHAT_SIZE + 64];
	reading->line++;
	input->lines++;
	if (reading->is_too_long || length > CLI_INPUT_LINE_MAX) {
		reading->is_too_long = false;
		snprintf(what, sizeof(what), "longer than %d bytes", CLI_INPUT_LINE_MAX);
		tell_broken(reading, what);
		return;
	}
	if (is_blank(line, length)) {
		return;
	}
	if (cli_report_record_read(line, length, &input->record, what)) {
		cli_report_table_add(input->table, &input->record);
		return;
	}
	if (is_cut) {
		size_t used = strlen(what);
		snprintf(what + used, sizeof(what) - used, " (the file ends within this line)");
	}
	tell_broken(reading, what);
}

/* Whole lines that lie in the buffer; then what is left of one moves to its start. */
static void take_lines(struct reading *reading)
{
	size_t start = 0;
	for (;;) {
		char *from = reading->buffer + start + reading->searched;
		char *end = memchr(from, '\n', reading->filled - start - reading->searched);
		if (end == NULL) {
			break;
		}
		char *line = reading->buffer + start;
		take_line(reading, line, (size_t)(end - line), false);
		start = (size_t)(end + 1 - reading->buffer);
		reading->searched = 0;
	}
	reading->filled -= start;
	memmove(reading->buffer, reading->buffer + start, reading->filled);
	if (reading->filled > CLI_INPUT_LINE_MAX) {
		reading->is_too_long = true;
		reading->filled = 0;
	}
	reading->searched = reading->filled;
}

int cli_report_input_read(struct cli_input *input, int fd, const char *name)
{
	struct reading reading = {.input = input, .name = name};
	reading.buffer = cli_report_memory_get(CLI_INPUT_LINE_MAX + CHUNK, 1);
	ssize_t got;
	for (;;) {
		got = read(fd, reading.buffer + reading.filled, CHUNK);
		if (got < 0 && errno == EINTR) {
			continue;
		}
		if (got <= 0) {
			break;
		}
		reading.filled += (size_t)got;
		input->bytes += (uint64_t)got;
		take_lines(&reading);
		if (input->shows_progress) {
			show_progress(input);
		}
	}
	int result = got < 0 ? -errno : 0;
	if (reading.filled > 0 || reading.is_too_long) {
		take_line(&reading, reading.buffer, reading.filled, true);
	}
	free(reading.buffer);
	return result;
}

void cli_report_input_end(struct cli_input *input)
{
	clear_progress(input);
	if (input->broken > CLI_INPUT_BROKEN_SHOWN) {
		fprintf(input->errors, "%" PRIu64 " more broken lines\n",
			input->broken - CLI_INPUT_BROKEN_SHOWN);
	}
}
