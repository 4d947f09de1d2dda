// SPDX-License-Identifier: MIT
#include "cfi.h"
#include <string.h>

enum {
	REMEMBERED_MAX = 3,
	AUGMENTATION_MAX = 8,
	ENTRY_BYTES = 8,
	EXPRESSION_MAX = 512,
	ENTRY_MAX = 1 << 20
};

/* A common information entry. */
struct common {
	uint64_t code_factor;
	int64_t data_factor;
	uint8_t pointer_encoding;
	bool has_augmentation;
	bool is_signal_frame;
	struct sc_dwarf program;
};

struct machine {
	const struct common *common;
	struct sc_cfi *cfi;
	uint64_t location;
	uint64_t pc;
	const struct sc_cfi_row *initial; /* after the common program; NULL: within it */
	size_t remembered_count;
	struct sc_cfi_row remembered[REMEMBERED_MAX];
	bool is_bad;
};

/* The length in front of an entry; the entry ends where it says. */
static struct sc_dwarf open_entry(struct sc_peek *peek, uint64_t at)
{
	struct sc_dwarf it = {peek, at, at + 4, false};
	uint64_t length = sc_dwarf_unsigned(&it, 4);
	it.is_bad =
		it.is_bad || length == 0 || length > ENTRY_MAX; /* 64-bit lengths begin with more */
	it.end = it.at + length;
	return it;
}

static void read_augmentation(struct common *common, struct sc_dwarf *it, const char *letters)
{
	uint64_t size = sc_dwarf_uleb(it);
	uint64_t end = it->at + size;
	it->is_bad = it->is_bad || size > it->end - it->at;
	for (; *letters != '\0'; letters++) {
		switch (*letters) {
		case 'R':
			common->pointer_encoding = (uint8_t)sc_dwarf_unsigned(it, 1);
			break;
		case 'P': {
			uint8_t encoding = (uint8_t)sc_dwarf_unsigned(it, 1);
			sc_dwarf_pointer(it, encoding & 0x0f, 0);
			break;
		}
		case 'L':
			sc_dwarf_unsigned(it, 1);
			break;
		case 'S':
			common->is_signal_frame = true;
			break;
		case 'B': /* aarch64: signed by the other key */
			break;
		default:
			it->is_bad = true;
			break;
		}
	}
	it->at = end;
}

static bool read_common(struct sc_peek *peek, uint64_t at, struct common *common)
{
	struct sc_dwarf it = open_entry(peek, at);
	uint64_t id = sc_dwarf_unsigned(&it, 4);
	uint64_t version = sc_dwarf_unsigned(&it, 1);
	char letters[AUGMENTATION_MAX + 1] = "";
	size_t count = 0;
	char letter = (char)sc_dwarf_unsigned(&it, 1);
	while (letter != '\0' && count < AUGMENTATION_MAX) {
		letters[count++] = letter;
		letter = (char)sc_dwarf_unsigned(&it, 1);
	}
	*common = (struct common){.has_augmentation = letters[0] == 'z'};
	common->code_factor = sc_dwarf_uleb(&it);
	common->data_factor = sc_dwarf_sleb(&it);
	uint64_t return_column = version == 1 ? sc_dwarf_unsigned(&it, 1) : sc_dwarf_uleb(&it);
	if (it.is_bad || id != 0 || (version != 1 && version != 3) || letter != '\0' ||
		(letters[0] != '\0' && letters[0] != 'z') || return_column != SC_CFI_RETURN) {
		return false;
	}
	if (common->has_augmentation) {
		read_augmentation(common, &it, letters + 1);
	}
	common->program = it;
	return !it.is_bad;
}

static void set_rule(struct machine *machine, uint64_t column, enum sc_cfi_rule rule, int64_t value)
{
	struct sc_cfi_row *row = &machine->cfi->row;
	if (column >= SC_CFI_COLUMNS) {
		return; /* vector registers: no frame's address depends on them */
	}
	machine->is_bad = machine->is_bad || value < INT32_MIN || value > INT32_MAX;
	row->rules[column] = (uint8_t)rule;
	row->values[column] = (int32_t)value;
}

static void restore_rule(struct machine *machine, uint64_t column)
{
	if (machine->initial == NULL) {
		machine->is_bad = true;
	} else if (column < SC_CFI_COLUMNS) {
		set_rule(machine, column, (enum sc_cfi_rule)machine->initial->rules[column],
			machine->initial->values[column]);
	}
}

static void set_address(struct machine *machine, uint64_t column, int64_t value)
{
	struct sc_cfi_row *row = &machine->cfi->row;
	machine->is_bad = machine->is_bad || column >= SC_CFI_COLUMNS || value < INT32_MIN ||
			  value > INT32_MAX;
	row->is_address_expression = false;
	row->address_register = (uint8_t)column;
	row->address_value = (int32_t)value;
}

/* Pass over an expression. Returns what it is found by again. */
static int64_t skip_expression(const struct machine *machine, struct sc_dwarf *it)
{
	int64_t place = (int64_t)(it->at - machine->cfi->header);
	uint64_t size = sc_dwarf_uleb(it);
	it->is_bad = it->is_bad || size > it->end - it->at;
	it->at += size;
	return place;
}

