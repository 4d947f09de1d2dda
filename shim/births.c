// SPDX-License-Identifier: MIT
#include "births.h"
#include "clock.h"
#include "family.h"
#include "memory.h"
#include "numbers.h"
#include "ownfds.h"
#include "sys.h"
#include <stdatomic.h>
#include <sys/resource.h>

enum {
	TABLE_MAX = 1 << 20, /* descriptors followed at most: the kernel's default nr_open */
	TABLE_MIN = 1024,
	FORK_MOMENT_NS = 3000000,
	UNENDED_FORK_NS = 1000000000, /* a fork whose end is not seen is over by then */
	TAKING_SHORT_WAITS = 100,
	TAKING_WAITS = 1100,
	TAKING_WAIT_NS = 1000000,
	FIRST_AGE = 2,
	NS_PER_TICK = 10000000, /* USER_HZ is 100 for every program there is */
	LINE_MAX = 16,
	EPOLL_MANY = 0xffffff, /* in more than one set, or in one with a huge number */
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
#define FLAG_TCP (1ULL << 36)      /* a socket of TCP was made */
#define EPOLL_SHIFT 40
#define EPOLL(entry) ((uint32_t)((entry) >> EPOLL_SHIFT))

/*
 * This page a forked child finds zeroed, whatever way it was forked; a vfork child finds it as its
 * parent left it. The table it finds as it was: what is in it was born in the family.
 */
struct process {
	_Atomic int32_t owner_pid; /* 0: not looked up yet */
	_Atomic uint32_t
		first_age; /* of this process; what is younger was born here; 0: a new child */
	_Atomic int32_t forks_under_way;
	_Atomic int32_t takings_under_way;
	_Atomic uint64_t last_fork_ns;         /* CLOCK_BOOTTIME */
	_Atomic uint64_t last_unended_fork_ns; /* of those whose end is not seen; 0: none */
	_Atomic bool is_dup_sent;              /* something that was duplicated has been sent */
	_Atomic bool is_memory_shared; /* with a process that vfork()'s entry does not know */
	_Atomic bool is_table_split;
	_Atomic bool is_in_line;
	_Atomic int32_t epoll_end; /* above the highest known epoll descriptor */
};

/* Not wiped by a fork, so every look has to ask for the pid. */
static struct process forgetful_fallback = {.is_memory_shared = true};
static struct process *process = &forgetful_fallback;
static _Atomic uint32_t age = FIRST_AGE; /* one more with each fork; births carry it */
static struct sc_births_family family;
static void (*child_handler)(void);
static _Atomic bool is_table_shared; /* a child that shares it has to find this */
static _Atomic uint64_t *table;
static uint32_t table_size;
static _Atomic uint32_t *born;  /* beside the table: see sc_births_when() */
static uint64_t boot_offset_ns; /* CLOCK_BOOTTIME less CLOCK_MONOTONIC, at most */

/* Of this process and those it is forked from, the ones that have made a descriptor. A child has what
 * its parent had. */
static _Atomic int32_t line[LINE_MAX];
static _Atomic uint32_t line_count;

/* What the epoll set was told last of each descriptor of the table; NULL without memory. */
struct wish {
	_Atomic uint64_t data;
	_Atomic uint32_t events;
};
static struct wish *wishes;

/* Of this thread; in a vfork child it is the parent thread's, which waits meanwhile. */
static __thread bool is_vfork_child;
static __thread bool has_own_sockets; /* that vfork child */
static __thread int takings_here;

/*
 * The mark is set on the way into vfork and taken back when the parent's call has returned. In
 * between a signal handler may run in the parent already: only the pid tells the two apart.
 */
static bool in_vfork_child(void)
{
	return is_vfork_child && sc_sys_getpid() != atomic_load(&process->owner_pid);
}

bool sc_births_in_vfork_child(void)
{
	return in_vfork_child();
}

bool sc_births_has_only_parents(void)
{
	return !has_own_sockets && in_vfork_child();
}

static uint64_t now_ns(void)
{
	return sc_clock_ns(CLOCK_BOOTTIME);
}

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
	atomic_store(&process->owner_pid, sc_sys_getpid());
	struct process *mapped = sc_memory_map_wiped(sizeof(*mapped));
	if (mapped == NULL) {
		return;
	}
	process = mapped;
	family = (struct sc_births_family){
		.root_pid = sc_sys_getpid(),
		.parent_pid = (int)sc_sys6(SYS_getppid, 0, 0, 0, 0, 0, 0),
		.since_ns = now_ns(),
	};
	atomic_store(&process->owner_pid, family.root_pid);
	atomic_store(&process->first_age, FIRST_AGE - 1);
	atomic_store(&line[0], family.root_pid);
	atomic_store(&line_count, 1);
	atomic_store(&process->is_in_line, true);
	uint64_t boot_ns = now_ns();
	boot_offset_ns = boot_ns - sc_clock_ns(CLOCK_MONOTONIC);
	/* Address space only: a page comes with the first descriptor that lies in it. Where it is
	 * short (RLIMIT_AS), the lowest numbers will do. */
	for (; size >= TABLE_MIN / 2 && table == NULL; size /= 8) {
		table = sc_memory_map(size * sizeof(*table));
		table_size = table != NULL ? size : 0;
	}
	born = sc_memory_map(table_size * sizeof(*born));
	wishes = sc_memory_map(table_size * sizeof(*wishes));
}

