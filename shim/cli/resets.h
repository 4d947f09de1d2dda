// SPDX-License-Identifier: MIT
/* The resets of a process tree: the file in which its processes count them, and the table at the end. */
#ifndef SC_CLI_RESETS_H
#define SC_CLI_RESETS_H

#include "tally.h"
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

struct cli_resets {
	struct sc_tally *tally;
	int64_t kernel_count; /* of this network namespace, before; negative: not to be had */
	int lock; /* the file, locked as long as this process lives: who finds it unlocked removes it */
	char folder[PATH_MAX];
	char path[PATH_MAX];
};

/* Make the file and name it in the environment, beside those of trees that this one is part of.
 * Complains where that cannot be. */
bool cli_resets_begin(struct cli_resets *resets);

/* Connections reset so far. */
uint64_t cli_resets_count(const struct cli_resets *resets);

/* The table, on stderr. */
void cli_resets_tell(const struct cli_resets *resets);

/* Where the kernel has counted more in this network namespace meanwhile: how many more, on stderr. */
void cli_resets_tell_unseen(const struct cli_resets *resets);

/* Remove the file. */
void cli_resets_end(struct cli_resets *resets);

#endif
