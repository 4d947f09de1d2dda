// SPDX-License-Identifier: MIT
#include "dwarf.h"

uint64_t sc_dwarf_unsigned(struct sc_dwarf *it, size_t size)
{
	unsigned char bytes[8];
	if (it->is_bad || it->end < it->at || it->end - it->at < size ||
		!sc_peek_read(it->peek, it->at, bytes, size)) {
		it->is_bad = true;
		return 0;
	}
	uint64_t value = 0;
	for (size_t i = 0; i < size; i++) {
		value |= (uint64_t)bytes[i] << 8 * i;
	}
	it->at += size;
	return value;
}

int64_t sc_dwarf_signed(struct sc_dwarf *it, size_t size)
{
	unsigned unused_bits = 64 - 8 * (unsigned)size;
	return (int64_t)(sc_dwarf_unsigned(it, size) << unused_bits) >> unused_bits;
}

/* The bits; *shift: how many there were. */
static uint64_t read_leb(struct sc_dwarf *it, unsigned *shift, bool *is_negative)
{
	uint64_t value = 0;
	uint64_t byte = 0x80;
	for (*shift = 0; byte & 0x80 && !it->is_bad; *shift += 7) {
		byte = sc_dwarf_unsigned(it, 1);
		if (*shift < 64) {
			value |= (byte & 0x7f) << *shift;
		}
	}
	*is_negative = byte & 0x40;
	return value;
}

uint64_t sc_dwarf_uleb(struct sc_dwarf *it)
{
	unsigned shift;
	bool is_negative;
	return read_leb(it, &shift, &is_negative);
}

int64_t sc_dwarf_sleb(struct sc_dwarf *it)
{
	unsigned shift;
	bool is_negative;
	uint64_t value = read_leb(it, &shift, &is_negative);
	return (int64_t)(is_negative && shift < 64 ? value | ~UINT64_C(0) << shift : value);
}

static uint64_t read_format(struct sc_dwarf *it, uint8_t format)
{
	switch (format) {
	case 0x00: /* absptr */
		return sc_dwarf_unsigned(it, sizeof(void *));
	case 0x04: /* udata8 */
	case 0x0c: /* sdata8 */
		return sc_dwarf_unsigned(it, 8);
	case 0x01:
		return sc_dwarf_uleb(it);
	case 0x02:
		return sc_dwarf_unsigned(it, 2);
	case 0x03:
		return sc_dwarf_unsigned(it, 4);
	case 0x09:
		return (uint64_t)sc_dwarf_sleb(it);
	case 0x0a:
		return (uint64_t)sc_dwarf_signed(it, 2);
	case 0x0b:
		return (uint64_t)sc_dwarf_signed(it, 4);
	default:
		it->is_bad = true;
		return 0;
	}
}

uint64_t sc_dwarf_pointer(struct sc_dwarf *it, uint8_t encoding, uint64_t data_base)
{
	uint64_t place = it->at;
	uint64_t value = read_format(it, encoding & 0x0f);
	switch (encoding & 0x70) {
	case 0x00:
		return value;
	case 0x10: /* pcrel */
		return place + value;
	case 0x30: /* datarel */
		return data_base + value;
	default:
		it->is_bad = true;
		return 0;
	}
}

enum { DEPTH = 16, STEPS_MAX = 128 };

/* Those that compilers, linkers and libc put into unwind tables: stacks that were realigned, PLTs,
 * signal frames. */
enum operation {
	OP_DEREF = 0x06,
	OP_CONST1U = 0x08, /* to CONST8U, each second one */
	OP_CONST8U = 0x0e,
	OP_CONSTS = 0x11,
	OP_AND = 0x1a,
	OP_MINUS = 0x1c,
	OP_PLUS = 0x22,
	OP_PLUS_UCONST = 0x23,
	OP_SHL = 0x24,
	OP_GE = 0x2a,
	OP_LIT0 = 0x30,
	OP_BREG0 = 0x70,
	OP_BREG31 = 0x8f,
};

struct stack {
	uint64_t values[DEPTH];
	size_t count;
	bool is_bad;
};

static void push(struct stack *stack, uint64_t value)
{
	if (stack->count == DEPTH) {
		stack->is_bad = true;
		return;
	}
	stack->values[stack->count++] = value;
}

static uint64_t pop(struct stack *stack)
{
	if (stack->count == 0) {
		stack->is_bad = true;
		return 0;
	}
	return stack->values[--stack->count];
}

static void push_memory(
	struct stack *stack, const struct sc_dwarf_machine *machine, uint64_t address)
{
	uint64_t value = 0;
	stack->is_bad =
		stack->is_bad || !sc_peek_read(machine->memory, address, &value, sizeof(void *));
	push(stack, value);
}

static void push_register(
	struct stack *stack, const struct sc_dwarf_machine *machine, size_t number, int64_t offset)
{
	if (number >= machine->register_count) {
		stack->is_bad = true;
		return;
	}
	push(stack, machine->registers[number] + (uint64_t)offset);
}

static uint64_t combine(struct stack *stack, uint8_t operation, uint64_t a, uint64_t b)
{
	if (operation == OP_AND) {
		return a & b;
	} else if (operation == OP_MINUS) {
		return a - b;
	} else if (operation == OP_PLUS) {
		return a + b;
	} else if (operation == OP_SHL) {
		return b < 64 ? a << b : 0;
	} else if (operation == OP_GE) {
		return (int64_t)a >= (int64_t)b;
	}
	stack->is_bad = true;
	return 0;
}

static void operate(struct stack *stack, struct sc_dwarf *it,
	const struct sc_dwarf_machine *machine, uint8_t operation)
{
	if (operation >= OP_LIT0 && operation < OP_LIT0 + 32) {
		push(stack, operation - OP_LIT0);
	} else if (operation >= OP_BREG0 && operation <= OP_BREG31) {
		push_register(stack, machine, operation - OP_BREG0, sc_dwarf_sleb(it));
	} else if (operation >= OP_CONST1U && operation <= OP_CONST8U && operation % 2 == 0) {
		push(stack, sc_dwarf_unsigned(it, (size_t)1 << (operation - OP_CONST1U) / 2));
	} else if (operation == OP_CONSTS) {
		push(stack, (uint64_t)sc_dwarf_sleb(it));
	} else if (operation == OP_DEREF) {
		push_memory(stack, machine, pop(stack));
	} else {
		uint64_t top = operation == OP_PLUS_UCONST ? sc_dwarf_uleb(it) : pop(stack);
		uint8_t kind = operation == OP_PLUS_UCONST ? OP_PLUS : operation;
		push(stack, combine(stack, kind, pop(stack), top));
	}
}

bool sc_dwarf_evaluate(struct sc_dwarf *it, const struct sc_dwarf_machine *machine,
	bool has_initial, uint64_t initial, uint64_t *value)
{
	struct stack stack = {.count = 0};
	if (has_initial) {
		push(&stack, initial);
	}
	uint64_t size = sc_dwarf_uleb(it);
	if (it->is_bad || size > it->end - it->at) {
		return false;
	}
	it->end = it->at + size;
	for (int steps = 0; it->at < it->end && steps < STEPS_MAX; steps++) {
		uint8_t operation = (uint8_t)sc_dwarf_unsigned(it, 1);
		operate(&stack, it, machine, operation);
		if (it->is_bad || stack.is_bad) {
			return false;
		}
	}
	*value = pop(&stack);
	return it->at == it->end && !stack.is_bad;
}
