// SPDX-License-Identifier: MIT
#include "sites.h"
#include "callsite.h"
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>

enum { SITE_COUNT = 512, NAME_SIZE = 64 };

struct kept {
	_Atomic(const void *) return_address; /* NULL: free */
	_Atomic bool is_filled;
	bool has_module;
	bool has_symbol;
	uint64_t module_offset;
	uint64_t symbol_offset;
	char module[NAME_SIZE];
	char symbol[NAME_SIZE];
};

static struct kept kept[SITE_COUNT]; /* a page of it is used when a site falls there */

static bool keep_name(char *place, const char *name)
{
	if (name != NULL) {
		strncpy(place, name, NAME_SIZE - 1);
	}
	return name != NULL;
}

static void fill(struct kept *place, const void *return_address)
{
	struct sc_site site;
	char name[NAME_SIZE];
	sc_callsite_find(return_address, &site, name, sizeof(name));
	place->has_module = keep_name(place->module, site.module);
	place->has_symbol = keep_name(place->symbol, site.symbol);
	place->module_offset = site.module_offset;
	place->symbol_offset = site.symbol_offset;
	atomic_store_explicit(&place->is_filled, true, memory_order_release);
}

unsigned sc_sites_number(const void *return_address)
{
	if (return_address == NULL) {
		return 0;
	}
	size_t first = (uintptr_t)return_address * 0x9e3779b97f4a7c15ULL >> 55;
	for (size_t i = 0; i < SITE_COUNT; i++) {
		size_t at = (first + i) % SITE_COUNT;
		const void *there = atomic_load(&kept[at].return_address);
		if (there == NULL && atomic_compare_exchange_strong(
					     &kept[at].return_address, &there, return_address)) {
			fill(&kept[at], return_address);
			there = return_address;
		}
		if (there == return_address) {
			return (unsigned)at + 1;
		}
	}
	return 0;
}

void sc_sites_get(unsigned number, struct sc_site *site)
{
	memset(site, 0, sizeof(*site));
	if (number == 0) {
		return;
	}
	const struct kept *place = &kept[number - 1];
	site->address = (uint64_t)(uintptr_t)atomic_load(&place->return_address) - 1;
	if (atomic_load_explicit(&place->is_filled, memory_order_acquire)) {
		site->module = place->has_module ? place->module : NULL;
		site->symbol = place->has_symbol ? place->symbol : NULL;
		site->module_offset = place->module_offset;
		site->symbol_offset = place->symbol_offset;
	}
}
