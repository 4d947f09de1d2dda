// SPDX-License-Identifier: MIT
/* Running the command, instead of this process or as its child. */
#ifndef SC_CLI_CHILD_H
#define SC_CLI_CHILD_H

/* Become the command. Returns only where that cannot be: 126 or 127 as a shell says, complained of. */
int cli_child_exec(char **command);

/*
 * Of 0, 1 and 2 those that are not open are taken from now on, so that nothing that is opened later
 * gets such a number. The command finds them as this process did.
 */
void cli_child_keep_standard_numbers(void);

/*
 * Run it as a child in this process group, with this process's signals passed on, and stopped and
 * continued with it. Returns its exit status, 128+N where signal N ended it. Meanwhile no descriptor
 * is held but stderr and kept: what the command closes is closed. The command does not have kept, which
 * may get another number here.
 */
int cli_child_run(char **command, int kept);

#endif
