// SPDX-License-Identifier: MIT
/*
 * The most frequent of many names, in room for CLI_TOP_SIZE of them: the Space-Saving method of
 * Metwally, Agrawal and El Abbadi (2005). A new name takes the place of the rarest and its count;
 * what it took over is remembered as doubt. So count - doubt is never more than the truth, count is
 * never less, and any name that makes more than 1/CLI_TOP_SIZE of all is there.
 */
#ifndef CLI_REPORT_TOP_H
#define CLI_REPORT_TOP_H

#include <stdint.h>

enum { CLI_TOP_SIZE = 16 };

struct cli_top { /* zeroed: nothing seen */
	uint64_t seen;
	struct cli_top_entry {
		char *name; /* NULL: free */
		uint64_t hash;
		uint64_t count;
		uint64_t doubt;
	} entries[CLI_TOP_SIZE];
};

void cli_report_top_add(struct cli_top *top, const char *name, uint64_t hash);

/*
 * The name that was seen most often for certain, and at least how often. NULL: none stands out, as
 * where there are many and none is one in a hundred.
 */
const char *cli_report_top_first(const struct cli_top *top, uint64_t *count);

void cli_report_top_end(struct cli_top *top);

#endif
