// SPDX-License-Identifier: MIT
#include "turns.h"
#include "births.h"
#include "lookup.h"
#include "process.h"
#include "sys.h"
#include <stdatomic.h>
#include <stdint.h>
#include <time.h>

enum {
	LOOKS = 20000, /* some microseconds */
	WAITS = 5,
	WAIT_NS = 100000,
};

_Atomic int32_t sc_turns_openings;
_Atomic int32_t sc_turns_closes;

static const char never;
const char *_Atomic sc_turns_is_single_threaded = &never;

void sc_turns_init(void)
{
	const char *found = dlsym(RTLD_DEFAULT, "__libc_single_threaded");
	if (found != NULL) {
		atomic_store(&sc_turns_is_single_threaded, found);
	}
}

void sc_turns_note_thread(void)
{
	if (sc_process_claim_memory()) {
		atomic_store(&sc_turns_is_single_threaded, &never);
	}
}

/* In memory, for as long as such a thing takes, and then, if may_sleep, for a thread that is without a
 * processor. What lasts longer waits itself (SO_LINGER), or has ended by a jump or with its thread: that
 * counts no more. */
static void await_none(_Atomic int32_t *under_way, bool may_sleep)
{
	int waits = 0;
	for (int i = 0; atomic_load(under_way) > 0 && waits < WAITS; i++) {
		if (i >= LOOKS && !may_sleep) {
			return;
		}
		if (i >= LOOKS) {
			struct timespec moment = {0, WAIT_NS};
			SC_SYS2(SYS_nanosleep, &moment, NULL);
			waits++;
		}
	}
	if (waits == WAITS) {
		atomic_store(under_way, 0);
	}
}

bool sc_turns_begin_opening(void)
{
	bool is_counted = sc_process_claim_memory();
	if (is_counted) {
		atomic_fetch_add(&sc_turns_openings, 1);
		await_none(&sc_turns_closes, true);
	}
	return is_counted;
}

void sc_turns_end_opening(void)
{
	if (atomic_fetch_sub(&sc_turns_openings, 1) <= 0) {
		atomic_store(&sc_turns_openings, 0);
	}
}

/* What is not known to be open may have been closed by another thread. */
void sc_turns_await_openings(int fd)
{
	await_none(&sc_turns_openings, !sc_births_is_noted(fd));
}

void sc_turns_forget_parent(void)
{
	atomic_store(&sc_turns_openings, 0);
	atomic_store(&sc_turns_closes, 0);
}
