// SPDX-License-Identifier: MIT
#include "stacks.h"
#include "config.h"
#include "module.h"
#include "sites.h"
#include "unwind.h"
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>

enum { STACK_COUNT = 1024, STACK_BITS = 10, LIBC_FRAMES_MAX = 16 };

struct kept {
	_Atomic uint64_t key; /* of the numbers; 0: free */
	_Atomic bool is_filled;
	uint8_t count;
	uint16_t sites[SC_STACK_MAX];
};

static struct kept kept[STACK_COUNT];

static uint64_t find_key(const uint16_t *sites, size_t count)
{
	uint64_t key = count;
	for (size_t i = 0; i < count; i++) {
		key = (key ^ sites[i]) * 0x9e3779b97f4a7c15ULL;
		key ^= key >> 32;
	}
	key *= 0x9e3779b97f4a7c15ULL;
	return key != 0 ? key : 1;
}

static uint16_t find_number(const uint16_t *sites, size_t count)
{
	uint64_t key = find_key(sites, count);
	size_t first = key >> (64 - STACK_BITS);
	for (size_t i = 0; i < STACK_COUNT; i++) {
		struct kept *place = &kept[(first + i) % STACK_COUNT];
		uint64_t there = atomic_load(&place->key);
		if (there == 0 && atomic_compare_exchange_strong(&place->key, &there, key)) {
			memcpy(place->sites, sites, count * sizeof(*sites));
			place->count = (uint8_t)count;
			atomic_store_explicit(&place->is_filled, true, memory_order_release);
			there = key;
		}
		if (there == key) {
			return (uint16_t)(place - kept + 1);
		}
	}
	return 0;
}

/* The frames of a close, as they are found. */
struct trace {
	size_t wanted;
	size_t count;
	uint16_t sites[SC_STACK_MAX];
	uint64_t libc;        /* at exit: where libc was loaded, while in its frames; else 0 */
	size_t libc_count;    /* how many those were */
	unsigned exit_caller; /* who called exit(), if that is libc itself */
};

static bool take_frame(void *context, uint64_t address)
{
	struct trace *trace = context;
	struct sc_module module;
	/* Code of a compiler at run time, or no code at all: only the closing call itself is sure. */
	bool is_known = trace->count == 0 || sc_module_find(address - 1, &module);
	unsigned number = is_known ? sc_sites_number((const void *)(uintptr_t)address) : 0;
	if (number != 0) {
		trace->sites[trace->count++] = (uint16_t)number;
	}
	return number != 0 && trace->count < trace->wanted;
}

static bool is_in_exit(unsigned number)
{
	struct sc_site site;
	sc_sites_get(number, &site);
	return site.symbol != NULL &&
	       (strcmp(site.symbol, "exit") == 0 || strcmp(site.symbol, "quick_exit") == 0);
}

/*
 * One of libc's handlers at exit is running: pass over libc's frames. What is left is the call of
 * exit(), of err(), or, where main has returned, the program's first one.
 */
static bool take_exit_frame(void *context, uint64_t address)
{
	struct trace *trace = context;
	struct sc_module module;
	if (trace->count > 0) {
		return take_frame(trace, address);
	}
	if (!sc_module_find(address - 1, &module) || trace->libc_count == LIBC_FRAMES_MAX) {
		return false;
	}
	if (trace->libc_count > 0 && module.bias != trace->libc) {
		return take_frame(trace, address);
	}
	trace->libc = module.bias;
	trace->libc_count++;
	unsigned number = sc_sites_number((const void *)(uintptr_t)address);
	if (is_in_exit(number)) {
		trace->exit_caller = 0;
	} else if (trace->exit_caller == 0) {
		trace->exit_caller = number;
	}
	return true;
}

struct sc_origin sc_stacks_find(const void *caller, size_t frames)
{
	struct sc_origin origin = {0, 0};
	struct trace trace = {.wanted = frames};
	if (frames > 1) {
		sc_unwind_from(
			caller, false, caller != NULL ? take_frame : take_exit_frame, &trace);
	} else if (frames == 1 && caller == NULL) {
		/* Our frames and libc's. */
		sc_unwind_from(NULL, true, take_exit_frame, &trace);
	}
	if (trace.count > 0) {
		origin.site = trace.sites[0];
		origin.stack = trace.count > 1 ? find_number(trace.sites, trace.count) : 0;
	} else if (frames > 0) {
		origin.site =
			(uint16_t)(caller != NULL ? sc_sites_number(caller) : trace.exit_caller);
	}
	return origin;
}

size_t sc_stacks_get(const struct sc_origin *origin, struct sc_site *sites)
{
	if (origin->site == 0) {
		return 0;
	}
	const struct kept *place = origin->stack > 0 ? &kept[origin->stack - 1] : NULL;
	bool is_whole =
		place != NULL && atomic_load_explicit(&place->is_filled, memory_order_acquire);
	const uint16_t *numbers = is_whole ? place->sites : &origin->site;
	size_t count = is_whole ? place->count : 1;
	for (size_t i = 0; i < count; i++) {
		sc_sites_complete(numbers[i]);
		sc_sites_get(numbers[i], &sites[i]);
	}
	return count;
}
