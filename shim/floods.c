// SPDX-License-Identifier: MIT
#include "floods.h"

enum { COUNT_BITS = 24, PROBES_MAX = 64 };

#define COUNT_MASK ((UINT64_C(1) << COUNT_BITS) - 1)

static uint64_t mix(uint64_t value)
{
	value ^= value >> 32;
	value *= 0x9e3779b97f4a7c15;
	return value ^ value >> 29;
}

static uint64_t mark_of(const struct sc_flood_kind *kind)
{
	uint64_t mark = mix((uint64_t)kind->site << 8 | (uint64_t)kind->outcome);
	mark = mix(mark ^ (uint64_t)(uintptr_t)kind->why);
	return mark != 0 ? mark : 1;
}

static struct sc_flood_place *find(struct sc_floods *all, const struct sc_flood_kind *kind)
{
	uint64_t mark = mark_of(kind);
	for (size_t i = 0; i < PROBES_MAX; i++) {
		struct sc_flood_place *place = &all->places[(mark + i) % SC_FLOODS_KINDS];
		uint64_t there = atomic_load(&place->mark);
		if (there == 0 && atomic_compare_exchange_strong(&place->mark, &there, mark)) {
			atomic_store(&place->why, kind->why);
			atomic_store(&place->site_and_outcome,
				(kind->site << 8 | (uint32_t)kind->outcome) + 1);
			there = mark;
		}
		if (there == mark) {
			return place;
		}
	}
	return NULL;
}

/* Another thread may have looked at the clock a moment later. */
static bool is_over(uint64_t window, uint64_t now_ms)
{
	uint64_t begin_ms = window >> COUNT_BITS;
	return now_ms >= begin_ms + SC_FLOODS_MS;
}

static uint32_t held_back(uint64_t window)
{
	uint64_t count = window & COUNT_MASK;
	return count > SC_FLOODS_LINES ? (uint32_t)(count - SC_FLOODS_LINES) : 0;
}

/* Of a window that is over, what is told is the whole second. */
static uint32_t length_ms(uint64_t window, uint64_t now_ms)
{
	uint64_t begin_ms = window >> COUNT_BITS;
	if (is_over(window, now_ms)) {
		return SC_FLOODS_MS;
	}
	return now_ms > begin_ms ? (uint32_t)(now_ms - begin_ms) : 0;
}

bool sc_floods_admit(struct sc_floods *all, const struct sc_flood_kind *kind, uint64_t now_ms,
	struct sc_flood_rest *rest)
{
	*rest = (struct sc_flood_rest){*kind, 0, SC_FLOODS_MS};
	struct sc_flood_place *place = find(all, kind);
	if (place == NULL) {
		return true;
	}
	uint64_t seen = atomic_load(&place->window);
	uint64_t wanted;
	do {
		bool is_new = (seen & COUNT_MASK) == 0 || is_over(seen, now_ms);
		bool is_full = (seen & COUNT_MASK) == COUNT_MASK;
		rest->count = is_new ? held_back(seen) : 0;
		wanted = is_new ? now_ms << COUNT_BITS | 1 : is_full ? seen : seen + 1;
	} while (!atomic_compare_exchange_weak(&place->window, &seen, wanted));
	if (held_back(wanted) == 0) {
		return true;
	}
	atomic_store(&all->has_rests, true);
	return false;
}

bool sc_floods_is_due(struct sc_floods *all, uint64_t now_ms)
{
	uint64_t due_ms = atomic_load(&all->next_look_ms);
	return atomic_load(&all->has_rests) && now_ms >= due_ms &&
	       atomic_compare_exchange_strong(&all->next_look_ms, &due_ms, now_ms + SC_FLOODS_MS);
}

/* What has been told is as if it had never been; the second that is not over yet goes on. */
static bool take(
	struct sc_flood_place *place, uint64_t now_ms, bool is_end, struct sc_flood_rest *rest)
{
	uint32_t site_and_outcome = atomic_load(&place->site_and_outcome);
	uint64_t seen = atomic_load(&place->window);
	while (site_and_outcome != 0 && held_back(seen) > 0 && (is_end || is_over(seen, now_ms))) {
		uint64_t without = seen - held_back(seen);
		if (atomic_compare_exchange_weak(&place->window, &seen, without)) {
			rest->kind.site = (site_and_outcome - 1) >> 8;
			rest->kind.outcome = (enum sc_outcome)((site_and_outcome - 1) & 0xff);
			rest->kind.why = atomic_load(&place->why);
			rest->count = held_back(seen);
			rest->ms = length_ms(seen, now_ms);
			return true;
		}
	}
	return false;
}

bool sc_floods_take(
	struct sc_floods *all, size_t *at, uint64_t now_ms, bool is_end, struct sc_flood_rest *rest)
{
	while (*at < SC_FLOODS_KINDS) {
		if (take(&all->places[(*at)++], now_ms, is_end, rest)) {
			return true;
		}
	}
	return false;
}
