// SPDX-License-Identifier: MIT
#include "numbers.h"
#include "sys.h"
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

enum {
	TABLE_MIN = 64, /* the kernel's smallest; the next size that is asked for is the fourfold */
	TABLE_MAX = 16384,
	FEW = 1024,
	UNKNOWN = INT32_MAX,
	BITS = 64,
};

static _Atomic int end = UNKNOWN;
static int table_at_start;

/*
 * Has the table of descriptors room for count of them at most? select() looks at no number beyond the
 * table, and fails for one within it that is not open (max_select_fd(), fs/select.c). Were all of
 * those asked for open, it would overwrite their word.
 */
static bool is_table_within(int count)
{
	uint64_t set[TABLE_MAX / BITS + 1];
	int asked = count / BITS;
	for (int i = 0; i < asked; i++) {
		set[i] = 0;
	}
	set[asked] = UINT64_MAX;
	struct timespec no_time = {0, 0};
	return SC_SYS6(SYS_pselect6, count + BITS, set, NULL, NULL, &no_time, NULL) == 0 &&
	       set[asked] == UINT64_MAX;
}

void sc_numbers_init(void)
{
	for (int size = TABLE_MIN; size <= TABLE_MAX; size *= 4) {
		if (is_table_within(size)) {
			table_at_start = size;
			atomic_store(&end, size);
			return;
		}
	}
}

void sc_numbers_note(int fd)
{
	int known = atomic_load_explicit(&end, memory_order_relaxed);
	while (known <= fd && !atomic_compare_exchange_weak(&end, &known, fd + 1)) {
	}
}

int sc_numbers_end(void)
{
	int known = atomic_load(&end);
	return known != UNKNOWN ? known : 0;
}

int sc_numbers_unnoted_end(void)
{
	return table_at_start > FEW ? table_at_start : FEW;
}
