// SPDX-License-Identifier: MIT
// LINK: symtab.o buffers.o line.o peek.o procfs.o sys.o
/*
 * The symbol table of a module's file: every function of a library is found by its name, from the
 * first byte to the last; a file that is not what lies in memory has none, and one that is broken is
 * never believed further than it reaches.
 */
#include "../shim/symtab.h"
#include "harness/plainfds.h"
#include "harness/unit.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <link.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LIBRARY SC_BUILD_DIR "/tests/programs/inner.so"

enum { NAME_SIZE = 168, FLIP_ROUNDS = 3000 };

static const char *const wanted[] = {"close_here", "inner_close"};

static char *content; /* of the library's file */
static size_t content_bytes;
static uint64_t base; /* where it is mapped */
static char folder[] = "/tmp/safeclose-symtab-XXXXXX";
static char path[64];

static int load(void **state)
{
	struct link_map *map;
	struct stat status;
	void *library = dlopen(LIBRARY, RTLD_NOW);
	int fd = open(LIBRARY, O_RDONLY | O_CLOEXEC);

	(void)state;
	assert_non_null(library);
	assert_int_equal(dlinfo(library, RTLD_DI_LINKMAP, &map), 0);
	base = map->l_addr;
	assert_int_equal(fstat(fd, &status), 0);
	content_bytes = (size_t)status.st_size;
	content = malloc(content_bytes);
	assert_int_equal(read(fd, content, content_bytes), content_bytes);
	close(fd);
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/copy", folder);
	return 0;
}

static int unload(void **state)
{
	(void)state;
	free(content);
	return rmdir(folder);
}

/* ---- the file as the test reads it ------------------------------------------------------------ */

static ElfW(Shdr) * section(unsigned number)
{
	const ElfW(Ehdr) *header = (void *)content;

	return (ElfW(Shdr) *)(void *)(content + header->e_shoff) + number;
}

static ElfW(Shdr) * symbol_section(void)
{
	for (unsigned i = 0; i < ((ElfW(Ehdr) *)(void *)content)->e_shnum; i++) {
		if (section(i)->sh_type == SHT_SYMTAB) {
			return section(i);
		}
	}
	fail_msg("%s", LIBRARY " has no symbols");
	return NULL;
}

static ElfW(Sym) * symbol(const char *name)
{
	const ElfW(Shdr) *table = symbol_section();
	const char *names = content + section(table->sh_link)->sh_offset;
	ElfW(Sym) *symbols = (void *)(content + table->sh_offset);

	for (size_t i = 0; i < table->sh_size / sizeof(*symbols); i++) {
		if (strcmp(names + symbols[i].st_name, name) == 0) {
			return &symbols[i];
		}
	}
	fail_msg("%s has no %s", LIBRARY, name);
	return NULL;
}

/* ---- questions --------------------------------------------------------------------------------- */

static char found[NAME_SIZE];
static uint64_t found_offset;

/* Of a call that ends with the byte at offset. */
static bool find(const char *file, uint64_t offset)
{
	struct sc_site site = {.address = base + offset + 1, .module_offset = offset + 1};

	memset(found, '#', sizeof(found));
	return sc_symtab_find(file, &site, found, sizeof(found), &found_offset);
}

static void write_copy(size_t bytes)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, content, bytes), bytes);
	close(fd);
}

/* In a copy of all that content is now. */
static bool find_in_copy(size_t bytes, uint64_t offset)
{
	bool is_found;

	write_copy(bytes);
	is_found = find(path, offset);
	unlink(path);
	if (is_found) {
		assert_non_null(memchr(found, '\0', sizeof(found)));
		assert_true(found[0] != '\0');
	}
	return is_found;
}

/* A place in content, of size bytes, with what it had before. */
struct change {
	void *at;
	size_t size;
	char before[8];
};

static struct change change(void *at, size_t size, uint64_t value)
{
	struct change it = {.at = at, .size = size};

	memcpy(it.before, at, size);
	memcpy(at, &value, size); /* little-endian, as the library's machines */
	return it;
}

static void undo(const struct change *it)
{
	memcpy(it->at, it->before, it->size);
}

/* ---- tests ------------------------------------------------------------------------------------- */

static void test_symtab_has_each_byte_of_a_function(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		const ElfW(Sym) *it = symbol(wanted[i]);

		assert_true(it->st_size > 1);
		for (uint64_t offset = 0; offset < it->st_size; offset++) {
			assert_true(find(LIBRARY, it->st_value + offset));
			assert_string_equal(found, wanted[i]);
			assert_int_equal(found_offset, offset + 1);
		}
	}
}

static void test_symtab_has_nothing_where_there_is_no_function(void **state)
{
	(void)state;
	assert_false(find(LIBRARY, 0));
	assert_false(find(LIBRARY, content_bytes + 100000));
	assert_false(find(LIBRARY, UINT64_MAX));
}

