// SPDX-License-Identifier: MIT
/*
 * Call sites -> lines of source, by addr2line (binutils) where it is installed. Only where it is
 * sure which file a site is of: the program of the report, a library that one folder of the dynamic
 * linker's has, and not a file that was changed after the report.
 */
#ifndef CLI_REPORT_SOURCE_H
#define CLI_REPORT_SOURCE_H

#include "report_table.h"

/* Fill in source of the first count groups of a table by site. */
void cli_report_source_find(struct cli_table *table, size_t count);

#endif
