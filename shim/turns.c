// SPDX-License-Identifier: MIT
#include "turns.h"
#include "lookup.h"
#include "process.h"
#include "sys.h"
#include <stdatomic.h>
#include <stdint.h>

enum {
	LOOKS = 20000, /* some microseconds */
	WAITS = 50,
	WAIT_NS = 100000,
	TRIES = 10,
	OWN_LOOKS = 1000,
	REPLACEMENT_LOOKS = OWN_LOOKS + 10000, /* a second */
	OWN_IN_VAIN = 100,                     /* in a row: no replacement takes that long */
};

_Atomic int32_t sc_turns_openings;
_Atomic int32_t sc_turns_closes;
static _Atomic int32_t own_changes;
static _Atomic int32_t replacements;
static _Atomic int32_t own_in_vain;

static __thread int openings_here; /* nobody waits for what his handler has interrupted */

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
	atomic_store(&sc_turns_is_single_threaded, &never);
}

/* In memory, for as long as such a thing takes, and then for a thread that is without a
 * processor. What lasts longer waits itself (SO_LINGER), or has ended by a jump or with its
 * thread: that counts no more. */
void sc_turns_await_none(_Atomic int32_t *under_way)
{
	int waits = 0;
	for (int i = 0; atomic_load(under_way) > 0 && waits < WAITS; i++) {
		if (i >= LOOKS) {
			sc_sys_pause(WAIT_NS);
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
		openings_here++;
		atomic_fetch_add(&sc_turns_openings, 1);
		sc_turns_await_none(&sc_turns_closes);
	}
	return is_counted;
}

void sc_turns_end_one(_Atomic int32_t *under_way)
{
	if (atomic_fetch_sub(under_way, 1) <= 0) {
		atomic_store(under_way, 0);
	}
}

void sc_turns_end_opening(void)
{
	openings_here--;
	sc_turns_end_one(&sc_turns_openings);
}

bool sc_turns_begin_own(void)
{
	atomic_fetch_add(&own_changes, 1);
	int i = 0;
	while (atomic_load(&replacements) > 0 && i < OWN_LOOKS) {
		sc_sys_yield();
		i++;
	}
	if (i < OWN_LOOKS) {
		atomic_store(&own_in_vain, 0);
		return true;
	}
	sc_turns_end_one(&own_changes);
	if (atomic_fetch_add(&own_in_vain, 1) == OWN_IN_VAIN) {
		atomic_store(&replacements, 0);
	}
	return false;
}

void sc_turns_end_own(void)
{
	sc_turns_end_one(&own_changes);
}

/* Steps back while it waits: else each would wait for the other. */
void sc_turns_begin_replacement(void)
{
	for (int i = 0; i < REPLACEMENT_LOOKS; i++) {
		atomic_fetch_add(&replacements, 1);
		if (atomic_load(&own_changes) <= 0) {
			return;
		}
		sc_turns_end_one(&replacements);
		sc_sys_pause(i < OWN_LOOKS ? 0 : WAIT_NS);
	}
	atomic_store(&own_changes, 0);
	atomic_fetch_add(&replacements, 1);
}

void sc_turns_end_replacement(void)
{
	sc_turns_end_one(&replacements);
}

/* Steps back while it waits: else each would wait for the other. */
void sc_turns_await_openings(void)
{
	for (int i = 0; openings_here == 0 && atomic_load(&sc_turns_openings) > 0 && i < TRIES;
		i++) {
		sc_turns_end_one(&sc_turns_closes);
		sc_turns_await_none(&sc_turns_openings);
		atomic_fetch_add(&sc_turns_closes, 1);
	}
}

void sc_turns_forget_parent(void)
{
	atomic_store(&sc_turns_openings, 0);
	atomic_store(&sc_turns_closes, 0);
	atomic_store(&own_changes, 0);
	atomic_store(&replacements, 0);
}
