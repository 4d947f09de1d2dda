// SPDX-License-Identifier: MIT
#include "fdlist.h"
#include "births.h"
#include "inspect.h"
#include "memory.h"
#include "sort.h"
#include <stdint.h>

enum { LIST_BYTES = 4096 };

bool sc_fdlist_append(struct sc_fdlist *list, int fd)
{
	if (list->count == list->size) {
		size_t old_bytes = list->size * sizeof(*list->fds);
		size_t bytes = old_bytes == 0 ? LIST_BYTES : old_bytes * 2;
		int *fds = old_bytes == 0 ? sc_memory_map(bytes)
					  : sc_memory_grow(list->fds, old_bytes, bytes);
		if (fds == NULL) {
			return false;
		}
		list->fds = fds;
		list->size = bytes / sizeof(*fds);
	}
	list->fds[list->count++] = fd;
	return true;
}

void sc_fdlist_forget(struct sc_fdlist *list)
{
	if (list->fds != NULL) {
		sc_memory_unmap(list->fds, list->size * sizeof(*list->fds));
	}
}

/* A place in a list, of a connection that another in it may be too. */
struct place {
	uint64_t inode;
	size_t at;
};
_Static_assert(sizeof(struct place) <= SC_SORT_SIZE_MAX, "sc_sort()");

static size_t find_places(const struct sc_fdlist *list, struct place *places)
{
	size_t count = 0;
	for (size_t i = 0; i < list->count; i++) {
		int fd = list->fds[i];
		uint64_t inode =
			fd < 0 || sc_births_of(fd) == SC_BIRTH_SOLE ? 0 : sc_inspect_inode(fd);
		if (inode != 0) {
			places[count++] = (struct place){inode, i};
		}
	}
	return count;
}

void sc_fdlist_mark_twins(struct sc_fdlist *list)
{
	size_t bytes = list->count * sizeof(struct place);
	struct place *places = list->count > 1 ? sc_memory_map(bytes) : NULL;
	if (places == NULL) {
		return;
	}
	size_t count = find_places(list, places);
	sc_sort(places, count, sizeof(*places));
	for (size_t i = 1; i < count; i++) {
		struct place *one = &places[i - 1];
		struct place *other = &places[i];
		if (one->inode == other->inode) {
			size_t later = one->at > other->at ? one->at : other->at;
			list->fds[one->at + other->at - later] |= SC_FDLIST_TWIN;
			other->at = later;
		}
	}
	sc_memory_unmap(places, bytes);
}
