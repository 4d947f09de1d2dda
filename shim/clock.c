// SPDX-License-Identifier: MIT
#include "clock.h"
#include "lookup.h"
#include "real.h"
#include "sys.h"
#include <stdatomic.h>
#include <stddef.h>

typedef int clock_fn(clockid_t clock, struct timespec *now);

static clock_fn *_Atomic ask_libc;

void sc_clock_init(void)
{
	void *libc = sc_real.dlopen != NULL ? sc_real.dlopen("libc.so.6", RTLD_LAZY | RTLD_NOLOAD)
					    : NULL;
	if (libc != NULL) {
		clock_fn *found;
		*(void **)&found = dlsym(libc, "clock_gettime");
		atomic_store(&ask_libc, found);
	}
}

uint64_t sc_clock_ns(clockid_t clock)
{
	struct timespec now = {0, 0};
	clock_fn *ask = atomic_load_explicit(&ask_libc, memory_order_relaxed);
	if (ask == NULL || ask(clock, &now) != 0) {
		SC_SYS2(SYS_clock_gettime, clock, &now);
	}
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}
