// SPDX-License-Identifier: MIT
/*
 * Call sites by number. The names are copied when a site is first seen, so a report that is written
 * half a minute later is right even if the module has been unloaded since, and another one that is
 * loaded to its place later has numbers of its own. Async-signal-safe, lock-free, bounded: past the
 * table's size a site is unknown.
 */
#ifndef SC_SITES_H
#define SC_SITES_H

#include "report.h"

/* The number of the call that returns to return_address; 0: none, or no room. */
unsigned sc_sites_number(const void *return_address);

/* For a report: look for the symbol in the module's file, once, where it is not exported. Reads files,
 * by a descriptor of the library's own. */
void sc_sites_complete(unsigned number);

/* The site of that number; strings live for ever. */
void sc_sites_get(unsigned number, struct sc_site *site);

#endif
