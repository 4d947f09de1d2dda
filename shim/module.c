// SPDX-License-Identifier: MIT
#include "module.h"
#include "lookup.h"
#include "maps.h"
#include <string.h>
#include <sys/auxv.h>

#ifdef DLFO_STRUCT_HAS_EH_DBASE
/* NULL: glibc before 2.35 and musl have none. */
static __typeof__(_dl_find_object) *find_object;
#endif

/* The main program's map has no name. */
static struct sc_mapped program;

const char *sc_module_name(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash != NULL ? slash + 1 : path;
}

void sc_module_init(void)
{
	/* Not /proc/self/exe: that is the dynamic linker where a program is run by its name. */
	sc_maps_find(getauxval(AT_PHDR), &program);
#ifdef DLFO_STRUCT_HAS_EH_DBASE
	*(void **)&find_object = dlsym(RTLD_DEFAULT, "_dl_find_object");
#endif
}

/* What its program headers say. The file's first byte is at base. */
static bool read_headers(struct sc_module *module, uint64_t base)
{
	struct sc_peek peek = {.size = 0};
	ElfW(Ehdr) header;
	ElfW(Phdr) segment;
	bool is_based = false;
	uint64_t unwind = 0;
	bool has_unwind = false;
	if (!sc_peek_read(&peek, base, &header, sizeof(header)) ||
		memcmp(header.e_ident, ELFMAG, SELFMAG) != 0) {
		return false;
	}
	for (unsigned i = 0; i < header.e_phnum; i++) {
		uint64_t at = base + header.e_phoff + i * (uint64_t)header.e_phentsize;
		if (!sc_peek_read(&peek, at, &segment, sizeof(segment))) {
			return false;
		}
		if (segment.p_type == PT_LOAD && !is_based) {
			module->bias = base - (segment.p_vaddr - segment.p_offset);
			is_based = true;
		} else if (segment.p_type == PT_GNU_EH_FRAME) {
			unwind = segment.p_vaddr;
			has_unwind = true;
		}
	}
	module->unwind = has_unwind ? module->bias + unwind : 0;
	return is_based;
}

static bool find_mapped(uint64_t address, struct sc_module *module)
{
	struct sc_mapped mapped;
	if (!sc_maps_find(address, &mapped) || !read_headers(module, mapped.base)) {
		return false;
	}
	memcpy(module->storage, mapped.path, sizeof(module->storage));
	module->path = module->storage;
	return true;
}

#ifdef DLFO_STRUCT_HAS_EH_DBASE
static bool has_linker(void)
{
	return find_object != NULL;
}

static bool ask_linker(uint64_t address, struct sc_module *module)
{
	struct dl_find_object object;
	if (find_object((void *)(uintptr_t)address, &object) != 0) {
		return false;
	}
	const struct link_map *map = object.dlfo_link_map;
	bool is_program = map->l_name == NULL || map->l_name[0] == '\0';
	const char *path = is_program ? program.path : map->l_name;
	module->path = path[0] != '\0' ? path : "program";
	module->bias = map->l_addr;
	module->unwind = (uint64_t)(uintptr_t)object.dlfo_eh_frame;
	module->dynamic = map->l_ld;
	return true;
}
#else
static bool has_linker(void)
{
	return false;
}

static bool ask_linker(uint64_t address, struct sc_module *module)
{
	(void)address;
	(void)module;
	return false;
}
#endif

bool sc_module_find(uint64_t address, struct sc_module *module)
{
	memset(module, 0, sizeof(*module));
	return has_linker() ? ask_linker(address, module) : find_mapped(address, module);
}

uint64_t sc_module_mark(uint64_t address)
{
	struct sc_module module;
	memset(&module, 0, sizeof(module));
	if (!has_linker() || !ask_linker(address, &module)) {
		return 0;
	}
	uint64_t mark = module.bias ^ (uint64_t)(uintptr_t)module.dynamic << 16;
	for (const char *at = sc_module_name(module.path); *at != '\0'; at++) {
		mark = (mark ^ (unsigned char)*at) * 0x100000001b3ULL;
	}
	return mark;
}
