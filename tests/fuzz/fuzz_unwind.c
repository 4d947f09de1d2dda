// SPDX-License-Identifier: MIT
/*
 * Unwind tables of any bytes, as a module may map them: .eh_frame_hdr with .eh_frame behind it, and the
 * walk over a stack by them. What lies elsewhere cannot be read, is zero, or is the tables over and
 * over. Nothing may crash, be read too often, or name a register that there is not.
 *
 * The input is the tables; its last three bytes say what lies elsewhere and which code is asked for.
 */
#include "must.h"

#include "cfi.h"
#include "module.h"
#include "unwind.h"

#include <stdint.h>
#include <string.h>

enum { TABLES = 0x10000000, FRAMES_MAX = 40, READS_MAX = 8 << 20 };

static const unsigned char *tables;
static size_t table_bytes;
static enum { UNREADABLE, ZERO, REPEATED } elsewhere;
static size_t reads;

static unsigned char byte_at(uint64_t address)
{
	if (address - TABLES < table_bytes) {
		return tables[address - TABLES];
	}
	return elsewhere == REPEATED && table_bytes > 0 ? tables[address % table_bytes] : 0;
}

/* In the place of peek.c. */
bool sc_peek_read(struct sc_peek *peek, uint64_t address, void *to, size_t size)
{
	unsigned char *at = to;

	(void)peek;
	reads++;
	if (elsewhere == UNREADABLE &&
		(address - TABLES >= table_bytes || table_bytes - (address - TABLES) < size)) {
		return false;
	}
	for (size_t i = 0; i < size; i++) {
		at[i] = byte_at(address + i);
	}
	return true;
}

/* In the place of module.c: all code has these tables. */
bool sc_module_find(uint64_t address, struct sc_module *module)
{
	(void)address;
	memset(module, 0, sizeof(*module));
	module->unwind = TABLES;
	return true;
}

static void look_up(uint64_t pc)
{
	struct sc_peek peek = {.size = 0};
	struct sc_cfi cfi;

	reads = 0;
	memset(&cfi, 0xa5, sizeof(cfi));
	if (sc_cfi_find(&peek, TABLES, pc, &cfi)) {
		must(cfi.header == TABLES);
		must(cfi.row.address_register < SC_CFI_COLUMNS);
		for (size_t i = 0; i < SC_CFI_COLUMNS; i++) {
			must(cfi.row.rules[i] <= SC_CFI_IS_EXPRESSION);
		}
	}
	must(reads < READS_MAX);
}

static bool take(void *context, uint64_t address)
{
	size_t *frames = context;

	(void)address;
	return ++*frames < FRAMES_MAX;
}

int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t size)
{
	size_t frames = 0;
	unsigned char how[3] = {0};

	if (size < sizeof(how)) {
		return 0;
	}
	memcpy(how, bytes + size - sizeof(how), sizeof(how));
	tables = bytes;
	table_bytes = size - sizeof(how);
	elsewhere = how[0] & 1 ? REPEATED : how[0] & 2 ? ZERO : UNREADABLE;
	look_up(TABLES + how[1] * UINT64_C(256) + how[2]);
	/* The code that the sorted table itself names, some bytes into it. */
	for (size_t at = 12; at + 8 <= table_bytes && at < 12 + 4 * 8; at += 8) {
		int32_t start;

		memcpy(&start, bytes + at, sizeof(start));
		look_up(TABLES + (uint64_t)(int64_t)start + how[2]);
	}
	reads = 0;
	sc_unwind_from(NULL, false, take, &frames);
	must(frames <= FRAMES_MAX);
	must(reads < (size_t)READS_MAX * (FRAMES_MAX + SC_UNWIND_OWN_MAX));
	return 0;
}
