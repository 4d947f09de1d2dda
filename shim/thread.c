// SPDX-License-Identifier: MIT
#include "thread.h"
#include "folder.h"
#include "memory.h"
#include "procfs.h"
#include "sanitizer.h"
#include "sys.h"
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#ifdef __i386__
#include <asm/ldt.h>
#endif

#ifndef CLOSE_RANGE_UNSHARE
#define CLOSE_RANGE_UNSHARE 2
#endif

#if defined(SC_THREAD_SANITIZER) || defined(SC_ADDRESS_SANITIZER)
#define USES_PTHREAD 1 /* sanitizers want to know of every thread */
#include <pthread.h>
#endif

enum {
	STACK_SIZE = 64 * 1024,
	STORAGE_SIZE = 4096, /* thread storage, at the top of the stack's mapping */
	KERNEL_SIGSET_SIZE = 8,
	THREAD_FLAGS = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD |
		       CLONE_SYSVSEM | CLONE_SETTLS | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID,
};

static void run(void (*body)(void))
{
	SC_SYS5(SYS_prctl, PR_SET_NAME, "safeclose", 0, 0, 0);
	body();
}

#ifdef USES_PTHREAD
static _Atomic int *running_tid;
static _Atomic bool has_begun;
static __thread bool is_here;

bool sc_thread_is_here(void)
{
	return is_here;
}

static void *run_pthread(void *body)
{
	is_here = true;
	atomic_store(&has_begun, true);
	run((void (*)(void))(uintptr_t)body);
	atomic_store(running_tid, 0);
	return NULL;
}

/*
 * Does not return before the thread has begun: until then it allocates, and a child that is forked
 * meanwhile would have AddressSanitizer's allocator locked for good (gcc 12, clang 14).
 */
static int start(void (*body)(void), _Atomic int *tid)
{
	pthread_attr_t attributes;
	pthread_t thread;
	running_tid = tid;
	atomic_store(tid, 1);
	atomic_store(&has_begun, false);
	pthread_attr_init(&attributes);
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	int error = pthread_create(&thread, &attributes, run_pthread, (void *)(uintptr_t)body);
	pthread_attr_destroy(&attributes);
	if (error != 0) {
		atomic_store(tid, 0);
		return -error;
	}
	while (!atomic_load(&has_begun)) {
		sc_sys_yield();
	}
	return 0;
}
#else
/* stubs.S: clone(2) whose child calls run(body) on the new stack, then ends its thread. */
long sc_stubs_clone_thread(unsigned long flags, void *stack_top, void *parent_tid, void *child_tid,
	void *storage, void (*run)(void (*)(void)), void (*body)(void));

static char *_Atomic stack; /* mapped once, used by one thread after another */

bool sc_thread_is_here(void)
{
	const char *here = __builtin_frame_address(0);
	const char *low = atomic_load_explicit(&stack, memory_order_relaxed);
	return low != NULL && here >= low && here < low + STACK_SIZE;
}

static char *get_stack(void)
{
	char *mapped = atomic_load(&stack);
	if (mapped == NULL) {
		mapped = sc_memory_map(STACK_SIZE);
		if (mapped != NULL) {
			/* The lowest page is the guard. */
			SC_SYS3(SYS_mprotect, mapped, 4096, 0);
			atomic_store(&stack, mapped);
		}
	}
	return mapped;
}

/*
 * The first word of x86's thread storage is its own address, by which it is found. The others are
 * libc's, the same for all threads: the way into the kernel (i386), and two guards, of which glibc
 * before 2.31 hides the addresses of the vDSO's functions with the second.
 */
static void fill_storage(uintptr_t *storage)
{
#if defined(__x86_64__) || defined(__i386__)
	enum { COMMON_FIRST = 4, COMMON_COUNT = 3 };
	const uintptr_t *here;
#ifdef __x86_64__
	__asm__("movq %%fs:0, %0" : "=r"(here));
#else
	__asm__("movl %%gs:0, %0" : "=r"(here));
#endif
	storage[0] = (uintptr_t)storage;
	memcpy(&storage[COMMON_FIRST], &here[COMMON_FIRST], COMMON_COUNT * sizeof(here[0]));
#else
	(void)storage;
#endif
}

