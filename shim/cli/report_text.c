// SPDX-License-Identifier: MIT
#include "report_memory.h"
#include "report_output.h"
#include "report_show.h"
#include <ctype.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum {
	COLUMN_NAME,
	COLUMN_REPORTS,
	COLUMN_OUTCOMES,
	COLUMN_UNREAD = COLUMN_OUTCOMES + CLI_OUTCOME_COUNT,
	COLUMN_LOST,
	COLUMN_OTHERS,
	COLUMN_TOP_OTHER,
	COLUMN_TOP_NOTE,
	COLUMNS,
	GAP = 2,
	CELL_SIZE = 64,
	SHORT_NAME = 40, /* narrower only where all other names are, too */
	SHORTEST_NAME = 24,
	LAST_NAME = 12, /* where nothing else helps */
	SHORT_TOP = 24,
	SHORTEST_TOP = 12,
};

struct column {
	char title[CELL_SIZE];
	size_t width;
	bool is_shown;
	bool is_left; /* names; numbers stand at the right */
};

struct text {
	FILE *file;
	const struct cli_view *view;
	bool utf8;
	struct column columns[COLUMNS];
	char *(*cells)[COLUMNS]; /* rows; NULL: empty */
	size_t rows;
};

static char *format(const char *form, ...) __attribute__((format(printf, 1, 2)));

static char *format(const char *form, ...)
{
	char *text;
	va_list values;
	va_start(values, form);
	if (vasprintf(&text, form, values) < 0) {
		cli_report_memory_fail();
	}
	va_end(values);
	return text;
}

static char *format_bytes(uint64_t bytes)
{
	char text[CLI_SHOW_NUMBER_SIZE];
	cli_report_show_bytes(bytes, text);
	return cli_report_memory_copy(text);
}

/* "10.0.0.9 80%": at least that part of the row's reports. */
static char *format_top(const struct text *text, const struct cli_top *top, uint64_t reports)
{
	uint64_t count;
	const char *name = cli_report_top_first(top, &count);
	if (name == NULL) {
		return cli_report_memory_copy("-");
	}
	char *printable = cli_report_show_printable(name, text->utf8);
	if (count >= reports) {
		return printable;
	}
	unsigned percent = (unsigned)((double)count * 100 / (double)reports);
	char *cell = format(percent > 0 ? "%s %u%%" : "%s", printable, percent);
	free(printable);
	return cell;
}

static void fill_totals(
	char *cells[COLUMNS], const struct cli_totals *totals, bool is_short, bool is_sum)
{
	/* A row that is short of reports says so. */
	cells[COLUMN_REPORTS] = format("%" PRIu64 "%s", totals->reports, is_short ? "+" : "");
	for (int i = 0; i < CLI_OUTCOME_COUNT; i++) {
		if (totals->outcomes[i] > 0 || is_sum) {
			cells[COLUMN_OUTCOMES + i] = format("%" PRIu64, totals->outcomes[i]);
		}
	}
	cells[COLUMN_UNREAD] = format_bytes(totals->unread_bytes);
	cells[COLUMN_LOST] = format_bytes(totals->lost_bytes);
}

static void fill_group(const struct text *text, char *cells[COLUMNS], const struct cli_group *group)
{
	char *name = cli_report_output_name(text->view->table, group);
	cells[COLUMN_NAME] = cli_report_show_printable(name, text->utf8);
	free(name);
	fill_totals(cells, &group->totals, group->missed > 0, false);
	bool is_exact;
	uint64_t others = cli_report_distinct_count(&group->others, &is_exact);
	cells[COLUMN_OTHERS] = format("%s%" PRIu64, is_exact ? "" : "~", others);
	cells[COLUMN_TOP_OTHER] = format_top(text, &group->top_others, group->totals.reports);
	cells[COLUMN_TOP_NOTE] = format_top(text, &group->top_notes, group->totals.reports);
}

