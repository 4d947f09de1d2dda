// SPDX-License-Identifier: MIT
/*
 * What an ELF file says of itself that matters to preloading. Every number in it is a stranger's:
 * nothing is read past the file's end, and the memory used is bounded by the file's size and by
 * CLI_ELF_PART_MAX for each table.
 */
#ifndef SC_CLI_ELF_H
#define SC_CLI_ELF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CLI_ELF_PART_MAX = 64 << 20 }; /* bytes */

struct cli_elf_symbol {
	const char *name; /* in the string table, terminated */
	bool is_defined;
};

/* Owns its memory. */
struct cli_elf {
	unsigned char file_class; /* ELFCLASS32, ELFCLASS64 */
	bool is_big_endian;
	uint16_t type;    /* ET_EXEC, ET_DYN, ... */
	uint16_t machine; /* EM_X86_64, ... */
	bool has_interpreter;
	bool is_position_independent_program; /* DF_1_PIE */
	bool is_go;
	char interpreter[256]; /* "": none */
	char *strings;         /* of the dynamic section */
	size_t string_bytes;
	struct cli_elf_symbol *symbols; /* of the dynamic symbol table: named, not local */
	size_t symbol_count;
};

/* Read fd. NULL, or what is wrong with it: a text that lives for ever. What is read before the trouble
 * stays; cli_elf_free() in any case. */
const char *cli_elf_read(struct cli_elf *elf, int fd);

void cli_elf_free(struct cli_elf *elf);

/* Do programs of this class and machine load each other's libraries? */
bool cli_elf_is_same_kind(const struct cli_elf *one, const struct cli_elf *other);

/* "64-bit x86-64", for people; in text of size bytes, which is returned. */
const char *cli_elf_kind(const struct cli_elf *elf, char *text, size_t size);

#endif
