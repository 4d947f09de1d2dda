// SPDX-License-Identifier: MIT
// LINK: unwind.o cfi.o dwarf.o module.o maps.o peek.o line.o procfs.o sys.o
// HARNESS
/*
 * The unwinder. Over frames of many shapes, and before each instruction of a call through a PLT and
 * the dynamic linker behind it, it finds what libgcc's finds. Each instruction of an unwind table,
 * hand-made, has the effect that DWARF says, and what is broken is no answer.
 */
#include "../shim/cfi.h"
#include "../shim/module.h"
#include "../shim/unwind.h"
#include "harness/plainfds.h"
#include "harness/rows.h"
#include "harness/sanitizer.h"

#include <alloca.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <ucontext.h>
#include <unistd.h>

enum { FRAMES_MAX = 64, BIG_FRAME = 300 * 1024 };

/* ---- stacks as they are ----------------------------------------------------------------------- */

struct frames {
	size_t count;
	uint64_t at[FRAMES_MAX];
};

static struct frames ours;
static struct frames theirs;
static bool is_stepping; /* then the handler traces */

static bool take(void *context, uint64_t address)
{
	struct frames *frames = context;

	frames->at[frames->count++] = address;
	return frames->count < FRAMES_MAX;
}

/* libgcc's, by the Itanium C++ ABI; its header has the name of the library's. */
enum { GO_ON = 0, END_OF_STACK = 5 };
struct _Unwind_Context;
int _Unwind_Backtrace(int (*take)(struct _Unwind_Context *context, void *argument), void *argument);
uintptr_t _Unwind_GetIPInfo(struct _Unwind_Context *context, int *is_before);

/* As sc_unwind_take has it. */
static int take_theirs(struct _Unwind_Context *context, void *argument)
{
	int is_before = 0;
	uint64_t address = _Unwind_GetIPInfo(context, &is_before);

	if (address == 0) {
		return END_OF_STACK; /* told behind the program's first frame */
	}
	return take(argument, address + (uint64_t)(is_before != 0)) ? GO_ON : END_OF_STACK;
}

/* Of whoever calls this. Their first frame is this one. */
static __attribute__((noinline)) void trace(void)
{
	ours.count = 0;
	theirs.count = 0;
	_Unwind_Backtrace(take_theirs, &theirs);
	sc_unwind_from(__builtin_return_address(0), false, take, &ours);
}

static bool is_same(void)
{
	return ours.count > 0 && ours.count + 1 == theirs.count &&
	       memcmp(ours.at, theirs.at + 1, ours.count * sizeof(ours.at[0])) == 0;
}

/* All of them, from here to the program's first. */
static void assert_same(size_t least)
{
	if (!is_same()) {
		for (size_t i = 0; i < ours.count || i + 1 < theirs.count; i++) {
			print_message("%2zu %#14zx %#14zx\n", i,
				i < ours.count ? (size_t)ours.at[i] : 0,
				i + 1 < theirs.count ? (size_t)theirs.at[i + 1] : 0);
		}
		fail_msg("%zu frames, libgcc has %zu", ours.count, theirs.count - 1);
	}
	assert_true(ours.count >= least);
}

/* What stands behind the call keeps it from being a jump. */
#define HERE __asm__ volatile("" ::: "memory")

static __attribute__((noinline)) void no_frame_pointer(void)
{
	if (!is_stepping) {
		trace();
	}
	HERE;
}

static __attribute__((noinline)) void variable_frame(size_t bytes)
{
	char *room = alloca(bytes);

	memset(room, 1, bytes);
	__asm__ volatile("" ::"r"(room) : "memory");
	no_frame_pointer();
	HERE;
}

static __attribute__((noinline)) void big_frame(void)
{
	char room[BIG_FRAME];

	__asm__ volatile("" ::"r"(room) : "memory");
	variable_frame(4711);
	HERE;
}

/* Its address is an expression on x86-64. */
static __attribute__((noinline)) void realigned_frame(size_t bytes)
{
	char room[64] __attribute__((aligned(128)));
	char *more = alloca(bytes);

	__asm__ volatile("" ::"r"(room), "r"(more) : "memory");
	assert_int_equal((uintptr_t)room % 128, 0);
	big_frame();
	HERE;
}

