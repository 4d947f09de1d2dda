// SPDX-License-Identifier: MIT
/*
 * The function around an address by the symbol table in the module's file (.symtab), which has the
 * ones that are not exported too and which no program has in memory. Only for a caller with memory of
 * its own. Async-signal-safe; leaves errno alone; allocates nothing. A file that is not what lies in
 * memory, or that is broken, has no symbols.
 */
#ifndef SC_SYMTAB_H
#define SC_SYMTAB_H

#include "report.h"

/* Put the name of the function around site, of the module whose file path is, into name, of size bytes;
 * *offset: how far into it. path may also be wrong where the module is the program. */
bool sc_symtab_find(
	const char *path, const struct sc_site *site, char *name, size_t size, uint64_t *offset);

#endif
