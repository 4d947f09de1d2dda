// SPDX-License-Identifier: MIT
#include "births.h"
#include "clock.h"
#include "family.h"
#include "memory.h"
#include "numbers.h"
#include "process.h"
#include "sys.h"
#include <stdatomic.h>
#include <stddef.h>
#include <sys/resource.h>

enum {
	TABLE_MAX = 1 << 20, /* descriptors followed at most: the kernel's default nr_open */
	TABLE_MIN = 1024,
	NS_PER_TICK = 10000000, /* USER_HZ is 100 for every program there is */
	EPOLL_MANY = 0xffffff,  /* in more than one set, or in one with a huge number */
};

/*
 * One descriptor: the age of the process at its birth (0: not born here), what happened to it, and
 * the epoll set it was added to, plus one (0: none).
 */
#define AGE(entry) ((uint32_t)((entry)&0xffffffff))
#define FLAG_DUPLICATED (1ULL << 32)
#define FLAG_SENT (1ULL << 33)
#define FLAG_EPOLL (1ULL << 34)    /* itself an epoll set */
#define FLAG_RECEIVED (1ULL << 35) /* from somebody */
#define EPOLL_SHIFT 40
#define EPOLL(entry) ((uint32_t)((entry) >> EPOLL_SHIFT))

/* A forked child finds it as it was: what is in it was born in the family. */
struct sc_births_table sc_births_table;
static uint64_t boot_offset_ns; /* CLOCK_BOOTTIME less CLOCK_MONOTONIC, at most */

/* Behind the table: what the epoll set was told last of each descriptor. */
struct wish {
	_Atomic uint64_t data;
	_Atomic uint32_t events;
};
static struct wish *wishes;
static _Atomic uint32_t *born; /* behind those: see sc_births_when() */

/* Both of a process whose sc_process_first_age() stands with them: a forked child has its own. */
static _Atomic uint32_t dup_sent_in; /* something that was duplicated has been sent */
static _Atomic uint64_t epoll_end;   /* that age << 32 | above the highest known epoll descriptor */

/* Cheap, and never late: the coarse clock stands still between two ticks of the kernel's, and the
 * offset only grows. */
static uint32_t now_ticks(void)
{
	return (uint32_t)((sc_clock_ns(CLOCK_MONOTONIC_COARSE) + boot_offset_ns) / NS_PER_TICK);
}

void sc_births_init(void)
{
	struct rlimit64 limit = {1024, 1024};
	SC_SYS4(SYS_prlimit64, 0, RLIMIT_NOFILE, NULL, &limit);
	uint32_t size = limit.rlim_max < TABLE_MAX ? (uint32_t)limit.rlim_max : TABLE_MAX;
	size = size < TABLE_MIN ? TABLE_MIN : size;
	uint64_t boot_ns = sc_clock_ns(CLOCK_BOOTTIME);
	boot_offset_ns = boot_ns - sc_clock_ns(CLOCK_MONOTONIC);
	/* Address space only: a page comes with the first descriptor that lies in it. Where it is
	 * short (RLIMIT_AS), the lowest numbers will do. */
	for (; size >= TABLE_MIN / 2 && sc_births_table.entries == NULL; size /= 8) {
		sc_births_table.entries =
			sc_memory_map(size * (sizeof(uint64_t) + sizeof(*born) + sizeof(*wishes)));
		sc_births_table.size = sc_births_table.entries != NULL ? size : 0;
	}
	wishes = (struct wish *)(sc_births_table.entries + sc_births_table.size);
	born = (_Atomic uint32_t *)(wishes + sc_births_table.size);
}

static inline __attribute__((always_inline)) _Atomic uint64_t *entry_of(int fd)
{
	return (uint32_t)fd < sc_births_table.size ? &sc_births_table.entries[fd] : NULL;
}

static inline __attribute__((always_inline)) void set_born(int fd, uint32_t ticks)
{
	if ((uint32_t)fd < sc_births_table.size) {
		atomic_store_explicit(&born[fd], ticks, memory_order_relaxed);
	}
}

