// SPDX-License-Identifier: MIT
#include "family.h"
#include "memory.h"
#include "sys.h"
#include <stdatomic.h>
#include <stddef.h>

enum {
	COPY_COUNT = 256,
	CLAIM_COUNT = 4096,
	CHANNEL_COUNT = 256,
	LEAVING_COUNT = 256,
	DEPARTURE_COUNT = 128,
	PASSED_ON_BYTES = 1 << 20,
	TURN_YIELDS = 1000,
	TURN_PAUSE_NS = 100000,
};

struct family {
	_Atomic uint64_t copies[COPY_COUNT];  /* pid << 32 | fd; 0: free (no pid is 0) */
	_Atomic uint64_t claims[CLAIM_COUNT]; /* socket inodes whose end was told, by remainder */
	_Atomic uint64_t channels[CHANNEL_COUNT]; /* inodes; the newest replace the oldest */
	_Atomic uint32_t channel_count;
	_Atomic int leaving[LEAVING_COUNT]; /* process ids, by remainder */
	struct {
		_Atomic uint64_t mark; /* pid << 32 | fd; 0: none */
		_Atomic uint64_t inode;
	} departures[DEPARTURE_COUNT]; /* by the inode's remainder */
	_Atomic uint32_t takings;
	_Atomic uint32_t turns;
	_Atomic uint32_t turn; /* to reset; 0: nobody's */
	_Atomic uint8_t sent;  /* enum sc_sent, as a set */
	_Atomic bool has_complained;
	_Atomic bool have_heirs_wished;
	_Atomic bool is_any_passed_on; /* of an inode that is not known */
	/* A bit for each inode, by remainder: PASSED_ON_BYTES, not in a page of one's own. Of these
	 * pages there are those that somebody has looked at. */
	_Atomic uint8_t passed_on[];
};

/* Where no memory can be shared, each process has one: of what others do, all may have been. */
static struct family own;
static struct family *family = &own;

void sc_family_init(void)
{
	struct family *shared = sc_memory_map_shared(sizeof(*family) + PASSED_ON_BYTES);
	if (shared != NULL) {
		family = shared;
		return;
	}
	own.sent = UINT8_MAX;
	own.have_heirs_wished = true;
	own.is_any_passed_on = true;
}

static uint64_t mark_of(int pid, int fd)
{
	return (uint64_t)(uint32_t)pid << 32 | (uint32_t)fd;
}

static void exchange_mark(uint64_t expected, uint64_t wanted)
{
	for (int i = 0; i < COPY_COUNT; i++) {
		/* First a look: most have something else, and an exchange is dear. */
		uint64_t found = atomic_load_explicit(&family->copies[i], memory_order_relaxed);
		if (found == expected &&
			atomic_compare_exchange_strong(&family->copies[i], &found, wanted)) {
			return;
		}
	}
}

void sc_family_add_copy(int pid, int fd)
{
	exchange_mark(0, mark_of(pid, fd));
}

void sc_family_remove_copy(int pid, int fd)
{
	exchange_mark(mark_of(pid, fd), 0);
}

bool sc_family_has_copy(int pid, int fd)
{
	uint64_t mark = mark_of(pid, fd);
	for (int i = 0; i < COPY_COUNT; i++) {
		if (atomic_load_explicit(&family->copies[i], memory_order_relaxed) == mark) {
			return true;
		}
	}
	return false;
}

void sc_family_note_leaving(int pid)
{
	atomic_store(&family->leaving[(uint32_t)pid % LEAVING_COUNT], pid);
}

void sc_family_note_staying(int pid)
{
	int noted = pid;
	atomic_compare_exchange_strong(&family->leaving[(uint32_t)pid % LEAVING_COUNT], &noted, 0);
	for (int i = 0; i < DEPARTURE_COUNT; i++) {
		uint64_t mark = atomic_load(&family->departures[i].mark);
		if (mark >> 32 == (uint32_t)pid) {
			atomic_compare_exchange_strong(&family->departures[i].mark, &mark, 0);
		}
	}
}

