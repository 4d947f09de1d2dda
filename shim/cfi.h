// SPDX-License-Identifier: MIT
/*
 * Unwind tables (.eh_frame_hdr and .eh_frame): how the caller's registers are found from a frame's.
 * Reads by sc_peek_read() alone: async-signal-safe, and nothing in a table can make it fault.
 */
#ifndef SC_CFI_H
#define SC_CFI_H

#include "dwarf.h"

/* DWARF's numbers of registers. */
#if defined(__x86_64__)
enum { SC_CFI_STACK_POINTER = 7, SC_CFI_RETURN = 16, SC_CFI_COLUMNS = 17 };
#elif defined(__i386__)
enum { SC_CFI_STACK_POINTER = 4, SC_CFI_RETURN = 8, SC_CFI_COLUMNS = 9 };
#else
enum { SC_CFI_STACK_POINTER = 31, SC_CFI_RETURN = 30, SC_CFI_COLUMNS = 32 };
#endif

enum sc_cfi_rule {
	SC_CFI_SAME,
	SC_CFI_UNDEFINED,
	SC_CFI_AT_OFFSET,     /* saved at the frame's address + value */
	SC_CFI_IS_OFFSET,     /* is the frame's address + value */
	SC_CFI_IN_REGISTER,   /* value is its number */
	SC_CFI_AT_EXPRESSION, /* saved where the expression says, ... */
	SC_CFI_IS_EXPRESSION, /* or is what it says; value: see sc_cfi_expression() */
};

/* The rules at one address. */
struct sc_cfi_row {
	bool is_address_expression;
	uint8_t address_register; /* the frame's address is that register + address_value, ... */
	int32_t address_value;    /* or, of an expression, see sc_cfi_expression() */
	uint8_t rules[SC_CFI_COLUMNS];
	int32_t values[SC_CFI_COLUMNS];
};

struct sc_cfi {
	uint64_t header; /* where .eh_frame_hdr is */
	struct sc_cfi_row row;
	bool is_signal_frame; /* the frame above was interrupted, it did not call */
};

/* The rules for the code at pc, by the .eh_frame_hdr at header. false: none there, or broken. */
bool sc_cfi_find(struct sc_peek *peek, uint64_t header, uint64_t pc, struct sc_cfi *cfi);

/* The expression that value stands for. */
struct sc_dwarf sc_cfi_expression(const struct sc_cfi *cfi, struct sc_peek *peek, int32_t value);

#endif
