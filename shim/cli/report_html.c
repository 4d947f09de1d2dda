// SPDX-License-Identifier: MIT
/* One file, no script, nothing fetched: it can be mailed and kept. */
#include "report_memory.h"
#include "report_output.h"
#include "report_show.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum {
	CHARTS_MAX = 200, /* rows with bars; a table of thousands would be a file of a gigabyte */
	BAR_WIDTH = 3,    /* as the chart counts; it is as wide as the table, ... */
	BAR_PIXELS_MAX = 16,
	CHART_HEIGHT = 36,
};

static const char *const part_names[CLI_BAR_PARTS] = {
	[CLI_BAR_RST] = "rst",
	[CLI_BAR_FIN] = "fin",
	[CLI_BAR_OTHER] = "other",
};

/* The scale that all charts share. */
struct axis {
	int level;
	int64_t first_slot, last_slot;
	int64_t width_us;
};

static const char style[] =
	":root{color-scheme:light dark;--rst:#d32f2f;--fin:#1e88e5;--other:#90a4ae;--line:#8884}\n"
	"body{font:14px/1.4 system-ui,sans-serif;margin:2em}\n"
	"table{border-collapse:collapse}\n"
	"th,td{padding:.3em .7em;border-top:1px solid var(--line);text-align:right;"
	"vertical-align:top;white-space:nowrap}\n"
	"th:first-child,td:first-child,.name{text-align:left}\n"
	"td:first-child,td.name{white-space:normal;overflow-wrap:anywhere;min-width:9em;"
	"max-width:24em}\n"
	"td:first-child{min-width:18em;max-width:36em}\n"
	"td.chart{border-top:0;padding-top:0;max-width:none}\n"
	"thead th{position:sticky;top:0;background:Canvas;border:0;"
	"vertical-align:bottom}\n"
	"small{color:GrayText}small b{font-weight:normal}\n"
	"code{font-family:ui-monospace,monospace}\n"
	"svg{display:block;width:100%;border-bottom:1px solid GrayText}\n"
	".axis{display:flex;justify-content:space-between;gap:1em;min-width:max-content}\n"
	".rst{fill:var(--rst);--key:var(--rst)}.fin{fill:var(--fin);--key:var(--fin)}"
	".other{fill:var(--other);--key:var(--other)}\n"
	"span::before{content:'';display:inline-block;width:.7em;height:.7em;"
	"margin-right:.3em;background:var(--key)}\n"
	"@media(max-width:50em){body{margin:1em}th,td{padding:.3em .4em}"
	"td:first-child{min-width:12em}}\n";

/* Printable, and nothing in it is markup. */
static void write_escaped(FILE *file, const char *text)
{
	char *printable = cli_report_show_printable(text, true);
	for (const char *letter = printable; *letter != 0; letter++) {
		switch (*letter) {
		case '&':
			fputs("&amp;", file);
			break;
		case '<':
			fputs("&lt;", file);
			break;
		case '>':
			fputs("&gt;", file);
			break;
		case '"':
			fputs("&quot;", file);
			break;
		case '\'':
			fputs("&#39;", file);
			break;
		default:
			fputc(*letter, file);
			break;
		}
	}
	free(printable);
}

static void write_number(FILE *file, uint64_t number)
{
	fprintf(file, "<td>%" PRIu64 "</td>", number);
}

static void write_bytes(FILE *file, uint64_t bytes)
{
	char text[CLI_SHOW_NUMBER_SIZE];
	cli_report_show_bytes(bytes, text);
	fprintf(file, "<td title=\"%" PRIu64 "\">%s</td>", bytes, text);
}

static void write_top(FILE *file, const struct cli_top *top, uint64_t reports)
{
	uint64_t count;
	const char *name = cli_report_top_first(top, &count);
	fputs("<td class=\"name\">", file);
	if (name != NULL) {
		write_escaped(file, name);
		if (count < reports) {
			unsigned percent = (unsigned)((double)count * 100 / (double)reports);
			fprintf(file, " <small>%u%%</small>", percent);
		}
	}
	fputs("</td>", file);
}

static uint32_t highest(uint32_t (*bars)[CLI_BAR_PARTS], int64_t count)
{
	uint64_t most = 1;
	for (int64_t i = 0; i < count; i++) {
		uint64_t sum = 0;
		for (int part = 0; part < CLI_BAR_PARTS; part++) {
			sum += bars[i][part];
		}
		most = sum > most ? sum : most;
	}
	return most < UINT32_MAX ? (uint32_t)most : UINT32_MAX;
}