uint32_t sc_births_when(int fd)
{
	return (uint32_t)fd < sc_births_table.size
		       ? atomic_load_explicit(&born[fd], memory_order_relaxed)
		       : 0;
}

int sc_births_record(int fd, uint32_t moment, bool is_tcp)
{
	_Atomic uint64_t *entry = entry_of(fd);
	if (fd < 0) {
		return fd;
	}
	if (!sc_process_claim_memory_quickly()) {
		sc_process_note_own_socket();
		return fd;
	}
	sc_numbers_note(fd);
	if (entry != NULL) {
		/* No fork was under way, and none has begun, that may have copied it before now. */
		bool is_certain = moment == sc_process_get_age();
		sc_process_join_line();
		set_born(fd, is_certain ? now_ticks() : 0);
		atomic_store_explicit(
			entry, moment | (is_tcp ? SC_BIRTHS_TCP : 0), memory_order_relaxed);
	}
	return fd;
}

void sc_births_forget(int fd)
{
	if (sc_births_entry(fd) != 0 && sc_process_claim_memory_quickly()) {
		atomic_store_explicit(&sc_births_table.entries[fd], 0, memory_order_relaxed);
	}
}

void sc_births_record_received(int fd)
{
	_Atomic uint64_t *entry = entry_of(fd);
	if (sc_process_claim_memory()) {
		sc_numbers_note(fd);
		if (entry != NULL) {
			atomic_store_explicit(entry, FLAG_RECEIVED, memory_order_relaxed);
		}
	}
}

bool sc_births_is_noted(int fd)
{
	_Atomic uint64_t *entry = entry_of(fd);
	return entry == NULL || atomic_load_explicit(entry, memory_order_relaxed) != 0;
}

static void raise_epoll_end(int epoll_fd)
{
	uint64_t wanted = (uint64_t)sc_process_first_age() << 32 | (uint32_t)(epoll_fd + 1);
	uint64_t end = atomic_load(&epoll_end);
	while (end < wanted && !atomic_compare_exchange_weak(&epoll_end, &end, wanted)) {
	}
}

void sc_births_record_dup(int from, int to)
{
	_Atomic uint64_t *source = entry_of(from);
	_Atomic uint64_t *copy = entry_of(to);
	if (from == to || !sc_process_claim_memory_quickly()) {
		return;
	}
	sc_numbers_note(to);
	uint64_t known = source != NULL ? atomic_load_explicit(source, memory_order_relaxed) : 0;
	if (AGE(known) != 0) { /* of others nothing is proven, duplicated or not */
		if ((known & FLAG_DUPLICATED) == 0) {
			known = atomic_fetch_or(source, FLAG_DUPLICATED);
		}
		set_born(to, sc_births_when(from));
	}
	if (copy != NULL) {
		known = (known | FLAG_DUPLICATED) & ((1ULL << EPOLL_SHIFT) - 1);
		atomic_store_explicit(copy, known, memory_order_relaxed);
		if (known & FLAG_EPOLL) {
			raise_epoll_end(to);
		}
	}
}

void sc_births_record_sent(int fd)
{
	_Atomic uint64_t *entry = entry_of(fd);
	if (entry == NULL || !sc_process_claim_memory()) {
		return;
	}
	if (atomic_fetch_or(entry, FLAG_SENT) & FLAG_DUPLICATED) {
		atomic_store(&dup_sent_in, sc_process_first_age());
	}
}

/* What comes under this number next begins without the mark. */
void sc_births_record_passed_on(int fd)
{
	uint64_t known = sc_births_entry(fd);
	if (known != 0 && sc_process_claim_memory()) {
		atomic_compare_exchange_strong(entry_of(fd), &known, known | SC_BIRTHS_PASSED_ON);
	}
}

void sc_births_record_epoll_set(int epoll_fd)
{
	_Atomic uint64_t *entry = entry_of(epoll_fd);
	if (entry != NULL && sc_process_claim_memory()) {
		atomic_store(entry, sc_process_get_age() | FLAG_EPOLL);
		raise_epoll_end(epoll_fd);
	}
}

