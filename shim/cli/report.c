// SPDX-License-Identifier: MIT
/* safeclose report: logs in JSON -> a table. */
#include "cli.h"
#include "report_input.h"
#include "report_memory.h"
#include "report_output.h"
#include "report_show.h"
#include "report_source.h"
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { STATUS_FINE = 0, STATUS_BROKEN_LINES = 1, STATUS_TROUBLE = 2 };

enum form { FORM_TEXT, FORM_JSON, FORM_OPENMETRICS };

struct options {
	enum cli_by by;
	enum form form;
	const char *html; /* or NULL */
	size_t top;       /* rows shown, 0: all */
	bool has_form;
	bool keeps_sites; /* do not look for lines of source */
};

enum { OPTION_BY = 256, OPTION_JSON, OPTION_OPENMETRICS, OPTION_HTML, OPTION_TOP, OPTION_RAW };

static const char help[] =
	"usage: safeclose report [OPTION]... [FILE]...\n"
	"\n"
	"Counts the reports in logs that SAFECLOSE_FORMAT=json wrote. Without FILE, or where\n"
	"it is -, reads stdin.\n"
	"\n"
	"  --by site      a row for each call site (default)\n"
	"  --by peer      for each peer: its address, and its port where that is a service's\n"
	"  --by exe       for each program\n"
	"  --by guess     for each kind of unread bytes\n"
	"  --top N        the first N rows; resets come first, then bytes lost\n"
	"  --json         the table as JSON\n"
	"  --openmetrics  the table for Prometheus\n"
	"  --html FILE    the table with bars over time, as one file without scripts\n"
	"  --raw          call sites as they are, no lines of source (addr2line)\n"
	"  -h, --help     this\n"
	"\n"
	"lost: bytes written and not acknowledged, of connections that were reset. ~ estimated,\n"
	"+ at least. Lines that are no reports are named on stderr and passed over.\n"
	"\n"
	"Exit status: 0; 1 there were lines that are no reports; 2 trouble.\n";

static bool parse_by(const char *word, enum cli_by *by)
{
	for (enum cli_by i = 0; i < CLI_BY_COUNT; i++) {
		if (strcmp(word, cli_report_by_name(i)) == 0) {
			*by = i;
			return true;
		}
	}
	cli_complain("report: --by %s: not one of site, peer, exe, guess", word);
	return false;
}

static bool parse_top(const char *word, size_t *top)
{
	char *end;
	errno = 0;
	unsigned long long value = strtoull(word, &end, 10);
	if (word[0] < '0' || word[0] > '9' || *end != 0 || errno != 0 || value == 0 ||
		value > SIZE_MAX) {
		cli_complain("report: --top %s: not a number of rows, 1 or more", word);
		return false;
	}
	*top = (size_t)value;
	return true;
}

static bool choose_form(struct options *options, enum form form)
{
	if (options->has_form && options->form != form) {
		cli_complain("report: --json and --openmetrics are two things");
		return false;
	}
	options->form = form;
	options->has_form = true;
	return true;
}

/* One option that getopt_long has found. False: complained. */
static bool take_option(struct options *options, int found, char **argv)
{
	switch (found) {
	case OPTION_BY:
		return parse_by(optarg, &options->by);
	case OPTION_TOP:
		return parse_top(optarg, &options->top);
	case OPTION_JSON:
		return choose_form(options, FORM_JSON);
	case OPTION_OPENMETRICS:
		return choose_form(options, FORM_OPENMETRICS);
	case OPTION_HTML:
		options->html = optarg;
		return true;
	case OPTION_RAW:
		options->keeps_sites = true;
		return true;
	default:
		cli_complain_of_option("report", found, argv);
		return false;
	}
}

/* 0: go on; else end with *status. */
static int parse_options(int argc, char **argv, struct options *options, int *status)
{
	static const struct option longs[] = {
		{"by", required_argument, NULL, OPTION_BY},
		{"json", no_argument, NULL, OPTION_JSON},
		{"openmetrics", no_argument, NULL, OPTION_OPENMETRICS},
		{"html", required_argument, NULL, OPTION_HTML},
		{"top", required_argument, NULL, OPTION_TOP},
		{"raw", no_argument, NULL, OPTION_RAW},
		{"help", no_argument, NULL, CLI_OPTION_HELP},
		{NULL, 0, NULL, 0},
	};
	int found;
	optind = 0; /* glibc: begin anew */
	while ((found = getopt_long(argc, argv, ":h", longs, NULL)) >= 0) {
		if (found == 'h' || found == CLI_OPTION_HELP) {
			fputs(help, stdout);
			*status = cli_end_output(STATUS_FINE, STATUS_TROUBLE);
			return -1;
		}
		if (!take_option(options, found, argv)) {
			*status = CLI_USAGE;
			return -1;
		}
	}
	return 0;
}

