// SPDX-License-Identifier: MIT
#include "callsite.h"
#include "line.h"
#include "lookup.h"
#include "maps.h"
#include "sys.h"
#include <fcntl.h>
#include <limits.h>
#include <link.h>
#include <string.h>

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash != NULL ? slash + 1 : path;
}

/* A program that is linked to fixed addresses is told by those. */
static bool has_fixed_addresses(uint64_t base)
{
	const ElfW(Ehdr) *header = (const ElfW(Ehdr) *)(uintptr_t)base;
	return memcmp(header->e_ident, ELFMAG, SELFMAG) == 0 && header->e_type == ET_EXEC;
}

static void find_mapped(struct sc_site *site, char *name, size_t size)
{
	struct sc_mapped mapped;
	if (sc_maps_find(site->address, &mapped)) {
		struct sc_line line = {name, size - 1, 0};
		sc_line_add(&line, base_name(mapped.path));
		name[line.length] = '\0';
		site->module = name;
		site->module_offset =
			site->address - (has_fixed_addresses(mapped.base) ? 0 : mapped.base);
	}
}

#ifdef DLFO_STRUCT_HAS_EH_DBASE
/* NULL: glibc before 2.35 and musl have none. */
static __typeof__(_dl_find_object) *find_object;

/* The main program's map has no name. */
static char program_path[PATH_MAX];

void sc_callsite_init(void)
{
	SC_SYS4(SYS_readlinkat, AT_FDCWD, "/proc/self/exe", program_path, sizeof(program_path) - 1);
	*(void **)&find_object = dlsym(RTLD_DEFAULT, "_dl_find_object");
}

static const char *program_name(void)
{
	return program_path[0] != '\0' ? base_name(program_path) : "program";
}

struct symbols {
	const ElfW(Sym) * table;
	const char *names;
	const uint32_t *gnu_hash;
};

static bool find_symbols(const struct link_map *map, struct symbols *symbols)
{
	memset(symbols, 0, sizeof(*symbols));
	for (const ElfW(Dyn) *dyn = map->l_ld; dyn != NULL && dyn->d_tag != DT_NULL; dyn++) {
		/* Where the section is not writable (the vDSO), the linker leaves offsets. */
		const void *at =
			(const void *)(dyn->d_un.d_ptr < map->l_addr ? map->l_addr + dyn->d_un.d_ptr
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

static void find_symbol(const struct link_map *map, struct sc_site *site)
{
	struct symbols symbols;
	if (!find_symbols(map, &symbols)) {
		return;
	}
	uint32_t count = count_symbols(symbols.gnu_hash);
	for (uint32_t i = 0; i < count; i++) {
		const ElfW(Sym) *symbol = &symbols.table[i];
		uint64_t start = map->l_addr + symbol->st_value;
		if (ELF64_ST_TYPE(symbol->st_info) == STT_FUNC && symbol->st_shndx != SHN_UNDEF &&
			site->address >= start && site->address - start < symbol->st_size) {
			site->symbol = symbols.names + symbol->st_name;
			site->symbol_offset = site->address - start;
			return;
		}
	}
}

static void find_module(struct sc_site *site, char *name, size_t size)
{
	struct dl_find_object object;
	if (find_object == NULL) {
		find_mapped(site, name, size);
		return;
	}
	if (find_object((void *)(uintptr_t)site->address, &object) != 0) {
		return;
	}
	const struct link_map *map = object.dlfo_link_map;
	bool is_program = map->l_name == NULL || map->l_name[0] == '\0';
	site->module = is_program ? program_name() : base_name(map->l_name);
	site->module_offset = site->address - map->l_addr;
	find_symbol(map, site);
}
#else
void sc_callsite_init(void)
{
}

static void find_module(struct sc_site *site, char *name, size_t size)
{
	find_mapped(site, name, size);
}
#endif

void sc_callsite_find(const void *return_address, struct sc_site *site, char *name, size_t size)
{
	memset(site, 0, sizeof(*site));
	if (return_address != NULL) {
		site->address = (uint64_t)(uintptr_t)return_address - 1;
		find_module(site, name, size);
	}
}
