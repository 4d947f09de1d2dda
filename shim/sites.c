// SPDX-License-Identifier: MIT
#include "sites.h"
#include "callsite.h"
#include "module.h"
#include "sys.h"
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>

enum { SITE_COUNT = 1024, SITE_BITS = 10, MODULE_SIZE = 96, SYMBOL_SIZE = 168, WAITS = 100 };

struct kept {
	_Atomic uint64_t key; /* of return address and module; 0: free */
	_Atomic bool is_filled;
	bool has_module;
	bool has_symbol;
	uint64_t address;
	uint64_t module_offset;
	uint64_t symbol_offset;
	char module[MODULE_SIZE];
	char symbol[SYMBOL_SIZE];
};

static struct kept kept[SITE_COUNT]; /* a page of it is used when a site falls there */

static bool keep_name(char *place, const char *name, size_t size)
{
	if (name != NULL) {
		strncpy(place, name, size - 1);
	}
	return name != NULL;
}

static void fill(struct kept *place, const void *return_address)
{
	struct sc_site site;
	char name[MODULE_SIZE];
	sc_callsite_find(return_address, &site, name, sizeof(name));
	place->has_module = keep_name(place->module, site.module, MODULE_SIZE);
	place->has_symbol = keep_name(place->symbol, site.symbol, SYMBOL_SIZE);
	place->address = site.address;
	place->module_offset = site.module_offset;
	place->symbol_offset = site.symbol_offset;
	atomic_store_explicit(&place->is_filled, true, memory_order_release);
}

static uint64_t find_key(const void *return_address)
{
	uint64_t address = (uint64_t)(uintptr_t)return_address;
	uint64_t key = (address ^ sc_module_mark(address - 1)) * 0x9e3779b97f4a7c15ULL;
	return key != 0 ? key : 1;
}

unsigned sc_sites_number(const void *return_address)
{
	if (return_address == NULL) {
		return 0;
	}
	uint64_t key = find_key(return_address);
	size_t first = key >> (64 - SITE_BITS);
	for (size_t i = 0; i < SITE_COUNT; i++) {
		size_t at = (first + i) % SITE_COUNT;
		uint64_t there = atomic_load(&kept[at].key);
		if (there == 0 && atomic_compare_exchange_strong(&kept[at].key, &there, key)) {
			fill(&kept[at], return_address);
			there = key;
		}
		if (there == key) {
			return (unsigned)at + 1;
		}
	}
	return 0;
}

/* Another thread may be at it. It may also be this one, below a signal handler: not for long. */
static bool await_filling(const struct kept *place)
{
	bool is_filled = atomic_load_explicit(&place->is_filled, memory_order_acquire);
	for (int i = 0; i < WAITS && !is_filled; i++) {
		sc_sys6(SYS_sched_yield, 0, 0, 0, 0, 0, 0);
		is_filled = atomic_load_explicit(&place->is_filled, memory_order_acquire);
	}
	return is_filled;
}

void sc_sites_get(unsigned number, struct sc_site *site)
{
	memset(site, 0, sizeof(*site));
	if (number == 0) {
		return;
	}
	const struct kept *place = &kept[number - 1];
	if (await_filling(place)) {
		site->address = place->address;
		site->module = place->has_module ? place->module : NULL;
		site->symbol = place->has_symbol ? place->symbol : NULL;
		site->module_offset = place->module_offset;
		site->symbol_offset = place->symbol_offset;
	}
}
