// SPDX-License-Identifier: MIT
#include "process.h"
#include "clock.h"
#include "memory.h"
#include "sys.h"
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/wait.h>

enum {
	FORK_MOMENT_NS = 3000000,
	UNENDED_FORK_NS = 1000000000, /* a fork whose end is not seen is over by then */
	TAKING_SHORT_WAITS = 100,
	TAKING_WAITS = 1100,
	TAKING_WAIT_NS = 1000000,
	FIRST_AGE = 2,
	LINE_MAX = 16,
	SPAWNED_COUNT = 8,
	SPAWNED_NS = 2000000000,
};

/*
 * This page a forked child finds zeroed, whatever way it was forked; a vfork child finds it as its
 * parent left it.
 */
struct process {
	_Atomic int32_t owner_pid; /* 0: not looked up yet */
	_Atomic uint32_t
		first_age; /* of this process; what is younger was born here; 0: a new child */
	_Atomic int32_t forks_under_way;
	_Atomic int32_t takings_under_way;
	_Atomic uint64_t last_fork_ns;         /* CLOCK_BOOTTIME; 0: none was seen */
	_Atomic uint64_t last_unended_fork_ns; /* of those whose end is not seen; 0: none */
	_Atomic uint64_t last_spawned_ns;
	_Atomic int32_t spawned[SPAWNED_COUNT]; /* process ids, the newest replace the oldest */
	_Atomic uint32_t spawned_count;
	_Atomic bool is_memory_shared; /* with a process that vfork()'s entry does not know */
	_Atomic bool is_table_split;
	_Atomic bool is_in_line;
	_Atomic bool is_ending;
	_Atomic bool has_unseen_forks;
	_Atomic bool is_settled; /* see process.h */
};

/* Not wiped by a fork, so every look has to ask for the pid. */
static struct process forgetful_fallback = {.is_memory_shared = true};
static struct process *process = &forgetful_fallback;
_Atomic bool *sc_process_is_settled = &forgetful_fallback.is_settled;
static _Atomic uint32_t age = FIRST_AGE;
static struct sc_process_family family;
static bool is_unfollowed;
static void (*fork_handler)(void);
static void (*child_handler)(void);
static _Atomic bool is_table_shared; /* a child that shares it has to find this */

/* Of this process and those it is forked from, the ones that have made a descriptor. A child has
 * what its parent had. */
static _Atomic int32_t line[LINE_MAX];
static _Atomic uint32_t line_count;

__thread struct sc_process_thread sc_process_thread;

static uint64_t now_ns(void)
{
	return sc_clock_ns(CLOCK_BOOTTIME);
}

/* In whatever order a thread shares the memory meanwhile, it is not settled in the end. */
static void settle(void)
{
	atomic_store(&process->is_settled, true);
	if (atomic_load(&process->is_memory_shared)) {
		atomic_store(&process->is_settled, false);
	}
}

/* Also such as were there before this program (exec). Where that is not to be known, none. */
static bool has_children(void)
{
	siginfo_t ignored;
	return SC_SYS5(SYS_waitid, P_ALL, 0, &ignored, WEXITED | WNOHANG | WNOWAIT | __WALL,
		       NULL) == 0;
}

bool sc_process_init(void)
{
	int pid = sc_sys_getpid();
	struct process *mapped = sc_memory_map_wiped(sizeof(*mapped));
	if (mapped == NULL) {
		atomic_init(&process->owner_pid, pid);
		return false;
	}
	atomic_init(&mapped->owner_pid, pid);
	atomic_init(&mapped->first_age, FIRST_AGE - 1);
	atomic_init(&mapped->is_in_line, true);
	atomic_init(&mapped->last_fork_ns, has_children());
	atomic_init(&line[0], pid);
	atomic_init(&line_count, 1);
	family.root_pid = pid;
	family.parent_pid = (int)sc_sys6(SYS_getppid, 0, 0, 0, 0, 0, 0);
	process = mapped;
	sc_process_is_settled = &mapped->is_settled;
	settle();
	return true;
}

void sc_process_init_unfollowed(void)
{
	is_unfollowed = true;
	atomic_store(&process->owner_pid, 1); /* known, whoever it is */
	atomic_store(&process->first_age, FIRST_AGE - 1);
	atomic_store(&process->is_memory_shared, false);
	settle();
}

/* ---- whose memory this is ------------------------------------------------------------------- */

