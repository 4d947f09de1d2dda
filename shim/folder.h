// SPDX-License-Identifier: MIT
/*
 * The entries of a folder without libc's directory streams: no allocation, a small buffer. Apart from
 * procfs.c because each() may close the program's descriptors, and unwinding passes through here then.
 * Async-signal-safe.
 */
#ifndef SC_FOLDER_H
#define SC_FOLDER_H

#include <stdbool.h>

/* Call each(context, folder, name) for every entry, until it returns false. 0 or negative errno. */
int sc_folder_each(
	int folder, bool (*each)(void *context, int folder, const char *name), void *context);

#endif
