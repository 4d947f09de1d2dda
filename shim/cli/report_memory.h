// SPDX-License-Identifier: MIT
/* Memory of `safeclose report`: where there is none left, the command says so and ends with 2. */
#ifndef CLI_REPORT_MEMORY_H
#define CLI_REPORT_MEMORY_H

#include <stddef.h>
#include <yajl/yajl_common.h>

_Noreturn void cli_report_memory_fail(void);

/* Zeroed. Never NULL. */
void *cli_report_memory_get(size_t count, size_t size);
void *cli_report_memory_grow(void *memory, size_t count, size_t size);
char *cli_report_memory_copy(const char *text);

/* For yajl, which does not look whether it got what it asked for. */
yajl_alloc_funcs *cli_report_memory_yajl(void);

#endif
