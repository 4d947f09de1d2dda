// SPDX-License-Identifier: MIT
#include "elf.h"
#include <elf.h>
#include <endian.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { GO_NOTE_TYPE = 4, GO_INFO_SEARCHED = 64 << 10, GO_INFO_ALIGNMENT = 16 };

struct segment {
	uint32_t type;
	uint32_t flags;
	uint64_t offset;
	uint64_t address;
	uint64_t bytes; /* in the file */
};

struct section {
	uint32_t type;
	uint64_t offset;
	uint64_t bytes;
};

/* A file that is being read. */
struct reader {
	int fd;
	uint64_t file_bytes;
	struct cli_elf *elf;
	struct segment *segments;
	size_t segment_count;
	uint64_t section_offset;
	uint16_t section_size;
	uint16_t section_count;
};

/* What the dynamic section names, as addresses. */
struct dynamic {
	uint64_t strings;
	uint64_t string_bytes;
	uint64_t symbols;
	uint64_t hash;
	uint64_t flags_1;
};

static bool is_64(const struct reader *reader)
{
	return reader->elf->file_class == ELFCLASS64;
}

/* Bytes of the file into place, all of them. */
static bool read_at(const struct reader *reader, uint64_t offset, void *place, size_t bytes)
{
	if (offset > reader->file_bytes || bytes > reader->file_bytes - offset) {
		return false;
	}
	for (size_t done = 0; done < bytes;) {
		ssize_t got = pread(
			reader->fd, (char *)place + done, bytes - done, (off_t)(offset + done));
		if (got <= 0) {
			return false;
		}
		done += (size_t)got;
	}
	return true;
}

/* The same into new memory, with a zero behind. NULL: not there, too much, or no memory. */
static unsigned char *read_part(const struct reader *reader, uint64_t offset, uint64_t bytes)
{
	if (bytes > CLI_ELF_PART_MAX || offset > reader->file_bytes ||
		bytes > reader->file_bytes - offset) {
		return NULL;
	}
	unsigned char *part = malloc((size_t)bytes + 1);
	if (part != NULL && !read_at(reader, offset, part, (size_t)bytes)) {
		free(part);
		part = NULL;
	}
	if (part != NULL) {
		part[bytes] = 0;
	}
	return part;
}

/* A number of 1, 2, 4 or 8 bytes in the file's own byte order. */
static uint64_t number(const struct reader *reader, const unsigned char *bytes, size_t size)
{
	uint64_t value = 0;
	for (size_t i = 0; i < size; i++) {
		value = value << 8 | bytes[reader->elf->is_big_endian ? i : size - 1 - i];
	}
	return value;
}

