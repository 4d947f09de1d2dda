// SPDX-License-Identifier: MIT
#include "report_timeline.h"
#include "report_memory.h"
#include <stdlib.h>
#include <string.h>

/* Each divides the next, so bars of one level are sums of those of any level below. The last one
 * covers the years 0 to 9999. */
#define SECOND_US INT64_C(1000000)
#define DAY_US (86400 * SECOND_US)
static const int64_t widths_us[] = {1000, 2000, 10000, 20000, 100000, 200000, SECOND_US,
	2 * SECOND_US, 10 * SECOND_US, 20 * SECOND_US, 60 * SECOND_US, 120 * SECOND_US,
	600 * SECOND_US, 1200 * SECOND_US, 3600 * SECOND_US, 7200 * SECOND_US, 43200 * SECOND_US,
	DAY_US, 2 * DAY_US, 8 * DAY_US, 32 * DAY_US, 128 * DAY_US, 512 * DAY_US, 2048 * DAY_US,
	8192 * DAY_US, 32768 * DAY_US};
enum { LEVELS = sizeof(widths_us) / sizeof(widths_us[0]) };

static int64_t divide_down(int64_t value, int64_t by)
{
	return value / by - (value % by < 0);
}

static unsigned place_of(int64_t slot)
{
	return (unsigned)(slot - divide_down(slot, CLI_TIMELINE_BARS) * CLI_TIMELINE_BARS);
}

int64_t cli_report_timeline_scale(
	int64_t first_us, int64_t last_us, int *level, int64_t *first_slot, int64_t *last_slot)
{
	for (*level = 0;; (*level)++) {
		*first_slot = divide_down(first_us, widths_us[*level]);
		*last_slot = divide_down(last_us, widths_us[*level]);
		if (*last_slot - *first_slot < CLI_TIMELINE_BARS || *level == LEVELS - 1) {
			return widths_us[*level];
		}
	}
}

static void raise_bar(uint32_t *bar, uint32_t by)
{
	*bar = *bar > UINT32_MAX - by ? UINT32_MAX : *bar + by;
}

/* Make the bars of line wide enough for both slots of its present level. */
static void cover(struct cli_timeline *line, int64_t first_slot, int64_t last_slot)
{
	int64_t width_us = widths_us[line->level];
	int level;
	int64_t new_first, new_last;
	cli_report_timeline_scale(
		first_slot * width_us, last_slot * width_us, &level, &new_first, &new_last);
	if (level <= line->level) {
		line->first_slot = first_slot;
		line->last_slot = last_slot;
		return;
	}
	uint32_t bars[CLI_TIMELINE_BARS][CLI_BAR_PARTS];
	cli_report_timeline_bars(line, level, new_first, bars);
	memset(line->bars, 0, sizeof(bars));
	for (int64_t slot = new_first; slot <= new_last; slot++) {
		memcpy(line->bars[place_of(slot)], bars[slot - new_first], sizeof(bars[0]));
	}
	line->level = level;
	line->first_slot = new_first;
	line->last_slot = new_last;
}

static enum cli_bar_part part_of(enum cli_outcome outcome)
{
	switch (outcome) {
	case CLI_OUTCOME_RST:
		return CLI_BAR_RST;
	case CLI_OUTCOME_FIN:
		return CLI_BAR_FIN;
	default:
		return CLI_BAR_OTHER;
	}
}

void cli_report_timeline_add(struct cli_timeline *line, int64_t time_us, enum cli_outcome outcome)
{
	int64_t slot = divide_down(time_us, widths_us[line->level]);
	if (line->bars == NULL) {
		line->bars = cli_report_memory_get(CLI_TIMELINE_BARS, sizeof(*line->bars));
		line->first_slot = line->last_slot = slot;
	}
	if (slot < line->first_slot || slot > line->last_slot) {
		cover(line, slot < line->first_slot ? slot : line->first_slot,
			slot > line->last_slot ? slot : line->last_slot);
		slot = divide_down(time_us, widths_us[line->level]);
	}
	raise_bar(&line->bars[place_of(slot)][part_of(outcome)], 1);
}

void cli_report_timeline_bars(const struct cli_timeline *line, int level, int64_t first_slot,
	uint32_t (*bars)[CLI_BAR_PARTS])
{
	memset(bars, 0, CLI_TIMELINE_BARS * sizeof(*bars));
	if (line->bars == NULL) {
		return;
	}
	int64_t factor = widths_us[level] / widths_us[line->level];
	for (int64_t slot = line->first_slot; slot <= line->last_slot; slot++) {
		int64_t place = divide_down(slot, factor) - first_slot;
		for (int part = 0; part < CLI_BAR_PARTS; part++) {
			raise_bar(&bars[place][part], line->bars[place_of(slot)][part]);
		}
	}
}

void cli_report_timeline_end(struct cli_timeline *line)
{
	free(line->bars);
	*line = (struct cli_timeline){0};
}