static void write_bar(
	FILE *file, const struct axis *axis, int64_t i, const uint32_t *parts, uint32_t most)
{
	char when[CLI_SHOW_TIME_SIZE];
	cli_report_show_rfc3339((axis->first_slot + i) * axis->width_us, when);
	double floor = CHART_HEIGHT;
	fputs("<g>", file);
	for (int part = 0; part < CLI_BAR_PARTS; part++) {
		if (parts[part] == 0) {
			continue;
		}
		double height = (double)parts[part] * CHART_HEIGHT / most;
		height = height < 1 ? 1 : height;
		height = height > floor ? floor : height;
		floor -= height;
		fprintf(file,
			"<rect class=\"%s\" x=\"%" PRId64
			"\" y=\"%.1f\" width=\"%d\" height=\"%.1f\"/>",
			part_names[part], i * BAR_WIDTH, floor, BAR_WIDTH - 1, height);
	}
	fprintf(file,
		"<title>%s: %" PRIu32 " rst, %" PRIu32 " fin, %" PRIu32 " other</title></g>\n",
		when, parts[CLI_BAR_RST], parts[CLI_BAR_FIN], parts[CLI_BAR_OTHER]);
}

/* Name, reports, unread, lost; others, the top one, the top note; outcomes that there are. */
static int count_columns(const struct cli_view *view)
{
	int count = 7;
	for (int i = 0; i < CLI_OUTCOME_COUNT; i++) {
		count += view->table->all.outcomes[i] > 0;
	}
	return count;
}

/* Where the first bar begins and the last one ends. */
static void write_axis(FILE *file, const struct axis *axis, uint32_t most)
{
	char from[CLI_SHOW_TIME_SIZE];
	char to[CLI_SHOW_TIME_SIZE];
	cli_report_show_time(axis->first_slot * axis->width_us, from);
	cli_report_show_time((axis->last_slot + 1) * axis->width_us, to);
	fprintf(file, "<small class=\"axis\"><b>%s</b><b>at most %" PRIu32 "</b><b>%s</b></small>",
		from, most, to);
}

/* Below the row, over all of its columns. */
static void write_chart(FILE *file, const struct cli_view *view, const struct axis *axis,
	const struct cli_timeline *timeline)
{
	uint32_t bars[CLI_TIMELINE_BARS][CLI_BAR_PARTS];
	int64_t count = axis->last_slot - axis->first_slot + 1;
	cli_report_timeline_bars(timeline, axis->level, axis->first_slot, bars);
	uint32_t most = highest(bars, count);
	fprintf(file,
		"<tr><td class=\"chart\" colspan=\"%d\"><div style=\"max-width:%" PRId64
		"px\"><svg role=\"img\" height=\"%d\" viewBox=\"0 0 %" PRId64
		" %d\" preserveAspectRatio=\"none\" aria-label=\"reports over time, at most "
		"%" PRIu32 " in a bar\">\n",
		count_columns(view), count * BAR_PIXELS_MAX, CHART_HEIGHT, count * BAR_WIDTH,
		CHART_HEIGHT, most);
	for (int64_t i = 0; i < count; i++) {
		const uint32_t *parts = bars[i];
		if (parts[CLI_BAR_RST] > 0 || parts[CLI_BAR_FIN] > 0 || parts[CLI_BAR_OTHER] > 0) {
			write_bar(file, axis, i, parts, most);
		}
	}
	fputs("</svg>", file);
	write_axis(file, axis, most);
	fputs("</div></td></tr>\n", file);
}

static void write_totals(FILE *file, const struct cli_view *view, const struct cli_totals *totals)
{
	write_number(file, totals->reports);
	for (int i = 0; i < CLI_OUTCOME_COUNT; i++) {
		if (view->table->all.outcomes[i] > 0) {
			write_number(file, totals->outcomes[i]);
		}
	}
	write_bytes(file, totals->unread_bytes);
	write_bytes(file, totals->lost_bytes);
}

static void write_name(FILE *file, const struct cli_table *table, const struct cli_group *group)
{
	char *name = cli_report_output_name(table, group);
	fputs("<td><code>", file);
	write_escaped(file, name);
	fputs("</code>", file);
	free(name);
	if (table->by == CLI_BY_SITE) {
		fputs("<br><small>", file);
		write_escaped(file, group->exe);
		if (group->source.place != NULL) {
			fputs("; ", file);
			write_escaped(file, group->source.place);
		}
		fputs("</small>", file);
	}
	if (group->missed > 0) {
		fprintf(file,
			"<br><small>up to %" PRIu64 " more reports are under (others)</small>",
			group->missed);
	}
	fputs("</td>", file);
}

