// SPDX-License-Identifier: MIT
/* What `safeclose check` knows, for `safeclose run`. */
#ifndef SC_CLI_CHECK_H
#define SC_CLI_CHECK_H

#include "library.h"
#include <stdbool.h>

/* Is it certain that the library cannot be preloaded into the program? Once. */
bool cli_check_is_out_of_reach(const struct cli_library *library, const char *name);

#endif
