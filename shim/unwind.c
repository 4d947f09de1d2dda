// SPDX-License-Identifier: MIT
#include "unwind.h"
#include "cfi.h"
#include "module.h"
#include <string.h>

/* First and last byte of this library; from the linker. */
extern const char __ehdr_start[] __attribute__((visibility("hidden")));
extern const char _end[] __attribute__((visibility("hidden")));

struct walk {
	uint64_t registers[SC_CFI_COLUMNS];
	uint64_t pc;
	bool was_interrupted; /* at pc; else it made a call that returns to there */
	struct sc_peek tables;
	struct sc_peek memory;
};

/* Registers here and now, as far as a function leaves them to its caller. */
#if defined(__x86_64__)
#define CAPTURE(registers, pc)                                            \
	__asm__ volatile("movq %%rbx, 24(%1)\n\tmovq %%rbp, 48(%1)\n\t"   \
			 "movq %%rsp, 56(%1)\n\tmovq %%r12, 96(%1)\n\t"   \
			 "movq %%r13, 104(%1)\n\tmovq %%r14, 112(%1)\n\t" \
			 "movq %%r15, 120(%1)\n\tleaq 0(%%rip), %0"       \
			 : "=&r"(pc)                                      \
			 : "r"(registers)                                 \
			 : "memory")
#elif defined(__i386__)
#define CAPTURE(registers, pc)                                          \
	__asm__ volatile("movl %%ebx, 24(%1)\n\tmovl %%esp, 32(%1)\n\t" \
			 "movl %%ebp, 40(%1)\n\tmovl %%esi, 48(%1)\n\t" \
			 "movl %%edi, 56(%1)\n\tcall 1f\n1:\tpopl %0"   \
			 : "=&r"(pc)                                    \
			 : "r"(registers)                               \
			 : "memory")
#else
#define CAPTURE(registers, pc)                                                    \
	__asm__ volatile("stp x19, x20, [%1, 152]\n\tstp x21, x22, [%1, 168]\n\t" \
			 "stp x23, x24, [%1, 184]\n\tstp x25, x26, [%1, 200]\n\t" \
			 "stp x27, x28, [%1, 216]\n\tstp x29, x30, [%1, 232]\n\t" \
			 "mov %0, sp\n\tstr %0, [%1, 248]\n\tadr %0, ."           \
			 : "=&r"(pc)                                              \
			 : "r"(registers)                                         \
			 : "memory")
#endif

/* aarch64: xpaclri, which older processors pass over, takes out what pointer authentication put in. */
static uint64_t without_signature(uint64_t address)
{
#ifdef __aarch64__
	register uint64_t x30 __asm__("x30") = address;
	__asm__("hint 7" : "+r"(x30));
	address = x30;
#endif
	return address;
}

/* The address is one of memory: of as many bits as a pointer. */
static bool read_word(struct walk *walk, uint64_t address, uint64_t *value)
{
	*value = 0; /* little-endian */
	return sc_peek_read(&walk->memory, (uintptr_t)address, value, sizeof(void *));
}

static bool find_address(struct walk *walk, const struct sc_cfi *cfi, uint64_t *address)
{
	const struct sc_cfi_row *row = &cfi->row;
	if (!row->is_address_expression) {
		*address = walk->registers[row->address_register] +
			   (uint64_t)(int64_t)row->address_value;
		return true;
	}
	struct sc_dwarf_machine machine = {&walk->memory, walk->registers, SC_CFI_COLUMNS};
	struct sc_dwarf it = sc_cfi_expression(cfi, &walk->tables, row->address_value);
	return sc_dwarf_evaluate(&it, &machine, false, 0, address);
}

/* The caller's value of one register. */
static bool find_register(struct walk *walk, const struct sc_cfi *cfi, uint64_t address,
	size_t column, uint64_t *value)
{
	int32_t rule_value = cfi->row.values[column];
	uint64_t place = address + (uint64_t)(int64_t)rule_value;
	switch ((enum sc_cfi_rule)cfi->row.rules[column]) {
	case SC_CFI_SAME:
	case SC_CFI_UNDEFINED:
		*value = walk->registers[column];
		return true;
	case SC_CFI_AT_OFFSET:
		return read_word(walk, place, value);
	case SC_CFI_IS_OFFSET:
		*value = place;
		return true;
	case SC_CFI_IN_REGISTER:
		*value = rule_value >= 0 && rule_value < SC_CFI_COLUMNS
				 ? walk->registers[rule_value]
				 : 0;
		return true;
	case SC_CFI_AT_EXPRESSION:
	case SC_CFI_IS_EXPRESSION: {
		struct sc_dwarf_machine machine = {&walk->memory, walk->registers, SC_CFI_COLUMNS};
		struct sc_dwarf it = sc_cfi_expression(cfi, &walk->tables, rule_value);
		return sc_dwarf_evaluate(&it, &machine, true, address, &place) &&
		       (cfi->row.rules[column] == SC_CFI_IS_EXPRESSION
				       ? (*value = place, true)
				       : read_word(walk, place, value));
	}
	}
	return false;
}

/* To the caller of the frame. false: there is none, or it cannot be found. */
static bool step(struct walk *walk)
{
	struct sc_module module;
	struct sc_cfi cfi;
	uint64_t address;
	uint64_t caller[SC_CFI_COLUMNS];
	uint64_t pc = walk->was_interrupted ? walk->pc : walk->pc - 1;
	if (!sc_module_find(pc, &module) || module.unwind == 0 ||
		!sc_cfi_find(&walk->tables, module.unwind, pc, &cfi) ||
		!find_address(walk, &cfi, &address)) {
		return false;
	}
	if (cfi.row.rules[SC_CFI_RETURN] == SC_CFI_UNDEFINED ||
		(!cfi.is_signal_frame && address < walk->registers[SC_CFI_STACK_POINTER])) {
		return false; /* a thread's first frame; or the stack would grow the wrong way */
	}
	for (size_t i = 0; i < SC_CFI_COLUMNS; i++) {
		if (!find_register(walk, &cfi, address, i, &caller[i])) {
			return false;
		}
	}
	if (cfi.row.rules[SC_CFI_STACK_POINTER] == SC_CFI_SAME) {
		caller[SC_CFI_STACK_POINTER] = address;
	}
	memcpy(walk->registers, caller, sizeof(caller));
	walk->pc = without_signature(caller[SC_CFI_RETURN]);
	walk->was_interrupted = cfi.is_signal_frame;
	return walk->pc != 0;
}

static bool is_ours(uint64_t pc)
{
	return pc >= (uint64_t)(uintptr_t)__ehdr_start && pc < (uint64_t)(uintptr_t)_end;
}

void sc_unwind_from(const void *caller, bool is_trusted, sc_unwind_take *take, void *context)
{
	struct walk walk;
	bool is_found = false;
	uintptr_t pc;
	memset(&walk, 0, sizeof(walk));
	walk.tables.is_trusted = is_trusted;
	walk.memory.is_trusted = is_trusted;
	CAPTURE(walk.registers, pc);
	walk.pc = pc;
	for (int own = 0; own < SC_UNWIND_OWN_MAX && step(&walk); own += !is_found) {
		is_found = is_found || (caller != NULL ? walk.pc == (uint64_t)(uintptr_t)caller
						       : !is_ours(walk.pc));
		if (is_found && !take(context, walk.pc + walk.was_interrupted)) {
			return;
		}
	}
}
