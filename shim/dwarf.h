// SPDX-License-Identifier: MIT
/*
 * The encodings of DWARF (version 5, sections 7.6 and 7.7) and of .eh_frame (Linux Standard Base,
 * "DWARF Extensions"), as far as unwind tables use them. Everything is read by sc_peek_read(), so a
 * broken table is an answer, not a fault.
 */
#ifndef SC_DWARF_H
#define SC_DWARF_H

#include "peek.h"

/* A place in a table. Past the end or in unreadable memory all reads give 0, and is_bad is set. */
struct sc_dwarf {
	struct sc_peek *peek;
	uint64_t at;
	uint64_t end;
	bool is_bad;
};

enum { SC_DWARF_OMITTED = 0xff, SC_DWARF_DATA_RELATIVE = 0x3b /* and four bytes, signed */ };

/* Little-endian, of 1, 2, 4 or 8 bytes. */
uint64_t sc_dwarf_unsigned(struct sc_dwarf *it, size_t size);
int64_t sc_dwarf_signed(struct sc_dwarf *it, size_t size);

/* LEB128. */
uint64_t sc_dwarf_uleb(struct sc_dwarf *it);
int64_t sc_dwarf_sleb(struct sc_dwarf *it);

/* A pointer in one of the encodings of .eh_frame; data_base is what DW_EH_PE_datarel counts from. */
uint64_t sc_dwarf_pointer(struct sc_dwarf *it, uint8_t encoding, uint64_t data_base);

/* The registers that an expression may ask for, and the memory. */
struct sc_dwarf_machine {
	struct sc_peek *memory;
	const uint64_t *registers;
	size_t register_count;
};

/*
 * The value of the expression that it stands at, which begins with its length; initial lies on the
 * stack before, where has_initial. false: broken, or it asks for what is not here.
 */
bool sc_dwarf_evaluate(struct sc_dwarf *it, const struct sc_dwarf_machine *machine,
	bool has_initial, uint64_t initial, uint64_t *value);

#endif