static void set_address_expression(struct machine *machine, struct sc_dwarf *it)
{
	set_address(machine, 0, skip_expression(machine, it));
	machine->cfi->row.is_address_expression = true;
}

static void remember(struct machine *machine)
{
	if (machine->remembered_count == REMEMBERED_MAX) {
		machine->is_bad = true;
		return;
	}
	machine->remembered[machine->remembered_count++] = machine->cfi->row;
}

static void recall(struct machine *machine)
{
	if (machine->remembered_count == 0) {
		machine->is_bad = true;
		return;
	}
	machine->cfi->row = machine->remembered[--machine->remembered_count];
}

/* In units of the data factor. A broken table may overflow, which unsigned numbers may. */
static int64_t scaled(const struct machine *machine, uint64_t count)
{
	return (int64_t)(count * (uint64_t)machine->common->data_factor);
}

static void set_address_by(struct machine *machine, struct sc_dwarf *it, uint8_t operation)
{
	const struct sc_cfi_row *row = &machine->cfi->row;
	uint64_t column = row->address_register;
	switch (operation) {
	case 0x0c: /* def_cfa */
		column = sc_dwarf_uleb(it);
		set_address(machine, column, (int64_t)sc_dwarf_uleb(it));
		break;
	case 0x0d: /* def_cfa_register */
		set_address(machine, sc_dwarf_uleb(it), row->address_value);
		break;
	case 0x0e: /* def_cfa_offset */
		set_address(machine, column, (int64_t)sc_dwarf_uleb(it));
		break;
	case 0x0f: /* def_cfa_expression */
		set_address_expression(machine, it);
		break;
	case 0x12: /* def_cfa_sf */
		column = sc_dwarf_uleb(it);
		set_address(machine, column, scaled(machine, (uint64_t)sc_dwarf_sleb(it)));
		break;
	default: /* 0x13, def_cfa_offset_sf */
		set_address(machine, column, scaled(machine, (uint64_t)sc_dwarf_sleb(it)));
		break;
	}
}

static void set_rule_by(struct machine *machine, struct sc_dwarf *it, uint8_t operation)
{
	uint64_t column = sc_dwarf_uleb(it);
	switch (operation) {
	case 0x05: /* offset_extended */
		set_rule(machine, column, SC_CFI_AT_OFFSET, scaled(machine, sc_dwarf_uleb(it)));
		break;
	case 0x06: /* restore_extended */
		restore_rule(machine, column);
		break;
	case 0x07: /* undefined */
		set_rule(machine, column, SC_CFI_UNDEFINED, 0);
		break;
	case 0x08: /* same_value */
		set_rule(machine, column, SC_CFI_SAME, 0);
		break;
	case 0x09: /* register */
		set_rule(machine, column, SC_CFI_IN_REGISTER, (int64_t)sc_dwarf_uleb(it));
		break;
	case 0x10: /* expression */
		set_rule(machine, column, SC_CFI_AT_EXPRESSION, skip_expression(machine, it));
		break;
	case 0x11: /* offset_extended_sf */
		set_rule(machine, column, SC_CFI_AT_OFFSET,
			scaled(machine, (uint64_t)sc_dwarf_sleb(it)));
		break;
	case 0x14: /* val_offset */
		set_rule(machine, column, SC_CFI_IS_OFFSET, scaled(machine, sc_dwarf_uleb(it)));
		break;
	case 0x15: /* val_offset_sf */
		set_rule(machine, column, SC_CFI_IS_OFFSET,
			scaled(machine, (uint64_t)sc_dwarf_sleb(it)));
		break;
	case 0x16: /* val_expression */
		set_rule(machine, column, SC_CFI_IS_EXPRESSION, skip_expression(machine, it));
		break;
	default: /* 0x2f, GNU_negative_offset_extended */
		set_rule(machine, column, SC_CFI_AT_OFFSET, scaled(machine, -sc_dwarf_uleb(it)));
		break;
	}
}

static void operate(struct machine *machine, struct sc_dwarf *it, uint8_t operation)
{
	const struct common *common = machine->common;
	switch (operation) {
	case 0x00: /* nop */
	case 0x2d: /* aarch64: the return address is signed from here on, or no longer */
		break;
	case 0x01: /* set_loc */
		machine->location =
			sc_dwarf_pointer(it, common->pointer_encoding, machine->cfi->header);
		break;
	case 0x02: /* advance_loc1, 2, 4 */
	case 0x03:
	case 0x04:
		machine->location += sc_dwarf_unsigned(it, (size_t)1 << (operation - 0x02)) *
				     common->code_factor;
		break;
	case 0x0a:
		remember(machine);
		break;
	case 0x0b:
		recall(machine);
		break;
	case 0x0c:
	case 0x0d:
	case 0x0e:
	case 0x0f:
	case 0x12:
	case 0x13:
		set_address_by(machine, it, operation);
		break;
	case 0x2e: /* GNU_args_size */
		sc_dwarf_uleb(it);
		break;
	default:
		machine->is_bad = machine->is_bad || (operation > 0x16 && operation != 0x2f);
		set_rule_by(machine, it, operation);
		break;
	}
}

