// SPDX-License-Identifier: MIT
#include "callsite.h"
#include "module.h"
#include <link.h>
#include <string.h>

struct symbols {
	const ElfW(Sym) * table;
	const char *names;
	const uint32_t *gnu_hash;
};

static bool find_symbols(const struct sc_module *module, struct symbols *symbols)
{
	memset(symbols, 0, sizeof(*symbols));
	for (const ElfW(Dyn) *dyn = module->dynamic; dyn != NULL && dyn->d_tag != DT_NULL; dyn++) {
		/* Where the section is not writable (the vDSO), the linker leaves offsets. */
		const void *at = (const void *)(uintptr_t)(dyn->d_un.d_ptr < module->bias
								   ? module->bias + dyn->d_un.d_ptr
								   : dyn->d_un.d_ptr);
		if (dyn->d_tag == DT_SYMTAB) {
			symbols->table = at;
		} else if (dyn->d_tag == DT_STRTAB) {
			symbols->names = at;
		} else if (dyn->d_tag == DT_GNU_HASH) {
			symbols->gnu_hash = at;
		}
	}
	return symbols->table != NULL && symbols->names != NULL && symbols->gnu_hash != NULL;
}

/* Symbols in the table: one past the end of the last hash chain (the table itself has no size). */
static uint32_t count_symbols(const uint32_t *gnu_hash)
{
	uint32_t bucket_count = gnu_hash[0];
	uint32_t first_hashed = gnu_hash[1];
	uint32_t bloom_size = gnu_hash[2];
	const uint32_t *buckets = gnu_hash + 4 + bloom_size * (sizeof(ElfW(Addr)) / 4);
	const uint32_t *chains = buckets + bucket_count;
	uint32_t last = 0;
	for (uint32_t i = 0; i < bucket_count; i++) {
		last = buckets[i] > last ? buckets[i] : last;
	}
	if (last < first_hashed) {
		return first_hashed;
	}
	while (!(chains[last - first_hashed] & 1)) {
		last++;
	}
	return last + 1;
}

static void find_symbol(const struct sc_module *module, struct sc_site *site)
{
	struct symbols symbols;
	if (!find_symbols(module, &symbols)) {
		return;
	}
	uint32_t count = count_symbols(symbols.gnu_hash);
	uint64_t inside = site->address - 1;
	for (uint32_t i = 0; i < count; i++) {
		const ElfW(Sym) *symbol = &symbols.table[i];
		uint64_t start = module->bias + symbol->st_value;
		if (ELF64_ST_TYPE(symbol->st_info) == STT_FUNC && symbol->st_shndx != SHN_UNDEF &&
			inside >= start && inside - start < symbol->st_size) {
			site->symbol = symbols.names + symbol->st_name;
			site->symbol_offset = site->address - start;
			return;
		}
	}
}

void sc_callsite_find(const void *return_address, struct sc_site *site, char *path, size_t size)
{
	struct sc_module module;
	memset(site, 0, sizeof(*site));
	if (return_address == NULL) {
		return;
	}
	site->address = (uint64_t)(uintptr_t)return_address;
	/* Behind a call that never returns, another function may begin, or nothing be. */
	if (sc_module_find(site->address - 1, &module)) {
		size_t length = strlen(module.path) + 1;
		size_t cut = length > size ? length - size : 0;
		memcpy(path, module.path + cut, length - cut);
		site->module = sc_module_name(path);
		site->module_offset = site->address - module.bias;
		find_symbol(&module, site);
	}
}