bool sc_family_is_leaving(int pid)
{
	return atomic_load(&family->leaving[(uint32_t)pid % LEAVING_COUNT]) == pid;
}

/* A mark beside another's inode, for an instant, leads nowhere: that process does not hold it
 * there. */
void sc_family_note_departure(uint64_t inode, int pid, int fd)
{
	size_t place = inode % DEPARTURE_COUNT;
	atomic_store(&family->departures[place].mark, mark_of(pid, fd));
	atomic_store(&family->departures[place].inode, inode);
}

int sc_family_find_departure(uint64_t inode, int *fd)
{
	size_t place = inode % DEPARTURE_COUNT;
	bool is_any = atomic_load(&family->departures[place].inode) == inode;
	uint64_t mark = is_any ? atomic_load(&family->departures[place].mark) : 0;
	*fd = (int)(uint32_t)mark;
	return (int)(mark >> 32);
}

void sc_family_add_channel(uint64_t inode)
{
	uint32_t place = atomic_fetch_add(&family->channel_count, 1) % CHANNEL_COUNT;
	atomic_store(&family->channels[place], inode);
}

bool sc_family_has_channel(uint64_t inode)
{
	for (int i = 0; i < CHANNEL_COUNT; i++) {
		if (atomic_load_explicit(&family->channels[i], memory_order_relaxed) == inode) {
			return true;
		}
	}
	return false;
}

bool sc_family_claim_end(uint64_t inode)
{
	return inode == 0 || atomic_exchange(&family->claims[inode % CLAIM_COUNT], inode) != inode;
}

void sc_family_await_turn(int waits)
{
	if (waits < TURN_YIELDS) {
		sc_sys_yield();
	} else {
		sc_sys_pause(TURN_PAUSE_NS);
	}
}

uint32_t sc_family_begin_reset(void)
{
	uint32_t mine = atomic_fetch_add(&family->turns, 1) | 1U << 31;
	for (int i = 0; i < SC_FAMILY_TURN_WAITS; i++) {
		uint32_t nobodys = 0;
		if (atomic_compare_exchange_strong(&family->turn, &nobodys, mine)) {
			return mine;
		}
		sc_family_await_turn(i);
	}
	atomic_store(&family->turn, mine);
	return mine;
}

void sc_family_end_reset(uint32_t mine)
{
	atomic_compare_exchange_strong(&family->turn, &mine, 0);
}

bool sc_family_claim_complaint(void)
{
	return !atomic_exchange(&family->has_complained, true);
}

void sc_family_note_heirs_wish(void)
{
	atomic_store(&family->have_heirs_wished, true);
}

bool sc_family_have_heirs_wished(void)
{
	return atomic_load(&family->have_heirs_wished);
}

void sc_family_note_taking(void)
{
	atomic_fetch_add(&family->takings, 1);
}

uint32_t sc_family_takings(void)
{
	return atomic_load_explicit(&family->takings, memory_order_relaxed);
}

void sc_family_note_sending(enum sc_sent kind)
{
	atomic_fetch_or(&family->sent, (uint8_t)kind);
}

bool sc_family_may_have_sent(enum sc_sent kinds)
{
	return (atomic_load_explicit(&family->sent, memory_order_relaxed) & (uint8_t)kinds) != 0;
}

void sc_family_note_passed_on(uint64_t inode)
{
	if (inode != 0 && family != &own) {
		atomic_fetch_or(&family->passed_on[inode / 8 % PASSED_ON_BYTES], 1U << inode % 8);
	} else {
		atomic_store(&family->is_any_passed_on, true);
	}
}

bool sc_family_may_be_passed_on(uint64_t inode)
{
	return atomic_load(&family->is_any_passed_on) ||
	       (atomic_load(&family->passed_on[inode / 8 % PASSED_ON_BYTES]) & 1U << inode % 8) !=
		       0;
}