/* The second path that is tried is the program. */
static void test_symtab_finds_the_program_by_itself(void **state)
{
	Dl_info info;
	struct sc_site site;

	(void)state;
	assert_true(dladdr((void *)(uintptr_t)load, &info) != 0);
	site.address = (uint64_t)(uintptr_t)load + 1;
	site.module_offset = site.address - (uint64_t)(uintptr_t)info.dli_fbase;
	assert_true(sc_symtab_find("/nonexistent", &site, found, sizeof(found), &found_offset));
	assert_string_equal(found, "load");
	assert_int_equal(found_offset, 1);
}

static void test_symtab_cuts_a_long_name(void **state)
{
	const ElfW(Sym) *it = symbol("close_here");
	struct sc_site site = {
		.address = base + it->st_value + 1, .module_offset = it->st_value + 1};

	(void)state;
	assert_true(sc_symtab_find(LIBRARY, &site, found, 6, &found_offset));
	assert_string_equal(found, "close");
}

static void test_symtab_of_no_regular_file_is_none(void **state)
{
	uint64_t inside = symbol("close_here")->st_value;

	(void)state;
	assert_false(find("/nonexistent", inside));
	assert_false(find("", inside));
	assert_false(find("/", inside));
	assert_false(find("/dev/zero", inside));
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_false(find(path, inside)); /* and it does not wait for a writer */
	unlink(path);
}

/* Another build: something in the headers or in the function is not as in memory. */
static void test_symtab_of_another_file_is_none(void **state)
{
	const ElfW(Sym) *it = symbol("close_here");
	size_t places[] = {8, 20, 48, 80, 300, 700, it->st_value, it->st_value + it->st_size - 1};

	(void)state;
	assert_true(find_in_copy(content_bytes, it->st_value + it->st_size - 1));
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		content[places[i]] ^= 0x10;
		assert_false(find_in_copy(content_bytes, it->st_value + it->st_size - 1));
		content[places[i]] ^= 0x10;
	}
}

static void test_symtab_that_is_cut_ends(void **state)
{
	uint64_t inside = symbol("close_here")->st_value;
	size_t needed = (size_t)((char *)(section(symbol_section()->sh_link) + 1) - content);

	(void)state;
	for (size_t bytes = 0; bytes < needed; bytes += 61) {
		assert_false(find_in_copy(bytes, inside));
	}
	assert_false(find_in_copy(needed - 1, inside));
	assert_true(find_in_copy(needed, inside));
}

static void test_symtab_with_wild_numbers_is_none(void **state)
{
	ElfW(Shdr) *table = symbol_section();
	ElfW(Shdr) *names = section(table->sh_link);
	ElfW(Sym) *it = symbol("close_here");
	static const uint64_t wild[] = {0xffffffffffffffff, 0x7fffffffffffff00, 1ULL << 40, 0};
	const struct {
		void *at;
		size_t size;
	} fields[] = {
		{&table->sh_offset, sizeof(table->sh_offset)},
		{&table->sh_size, sizeof(table->sh_size)},
		{&table->sh_link, sizeof(table->sh_link)},
		{&names->sh_offset, sizeof(names->sh_offset)},
		{&it->st_size, sizeof(it->st_size)},
		{&it->st_name, sizeof(it->st_name)},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		for (size_t k = 0; k < sizeof(wild) / sizeof(wild[0]); k++) {
			struct change change_made = change(fields[i].at, fields[i].size, wild[k]);
			bool is_found = find_in_copy(content_bytes, it->st_value);

			/* A size without end has the first byte all the same. */
			if (is_found && fields[i].at != &it->st_size) {
				fail_msg("field %zu, value %zu: found %s", i, k, found);
			}
			undo(&change_made);
		}
	}
	assert_true(find_in_copy(content_bytes, it->st_value));
}

/* Whatever is wrong behind the part that is compared with memory: an answer, no fault. */
static void test_symtab_survives_flipped_bits(void **state)
{
	uint64_t inside = symbol("close_here")->st_value;
	size_t first = symbol_section()->sh_offset;
	unsigned seed = 4711;
	size_t found_count = 0;

	(void)state;
	for (int round = 0; round < FLIP_ROUNDS; round++) {
		size_t at[4];

		for (int i = 0; i < 4; i++) {
			at[i] = first + (size_t)rand_r(&seed) % (content_bytes - first);
			content[at[i]] ^= (char)(1 << (round + i) % 8);
		}
		found_count += find_in_copy(content_bytes, inside);
		for (int i = 4; i-- > 0;) {
			content[at[i]] ^= (char)(1 << (round + i) % 8);
		}
	}
	assert_in_range(found_count, 1, FLIP_ROUNDS - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_symtab_has_each_byte_of_a_function),
		cmocka_unit_test(test_symtab_has_nothing_where_there_is_no_function),
		cmocka_unit_test(test_symtab_finds_the_program_by_itself),
		cmocka_unit_test(test_symtab_cuts_a_long_name),
		cmocka_unit_test(test_symtab_of_no_regular_file_is_none),
		cmocka_unit_test(test_symtab_of_another_file_is_none),
		cmocka_unit_test(test_symtab_that_is_cut_ends),
		cmocka_unit_test(test_symtab_with_wild_numbers_is_none),
		cmocka_unit_test(test_symtab_survives_flipped_bits),
	};

	return cmocka_run_group_tests(tests, load, unload);
}