bool sc_births_is_own_memory(void)
{
	if (in_vfork_child()) {
		return false;
	}
	int owner = atomic_load(&process->owner_pid);
	if (owner != 0 && !atomic_load(&process->is_memory_shared)) {
		return true; /* a forked child would find the page wiped */
	}
	int pid = sc_sys_getpid();
	if (owner == 0) {
		/* A forked child's first look. Nobody else has this memory yet: whoever is about
		 * to share it asks first (sc_births_record_shared_memory, sc_births_begin_vfork). */
		atomic_store(&process->owner_pid, pid);
		return true;
	}
	return owner == pid;
}

/* A forked child's first act, before anything is born in it. */
static void grow_up(void)
{
	uint32_t new_child = 0;
	if (atomic_load_explicit(&process->first_age, memory_order_relaxed) != 0) {
		return;
	}
	uint32_t now = atomic_fetch_add(&age, 1) + 1;
	if (atomic_compare_exchange_strong(&process->first_age, &new_child, now) &&
		child_handler != NULL) {
		child_handler();
	}
}

void sc_births_set_child_handler(void (*handler)(void))
{
	child_handler = handler;
}

int sc_births_pid(void)
{
	int owner = atomic_load(&process->owner_pid);
	return owner != 0 ? owner : sc_sys_getpid();
}

bool sc_births_may_record(void)
{
	if (in_vfork_child()) {
		return false;
	}
	grow_up();
	return !atomic_load_explicit(&process->is_memory_shared, memory_order_relaxed) ||
	       sc_births_is_own_memory();
}

static _Atomic uint64_t *entry_of(int fd)
{
	return (uint32_t)fd < table_size ? &table[fd] : NULL;
}

static uint32_t age_now(void)
{
	return atomic_load_explicit(&age, memory_order_relaxed);
}

/* The age is raised before a fork, its table copied at some time before its end. */
static bool may_be_copied_yet(void)
{
	uint64_t unended_ns = atomic_load(&process->last_unended_fork_ns);
	return atomic_load(&process->forks_under_way) > 0 ||
	       (unended_ns != 0 && now_ns() - unended_ns < UNENDED_FORK_NS);
}

uint32_t sc_births_moment(void)
{
	if (!sc_births_may_record()) {
		return 0;
	}
	uint32_t now = atomic_load(&age);
	return may_be_copied_yet() ? now - 1 : now;
}

/* Once in each process. Two threads may both do it, so that each has before it forks. */
static void join_line(void)
{
	if (atomic_load_explicit(&process->is_in_line, memory_order_relaxed)) {
		return;
	}
	uint32_t place = atomic_fetch_add(&line_count, 1);
	if (place < LINE_MAX) {
		atomic_store(&line[place], sc_sys_getpid());
	}
	atomic_store(&process->is_in_line, true);
}

bool sc_births_may_be_of_line(int pid)
{
	uint32_t count = atomic_load(&line_count);
	bool is_found = count > LINE_MAX;
	for (uint32_t i = 0; i < count && !is_found; i++) {
		is_found = atomic_load(&line[i]) == pid;
	}
	return is_found;
}

static void set_born(int fd, uint32_t ticks)
{
	if (born != NULL && (uint32_t)fd < table_size) {
		atomic_store_explicit(&born[fd], ticks, memory_order_relaxed);
	}
}

uint32_t sc_births_when(int fd)
{
	bool is_known = born != NULL && (uint32_t)fd < table_size;
	return is_known ? atomic_load_explicit(&born[fd], memory_order_relaxed) : 0;
}