/*
 * The mark is set on the way into vfork and taken back when the parent's call has returned. In
 * between a signal handler may run in the parent already: only the pid tells the two apart.
 */
bool sc_process_in_vfork_child(void)
{
	return sc_process_thread.is_vfork_child &&
	       sc_sys_getpid() != atomic_load(&process->owner_pid);
}

bool sc_process_has_only_parents(void)
{
	return !sc_process_thread.has_own_sockets && sc_process_in_vfork_child();
}

void sc_process_note_own_socket(void)
{
	sc_process_thread.has_own_sockets = true;
}

bool sc_process_is_own_memory(void)
{
	if (sc_process_in_vfork_child()) {
		return false;
	}
	int owner = atomic_load(&process->owner_pid);
	if (owner != 0 && !atomic_load(&process->is_memory_shared)) {
		return true; /* a forked child would find the page wiped */
	}
	int pid = sc_sys_getpid();
	if (owner == 0) {
		/* A forked child's first look. Nobody else has this memory yet: whoever is about to
		 * share it asks first (sc_process_record_shared_memory, sc_process_begin_vfork). */
		atomic_store(&process->owner_pid, pid);
		return true;
	}
	return owner == pid;
}

int sc_process_pid(void)
{
	int owner = atomic_load(&process->owner_pid);
	return owner != 0 ? owner : sc_sys_getpid();
}

void sc_process_set_fork_handler(void (*handler)(void))
{
	fork_handler = handler;
}

void sc_process_set_child_handler(void (*handler)(void))
{
	child_handler = handler;
}

/* A forked child's first act, before anything is born in it. */
static void grow_up(void)
{
	uint32_t new_child = 0;
	if (atomic_load_explicit(&process->first_age, memory_order_relaxed) != 0) {
		return;
	}
	uint32_t now = atomic_fetch_add(&age, 1) + 1;
	if (atomic_compare_exchange_strong(&process->first_age, &new_child, now)) {
		if (child_handler != NULL) {
			child_handler();
		}
		settle();
	}
}

bool sc_process_claim_memory(void)
{
	if (sc_process_in_vfork_child()) {
		return false;
	}
	grow_up();
	return !atomic_load_explicit(&process->is_memory_shared, memory_order_relaxed) ||
	       sc_process_is_own_memory();
}

void sc_process_record_shared_memory(void)
{
	if (sc_process_is_own_memory()) {
		atomic_store(&process->is_memory_shared, true);
		atomic_store(&process->is_settled, false);
	}
}

/* ---- ages ----------------------------------------------------------------------------------- */

uint32_t sc_process_get_age(void)
{
	return atomic_load_explicit(&age, memory_order_relaxed);
}

uint32_t sc_process_first_age(void)
{
	grow_up();
	return atomic_load(&process->first_age);
}

/* The age is raised before a fork, its table copied at some time before its end. */
static bool may_be_copied_yet(void)
{
	uint64_t unended_ns = atomic_load(&process->last_unended_fork_ns);
	return atomic_load(&process->forks_under_way) > 0 ||
	       (unended_ns != 0 && now_ns() - unended_ns < UNENDED_FORK_NS);
}

uint32_t sc_process_moment(void)
{
	if (!sc_process_claim_memory_quickly()) {
		return 0;
	}
	uint32_t now = atomic_load(&age);
	return may_be_copied_yet() ? now - 1 : now;
}

/* ---- ancestors ------------------------------------------------------------------------------ */

const struct sc_process_family *sc_process_get_family(void)
{
	return &family;
}

/* Once in each process. Two threads may both do it, so that each has before it forks. */
void sc_process_join_line(void)
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

bool sc_process_may_be_of_line(int pid)
{
	uint32_t count = atomic_load(&line_count);
	bool is_found = count > LINE_MAX;
	for (uint32_t i = 0; i < count && !is_found; i++) {
		is_found = atomic_load(&line[i]) == pid;
	}
	return is_found;
}

void sc_process_note_ending(void)
{
	atomic_store(&process->is_ending, true);
}

bool sc_process_is_ending(void)
{
	return atomic_load_explicit(&process->is_ending, memory_order_relaxed);
}

/* ---- forks ---------------------------------------------------------------------------------- */

bool sc_process_begin_taking(void)
{
	if (!sc_process_claim_memory()) {
		return false;
	}
	sc_process_thread.takings++;
	atomic_fetch_add(&process->takings_under_way, 1);
	if (atomic_load(&process->forks_under_way) == 0) {
		return true;
	}
	sc_process_end_taking();
	return false;
}

