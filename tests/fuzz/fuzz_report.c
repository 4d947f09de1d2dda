// SPDX-License-Identifier: MIT
/*
 * `safeclose report` on a log of any bytes, in all its forms. Nothing may crash, no report may be lost
 * from the sums, and whatever is shown is printable.
 */
#include "must.h"

#include "cli/report_input.h"
#include "cli/report_memory.h"
#include "cli/report_output.h"
#include "cli/report_show.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <yajl/yajl_parse.h>

/* A table this small gives way often. */
enum { ROOM = 3 };

static FILE *begin_text(char **text, size_t *size)
{
	FILE *file = open_memstream(text, size);

	must(file != NULL);
	return file;
}

/* Lines of printable letters, in UTF-8 where that is allowed. */
static void must_be_printable(const char *text, size_t size, bool utf8)
{
	must(strlen(text) == size);
	for (size_t i = 0; i < size; i++) {
		unsigned char byte = (unsigned char)text[i];

		must((byte >= ' ' && byte != 0x7f) || byte == '\n');
		must(utf8 || byte < 0x80);
		must(!utf8 || byte != 0xc2 || (unsigned char)text[i + 1] >= 0xa0);
	}
}

static void must_be_json(const char *text, size_t size)
{
	static const yajl_callbacks nothing;
	yajl_handle handle = yajl_alloc(&nothing, NULL, NULL);

	must(yajl_parse(handle, (const unsigned char *)text, size) == yajl_status_ok);
	must(yajl_complete_parse(handle) == yajl_status_ok);
	yajl_free(handle);
}

static void write_all(const struct cli_view *view, size_t width)
{
	char *text = NULL;
	size_t size = 0;

	for (int utf8 = 0; utf8 < 2; utf8++) {
		FILE *file = begin_text(&text, &size);

		cli_report_text_write(file, view, width, utf8);
		fclose(file);
		must_be_printable(text, size, utf8);
		free(text);
	}
	FILE *file = begin_text(&text, &size);
	cli_report_json_write(file, view);
	fclose(file);
	must_be_json(text, size);
	free(text);
	file = begin_text(&text, &size);
	cli_report_openmetrics_write(file, view);
	fclose(file);
	must(size >= 6 && strcmp(text + size - 6, "# EOF\n") == 0);
	free(text);
	file = begin_text(&text, &size);
	cli_report_html_write(file, view);
	fclose(file);
	must_be_printable(text, size, true);
	must(strcasestr(text, "<script") == NULL);
	free(text);
}

static void check_sums(const struct cli_table *table, const struct cli_input *input)
{
	struct cli_totals sum = table->rest;

	for (size_t i = 0; i < table->count; i++) {
		cli_report_table_add_totals(&sum, &table->groups[i]->totals);
	}
	must(table->count <= ROOM);
	must(sum.reports == table->all.reports);
	must(sum.lost_bytes == table->all.lost_bytes);
	must(sum.unread_bytes == table->all.unread_bytes);
	must(memcmp(sum.outcomes, table->all.outcomes, sizeof(sum.outcomes)) == 0);
	must(table->all.reports + input->broken <= input->lines);
}

/* The first byte says how, the rest is the log. */
static void report(unsigned char how, const unsigned char *bytes, size_t size)
{
	static struct cli_input input;
	struct cli_table table;
	char *errors = NULL;
	size_t errors_size = 0;
	FILE *file = begin_text(&errors, &errors_size);
	int fd = memfd_create("log", MFD_CLOEXEC);

	must(fd >= 0 && write(fd, bytes, size) == (ssize_t)size);
	must(lseek(fd, 0, SEEK_SET) == 0);
	cli_report_table_begin(&table, how % CLI_BY_COUNT, true, ROOM);
	cli_report_input_begin(&input, &table, file, false);
	must(cli_report_input_read(&input, fd, "a\x1b[31mlog") == 0);
	cli_report_input_end(&input);
	close(fd);
	fclose(file);
	must_be_printable(errors, errors_size, false);
	free(errors);
	cli_report_table_sort(&table);
	check_sums(&table, &input);
	struct cli_view view = {.table = &table, .rows = table.count, .broken = input.broken};
	if (how & 4 && view.rows > 1) {
		view.rows = 1;
	}
	write_all(&view, how >> 3 & 1 ? how : 0);
	cli_report_table_end(&table);
}

int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t size)
{
	static bool has_begun;

	if (!has_begun) {
		cli_report_show_begin();
		has_begun = true;
	}
	if (size > 0) {
		report(bytes[0], bytes + 1, size - 1);
	}
	return 0;
}