/* Run a program as far as it tells of what is before pc and at it. */
static bool run(struct machine *machine, struct sc_dwarf it)
{
	while (it.at < it.end && machine->location <= machine->pc) {
		uint8_t operation = (uint8_t)sc_dwarf_unsigned(&it, 1);
		uint8_t operand = operation & 0x3f;
		switch (operation >> 6) {
		case 1: /* advance_loc */
			machine->location += operand * machine->common->code_factor;
			break;
		case 2: /* offset */
			set_rule(machine, operand, SC_CFI_AT_OFFSET,
				scaled(machine, sc_dwarf_uleb(&it)));
			break;
		case 3: /* restore */
			restore_rule(machine, operand);
			break;
		default:
			operate(machine, &it, operation);
			break;
		}
		if (it.is_bad || machine->is_bad) {
			return false;
		}
	}
	return true;
}

static bool run_both(struct sc_cfi *cfi, const struct common *common, const struct sc_dwarf *own,
	uint64_t start, uint64_t pc)
{
	struct sc_cfi_row initial;
	struct machine machine = {.common = common, .cfi = cfi, .location = start, .pc = pc};
	memset(&cfi->row, 0, sizeof(cfi->row));
	if (!run(&machine, common->program)) {
		return false;
	}
	initial = cfi->row;
	machine.initial = &initial;
	machine.location = start;
	return run(&machine, *own);
}

static bool read_entry(struct sc_peek *peek, uint64_t at, uint64_t pc, struct sc_cfi *cfi)
{
	struct common common;
	struct sc_dwarf it = open_entry(peek, at);
	uint64_t place = it.at;
	uint64_t distance = sc_dwarf_unsigned(&it, 4);
	if (it.is_bad || distance == 0 || !read_common(peek, place - distance, &common)) {
		return false;
	}
	uint64_t start = sc_dwarf_pointer(&it, common.pointer_encoding, cfi->header);
	uint64_t size = sc_dwarf_pointer(&it, common.pointer_encoding & 0x0f, 0);
	if (common.has_augmentation) {
		uint64_t augmentation_size = sc_dwarf_uleb(&it);
		it.is_bad = it.is_bad || augmentation_size > it.end - it.at;
		it.at += augmentation_size;
	}
	if (it.is_bad || pc - start >= size) {
		return false;
	}
	cfi->is_signal_frame = common.is_signal_frame;
	return run_both(cfi, &common, &it, start, pc);
}

/* An entry of the sorted table: where code begins, and where its entry is. */
static bool read_pair(struct sc_peek *peek, uint64_t header, uint64_t at, uint64_t pair[2])
{
	struct sc_dwarf it = {peek, at, at + ENTRY_BYTES, false};
	pair[0] = sc_dwarf_pointer(&it, SC_DWARF_DATA_RELATIVE, header);
	pair[1] = sc_dwarf_pointer(&it, SC_DWARF_DATA_RELATIVE, header);
	return !it.is_bad;
}

/* The last that begins at pc or before. */
static bool search(struct sc_peek *peek, const struct sc_dwarf *table, uint64_t count, uint64_t pc,
	struct sc_cfi *cfi)
{
	uint64_t pair[2];
	uint64_t low = 0;
	uint64_t high = count;
	while (high - low > 1) {
		uint64_t middle = low + (high - low) / 2;
		if (!read_pair(peek, cfi->header, table->at + middle * ENTRY_BYTES, pair)) {
			return false;
		}
		if (pair[0] <= pc) {
			low = middle;
		} else {
			high = middle;
		}
	}
	return read_pair(peek, cfi->header, table->at + low * ENTRY_BYTES, pair) && pair[0] <= pc &&
	       read_entry(peek, pair[1], pc, cfi);
}

bool sc_cfi_find(struct sc_peek *peek, uint64_t header, uint64_t pc, struct sc_cfi *cfi)
{
	struct sc_dwarf it = {peek, header, header + 20, false};
	uint64_t version = sc_dwarf_unsigned(&it, 1);
	uint8_t frame_encoding = (uint8_t)sc_dwarf_unsigned(&it, 1);
	uint8_t count_encoding = (uint8_t)sc_dwarf_unsigned(&it, 1);
	uint8_t table_encoding = (uint8_t)sc_dwarf_unsigned(&it, 1);
	if (it.is_bad || version != 1 || table_encoding != SC_DWARF_DATA_RELATIVE ||
		count_encoding == SC_DWARF_OMITTED) {
		return false;
	}
	cfi->header = header;
	sc_dwarf_pointer(&it, frame_encoding, header);
	uint64_t count = sc_dwarf_pointer(&it, count_encoding, header);
	return !it.is_bad && count > 0 && count <= UINT32_MAX && search(peek, &it, count, pc, cfi);
}

struct sc_dwarf sc_cfi_expression(const struct sc_cfi *cfi, struct sc_peek *peek, int32_t value)
{
	uint64_t at = cfi->header + (uint64_t)(int64_t)value;
	return (struct sc_dwarf){peek, at, at + EXPRESSION_MAX, false};
}
