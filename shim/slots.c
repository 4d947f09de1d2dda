// SPDX-License-Identifier: MIT
#include "slots.h"
#include "memory.h"
#include <stdbool.h>
#include <stddef.h>

enum { FIRST_SLOTS = 64, NOTE_ALIGN = _Alignof(struct sc_note) };

void sc_slots_init(struct sc_slots *all, size_t note_size)
{
	*all = (struct sc_slots){.free_slot = SC_NO_SLOT,
		.oldest = SC_NO_SLOT,
		.newest = SC_NO_SLOT,
		.note_size = (note_size + NOTE_ALIGN - 1) / NOTE_ALIGN * NOTE_ALIGN};
}

struct sc_note *sc_slots_note(const struct sc_slots *all, uint32_t slot)
{
	return all->note_size > 0 ? (struct sc_note *)((char *)all->notes + slot * all->note_size)
				  : NULL;
}

/* The notes of that many slots. */
static bool grow_notes(struct sc_slots *all, uint32_t count)
{
	size_t size = count * all->note_size;
	if (size <= all->notes_bytes) {
		return true;
	}
	void *notes = all->notes == NULL ? sc_memory_map(size)
					 : sc_memory_grow(all->notes, all->notes_bytes, size);
	if (notes != NULL) {
		all->notes = notes;
		all->notes_bytes = size;
	}
	return notes != NULL;
}

static bool grow(struct sc_slots *all)
{
	uint32_t count = all->size == 0 ? FIRST_SLOTS : all->size * 2;
	size_t size = count * sizeof(struct sc_lingerer);
	if (!grow_notes(all, count)) {
		return false;
	}
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
	if (all->notes != NULL) {
		sc_memory_unmap(all->notes, all->notes_bytes);
	}
}