void sc_births_record_epoll(int epoll_fd, int fd)
{
	_Atomic uint64_t *entry = entry_of(fd);
	_Atomic uint64_t *set = entry_of(epoll_fd);
	if (entry == NULL || set == NULL || !sc_process_claim_memory()) {
		return;
	}
	atomic_fetch_or(set, FLAG_EPOLL);
	raise_epoll_end(epoll_fd);
	uint64_t now = atomic_load(entry);
	uint64_t wanted;
	do {
		uint64_t mark = (uint64_t)epoll_fd + 1;
		bool is_other = EPOLL(now) != 0 && EPOLL(now) != mark;
		if (is_other || mark >= EPOLL_MANY) {
			mark = EPOLL_MANY;
		}
		wanted = (now & ((1ULL << EPOLL_SHIFT) - 1)) | mark << EPOLL_SHIFT;
	} while (!atomic_compare_exchange_weak(entry, &now, wanted));
}

void sc_births_record_wish(int fd, uint32_t events, uint64_t data)
{
	if ((uint32_t)fd < sc_births_table.size && sc_process_claim_memory()) {
		atomic_store_explicit(&wishes[fd].events, events, memory_order_relaxed);
		atomic_store_explicit(&wishes[fd].data, data, memory_order_relaxed);
	}
}

int sc_births_wish(int fd, uint32_t *events, uint64_t *data)
{
	_Atomic uint64_t *entry = entry_of(fd);
	uint32_t mark = entry != NULL ? EPOLL(atomic_load(entry)) : 0;
	if (mark == 0 || mark == EPOLL_MANY) {
		return -1;
	}
	*events = atomic_load_explicit(&wishes[fd].events, memory_order_relaxed);
	*data = atomic_load_explicit(&wishes[fd].data, memory_order_relaxed);
	return (int)mark - 1;
}

enum sc_birth sc_births_of(int fd)
{
	_Atomic uint64_t *entry = entry_of(fd);
	uint64_t known = entry != NULL ? atomic_load(entry) : 0;
	/* In tables of their own, threads use the same numbers for different things; and what
	 * another process does in this table, or in one beside this memory, is not seen. */
	if (AGE(known) == 0 || sc_process_is_table_split() || !sc_process_is_own_memory()) {
		return SC_BIRTH_UNKNOWN;
	}
	uint32_t first_age = sc_process_first_age();
	bool is_duplicated = (known & FLAG_DUPLICATED) != 0;
	/* A relative that has taken copies from others (pidfd_getfd) may have taken this one. */
	if ((known & FLAG_SENT) || sc_family_takings() > 0 ||
		(is_duplicated && atomic_load(&dup_sent_in) == first_age)) {
		return SC_BIRTH_SENT;
	}
	if (AGE(known) < first_age) {
		return SC_BIRTH_FAMILY;
	}
	if (AGE(known) != sc_process_get_age() || sc_process_has_unseen_forks()) {
		return SC_BIRTH_ELDER;
	}
	return is_duplicated ? SC_BIRTH_LOCAL : SC_BIRTH_SOLE;
}

enum sc_birth sc_births_after(enum sc_birth before, uint32_t age_before)
{
	bool is_proof = before == SC_BIRTH_SOLE || before == SC_BIRTH_LOCAL;
	return is_proof && age_before != sc_process_get_age() ? SC_BIRTH_ELDER : before;
}

void sc_births_each_epoll(int fd, bool (*each)(int epoll_fd, int fd))
{
	_Atomic uint64_t *entry = entry_of(fd);
	uint32_t mark = entry != NULL ? EPOLL(atomic_load(entry)) : 0;
	if (mark == 0 || (mark != EPOLL_MANY && each((int)mark - 1, fd))) {
		return;
	}
	uint64_t known = atomic_load(&epoll_end);
	uint32_t end = known >> 32 == sc_process_first_age() ? (uint32_t)known : 0;
	for (uint32_t set = 0; set < end; set++) {
		if (atomic_load_explicit(&sc_births_table.entries[set], memory_order_relaxed) &
			FLAG_EPOLL) {
			each((int)set, fd);
		}
	}
}