static void fill(struct text *text)
{
	const struct cli_view *view = text->view;
	const struct cli_table *table = view->table;
	text->cells = cli_report_memory_get(view->rows + 2, sizeof(*text->cells));
	for (size_t i = 0; i < view->rows; i++) {
		fill_group(text, text->cells[text->rows++], table->groups[i]);
	}
	struct cli_totals rest = cli_report_output_rest(view);
	if (rest.reports > 0) {
		char **cells = text->cells[text->rows++];
		cells[COLUMN_NAME] = cli_report_memory_copy("(others)");
		fill_totals(cells, &rest, false, false);
	}
	if (text->rows > 1) {
		char **cells = text->cells[text->rows++];
		cells[COLUMN_NAME] = cli_report_memory_copy("(all)");
		fill_totals(cells, &table->all, false, true);
	}
}

static void set_title(struct column *column, const char *before, const char *title)
{
	snprintf(column->title, sizeof(column->title), "%s%s", before, title);
	for (char *letter = column->title; *letter != 0; letter++) {
		*letter = (char)toupper((unsigned char)*letter);
	}
	column->is_shown = true;
}

static void choose_columns(struct text *text)
{
	const struct cli_table *table = text->view->table;
	struct column *columns = text->columns;
	set_title(&columns[COLUMN_NAME], "", cli_report_output_noun(table->by));
	set_title(&columns[COLUMN_REPORTS], "", "reports");
	for (enum cli_outcome i = 0; i < CLI_OUTCOME_COUNT; i++) {
		set_title(&columns[COLUMN_OUTCOMES + i], "", cli_report_outcome_name(i));
		columns[COLUMN_OUTCOMES + i].is_shown = table->all.outcomes[i] > 0;
	}
	set_title(&columns[COLUMN_UNREAD], "", "unread");
	set_title(&columns[COLUMN_LOST], "", "lost");
	set_title(&columns[COLUMN_OTHERS], "", cli_report_output_others(table->by));
	strcat(columns[COLUMN_OTHERS].title, "S");
	set_title(&columns[COLUMN_TOP_OTHER], "top ", cli_report_output_others(table->by));
	set_title(&columns[COLUMN_TOP_NOTE], "top ", cli_report_output_notes(table->by));
	columns[COLUMN_NAME].is_left = true;
	columns[COLUMN_TOP_OTHER].is_left = true;
	columns[COLUMN_TOP_NOTE].is_left = true;
}

static void measure(struct text *text)
{
	for (int i = 0; i < COLUMNS; i++) {
		struct column *column = &text->columns[i];
		column->width = strlen(column->title);
		for (size_t row = 0; row < text->rows; row++) {
			const char *cell = text->cells[row][i];
			size_t width = cell != NULL ? cli_report_show_width(cell) : 0;
			column->width = width > column->width ? width : column->width;
		}
	}
}

static size_t whole_width(const struct text *text)
{
	size_t sum = 0;
	for (int i = 0; i < COLUMNS; i++) {
		if (text->columns[i].is_shown) {
			sum += text->columns[i].width + (sum > 0 ? GAP : 0);
		}
	}
	return sum;
}

static void narrow(struct text *text, int which, size_t shortest, size_t width)
{
	struct column *column = &text->columns[which];
	size_t whole = whole_width(text);
	if (!column->is_shown || whole <= width || column->width <= shortest) {
		return;
	}
	size_t excess = whole - width;
	size_t most = column->width - shortest;
	column->width -= excess < most ? excess : most;
}

/* First the longest names give, then the columns that tell least; what they leave is the name's. */
static void fit(struct text *text, size_t width)
{
	static const int dispensable[] = {
		COLUMN_TOP_NOTE, COLUMN_TOP_OTHER, COLUMN_OTHERS, COLUMN_UNREAD};
	struct column *name = &text->columns[COLUMN_NAME];
	size_t natural = name->width;
	if (width == 0) {
		return;
	}
	narrow(text, COLUMN_TOP_OTHER, SHORT_TOP, width);
	narrow(text, COLUMN_TOP_NOTE, SHORT_TOP, width);
	narrow(text, COLUMN_NAME, SHORT_NAME, width);
	narrow(text, COLUMN_TOP_NOTE, SHORTEST_TOP, width);
	narrow(text, COLUMN_TOP_OTHER, SHORTEST_TOP, width);
	narrow(text, COLUMN_NAME, SHORTEST_NAME, width);
	for (size_t i = 0; i < sizeof(dispensable) / sizeof(dispensable[0]); i++) {
		if (whole_width(text) > width) {
			text->columns[dispensable[i]].is_shown = false;
		}
	}
	narrow(text, COLUMN_NAME, LAST_NAME, width);
	size_t whole = whole_width(text);
	size_t spare = whole < width ? width - whole : 0;
	name->width = natural - name->width < spare ? natural : name->width + spare;
}