/* A field of a structure that the two classes lay out differently. */
#define FIELD(reader, bytes, kind, name)                                        \
	(is_64(reader) ? number(reader, (bytes) + offsetof(Elf64_##kind, name), \
				 sizeof(((Elf64_##kind *)0)->name))             \
		       : number(reader, (bytes) + offsetof(Elf32_##kind, name), \
				 sizeof(((Elf32_##kind *)0)->name)))
#define SIZE(reader, kind) (is_64(reader) ? sizeof(Elf64_##kind) : sizeof(Elf32_##kind))

static const char *read_segments(struct reader *reader, const unsigned char *header)
{
	uint64_t offset = FIELD(reader, header, Ehdr, e_phoff);
	size_t count = FIELD(reader, header, Ehdr, e_phnum);
	size_t size = FIELD(reader, header, Ehdr, e_phentsize);
	if (count == 0) {
		return NULL;
	}
	if (size != SIZE(reader, Phdr)) {
		return "its program headers are of a wrong size";
	}
	unsigned char *part = read_part(reader, offset, count * size);
	reader->segments = calloc(count, sizeof(*reader->segments));
	if (part == NULL || reader->segments == NULL) {
		free(part);
		return "its program headers are cut off";
	}
	for (size_t i = 0; i < count; i++) {
		const unsigned char *entry = part + i * size;
		reader->segments[i] = (struct segment){
			.type = (uint32_t)FIELD(reader, entry, Phdr, p_type),
			.flags = (uint32_t)FIELD(reader, entry, Phdr, p_flags),
			.offset = FIELD(reader, entry, Phdr, p_offset),
			.address = FIELD(reader, entry, Phdr, p_vaddr),
			.bytes = FIELD(reader, entry, Phdr, p_filesz),
		};
	}
	reader->segment_count = count;
	free(part);
	return NULL;
}

static const char *read_header(struct reader *reader)
{
	unsigned char header[sizeof(Elf64_Ehdr)] = {0};
	struct cli_elf *elf = reader->elf;
	if (!read_at(reader, 0, header, sizeof(Elf32_Ehdr)) ||
		memcmp(header, ELFMAG, SELFMAG) != 0) {
		return "not an ELF file";
	}
	elf->file_class = header[EI_CLASS];
	elf->is_big_endian = header[EI_DATA] == ELFDATA2MSB;
	if ((elf->file_class != ELFCLASS32 && elf->file_class != ELFCLASS64) ||
		(header[EI_DATA] != ELFDATA2LSB && header[EI_DATA] != ELFDATA2MSB)) {
		return "an ELF file of an unknown class or byte order";
	}
	if (!read_at(reader, 0, header, SIZE(reader, Ehdr))) {
		return "its header is cut off";
	}
	elf->type = (uint16_t)FIELD(reader, header, Ehdr, e_type);
	elf->machine = (uint16_t)FIELD(reader, header, Ehdr, e_machine);
	reader->section_offset = FIELD(reader, header, Ehdr, e_shoff);
	reader->section_size = (uint16_t)FIELD(reader, header, Ehdr, e_shentsize);
	reader->section_count = (uint16_t)FIELD(reader, header, Ehdr, e_shnum);
	return read_segments(reader, header);
}

static const struct segment *find_segment(const struct reader *reader, uint32_t type)
{
	for (size_t i = 0; i < reader->segment_count; i++) {
		if (reader->segments[i].type == type) {
			return &reader->segments[i];
		}
	}
	return NULL;
}

static const char *read_interpreter(struct reader *reader)
{
	const struct segment *segment = find_segment(reader, PT_INTERP);
	struct cli_elf *elf = reader->elf;
	if (segment == NULL) {
		return NULL;
	}
	elf->has_interpreter = true;
	if (segment->bytes >= sizeof(elf->interpreter) ||
		!read_at(reader, segment->offset, elf->interpreter, (size_t)segment->bytes)) {
		elf->interpreter[0] = '\0';
		return "the name of its loader is cut off or too long";
	}
	elf->interpreter[segment->bytes] = '\0';
	return NULL;
}

/* ---- Go ------------------------------------------------------------------------------------ */

/* A note's name and content are each padded to 4 bytes. */
static bool has_go_note(const struct reader *reader, const unsigned char *notes, size_t bytes)
{
	size_t at = 0;
	while (bytes - at >= sizeof(Elf32_Nhdr)) {
		uint64_t name_bytes = number(reader, notes + at, 4);
		uint64_t content_bytes = number(reader, notes + at + 4, 4);
		uint64_t type = number(reader, notes + at + 8, 4);
		uint64_t name_room = (name_bytes + 3) & ~UINT64_C(3);
		uint64_t room = name_room + ((content_bytes + 3) & ~UINT64_C(3));
		at += sizeof(Elf32_Nhdr);
		if (room > bytes - at) {
			return false;
		}
		if (type == GO_NOTE_TYPE && name_bytes == 4 &&
			memcmp(notes + at, "Go\0\0", 4) == 0) {
			return true;
		}
		at += (size_t)room;
	}
	return false;
}

/* The head of .go.buildinfo, which the linker puts near the beginning of what can be written. */
static bool has_go_info(const unsigned char *bytes, size_t size)
{
	static const char magic[] = "\xff Go buildinf:";
	for (size_t at = 0; size - at >= sizeof(magic) - 1; at += GO_INFO_ALIGNMENT) {
		if (memcmp(bytes + at, magic, sizeof(magic) - 1) == 0) {
			return true;
		}
		if (size - at < GO_INFO_ALIGNMENT) {
			break;
		}
	}
	return false;
}

static bool is_go(const struct reader *reader)
{
	bool is_found = false;
	for (size_t i = 0; i < reader->segment_count && !is_found; i++) {
		const struct segment *segment = &reader->segments[i];
		bool is_note = segment->type == PT_NOTE;
		bool is_data = segment->type == PT_LOAD && (segment->flags & PF_W);
		uint64_t bytes = segment->bytes;
		if (is_data && bytes > GO_INFO_SEARCHED) {
			bytes = GO_INFO_SEARCHED;
		}
		unsigned char *part =
			is_note || is_data ? read_part(reader, segment->offset, bytes) : NULL;
		if (part != NULL) {
			is_found = is_note ? has_go_note(reader, part, (size_t)bytes)
					   : has_go_info(part, (size_t)bytes);
		}
		free(part);
	}
	return is_found;
}

/* ---- symbols ------------------------------------------------------------------------------- */

/* Where in the file the loader would find what lies at an address, and how much may lie there. */
static bool find_address(
	const struct reader *reader, uint64_t address, uint64_t *offset, uint64_t *room)
{
	for (size_t i = 0; i < reader->segment_count; i++) {
		const struct segment *segment = &reader->segments[i];
		if (segment->type == PT_LOAD && address >= segment->address &&
			address - segment->address < segment->bytes) {
			*offset = segment->offset + (address - segment->address);
			*room = segment->bytes - (address - segment->address);
			return true;
		}
	}
	return false;
}

static void note_dynamic(struct dynamic *dynamic, uint64_t tag, uint64_t value)
{
	switch (tag) {
	case DT_STRTAB:
		dynamic->strings = value;
		break;
	case DT_STRSZ:
		dynamic->string_bytes = value;
		break;
	case DT_SYMTAB:
		dynamic->symbols = value;
		break;
	case DT_HASH:
		dynamic->hash = value;
		break;
	case DT_FLAGS_1:
		dynamic->flags_1 = value;
		break;
	default:
		break;
	}
}

static bool read_dynamic(const struct reader *reader, struct dynamic *dynamic)
{
	const struct segment *segment = find_segment(reader, PT_DYNAMIC);
	unsigned char *part =
		segment != NULL ? read_part(reader, segment->offset, segment->bytes) : NULL;
	size_t size = SIZE(reader, Dyn);
	memset(dynamic, 0, sizeof(*dynamic));
	for (uint64_t at = 0; part != NULL && segment->bytes - at >= size; at += size) {
		uint64_t tag = FIELD(reader, part + at, Dyn, d_tag);
		uint64_t value = FIELD(reader, part + at, Dyn, d_un);
		if (tag == DT_NULL) {
			break;
		}
		note_dynamic(dynamic, tag, value);
	}
	free(part);
	return part != NULL;
}

/* Of the section that is the dynamic symbol table; 0: there is none. */
static uint64_t symbol_bytes_by_section(const struct reader *reader)
{
	size_t size = SIZE(reader, Shdr);
	uint64_t bytes = 0;
	unsigned char *part = reader->section_size == size
				      ? read_part(reader, reader->section_offset,
						(uint64_t)reader->section_count * size)
				      : NULL;
	for (size_t i = 0; part != NULL && i < reader->section_count; i++) {
		const unsigned char *entry = part + i * size;
		if (FIELD(reader, entry, Shdr, sh_type) == SHT_DYNSYM) {
			bytes = FIELD(reader, entry, Shdr, sh_size);
		}
	}
	free(part);
	return bytes;
}

/* Where sections are stripped: by the old hash table, or by the strings, which follow as a rule. */
static uint64_t symbol_bytes(const struct reader *reader, const struct dynamic *dynamic)
{
	unsigned char counts[8];
	uint64_t offset;
	uint64_t room;
	uint64_t bytes = symbol_bytes_by_section(reader);
	if (bytes > 0) {
		return bytes;
	}
	if (dynamic->hash != 0 && find_address(reader, dynamic->hash, &offset, &room) &&
		read_at(reader, offset, counts, sizeof(counts))) {
		return number(reader, counts + 4, 4) * SIZE(reader, Sym);
	}
	return dynamic->strings > dynamic->symbols ? dynamic->strings - dynamic->symbols : 0;
}

static void add_symbol(struct reader *reader, const unsigned char *entry)
{
	struct cli_elf *elf = reader->elf;
	uint64_t name = FIELD(reader, entry, Sym, st_name);
	unsigned binding = (unsigned)FIELD(reader, entry, Sym, st_info) >> 4;
	if (binding != STB_LOCAL && name > 0 && name < elf->string_bytes) {
		elf->symbols[elf->symbol_count++] = (struct cli_elf_symbol){
			.name = elf->strings + name,
			.is_defined = FIELD(reader, entry, Sym, st_shndx) != SHN_UNDEF,
		};
	}
}

static const char *read_symbols(struct reader *reader)
{
	struct cli_elf *elf = reader->elf;
	struct dynamic dynamic;
	uint64_t offset;
	uint64_t room;
	if (!read_dynamic(reader, &dynamic)) {
		return NULL;
	}
	elf->is_position_independent_program = dynamic.flags_1 & DF_1_PIE;
	if (!find_address(reader, dynamic.strings, &offset, &room) || dynamic.string_bytes > room) {
		return "its dynamic strings are cut off";
	}
	elf->strings = (char *)read_part(reader, offset, dynamic.string_bytes);
	elf->string_bytes = (size_t)dynamic.string_bytes;
	uint64_t bytes = symbol_bytes(reader, &dynamic);
	size_t size = SIZE(reader, Sym);
	unsigned char *part = NULL;
	if (elf->strings != NULL && find_address(reader, dynamic.symbols, &offset, &room)) {
		part = read_part(reader, offset, bytes < room ? bytes : room);
		bytes = bytes < room ? bytes : room;
	}
	elf->symbols =
		part != NULL ? calloc((size_t)(bytes / size) + 1, sizeof(*elf->symbols)) : NULL;
	for (uint64_t at = 0; elf->symbols != NULL && bytes - at >= size; at += size) {
		add_symbol(reader, part + at);
	}
	free(part);
	return elf->symbols == NULL ? "its dynamic symbols are cut off" : NULL;
}

/* ---- the whole ----------------------------------------------------------------------------- */

const char *cli_elf_read(struct cli_elf *elf, int fd)
{
	struct reader reader = {.fd = fd, .elf = elf};
	struct stat status;
	memset(elf, 0, sizeof(*elf));
	if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) {
		return "not a regular file";
	}
	reader.file_bytes = (uint64_t)status.st_size;
	const char *trouble = read_header(&reader);
	if (trouble == NULL) {
		trouble = read_interpreter(&reader);
	}
	if (trouble == NULL) {
		elf->is_go = is_go(&reader);
		trouble = read_symbols(&reader);
	}
	free(reader.segments);
	return trouble;
}

void cli_elf_free(struct cli_elf *elf)
{
	free(elf->strings);
	free(elf->symbols);
	memset(elf, 0, sizeof(*elf));
}

bool cli_elf_is_same_kind(const struct cli_elf *one, const struct cli_elf *other)
{
	return one->file_class == other->file_class && one->machine == other->machine &&
	       one->is_big_endian == other->is_big_endian;
}

const char *cli_elf_kind(const struct cli_elf *elf, char *text, size_t size)
{
	static const struct {
		uint16_t machine;
		const char *name;
	} names[] = {
		{EM_X86_64, "x86-64"},
		{EM_386, "x86"},
		{EM_AARCH64, "aarch64"},
		{EM_ARM, "arm"},
		{EM_RISCV, "riscv"},
		{EM_PPC64, "ppc64"},
		{EM_S390, "s390"},
		{EM_MIPS, "mips"},
	};
	const char *name = NULL;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		name = names[i].machine == elf->machine ? names[i].name : name;
	}
	int bits = elf->file_class == ELFCLASS64 ? 64 : 32;
	if (name != NULL) {
		snprintf(text, size, "%d-bit %s", bits, name);
	} else {
		snprintf(text, size, "%d-bit machine %u", bits, elf->machine);
	}
	return text;
}
