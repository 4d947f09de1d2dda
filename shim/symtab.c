// SPDX-License-Identifier: MIT
#include "symtab.h"
#include "buffers.h"
#include "ownfds.h"
#include "peek.h"
#include "procfs.h"
#include "sys.h"
#include <fcntl.h>
#include <link.h>
#include <string.h>

enum {
	TABLE_BYTES_MAX = 16 << 20,
	HEAD_BYTES = 1024, /* headers and, as linkers lay it, the build id */
	CODE_BYTES = 512,
	FEW = 8, /* symbols at once where no buffer is free */
};

struct search {
	int fd;
	uint64_t address; /* as the file counts */
	uint64_t bias;
	uint64_t code_shift; /* from such an address to its place in the file */
	uint64_t start;      /* of the function */
	uint64_t name;       /* its place in the file, and what there is from there on */
	uint64_t name_room;
	struct sc_peek memory;
};

static bool read_at(const struct search *it, uint64_t at, void *to, size_t size)
{
	/* Fails for what is no file (a pipe, a terminal). i386 takes the offset in two halves. */
	return SC_SYS5(SYS_pread64, it->fd, to, size, at, 0) == (long)size;
}

/* Does the file have at place what is in memory for that address? */
static bool is_in_memory(struct search *it, uint64_t place, uint64_t address, size_t size)
{
	unsigned char of_file[64];
	unsigned char of_memory[64];
	for (size_t done = 0, part; done < size; done += part) {
		part = size - done < sizeof(of_file) ? size - done : sizeof(of_file);
		if (!read_at(it, place + done, of_file, part) ||
			!sc_peek_read(&it->memory, it->bias + address + done, of_memory, part) ||
			memcmp(of_file, of_memory, part) != 0) {
			return false;
		}
	}
	return true;
}

/* The segment that the file begins with is compared, the one of the code is found. */
static bool check_segments(struct search *it, const ElfW(Ehdr) * header)
{
	ElfW(Phdr) segment;
	bool is_compared = false;
	bool is_found = false;
	for (unsigned i = 0; i < header->e_phnum; i++) {
		if (!read_at(
			    it, header->e_phoff + i * sizeof(segment), &segment, sizeof(segment))) {
			return false;
		}
		if (segment.p_type != PT_LOAD) {
			continue;
		}
		if (it->address - segment.p_vaddr < segment.p_filesz) {
			it->code_shift = segment.p_offset - segment.p_vaddr;
			is_found = true;
		}
		if (segment.p_offset == 0) {
			size_t size = segment.p_filesz < HEAD_BYTES ? segment.p_filesz : HEAD_BYTES;
			if (size < sizeof(*header) || !is_in_memory(it, 0, segment.p_vaddr, size)) {
				return false;
			}
			is_compared = true;
		}
	}
	return is_compared && is_found;
}

static bool find_symbol(
	struct search *it, const ElfW(Shdr) * table, ElfW(Sym) * buffer, size_t room)
{
	size_t count = table->sh_size / sizeof(*buffer);
	for (size_t done = 0; done < count; done += room) {
		size_t part = count - done < room ? count - done : room;
		if (!read_at(it, table->sh_offset + done * sizeof(*buffer), buffer,
			    part * sizeof(*buffer))) {
			return false;
		}
		for (ElfW(Sym) *symbol = buffer; symbol < buffer + part; symbol++) {
			if (ELF64_ST_TYPE(symbol->st_info) == STT_FUNC &&
				it->address - symbol->st_value < symbol->st_size) {
				it->start = symbol->st_value;
				it->name = symbol->st_name;
				return true;
			}
		}
	}
	return false;
}

static bool find_symbol_in_pieces(struct search *it, const ElfW(Shdr) * table)
{
	ElfW(Sym) few[FEW];
	char *buffer = sc_buffers_take(sc_sys_getpid());
	bool is_found = find_symbol(it, table, buffer != NULL ? (void *)buffer : few,
		buffer != NULL ? SC_REPORT_LINE_MAX / sizeof(few[0]) : FEW);
	sc_buffers_give_back(buffer);
	return is_found;
}

static bool read_section(
	const struct search *it, const ElfW(Ehdr) * header, unsigned number, ElfW(Shdr) * section)
{
	return number < header->e_shnum &&
	       read_at(it, header->e_shoff + number * sizeof(*section), section, sizeof(*section));
}

static bool search_table(struct search *it, const ElfW(Ehdr) * header)
{
	ElfW(Shdr) table;
	ElfW(Shdr) names;
	unsigned number = 0;
	do {
		if (!read_section(it, header, number++, &table)) {
			return false;
		}
	} while (table.sh_type != SHT_SYMTAB);
	if (table.sh_size > TABLE_BYTES_MAX || !read_section(it, header, table.sh_link, &names) ||
		!find_symbol_in_pieces(it, &table) || it->name >= names.sh_size) {
		return false;
	}
	it->name_room = names.sh_size - it->name;
	it->name += names.sh_offset;
	return true;
}

/* Two builds may be alike but for the order of two functions: look at the code, too. */
static bool is_right_code(struct search *it)
{
	uint64_t size = it->address - it->start + 1;
	size = size < CODE_BYTES ? size : CODE_BYTES;
	uint64_t first = it->address + 1 - size;
	return is_in_memory(it, first + it->code_shift, first, size);
}

static bool read_name(const struct search *it, char *name, size_t size)
{
	size = size - 1 < it->name_room ? size - 1 : it->name_room;
	name[size] = '\0';
	return read_at(it, it->name, name, size) && name[0] != '\0';
}

static bool search(struct search *it, const char *path, char *name, size_t size)
{
	it->fd = sc_procfs_open_with(AT_FDCWD, path, SC_OWNFDS_FILE_FLAGS | O_NOCTTY);
	ElfW(Ehdr) header;
	bool is_found = read_at(it, 0, &header, sizeof(header)) && check_segments(it, &header) &&
			search_table(it, &header) && is_right_code(it) && read_name(it, name, size);
	sc_ownfds_release(it->fd);
	return is_found;
}

bool sc_symtab_find(
	const char *path, const struct sc_site *site, char *name, size_t size, uint64_t *offset)
{
	const char *const paths[] = {path, "/proc/self/exe"};
	for (int i = 0; i < 2; i++) {
		struct search it;
		memset(&it, 0, sizeof(it));
		it.address = site->module_offset - 1;
		it.bias = site->address - site->module_offset;
		if (search(&it, paths[i], name, size)) {
			*offset = site->module_offset - it.start;
			return true;
		}
	}
	return false;
}