/* With what the callers keep in registers spilled, and overwritten. */
static __attribute__((noinline)) void spilling_frame(void)
{
#if defined(__x86_64__)
	__asm__ volatile("xor %%ebx, %%ebx\n\txor %%r12d, %%r12d" ::
				 : "rbx", "r12", "r13", "r14", "r15");
#endif
	realigned_frame(100);
	HERE;
}

static __attribute__((noinline)) int recursive_frame(int depth)
{
	int sum = depth;

	if (depth == 0) {
		spilling_frame();
	} else {
		sum += recursive_frame(depth - 1);
	}
	HERE;
	return sum;
}

static void skip_under_sanitizers(void)
{
	sanitizer_skip_if(sanitizer_is_any(), "its frames are its own");
}

static void test_unwind_finds_frames_of_all_shapes(void **state)
{
	(void)state;
	skip_under_sanitizers();
	assert_int_equal(recursive_frame(9), 45);
	assert_same(16);
}

static void handle(int number)
{
	trace();
	assert_int_equal(number, SIGUSR1);
}

static __attribute__((noinline)) void interrupted_frame(void)
{
	assert_int_equal(raise(SIGUSR1), 0);
	HERE;
}

static void test_unwind_passes_a_signal(void **state)
{
	struct sigaction action = {.sa_handler = handle};
	struct sigaction before;

	(void)state;
	skip_under_sanitizers();
	sigaction(SIGUSR1, &action, &before);
	interrupted_frame();
	sigaction(SIGUSR1, &before, NULL);
	assert_same(5);
}

static void test_unwind_ends_where_it_is_told(void **state)
{
	struct frames two = {.count = FRAMES_MAX - 2};

	(void)state;
	skip_under_sanitizers();
	no_frame_pointer();
	sc_unwind_from(NULL, false, take, &two);
	/* All of this program is ours to it: what comes first is libc's call of main. */
	assert_in_range(two.count, FRAMES_MAX - 1, FRAMES_MAX);
	two.count = 0;
	sc_unwind_from((void *)(uintptr_t)1, false, take, &two);
	assert_int_equal(two.count, 0);
}

#if defined(__x86_64__)
enum { TRAP_FLAG = 0x100, STEPS_LEAST = 1000, STEPS_MAX = 100000 };

static volatile size_t steps;
static volatile size_t linker_steps;
static volatile size_t wrong_steps;
static volatile uint64_t first_wrong;

