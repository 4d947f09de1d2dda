// SPDX-License-Identifier: MIT
#include "sites.h"
#include "callsite.h"
#include "module.h"
#include "process.h"
#include "symtab.h"
#include "sys.h"
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>

enum {
	SITE_COUNT = 1024,
	SITE_BITS = 10,
	PATH_SIZE = 256,
	SYMBOL_SIZE = 168,
	WAITS = 100,
	WAITS_FOR_FILE = 1000,
	EMPTY = 0, /* states; a process: it reads the module's file */
	FILLED = -1,
	COMPLETE = -2,
};

struct kept {
	_Atomic uint64_t key; /* of return address and module; 0: free */
	_Atomic int state;
	_Atomic bool has_symbol;
	uint64_t address;
	const char *module; /* in path, or NULL */
	uint64_t module_offset;
	uint64_t symbol_offset;
	char path[PATH_SIZE];
	char symbol[SYMBOL_SIZE];
};

static struct kept kept[SITE_COUNT]; /* a page of it is used when a site falls there */

static void fill(struct kept *place, const void *return_address)
{
	struct sc_site site;
	sc_callsite_find(return_address, &site, place->path, sizeof(place->path));
	if (site.symbol != NULL) {
		strncpy(place->symbol, site.symbol, SYMBOL_SIZE - 1);
		atomic_store(&place->has_symbol, true);
	}
	place->address = site.address;
	place->module = site.module;
	place->module_offset = site.module_offset;
	place->symbol_offset = site.symbol_offset;
	atomic_store_explicit(&place->state, FILLED, memory_order_release);
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

/* While another thread is at it. It may also be this one, below a signal handler: not for long. */
static int await_end_of(const struct kept *place, int state, int waits)
{
	int now = atomic_load_explicit(&place->state, memory_order_acquire);
	for (int i = 0; i < waits && now == state; i++) {
		sc_sys_yield();
		now = atomic_load_explicit(&place->state, memory_order_acquire);
	}
	return now;
}

void sc_sites_complete(unsigned number)
{
	struct sc_site site;
	sc_sites_get(number, &site);
	if (site.module == NULL || site.symbol != NULL || !sc_process_is_own_memory()) {
		return;
	}
	struct kept *place = &kept[number - 1];
	int pid = sc_process_pid();
	int state = await_end_of(place, pid, WAITS_FOR_FILE);
	/* What the parent was at when this process was forked, this one begins again. */
	if (state != pid && state != COMPLETE &&
		atomic_compare_exchange_strong(&place->state, &state, pid)) {
		if (sc_symtab_find(place->path, &site, place->symbol, SYMBOL_SIZE,
			    &place->symbol_offset)) {
			atomic_store(&place->has_symbol, true);
		}
		atomic_store(&place->state, COMPLETE);
	}
}

void sc_sites_get(unsigned number, struct sc_site *site)
{
	memset(site, 0, sizeof(*site));
	if (number == 0) {
		return;
	}
	const struct kept *place = &kept[number - 1];
	if (await_end_of(place, EMPTY, WAITS) != EMPTY) {
		site->address = place->address;
		site->module = place->module;
		site->module_offset = place->module_offset;
		if (atomic_load(&place->has_symbol)) {
			site->symbol = place->symbol;
			site->symbol_offset = place->symbol_offset;
		}
	}
}