/* A file's size; 0 where that does not say how much there is to read. */
static uint64_t size_of(const char *name)
{
	struct stat status;
	bool is_stdin = strcmp(name, "-") == 0;
	if ((is_stdin ? fstat(0, &status) : stat(name, &status)) != 0 || !S_ISREG(status.st_mode)) {
		return 0;
	}
	return (uint64_t)status.st_size;
}

static uint64_t size_of_all(char *const *names)
{
	uint64_t sum = 0;
	for (; *names != NULL; names++) {
		uint64_t size = size_of(*names);
		if (size == 0) {
			return 0;
		}
		sum += size;
	}
	return sum;
}

static bool read_file(struct cli_input *input, const char *name)
{
	bool is_stdin = strcmp(name, "-") == 0;
	int fd = is_stdin ? 0 : open(name, O_RDONLY | O_CLOEXEC);
	int result = fd >= 0 ? cli_report_input_read(input, fd, is_stdin ? "stdin" : name) : -errno;
	if (fd > 0) {
		close(fd);
	}
	if (result != 0) {
		cli_complain("report: cannot read %s: %s", name, strerror(-result));
	}
	return result == 0;
}

static bool read_all(struct cli_input *input, char *const *names)
{
	static char dash[] = "-";
	char *const only_stdin[] = {dash, NULL};
	bool is_fine = true;
	names = names[0] != NULL ? names : only_stdin;
	input->bytes_in_all = size_of_all(names);
	for (; *names != NULL; names++) {
		is_fine = read_file(input, *names) && is_fine;
	}
	cli_report_input_end(input);
	return is_fine;
}

/* Columns of the terminal on stdout; 0: it is none, or does not say. */
static size_t terminal_width(void)
{
	struct winsize size = {0};
	if (ioctl(1, TIOCGWINSZ, &size) != 0) {
		return 0;
	}
	return size.ws_col;
}

static bool write_html(const char *name, const struct cli_view *view)
{
	if (strcmp(name, "-") == 0) {
		cli_report_html_write(stdout, view);
		return true;
	}
	FILE *file = fopen(name, "we");
	bool is_fine = file != NULL;
	if (is_fine) {
		cli_report_html_write(file, view);
		is_fine = !ferror(file);
		is_fine = fclose(file) == 0 && is_fine;
	}
	if (!is_fine) {
		cli_complain("report: cannot write %s: %s", name, strerror(errno));
	}
	return is_fine;
}

static bool write_table(const struct options *options, const struct cli_view *view, bool utf8)
{
	bool is_fine = options->html == NULL || write_html(options->html, view);
	switch (options->form) {
	case FORM_JSON:
		cli_report_json_write(stdout, view);
		break;
	case FORM_OPENMETRICS:
		cli_report_openmetrics_write(stdout, view);
		break;
	case FORM_TEXT:
		if (options->html == NULL) {
			cli_report_text_write(stdout, view, terminal_width(), utf8);
		}
		break;
	}
	return is_fine;
}

int cli_report(int argc, char **argv)
{
	struct options options = {.by = CLI_BY_SITE};
	int status;
	if (parse_options(argc, argv, &options, &status) != 0) {
		return status;
	}
	bool utf8 = cli_report_show_begin();
	struct cli_table table;
	struct cli_input *input = cli_report_memory_get(1, sizeof(*input));
	cli_report_table_begin(&table, options.by, options.html != NULL, CLI_TABLE_GROUPS_MAX);
	cli_report_input_begin(input, &table, stderr, isatty(2));
	bool is_fine = read_all(input, argv + optind);
	cli_report_table_sort(&table);
	struct cli_view view = {.table = &table, .rows = table.count, .broken = input->broken};
	if (options.top > 0 && options.top < view.rows) {
		view.rows = options.top;
	}
	if (options.by == CLI_BY_SITE && !options.keeps_sites) {
		cli_report_source_find(&table, view.rows);
	}
	is_fine = write_table(&options, &view, utf8) && is_fine;
	status = !is_fine ? STATUS_TROUBLE : view.broken > 0 ? STATUS_BROKEN_LINES : STATUS_FINE;
	cli_report_table_end(&table);
	free(input);
	return cli_end_output(status, STATUS_TROUBLE);
}
