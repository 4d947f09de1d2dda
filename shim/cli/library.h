// SPDX-License-Identifier: MIT
/* Which libsafeclose.so the command works with, and what LD_PRELOAD has to say for it. */
#ifndef SC_CLI_LIBRARY_H
#define SC_CLI_LIBRARY_H

#include <limits.h>
#include <stdbool.h>

struct cli_library {
	char path[PATH_MAX]; /* absolute, of the file */
	/* For LD_PRELOAD: the path, or with the loader's $LIB in it where the same library is
	 * installed for the machine's other class too, so that children of both have it. */
	char preload[PATH_MAX];
	char other[PATH_MAX]; /* the other class's library, where $LIB stands for both; else "" */
};

/* wanted: a file's name, or NULL: the one beside this command, or where it was installed. Complains
 * where there is none, or none that can be preloaded. */
bool cli_library_find(struct cli_library *library, const char *wanted);

/* The value of LD_PRELOAD: ours, then what is there already (may be NULL) without ours. To be freed;
 * NULL: no memory. */
char *cli_library_preload(const struct cli_library *library, const char *present);

#endif