static void pad(FILE *file, size_t count)
{
	fprintf(file, "%*s", (int)count, "");
}

/* No blanks at the end of a line. */
static void write_row(const struct text *text, char *const cells[COLUMNS])
{
	size_t owed = 0;
	bool is_first = true;
	for (int i = 0; i < COLUMNS; i++) {
		const struct column *column = &text->columns[i];
		if (!column->is_shown) {
			continue;
		}
		owed += is_first ? 0 : GAP;
		is_first = false;
		char *cell = cli_report_memory_copy(cells[i] != NULL ? cells[i] : "");
		cli_report_show_cut(cell, column->width, text->utf8);
		size_t used = cli_report_show_width(cell);
		size_t blank = column->width > used ? column->width - used : 0;
		if (cell[0] != 0) {
			pad(text->file, owed + (column->is_left ? 0 : blank));
			fputs(cell, text->file);
			owed = column->is_left ? blank : 0;
		} else {
			owed += column->width;
		}
		free(cell);
	}
	fputc('\n', text->file);
}

static void write_head(const struct text *text)
{
	char *titles[COLUMNS];
	for (int i = 0; i < COLUMNS; i++) {
		titles[i] = (char *)text->columns[i].title;
	}
	write_row(text, titles);
}

static void write_summary(FILE *file, const struct cli_view *view)
{
	const struct cli_totals *all = &view->table->all;
	if (all->reports == 0) {
		fputs("no reports\n", file);
		return;
	}
	char from[CLI_SHOW_TIME_SIZE], to[CLI_SHOW_TIME_SIZE], lost[CLI_SHOW_NUMBER_SIZE];
	cli_report_show_time(all->first_us, from);
	cli_report_show_time(all->last_us, to);
	cli_report_show_bytes(all->lost_bytes, lost);
	fprintf(file, "%" PRIu64 " report%s, %" PRIu64 " reset%s, %s%s lost; %s to %s UTC\n\n",
		all->reports, all->reports == 1 ? "" : "s", all->outcomes[CLI_OUTCOME_RST],
		all->outcomes[CLI_OUTCOME_RST] == 1 ? "" : "s", lost,
		all->lost_bytes < 1024 ? " bytes" : "", from, to);
}

/* What the signs mean that stand in the table. */
static void write_notes(FILE *file, const struct cli_view *view)
{
	bool has_estimate = false, is_short = false;
	for (size_t i = 0; i < view->rows; i++) {
		bool is_exact;
		cli_report_distinct_count(&view->table->groups[i]->others, &is_exact);
		has_estimate = has_estimate || !is_exact;
		is_short = is_short || view->table->groups[i]->missed > 0;
	}
	if (has_estimate) {
		fputs("~ estimated, standard error 1.6%\n", file);
	}
	if (is_short) {
		fprintf(file, "+ at least: more than %zu %ss, the rarest are under (others)\n",
			view->table->groups_max, cli_report_output_noun(view->table->by));
	}
}

void cli_report_text_write(FILE *file, const struct cli_view *view, size_t width, bool utf8)
{
	struct text text = {.file = file, .view = view, .utf8 = utf8};
	write_summary(file, view);
	if (view->table->all.reports == 0) {
		return;
	}
	choose_columns(&text);
	fill(&text);
	measure(&text);
	fit(&text, width);
	write_head(&text);
	for (size_t row = 0; row < text.rows; row++) {
		write_row(&text, text.cells[row]);
		for (int i = 0; i < COLUMNS; i++) {
			free(text.cells[row][i]);
		}
	}
	free(text.cells);
	write_notes(file, view);
}
