// SPDX-License-Identifier: MIT
#include "timestamp.h"

enum { DAY_S = 24 * 3600, CYCLE_DAYS = 400 * 365 + 97, CENTURY_DAYS = 100 * 365 + 24 };

static void add_padded(struct sc_line *line, uint64_t value, uint64_t least_power)
{
	for (; least_power > 1 && value < least_power; least_power /= 10) {
		sc_line_add_char(line, '0');
	}
	sc_line_add_number(line, value);
}

/* In years that begin in March the leap day is the last one. */
static void add_date(struct sc_line *line, uint64_t day_since_1970)
{
	uint64_t day = day_since_1970 + 719468; /* since 0000-03-01 */
	uint64_t cycle = day / CYCLE_DAYS;
	uint64_t rest = day % CYCLE_DAYS;
	uint64_t century = rest / CENTURY_DAYS;
	century -= century == 4; /* the leap day of a year that 400 divides */
	rest -= century * CENTURY_DAYS;
	uint64_t leap = rest / 1461;
	rest %= 1461;
	uint64_t single = rest / 365;
	single -= single == 4;
	rest -= single * 365;
	/* March has 31 days, April 30, ...: five months are 153 days. */
	uint64_t month = (5 * rest + 2) / 153;
	uint64_t year = 400 * cycle + 100 * century + 4 * leap + single + (month >= 10);
	add_padded(line, year, 1000);
	sc_line_add_char(line, '-');
	add_padded(line, month < 10 ? month + 3 : month - 9, 10);
	sc_line_add_char(line, '-');
	add_padded(line, rest - (153 * month + 2) / 5 + 1, 10);
}

void sc_timestamp_add(struct sc_line *line, uint64_t us)
{
	uint64_t second = us / 1000000;
	add_date(line, second / DAY_S);
	sc_line_add_char(line, 'T');
	add_padded(line, second % DAY_S / 3600, 10);
	sc_line_add_char(line, ':');
	add_padded(line, second % 3600 / 60, 10);
	sc_line_add_char(line, ':');
	add_padded(line, second % 60, 10);
	sc_line_add_char(line, '.');
	add_padded(line, us % 1000000, 100000);
	sc_line_add_char(line, 'Z');
}
