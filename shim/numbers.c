// SPDX-License-Identifier: MIT
#include "numbers.h"
#include "sys.h"
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

enum { TABLE_MIN = 64, TABLE_UNKNOWN = INT32_MAX, ASKED_COUNT = 2 * SC_NUMBERS_MAX, BITS = 64 };

static _Atomic int end = TABLE_UNKNOWN;

/*
 * Has the table of descriptors room for count of them at most? select() looks at no number beyond the
 * table, and fails for one within it that is not open (max_select_fd(), fs/select.c). Were all of
 * those asked for open, it would overwrite the whole set.
 */
static bool is_table_within(int count)
{
	uint64_t set[ASKED_COUNT / BITS];
	for (int i = 0; i < ASKED_COUNT / BITS; i++) {
		set[i] = i < count / BITS ? 0 : UINT64_MAX;
	}
	struct timespec no_time = {0, 0};
	return SC_SYS6(SYS_pselect6, ASKED_COUNT, set, NULL, NULL, &no_time, NULL) == 0 &&
	       set[ASKED_COUNT / BITS - 1] == UINT64_MAX;
}

void sc_numbers_init(void)
{
	if (is_table_within(TABLE_MIN)) {
		atomic_store(&end, TABLE_MIN);
	} else if (is_table_within(
			   SC_NUMBERS_MAX)) { /* below a shell, which keeps 255 for itself */
		atomic_store(&end, SC_NUMBERS_MAX);
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
	return known <= SC_NUMBERS_MAX ? known : 0;
}
