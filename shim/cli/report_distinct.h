// SPDX-License-Identifier: MIT
/*
 * How many different things were seen. Exact up to CLI_DISTINCT_EXACT_MAX, then an estimate
 * (HyperLogLog with 4096 registers: a standard error of 1.6 %), so a few kilobytes at most.
 */
#ifndef CLI_REPORT_DISTINCT_H
#define CLI_REPORT_DISTINCT_H

#include <stdbool.h>
#include <stdint.h>

enum { CLI_DISTINCT_EXACT_MAX = 512 };

struct cli_distinct {     /* zeroed: nothing seen */
	uint64_t *hashes; /* open addressing, 0: free; NULL once registers are used */
	unsigned count;
	unsigned slots;
	uint8_t *registers;
};

/* Of a string. Well mixed in all bits, never 0, the same in every run. */
uint64_t cli_report_distinct_hash(const char *text);

void cli_report_distinct_add(struct cli_distinct *set, uint64_t hash);
uint64_t cli_report_distinct_count(const struct cli_distinct *set, bool *is_exact);
void cli_report_distinct_end(struct cli_distinct *set);

#endif
