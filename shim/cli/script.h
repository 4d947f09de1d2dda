// SPDX-License-Identifier: MIT
/* What runs a script: its "#!" line, and what `env` makes of the rest. */
#ifndef SC_CLI_SCRIPT_H
#define SC_CLI_SCRIPT_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

enum { CLI_SCRIPT_HEAD_BYTES = 256 }; /* the kernel reads as much (BINPRM_BUF_SIZE) */

struct cli_script {
	char interpreter[CLI_SCRIPT_HEAD_BYTES]; /* "": no script */
	char program[CLI_SCRIPT_HEAD_BYTES]; /* what env is to run; "": the interpreter runs it */
	bool is_stripped;                    /* env takes LD_PRELOAD from its environment */
};

/* From the beginning of a file. */
void cli_script_parse(struct cli_script *script, const char *head, size_t bytes);

/* The file that execvp() would run for a name; false: there is none. */
bool cli_script_find_program(const char *name, char path[PATH_MAX]);

#endif
