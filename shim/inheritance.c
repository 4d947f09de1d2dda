// SPDX-License-Identifier: MIT
#include "inheritance.h"
#include "births.h"
#include "family.h"
#include "inspect.h"
#include "plan.h"
#include "sys.h"
#include "walk.h"
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>

/* Numbers that were ever named: a bit for each, the last one for all others. */
enum { LAST_BIT = 63 };
static _Atomic uint64_t sources;

static uint64_t source_bit(int fd)
{
	return 1ULL << ((unsigned)fd < LAST_BIT ? fd : LAST_BIT);
}

void sc_inheritance_note_source(int fd)
{
	atomic_fetch_or(&sources, source_bit(fd));
}

struct heir {
	bool is_followed;
	bool may_rename;
};

static void note_one(void *context, int fd)
{
	const struct heir *heir = context;
	bool is_told = (sc_births_entry(fd) & SC_BIRTHS_PASSED_ON) != 0;
	if (heir->is_followed && (is_told || !sc_births_is_noted(fd))) {
		return; /* or nothing that the family has made */
	}
	int flags = sc_sys_fcntl(fd, F_GETFD, 0);
	bool is_renamed = heir->may_rename && (atomic_load(&sources) & source_bit(fd)) != 0;
	if (flags == -EBADF || (flags >= 0 && (flags & FD_CLOEXEC) && !is_renamed)) {
		return;
	}
	sc_births_record_passed_on(fd);
	uint64_t inode = sc_inspect_inode(fd);
	if (inode != 0 || sc_sys_fcntl(fd, F_GETFD, 0) != -EBADF) { /* not closed meanwhile */
		sc_family_note_passed_on(inode);
	}
}

void sc_inheritance_note(bool may_rename)
{
	struct heir heir = {sc_walk_is_followed(), may_rename};
	if (sc_plan_is_any()) {
		sc_walk(0, INT32_MAX, note_one, &heir);
	}
}