void sc_births_record(int fd, uint32_t moment, bool is_tcp)
{
	_Atomic uint64_t *entry = entry_of(fd);
	if (!sc_births_may_record()) {
		has_own_sockets = has_own_sockets || is_vfork_child;
		return;
	}
	sc_numbers_note(fd);
	if (entry != NULL) {
		/* No fork was under way, and none has begun, that may have copied it before now. */
		bool is_certain = moment == age_now();
		join_line();
		set_born(fd, is_certain ? now_ticks() : 0);
		atomic_store_explicit(
			entry, moment | (is_tcp ? FLAG_TCP : 0), memory_order_relaxed);
	}
}

bool sc_births_is_tcp(int fd)
{
	_Atomic uint64_t *entry = entry_of(fd);
	return entry != NULL && (atomic_load_explicit(entry, memory_order_relaxed) & FLAG_TCP) != 0;
}

void sc_births_forget(int fd)
{
	_Atomic uint64_t *entry = entry_of(fd);
	if (entry != NULL && atomic_load_explicit(entry, memory_order_relaxed) != 0 &&
		sc_births_may_record()) {
		atomic_store_explicit(entry, 0, memory_order_relaxed);
	}
}

void sc_births_record_received(int fd)
{
	_Atomic uint64_t *entry = entry_of(fd);
	if (sc_births_may_record()) {
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
	int end = atomic_load(&process->epoll_end);
	while (end <= epoll_fd &&
		!atomic_compare_exchange_weak(&process->epoll_end, &end, epoll_fd + 1)) {
	}
}

void sc_births_record_dup(int from, int to)
{
	_Atomic uint64_t *source = entry_of(from);
	_Atomic uint64_t *copy = entry_of(to);
	if (from == to || !sc_births_may_record()) {
		return;
	}
	sc_numbers_note(to);
	uint64_t known = source != NULL ? atomic_load(source) : 0;
	if (source != NULL && (known & FLAG_DUPLICATED) == 0) {
		known = atomic_fetch_or(source, FLAG_DUPLICATED);
	}
	known |= FLAG_DUPLICATED;
	if (copy != NULL) {
		set_born(to, sc_births_when(from));
		atomic_store_explicit(
			copy, known & ((1ULL << EPOLL_SHIFT) - 1), memory_order_relaxed);
		if (known & FLAG_EPOLL) {
			raise_epoll_end(to);
		}
	}
}

void sc_births_record_sent(int fd)
{
	_Atomic uint64_t *entry = entry_of(fd);
	if (entry == NULL || !sc_births_may_record()) {
		return;
	}
	if (atomic_fetch_or(entry, FLAG_SENT) & FLAG_DUPLICATED) {
		atomic_store(&process->is_dup_sent, true);
	}
}

/* One takes some microseconds, and the time that its thread is without a processor. Bounded: a signal
 * handler may have left one by a jump; that one counts no more. Nobody waits for himself. */
static void await_takings(void)
{
	int waits = 0;
	while (takings_here == 0 && atomic_load(&process->takings_under_way) > 0 &&
		waits < TAKING_WAITS) {
		struct timespec moment = {0, waits < TAKING_SHORT_WAITS ? 0 : TAKING_WAIT_NS};
		SC_SYS2(SYS_nanosleep, &moment, NULL);
		waits++;
	}
	if (waits == TAKING_WAITS) {
		atomic_store(&process->takings_under_way, 0);
	}
}

void sc_births_record_fork(void)
{
	if (sc_births_may_record()) {
		await_takings();
		uint64_t now = now_ns();
		atomic_store(&process->last_unended_fork_ns, now);
		atomic_store(&process->last_fork_ns, now);
		atomic_fetch_add(&age, 1);
	}
}

bool sc_births_begin_taking(void)
{
	if (!sc_births_may_record()) {
		return false;
	}
	takings_here++;
	atomic_fetch_add(&process->takings_under_way, 1);
	if (atomic_load(&process->forks_under_way) == 0) {
		return true;
	}
	sc_births_end_taking();
	return false;
}

void sc_births_end_taking(void)
{
	takings_here--;
	if (atomic_load(&process->takings_under_way) > 0) { /* not so in a child of this moment */
		atomic_fetch_sub(&process->takings_under_way, 1);
	}
}

void sc_births_begin_fork(void)
{
	if (sc_births_may_record()) {
		atomic_fetch_add(&process->forks_under_way, 1);
		await_takings();
		sc_ownfds_before_fork();
		atomic_store(&process->last_fork_ns, now_ns());
		atomic_fetch_add(&age, 1);
	}
}

void sc_births_end_fork(int result)
{
	if (in_vfork_child()) {
		return;
	}
	if (result == 0) {
		grow_up();
	} else if (sc_births_may_record()) {
		atomic_fetch_sub(&process->forks_under_way, 1);
	}
}

bool sc_births_is_forking(void)
{
	return atomic_load(&process->forks_under_way) > 0 ||
	       now_ns() - atomic_load(&process->last_fork_ns) < FORK_MOMENT_NS;
}

void sc_births_record_shared_memory(void)
{
	if (sc_births_is_own_memory()) {
		atomic_store(&process->is_memory_shared, true);
	}
}

void sc_births_record_table_split(void)
{
	if (sc_births_may_record()) {
		atomic_store(&process->is_table_split, true);
		atomic_fetch_add(&age, 1); /* earlier proofs are none any more */
	}
}

void sc_births_record_table_shared(void)
{
	atomic_store(&is_table_shared, true);
}

bool sc_births_is_table_shared(void)
{
	return atomic_load_explicit(&is_table_shared, memory_order_relaxed);
}

bool sc_births_is_table_split(void)
{
	return atomic_load(&process->is_table_split) || sc_births_is_table_shared();
}

void sc_births_record_epoll_set(int epoll_fd)
{
	_Atomic uint64_t *entry = entry_of(epoll_fd);
	if (entry != NULL && sc_births_may_record()) {
		atomic_store(entry, age_now() | FLAG_EPOLL);
		raise_epoll_end(epoll_fd);
	}
}

void sc_births_record_epoll(int epoll_fd, int fd)
{
	_Atomic uint64_t *entry = entry_of(fd);
	_Atomic uint64_t *set = entry_of(epoll_fd);
	if (entry == NULL || set == NULL || !sc_births_may_record()) {
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
	if (wishes != NULL && (uint32_t)fd < table_size && sc_births_may_record()) {
		atomic_store_explicit(&wishes[fd].events, events, memory_order_relaxed);
		atomic_store_explicit(&wishes[fd].data, data, memory_order_relaxed);
	}
}

int sc_births_wish(int fd, uint32_t *events, uint64_t *data)
{
	_Atomic uint64_t *entry = entry_of(fd);
	uint32_t mark = entry != NULL ? EPOLL(atomic_load(entry)) : 0;
	if (mark == 0 || mark == EPOLL_MANY || wishes == NULL) {
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
	/* In tables of their own, threads use the same numbers for different things; and what another
	 * process does in this table, or in one beside this memory, is not seen. */
	if (AGE(known) == 0 || sc_births_is_table_split() || !sc_births_is_own_memory()) {
		return SC_BIRTH_UNKNOWN;
	}
	bool is_duplicated = (known & FLAG_DUPLICATED) != 0;
	/* A relative that has taken copies from others (pidfd_getfd) may have taken this one. */
	if ((known & FLAG_SENT) || sc_family_takings() > 0 ||
		(is_duplicated && atomic_load(&process->is_dup_sent))) {
		return SC_BIRTH_SENT;
	}
	grow_up();
	if (AGE(known) < atomic_load(&process->first_age)) {
		return SC_BIRTH_FAMILY;
	}
	if (AGE(known) != age_now()) {
		return SC_BIRTH_ELDER;
	}
	return is_duplicated ? SC_BIRTH_LOCAL : SC_BIRTH_SOLE;
}

uint32_t sc_births_get_age(void)
{
	return age_now();
}

enum sc_birth sc_births_after(enum sc_birth before, uint32_t age_before)
{
	bool is_proof = before == SC_BIRTH_SOLE || before == SC_BIRTH_LOCAL;
	return is_proof && age_before != age_now() ? SC_BIRTH_ELDER : before;
}

void sc_births_each_epoll(int fd, bool (*each)(int epoll_fd, int fd))
{
	_Atomic uint64_t *entry = entry_of(fd);
	uint32_t mark = entry != NULL ? EPOLL(atomic_load(entry)) : 0;
	if (mark == 0 || (mark != EPOLL_MANY && each((int)mark - 1, fd))) {
		return;
	}
	int end = atomic_load(&process->epoll_end);
	for (int set = 0; set < end; set++) {
		if (atomic_load_explicit(&table[set], memory_order_relaxed) & FLAG_EPOLL) {
			each(set, fd);
		}
	}
}

struct sc_births_family sc_births_get_family(void)
{
	return family;
}

bool sc_births_begin_vfork(void)
{
	if (in_vfork_child()) {
		return false;
	}
	if (atomic_load(&process->owner_pid) == 0) {
		sc_births_is_own_memory();
	}
	sc_births_begin_fork();
	return true;
}

void sc_births_end_vfork(int pid)
{
	is_vfork_child = pid == 0;
	has_own_sockets = false;
	if (pid != 0) {
		sc_births_end_fork(pid);
	}
}
