// SPDX-License-Identifier: MIT
/* Files to count in (resets.h) whose maker was killed. */
#ifndef SC_CLI_LEFTOVERS_H
#define SC_CLI_LEFTOVERS_H

#define CLI_LEFTOVERS_PREFIX "safeclose-resets-"

/* Remove this user's in a folder, and nobody's who still lives: those are locked. */
void cli_leftovers_remove(const char *parent);

#endif
