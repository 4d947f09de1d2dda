// SPDX-License-Identifier: MIT
#include "walk.h"
#include "births.h"
#include "folder.h"
#include "numbers.h"
#include "ownfds.h"
#include "process.h"
#include "procfs.h"
#include <fcntl.h>
#include <stdint.h>

enum {
	FEW = 64,             /* numbers that are quicker tried than looked up */
	UNLISTED_MAX = 65536, /* numbers tried where /proc cannot list them */
};

struct walk {
	unsigned first;
	unsigned last;
	void (*visit)(void *context, int fd);
	void *context;
};

bool sc_walk_is_followed(void)
{
	return sc_process_is_own_memory() && !sc_process_is_table_shared();
}

static bool visit_entry(void *context, int table, const char *name)
{
	(void)table;
	struct walk *walk = context;
	int fd;
	if (sc_procfs_number(name, &fd) && (unsigned)fd >= walk->first &&
		(unsigned)fd <= walk->last && !sc_ownfds_has(fd)) {
		walk->visit(walk->context, fd);
	}
	return true;
}

/* Those up to last, from noted_from on only where something is known to have been opened. */
static void visit_numbers(struct walk *walk, unsigned last, unsigned noted_from)
{
	for (unsigned fd = walk->first; fd <= last; fd++) {
		bool may_be_open = fd < noted_from || sc_births_is_noted((int)fd);
		if (may_be_open && !sc_ownfds_has((int)fd)) {
			walk->visit(walk->context, (int)fd);
		}
	}
}

static unsigned highest_number(void)
{
	uint64_t limit = sc_ownfds_limit();
	return limit < UNLISTED_MAX ? (unsigned)limit : UNLISTED_MAX;
}

void sc_walk(unsigned first, unsigned last, void (*visit)(void *context, int fd), void *context)
{
	unsigned end = sc_walk_is_followed() ? (unsigned)sc_numbers_end() : 0;
	if (last >= end && end > 0) {
		last = end - 1;
	}
	if (last < first) {
		return;
	}
	struct walk walk = {first, last, visit, context};
	if (last - first < FEW || end > 0) {
		visit_numbers(
			&walk, last, end > 0 ? (unsigned)sc_numbers_unnoted_end() : UINT32_MAX);
		return;
	}
	int table = sc_procfs_open(AT_FDCWD, "/proc/thread-self/fd");
	if (table >= 0 && sc_folder_each(table, visit_entry, &walk) == 0) {
		sc_ownfds_release(table);
		return;
	}
	sc_ownfds_release(table);
	unsigned highest = highest_number();
	visit_numbers(&walk, last < highest ? last : highest, UINT32_MAX);
}
