// SPDX-License-Identifier: MIT
#include "sort.h"
#include <stdint.h>
#include <string.h>

typedef uint64_t __attribute__((may_alias)) key;

static key key_of(const void *item)
{
	return *(const key *)item;
}

/* Shell's sort. */
void sc_sort(void *items, size_t count, size_t size)
{
	char *first = items;
	char *end = first + count * size;
	_Alignas(uint64_t) char moved[SC_SORT_SIZE_MAX];
	size_t gap = 1;
	while (gap < count / 3) {
		gap = gap * 3 + 1;
	}
	for (; gap > 0; gap /= 3) {
		size_t step = gap * size;
		for (char *item = first + step; item < end; item += size) {
			char *place = item;
			memcpy(moved, item, size);
			while ((size_t)(place - first) >= step &&
				key_of(place - step) > key_of(moved)) {
				memcpy(place, place - step, size);
				place -= step;
			}
			memcpy(place, moved, size);
		}
	}
}
