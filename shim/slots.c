// SPDX-License-Identifier: MIT
#include "slots.h"
#include "memory.h"
#include <stdbool.h>
#include <stddef.h>

enum { FIRST_SLOTS = 64 };

void sc_slots_init(struct sc_slots *all)
{
	*all = (struct sc_slots){
		.free_slot = SC_NO_SLOT, .oldest = SC_NO_SLOT, .newest = SC_NO_SLOT};
}

static bool grow(struct sc_slots *all)
{
	uint32_t count = all->size == 0 ? FIRST_SLOTS : all->size * 2;
	size_t size = count * sizeof(struct sc_lingerer);
	struct sc_lingerer *slots =
		all->size == 0 ? sc_memory_map(size)
			       : sc_memory_grow(all->slots, all->size * sizeof(*all->slots), size);
	if (slots == NULL) {
		return false;
	}
	all->slots = slots;
	all->size = count;
	return true;
}

/* Into the chain, as the newest. */
uint32_t sc_slots_take(struct sc_slots *all)
{
	uint32_t slot = all->free_slot;
	if (slot == SC_NO_SLOT && all->fresh == all->size && !grow(all)) {
		return SC_NO_SLOT;
	}
	if (slot == SC_NO_SLOT) {
		slot = all->fresh++;
	} else {
		all->free_slot = all->slots[slot].newer;
	}
	struct sc_lingerer *it = &all->slots[slot];
	it->newer = SC_NO_SLOT;
	it->older = all->newest;
	if (all->newest != SC_NO_SLOT) {
		all->slots[all->newest].newer = slot;
	} else {
		all->oldest = slot;
	}
	all->newest = slot;
	all->count++;
	return slot;
}

void sc_slots_free(struct sc_slots *all, uint32_t slot)
{
	struct sc_lingerer *it = &all->slots[slot];
	if (it->older != SC_NO_SLOT) {
		all->slots[it->older].newer = it->newer;
	} else {
		all->oldest = it->newer;
	}
	if (it->newer != SC_NO_SLOT) {
		all->slots[it->newer].older = it->older;
	} else {
		all->newest = it->older;
	}
	it->newer = all->free_slot;
	all->free_slot = slot;
	all->count--;
}

void sc_slots_end(struct sc_slots *all)
{
	if (all->slots != NULL) {
		sc_memory_unmap(all->slots, all->size * sizeof(*all->slots));
	}
}