/* What clone(2) is told of the storage: its place; on i386, which finds it by a segment, that one's
 * description, to be kept until the call is over. */
#ifdef __i386__
typedef struct user_desc storage_place;

static void *tell_storage(char *storage, storage_place *place)
{
	unsigned selector;
	__asm__("movl %%gs, %0" : "=r"(selector));
	*place = (storage_place){.entry_number = selector >> 3,
		.base_addr = (unsigned)storage,
		.limit = 0xfffff,
		.seg_32bit = 1,
		.limit_in_pages = 1,
		.useable = 1};
	return place;
}
#else
typedef char *storage_place;

static void *tell_storage(char *storage, storage_place *place)
{
	*place = storage;
	return *place;
}
#endif

static int start(void (*body)(void), _Atomic int *tid)
{
	char *low = get_stack();
	if (low == NULL) {
		return -ENOMEM;
	}
	char *storage = low + STACK_SIZE - STORAGE_SIZE / 2;
	memset(low + STACK_SIZE - STORAGE_SIZE, 0, STORAGE_SIZE);
	fill_storage((uintptr_t *)storage);
	storage_place place;
	long result = sc_stubs_clone_thread(THREAD_FLAGS, low + STACK_SIZE - STORAGE_SIZE, tid, tid,
		tell_storage(storage, &place), run, body);
	return result < 0 ? (int)result : 0;
}
#endif

int sc_thread_start(void (*body)(void), _Atomic int *tid)
{
	/* A new thread has its creator's mask. */
	uint64_t all = ~0ULL;
	uint64_t before = 0;
	int error = (int)SC_SYS4(SYS_rt_sigprocmask, SIG_BLOCK, &all, &before, KERNEL_SIGSET_SIZE);
	if (error != 0) {
		return error;
	}
	bool is_allowed =
		sc_sys_is_allowed(SYS_clone, THREAD_FLAGS) && sc_sys_is_allowed(SYS_exit, 0);
	error = is_allowed ? start(body, tid) : -EPERM;
	SC_SYS4(SYS_rt_sigprocmask, SIG_SETMASK, &before, NULL, KERNEL_SIGSET_SIZE);
	return error;
}

struct kept {
	int a;
	int b;
};

static bool close_unless_kept(void *context, int table, const char *name)
{
	const struct kept *kept = context;
	int fd;
	if (sc_procfs_number(name, &fd) && fd != kept->a && fd != kept->b && fd != table) {
		sc_sys_close(fd);
	}
	return true;
}

/* Before Linux 5.9: the whole table is copied, then closed one by one. */
static int leave_table_slowly(int keep_a, int keep_b)
{
	struct kept kept = {keep_a, keep_b};
	int error = (int)SC_SYS1(SYS_unshare, CLONE_FILES);
	if (error != 0) {
		return error;
	}
	int table = (int)SC_SYS4(SYS_openat, AT_FDCWD, "/proc/thread-self/fd",
		O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
	if (table < 0) {
		return table;
	}
	error = sc_folder_each(table, close_unless_kept, &kept);
	sc_sys_close(table);
	return error;
}

static void close_between(int low, int high)
{
	if (low <= high) {
		SC_SYS3(SYS_close_range, low, high, 0);
	}
}

int sc_thread_leave_table(int keep_a, int keep_b)
{
	int low = keep_a < keep_b ? keep_a : keep_b;
	int high = keep_a < keep_b ? keep_b : keep_a;
	/* Copies at most what lies below: the kernel leaves out what it is to close at the end. */
	int error = (int)SC_SYS3(SYS_close_range, high + 1, ~0U, CLOSE_RANGE_UNSHARE);
	if (error != 0) {
		return leave_table_slowly(keep_a, keep_b);
	}
	close_between(low < 0 ? 0 : low + 1, high - 1);
	close_between(0, low - 1);
	return 0;
}