static void write_group(FILE *file, const struct cli_view *view, const struct cli_group *group,
	const struct axis *axis)
{
	fputs("<tr>", file);
	write_name(file, view->table, group);
	write_totals(file, view, &group->totals);
	bool is_exact;
	uint64_t others = cli_report_distinct_count(&group->others, &is_exact);
	fprintf(file, "<td>%s%" PRIu64 "</td>", is_exact ? "" : "about ", others);
	write_top(file, &group->top_others, group->totals.reports);
	write_top(file, &group->top_notes, group->totals.reports);
	fputs("</tr>\n", file);
	if (axis != NULL) {
		write_chart(file, view, axis, &group->timeline);
	}
}

static void write_sum(
	FILE *file, const struct cli_view *view, const char *name, const struct cli_totals *totals)
{
	fprintf(file, "<tr><td>%s</td>", name);
	write_totals(file, view, totals);
	fputs("<td></td><td></td><td></td></tr>\n", file);
}

static void write_titles(FILE *file, const struct cli_view *view)
{
	enum cli_by by = view->table->by;
	fprintf(file, "<table><thead><tr><th>%s</th><th>reports</th>", cli_report_output_noun(by));
	for (enum cli_outcome i = 0; i < CLI_OUTCOME_COUNT; i++) {
		if (view->table->all.outcomes[i] > 0) {
			fprintf(file, "<th>%s</th>", cli_report_outcome_name(i));
		}
	}
	fprintf(file,
		"<th>unread</th><th>lost</th><th>%ss</th><th class=\"name\">top %s</th>"
		"<th class=\"name\">top %s</th></tr></thead>\n<tbody>\n",
		cli_report_output_others(by), cli_report_output_others(by),
		cli_report_output_notes(by));
}

static void write_head(FILE *file, const struct cli_view *view)
{
	const struct cli_totals *all = &view->table->all;
	fprintf(file,
		"<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
		"<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
		"style-src 'unsafe-inline'\">\n"
		"<meta name=\"viewport\" content=\"width=device-width\">\n"
		"<title>safeclose: %" PRIu64
		" resets</title>\n<style>\n%s</style></head>\n<body>\n",
		all->outcomes[CLI_OUTCOME_RST], style);
	char lost[CLI_SHOW_NUMBER_SIZE];
	cli_report_show_bytes(all->lost_bytes, lost);
	fprintf(file,
		"<h1>Connections reset by a close</h1>\n<p>%" PRIu64 " reports, %" PRIu64
		" resets, %s bytes lost; ",
		all->reports, all->outcomes[CLI_OUTCOME_RST], lost);
	if (all->reports > 0) {
		char from[CLI_SHOW_TIME_SIZE];
		char to[CLI_SHOW_TIME_SIZE];
		cli_report_show_time(all->first_us, from);
		cli_report_show_time(all->last_us, to);
		fprintf(file, "%s to %s UTC; ", from, to);
	}
	fprintf(file, "%" PRIu64 " broken lines passed over.</p>\n", view->broken);
}

static void write_key(FILE *file, const struct axis *axis)
{
	fprintf(file,
		"<p>Over time: <span class=\"rst\">rst</span>, <span class=\"fin\">fin</span>, "
		"<span class=\"other\">other</span>; a bar is %g s; each chart has a height of "
		"its own.</p>\n",
		(double)axis->width_us / 1e6);
}

void cli_report_html_write(FILE *file, const struct cli_view *view)
{
	const struct cli_table *table = view->table;
	struct axis axis;
	axis.width_us = cli_report_timeline_scale(table->all.first_us, table->all.last_us,
		&axis.level, &axis.first_slot, &axis.last_slot);
	write_head(file, view);
	if (table->all.reports > 0) {
		write_key(file, &axis);
	}
	write_titles(file, view);
	for (size_t i = 0; i < view->rows; i++) {
		write_group(file, view, table->groups[i], i < CHARTS_MAX ? &axis : NULL);
	}
	struct cli_totals rest = cli_report_output_rest(view);
	if (rest.reports > 0) {
		write_sum(file, view, "(others)", &rest);
	}
	write_sum(file, view, "(all)", &table->all);
	fputs("</tbody></table>\n</body></html>\n", file);
}