void sc_process_end_taking(void)
{
	sc_process_thread.takings--;
	if (atomic_load(&process->takings_under_way) > 0) { /* not so in a child of this moment */
		atomic_fetch_sub(&process->takings_under_way, 1);
	}
}

/* One takes some microseconds, and the time that its thread is without a processor. Bounded: a
 * signal handler may have left one by a jump; that one counts no more. Nobody waits for himself. */
static void await_takings(void)
{
	int waits = 0;
	while (sc_process_thread.takings == 0 && atomic_load(&process->takings_under_way) > 0 &&
		waits < TAKING_WAITS) {
		sc_sys_pause(waits < TAKING_SHORT_WAITS ? 0 : TAKING_WAIT_NS);
		waits++;
	}
	if (waits == TAKING_WAITS) {
		atomic_store(&process->takings_under_way, 0);
	}
}

void sc_process_record_fork(void)
{
	if (!is_unfollowed && sc_process_claim_memory()) {
		await_takings();
		uint64_t now = now_ns();
		atomic_store(&process->last_unended_fork_ns, now);
		atomic_store(&process->last_fork_ns, now);
		atomic_fetch_add(&age, 1);
	}
}

void sc_process_begin_fork(void)
{
	if (!is_unfollowed && sc_process_claim_memory()) {
		atomic_fetch_add(&process->forks_under_way, 1);
		await_takings();
		if (fork_handler != NULL) {
			fork_handler();
		}
		atomic_store(&process->last_fork_ns, now_ns());
		atomic_fetch_add(&age, 1);
	}
}

void sc_process_end_fork(int result)
{
	if (is_unfollowed || sc_process_in_vfork_child()) {
		return;
	}
	if (result == 0) {
		grow_up();
	} else if (sc_process_claim_memory()) {
		atomic_fetch_sub(&process->forks_under_way, 1);
	}
}

void sc_process_note_spawned(int pid)
{
	if (pid > 0 && !is_unfollowed && sc_process_claim_memory()) {
		uint32_t place = atomic_fetch_add(&process->spawned_count, 1) % SPAWNED_COUNT;
		atomic_store(&process->spawned[place], pid);
		atomic_store(&process->last_spawned_ns, now_ns());
	}
}

bool sc_process_spawned(int at, int *pid)
{
	uint64_t last_ns = atomic_load(&process->last_spawned_ns);
	*pid = at < SPAWNED_COUNT ? atomic_load(&process->spawned[at]) : 0;
	return *pid != 0 && now_ns() - last_ns < SPAWNED_NS;
}

void sc_process_look_for_children(void)
{
	if (atomic_load_explicit(&process->last_fork_ns, memory_order_relaxed) == 0 &&
		sc_process_is_own_memory() && has_children()) {
		atomic_store(&process->has_unseen_forks, true);
	}
}

bool sc_process_has_unseen_forks(void)
{
	return atomic_load_explicit(&process->has_unseen_forks, memory_order_relaxed);
}

bool sc_process_is_fork_under_way(void)
{
	return atomic_load(&process->forks_under_way) > 0;
}

bool sc_process_is_forking(void)
{
	return sc_process_is_fork_under_way() ||
	       now_ns() - atomic_load(&process->last_fork_ns) < FORK_MOMENT_NS;
}

bool sc_process_begin_vfork(void)
{
	if (sc_process_in_vfork_child()) {
		return false;
	}
	if (atomic_load(&process->owner_pid) == 0) {
		sc_process_is_own_memory();
	}
	sc_process_begin_fork();
	return true;
}

void sc_process_end_vfork(int pid)
{
	sc_process_thread.is_vfork_child = pid == 0;
	sc_process_thread.has_own_sockets = false;
	if (pid != 0) {
		sc_process_end_fork(pid);
	}
}

/* ---- tables of descriptors ------------------------------------------------------------------ */

void sc_process_record_table_split(void)
{
	if (sc_process_claim_memory()) {
		atomic_store(&process->is_table_split, true);
		atomic_fetch_add(&age, 1); /* earlier proofs are none any more */
	}
}

void sc_process_record_table_shared(void)
{
	atomic_store(&is_table_shared, true);
}

bool sc_process_is_table_shared(void)
{
	return atomic_load_explicit(&is_table_shared, memory_order_relaxed);
}

bool sc_process_is_table_split(void)
{
	return atomic_load(&process->is_table_split) || sc_process_is_table_shared();
}