/* Behind each instruction. */
static void handle_step(int number, siginfo_t *info, void *context)
{
	uint64_t at = (uint64_t)((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP];
	struct sc_module module;

	(void)number;
	(void)info;
	steps++;
	linker_steps += sc_module_find(at, &module) && strstr(module.path, "/ld-") != NULL;
	trace();
	if (!is_same() && wrong_steps++ == 0) {
		first_wrong = at;
	}
}

/* Through the PLT, for the first time: the dynamic linker looks it up. */
static __attribute__((noinline)) int stepped_call(void)
{
	int order = strverscmp("file9", "file10");

	recursive_frame(1);
	HERE;
	return order;
}

static void set_trap_flag(bool is_on)
{
	if (is_on) {
		__asm__ volatile("pushfq\n\torq %0, (%%rsp)\n\tpopfq" ::"i"(TRAP_FLAG)
				 : "memory", "cc");
	} else {
		__asm__ volatile("pushfq\n\tandq %0, (%%rsp)\n\tpopfq" ::"i"(~TRAP_FLAG)
				 : "memory", "cc");
	}
}

static void test_unwind_is_right_before_each_instruction(void **state)
{
	struct sigaction action = {.sa_sigaction = handle_step, .sa_flags = SA_SIGINFO};
	struct sigaction before;
	int order;

	(void)state;
	skip_under_sanitizers();
	sigaction(SIGTRAP, &action, &before);
	is_stepping = true;
	set_trap_flag(true);
	order = stepped_call();
	set_trap_flag(false);
	is_stepping = false;
	sigaction(SIGTRAP, &before, NULL);
	assert_true(order < 0);
	print_message("%zu instructions, %zu of the dynamic linker\n", steps, linker_steps);
	assert_in_range(steps, STEPS_LEAST, STEPS_MAX);
	if (wrong_steps > 0) {
		fail_msg("%zu of %zu are wrong, the first at %#zx", wrong_steps, steps,
			(size_t)first_wrong);
	}
}
#endif

/* ---- tables by hand ---------------------------------------------------------------------------- */

enum { CODE_BYTES = 0x200000, CODE_FACTOR = 2, DATA_FACTOR = -8 };

/* .eh_frame_hdr with one entry, and .eh_frame; the code is said to lie behind it. */
static struct {
	unsigned char bytes[512];
	size_t size;
} table;

static void add(const void *bytes, size_t size)
{
	assert_true(table.size + size <= sizeof(table.bytes));
	memcpy(table.bytes + table.size, bytes, size);
	table.size += size;
}

static void add_word(uint32_t word)
{
	add(&word, sizeof(word));
}

static void set_word(size_t at, uint32_t word)
{
	memcpy(table.bytes + at, &word, sizeof(word));
}

static uint32_t code_offset(void)
{
	return (uint32_t)sizeof(table.bytes);
}

static uint64_t code(void)
{
	return (uint64_t)(uintptr_t)table.bytes + code_offset();
}

/* The length in front of what has been added since, with its padding. */
static void end_entry(size_t start)
{
	set_word(start, (uint32_t)(table.size - start - 4));
}

struct instructions {
	const char *bytes;
	size_t size;
};

#define BYTES(text)                    \
	{                              \
		text, sizeof(text) - 1 \
	}

static void make_table(const struct instructions *common, const struct instructions *own)
{
	static const unsigned char header[] = {1, 0x1b, 0x03, 0x3b};
	static const unsigned char common_head[] = {1, 'z', 'R', 0, CODE_FACTOR,
		(unsigned char)DATA_FACTOR & 0x7f, SC_CFI_RETURN, 1, 0x1b};
	size_t entry;

	memset(&table, 0, sizeof(table));
	add(header, sizeof(header));
	add_word(16); /* .eh_frame is behind the pair, counted from here */
	add_word(1);
	add_word(code_offset());
	add_word(0); /* the entry's, below */
	entry = table.size;
	add_word(0);
	add_word(0);
	add(common_head, sizeof(common_head));
	add(common->bytes, common->size);
	end_entry(entry);
	set_word(16, (uint32_t)table.size);
	entry = table.size;
	add_word(0);
	add_word((uint32_t)(table.size - 20)); /* back to the common one */
	add_word(code_offset() - (uint32_t)table.size);
	add_word(CODE_BYTES);
	add("\0", 1);
	add(own->bytes, own->size);
	end_entry(entry);
}

/* Factors: of code 2, of data -8. The common part says: the address is register 7 + 8, the return
 * address is saved below it, register 3 two below that. */
#define COMMON "\x0c\x07\x08\x83\x03"

enum { NONE = 0xff };

static const struct opcode {
	const char *name;
	struct instructions own;
	uint64_t at; /* bytes from the code's beginning */
	int column;  /* of which the rule is asked; NONE: of the address */
	int rule;    /* or the address's register */
	int32_t value;
	bool is_broken;
} opcodes[] = {
	{"nop", BYTES("\x00\x00"), 0, NONE, 7, 8, false},
	{"common_rule", BYTES("\x00"), 0, 3, SC_CFI_AT_OFFSET, -24, false},
	{"advance_loc_before", BYTES("\x42\x0e\x10"), 3, NONE, 7, 8, false},
	{"advance_loc_at", BYTES("\x42\x0e\x10"), 4, NONE, 7, 16, false},
	{"advance_loc1_before", BYTES("\x02\x90\x0e\x10"), 0x11f, NONE, 7, 8, false},
	{"advance_loc1_at", BYTES("\x02\x90\x0e\x10"), 0x120, NONE, 7, 16, false},
	{"advance_loc2_before", BYTES("\x03\x00\x80\x0e\x10"), 0xffff, NONE, 7, 8, false},
	{"advance_loc2_at", BYTES("\x03\x00\x80\x0e\x10"), 0x10000, NONE, 7, 16, false},
	{"advance_loc4_before", BYTES("\x04\x01\x00\x08\x00\x0e\x10"), 0x100001, NONE, 7, 8, false},
	{"advance_loc4_at", BYTES("\x04\x01\x00\x08\x00\x0e\x10"), 0x100002, NONE, 7, 16, false},
	{"def_cfa", BYTES("\x0c\x06\xc0\x01"), 0, NONE, 6, 192, false},
	{"def_cfa_sf", BYTES("\x12\x06\x7e"), 0, NONE, 6, 16, false},
	{"def_cfa_register", BYTES("\x0d\x06"), 0, NONE, 6, 8, false},
	{"def_cfa_offset", BYTES("\x0e\x80\x08"), 0, NONE, 7, 1024, false},
	{"def_cfa_offset_sf", BYTES("\x13\x78"), 0, NONE, 7, 64, false},
	{"offset", BYTES("\x86\x02"), 0, 6, SC_CFI_AT_OFFSET, -16, false},
	{"offset_extended", BYTES("\x05\x06\x81\x01"), 0, 6, SC_CFI_AT_OFFSET, -1032, false},
	{"offset_extended_sf", BYTES("\x11\x06\x7f"), 0, 6, SC_CFI_AT_OFFSET, 8, false},
	{"negative_offset_extended", BYTES("\x2f\x06\x02"), 0, 6, SC_CFI_AT_OFFSET, 16, false},
	{"val_offset", BYTES("\x14\x06\x02"), 0, 6, SC_CFI_IS_OFFSET, -16, false},
	{"val_offset_sf", BYTES("\x15\x06\x7e"), 0, 6, SC_CFI_IS_OFFSET, 16, false},
	{"undefined", BYTES("\x07\x03"), 0, 3, SC_CFI_UNDEFINED, 0, false},
	{"same_value", BYTES("\x08\x03"), 0, 3, SC_CFI_SAME, 0, false},
	{"register", BYTES("\x09\x03\x05"), 0, 3, SC_CFI_IN_REGISTER, 5, false},
	{"restore", BYTES("\x08\x03\x41\xc3"), 2, 3, SC_CFI_AT_OFFSET, -24, false},
	{"restore_not_yet", BYTES("\x08\x03\x41\xc3"), 1, 3, SC_CFI_SAME, 0, false},
	{"restore_extended", BYTES("\x08\x03\x06\x03"), 0, 3, SC_CFI_AT_OFFSET, -24, false},
	{"remembered_state", BYTES("\x0a\x0e\x30\x08\x03\x41\x0b"), 1, NONE, 7, 48, false},
	{"restored_state", BYTES("\x0a\x0e\x30\x08\x03\x41\x0b"), 2, NONE, 7, 8, false},
	{"restored_rule", BYTES("\x0a\x08\x03\x0b"), 0, 3, SC_CFI_AT_OFFSET, -24, false},
	{"args_size", BYTES("\x2e\x85\x01\x0e\x18"), 0, NONE, 7, 24, false},
	{"vector_register", BYTES("\x05\x40\x02\x0e\x18"), 0, NONE, 7, 24, false},
	{"unknown", BYTES("\x3f"), 0, NONE, 0, 0, true},
	{"cut", BYTES("\x05\x06\x81"), 0, NONE, 0, 0, true},
	{"restored_too_often", BYTES("\x0a\x0b\x0b"), 0, NONE, 0, 0, true},
	{"address_of_no_register", BYTES("\x0d\x60"), 0, NONE, 0, 0, true},
	{"expression_too_long", BYTES("\x10\x06\x7f\x30"), 0, NONE, 0, 0, true},
};

static bool look_up(uint64_t at, struct sc_cfi *cfi)
{
	struct sc_peek peek = {.size = 0};

	return sc_cfi_find(&peek, (uint64_t)(uintptr_t)table.bytes, code() + at, cfi);
}

static void test_unwind_instruction(void **state)
{
	const struct opcode *row = *state;
	const struct instructions common = BYTES(COMMON);
	struct sc_cfi cfi;

	make_table(&common, &row->own);
	if (row->is_broken) {
		assert_false(look_up(row->at, &cfi));
		return;
	}
	assert_true(look_up(row->at, &cfi));
	assert_false(cfi.row.is_address_expression);
	assert_false(cfi.is_signal_frame);
	if (row->column == NONE) {
		assert_int_equal(cfi.row.address_register, row->rule);
		assert_int_equal(cfi.row.address_value, row->value);
	} else {
		assert_int_equal(cfi.row.rules[row->column], row->rule);
		assert_int_equal(cfi.row.values[row->column], row->value);
	}
}

static void test_unwind_table_ends_with_its_code(void **state)
{
	const struct instructions common = BYTES(COMMON);
	const struct instructions own = BYTES("\x00");
	struct sc_cfi cfi;

	(void)state;
	make_table(&common, &own);
	assert_true(look_up(0, &cfi));
	assert_true(look_up(CODE_BYTES - 1, &cfi));
	assert_false(look_up(CODE_BYTES, &cfi));
	assert_false(look_up(UINT64_MAX, &cfi)); /* a byte before it */
	for (size_t i = 0; i < 4; i++) {
		unsigned char before = table.bytes[i];

		if (i == 1) {
			continue; /* where .eh_frame is nobody asks */
		}
		table.bytes[i] = 0x77;
		assert_false(look_up(0, &cfi));
		table.bytes[i] = before;
	}
}

/* ---- expressions ------------------------------------------------------------------------------- */

static const uint64_t there = 0x1122334455667788;

/* Register N is 100 + N, but 4 points to there. The length comes first. */
static const struct expression {
	const char *name;
	struct instructions bytes;
	uint64_t value;
	bool is_broken;
} expressions[] = {
	{"literal", BYTES("\x01\x4f"), 31, false},
	{"register_offset", BYTES("\x02\x75\x7f"), 104, false},
	{"const1u", BYTES("\x02\x08\xff"), 255, false},
	{"const2u", BYTES("\x03\x0a\xff\x01"), 511, false},
	{"const4u", BYTES("\x05\x0c\x01\x00\x00\x80"), 0x80000001, false},
	{"const8u", BYTES("\x09\x0e\x01\x00\x00\x00\x00\x00\x00\x80"), 0x8000000000000001, false},
	{"consts", BYTES("\x03\x11\x80\x7f"), (uint64_t)-128, false},
	{"and", BYTES("\x03\x3c\x3a\x1a"), 8, false},
	{"minus", BYTES("\x03\x3c\x3a\x1c"), 2, false},
	{"plus", BYTES("\x03\x3c\x3a\x22"), 22, false},
	{"plus_uconst", BYTES("\x04\x3c\x23\x80\x01"), 140, false},
	{"shl", BYTES("\x03\x31\x34\x24"), 16, false},
	{"ge", BYTES("\x03\x3a\x3a\x2a"), 1, false},
	{"not_ge", BYTES("\x03\x39\x3a\x2a"), 0, false},
	{"deref", BYTES("\x03\x74\x00\x06"), 0x1122334455667788, false},
	/* What linkers write for a PLT: 8 more from the 11th byte of an entry on. */
	{"plt", BYTES("\x0b\x75\x08\x76\x05\x3f\x1a\x3b\x2a\x33\x24\x22"), 121, false},
	{"plt_early", BYTES("\x0b\x75\x08\x76\x00\x3f\x1a\x3b\x2a\x33\x24\x22"), 113, false},
	{"nothing", BYTES("\x00"), 0, true},
	{"too_few", BYTES("\x02\x30\x22"), 0, true},
	{"unknown", BYTES("\x01\x03"), 0, true},
	{"no_such_register", BYTES("\x02\x8f\x00"), 0, true},
	{"longer_than_all", BYTES("\x7f\x30"), 0, true},
	{"cut", BYTES("\x02\x0c\x01"), 0, true},
	{"unreadable", BYTES("\x02\x31\x06"), 0, true},
};

static void test_unwind_expression(void **state)
{
	const struct expression *row = *state;
	uint64_t at = (uint64_t)(uintptr_t)row->bytes.bytes;
	struct sc_peek peek = {.size = 0};
	struct sc_dwarf it = {&peek, at, at + row->bytes.size, false};
	uint64_t registers[8];
	struct sc_peek memory = {.size = 0};
	struct sc_dwarf_machine machine = {&memory, registers, 8};
	uint64_t value = 0;

	for (size_t i = 0; i < 8; i++) {
		registers[i] = 100 + i;
	}
	registers[4] = (uint64_t)(uintptr_t)&there;
	assert_int_equal(sc_dwarf_evaluate(&it, &machine, false, 0, &value), !row->is_broken);
	if (!row->is_broken) {
		assert_int_equal(value, row->value);
	}
}

static const struct rows_subject subjects[] = {
	ROWS_PLAIN(test_unwind_finds_frames_of_all_shapes),
	ROWS_PLAIN(test_unwind_passes_a_signal),
	ROWS_PLAIN(test_unwind_ends_where_it_is_told),
#if defined(__x86_64__)
	ROWS_PLAIN(test_unwind_is_right_before_each_instruction),
#endif
	ROWS_SUBJECT(test_unwind_instruction, opcodes),
	ROWS_PLAIN(test_unwind_table_ends_with_its_code),
	ROWS_SUBJECT(test_unwind_expression, expressions),
};

int main(void)
{
	sc_module_init();
	return ROWS_RUN(subjects);
}
