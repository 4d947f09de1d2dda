// SPDX-License-Identifier: MIT
/*
 * A return address -> the call's module, offset and exported symbol (symtab.h: any symbol). Takes no lock and reads only
 * what the dynamic linker has mapped: async-signal-safe. With glibc 2.35 and later
 * (_dl_find_object) symbols are told too; elsewhere module and offset, by /proc/self/maps.
 */
#ifndef SC_CALLSITE_H
#define SC_CALLSITE_H

#include "report.h"

/* The module's path, its last characters where it is longer, comes to lie in path, of size bytes, and
 * site->module in there; the symbol's name lives as long as the module. Module and symbol are those of
 * the byte before the return address: the last one of the call. */
void sc_callsite_find(const void *return_address, struct sc_site *site, char *path, size_t size);

#endif
