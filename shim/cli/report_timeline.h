// SPDX-License-Identifier: MIT
/*
 * Reports over time, in at most CLI_TIMELINE_BARS bars whose width grows with the time that they
 * have to cover: 1 ms, 2 ms, 10 ms, ... 1 s, 2 s, 10 s, ... Reports may come in any order.
 */
#ifndef CLI_REPORT_TIMELINE_H
#define CLI_REPORT_TIMELINE_H

#include "report_record.h"

enum { CLI_TIMELINE_BARS = 120 };

enum cli_bar_part { CLI_BAR_RST, CLI_BAR_FIN, CLI_BAR_OTHER, CLI_BAR_PARTS };

struct cli_timeline {                    /* zeroed: nothing seen */
	uint32_t (*bars)[CLI_BAR_PARTS]; /* bar of slot s: s modulo CLI_TIMELINE_BARS; saturate */
	int level;
	int64_t first_slot, last_slot; /* time / width of the level, rounded down */
};

void cli_report_timeline_add(struct cli_timeline *line, int64_t time_us, enum cli_outcome outcome);

/* The level and slots that cover both times. Returns the width of a bar in microseconds. */
int64_t cli_report_timeline_scale(
	int64_t first_us, int64_t last_us, int *level, int64_t *first_slot, int64_t *last_slot);

/*
 * The bars of line at a scale that covers all its times: bars[0] is that of first_slot. bars has
 * CLI_TIMELINE_BARS entries.
 */
void cli_report_timeline_bars(const struct cli_timeline *line, int level, int64_t first_slot,
	uint32_t (*bars)[CLI_BAR_PARTS]);

void cli_report_timeline_end(struct cli_timeline *line);

#endif
