// SPDX-License-Identifier: MIT
/*
 * The program or library that an address lies in. Takes no lock: async-signal-safe. With glibc 2.35
 * and later by _dl_find_object(), elsewhere by /proc/self/maps.
 */
#ifndef SC_MODULE_H
#define SC_MODULE_H

#include "peek.h"
#include <link.h>

struct sc_module {
	const char *path;          /* of its file; lives as long as the module, or in storage */
	uint64_t bias;             /* what was added to the addresses in the file */
	uint64_t unwind;           /* where .eh_frame_hdr is; 0: there is none */
	const ElfW(Dyn) * dynamic; /* NULL: not known */
	char storage[128];
};

/* A file's name without its folder. */
const char *sc_module_name(const char *path);

/* Once, while /proc can still be read: the program's own name. */
void sc_module_init(void);

/* false: none. */
bool sc_module_find(uint64_t address, struct sc_module *module);

/* Differs between modules that lie at the same place one after the other, where that can be told
 * cheaply; else 0. */
uint64_t sc_module_mark(uint64_t address);

#endif
