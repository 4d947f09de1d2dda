// SPDX-License-Identifier: MIT
#include "filters.h"
#include "sys.h"
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>

/* Not mapped when needed: mapping may be what a filter kills for. Pages not used are not there. */
#define FILTERS_MAX 32u
#define INSTRUCTIONS_MAX 16384u

#if defined(__x86_64__)
#define ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#elif defined(__i386__)
#define ARCHITECTURE AUDIT_ARCH_I386
#endif

struct filter {
	const struct sock_filter *_Atomic code; /* NULL: none */
	uint32_t length;
};

static struct sock_filter room[INSTRUCTIONS_MAX];
static _Atomic uint32_t room_used;
static struct filter filters[FILTERS_MAX];
static _Atomic uint32_t filter_count;
static _Atomic bool is_all_deadly;

/* Classic BPF as seccomp(2) allows it, over struct seccomp_data. The kernel has checked the program:
 * jumps go forward and end within it, and so do loads. */
struct machine {
	uint32_t a;
	uint32_t x;
	uint32_t memory[BPF_MEMWORDS];
	const struct seccomp_data *data;
};

static bool is_division_by_zero(const struct machine *it, const struct sock_filter *step)
{
	return BPF_OP(step->code) == BPF_DIV &&
	       (BPF_SRC(step->code) == BPF_X ? it->x : step->k) == 0;
}

static uint32_t compute(const struct machine *it, const struct sock_filter *step)
{
	uint32_t operand = BPF_SRC(step->code) == BPF_X ? it->x : step->k;
	switch (BPF_OP(step->code)) {
	case BPF_ADD:
		return it->a + operand;
	case BPF_SUB:
		return it->a - operand;
	case BPF_MUL:
		return it->a * operand;
	case BPF_DIV:
		return it->a / operand;
	case BPF_AND:
		return it->a & operand;
	case BPF_OR:
		return it->a | operand;
	case BPF_XOR:
		return it->a ^ operand;
	case BPF_LSH:
		return it->a << (operand & 31);
	case BPF_RSH:
		return it->a >> (operand & 31);
	default: /* BPF_NEG */
		return -it->a;
	}
}

/* How many instructions to skip. */
static uint32_t jump(const struct machine *it, const struct sock_filter *step)
{
	uint32_t operand = BPF_SRC(step->code) == BPF_X ? it->x : step->k;
	bool is_true = false;
	switch (BPF_OP(step->code)) {
	case BPF_JA:
		return step->k;
	case BPF_JEQ:
		is_true = it->a == operand;
		break;
	case BPF_JGT:
		is_true = it->a > operand;
		break;
	case BPF_JGE:
		is_true = it->a >= operand;
		break;
	default: /* BPF_JSET */
		is_true = (it->a & operand) != 0;
		break;
	}
	return is_true ? step->jt : step->jf;
}

static uint32_t load(const struct machine *it, const struct sock_filter *step)
{
	uint32_t value = 0;
	switch (BPF_MODE(step->code)) {
	case BPF_IMM:
		return step->k;
	case BPF_MEM:
		return step->k < BPF_MEMWORDS ? it->memory[step->k] : 0;
	case BPF_ABS:
		if (step->k <= sizeof(*it->data) - sizeof(value)) {
			memcpy(&value, (const char *)it->data + step->k, sizeof(value));
		}
		return value;
	default: /* BPF_LEN */
		return sizeof(*it->data);
	}
}

/* What the filter answers: SECCOMP_RET_ALLOW and its kind. */
static uint32_t run(
	const struct sock_filter *code, uint32_t length, const struct seccomp_data *data)
{
	struct machine it = {.data = data};
	for (uint32_t at = 0; at < length; at++) {
		const struct sock_filter *step = &code[at];
		switch (BPF_CLASS(step->code)) {
		case BPF_LD:
			it.a = load(&it, step);
			break;
		case BPF_LDX:
			it.x = load(&it, step);
			break;
		case BPF_ST:
		case BPF_STX:
			if (step->k < BPF_MEMWORDS) {
				it.memory[step->k] = BPF_CLASS(step->code) == BPF_ST ? it.a : it.x;
			}
			break;
		case BPF_ALU:
			if (is_division_by_zero(&it, step)) {
				return SECCOMP_RET_KILL_THREAD; /* kernel: net/core/filter.c */
			}
			it.a = compute(&it, step);
			break;
		case BPF_JMP:
			at += jump(&it, step);
			break;
		case BPF_RET:
			return BPF_RVAL(step->code) == BPF_A ? it.a : step->k;
		default: /* BPF_MISC */
			if (BPF_MISCOP(step->code) == BPF_TAX) {
				it.x = it.a;
			} else {
				it.a = it.x;
			}
			break;
		}
	}
	return SECCOMP_RET_KILL_PROCESS;
}

/* SECCOMP_RET_TRAP raises SIGSYS; _USER_NOTIF and _TRACE ask another process. */
static bool is_harmless(uint32_t answer)
{
	switch (answer & SECCOMP_RET_ACTION_FULL) {
	case SECCOMP_RET_ERRNO:
	case SECCOMP_RET_LOG:
	case SECCOMP_RET_ALLOW:
		return true;
	default:
		return false;
	}
}

static bool is_deadly(long number, const long arguments[6])
{
	if (atomic_load(&is_all_deadly)) {
		return true;
	}
	struct seccomp_data data = {.nr = (int)number, .arch = ARCHITECTURE};
	for (int i = 0; i < 6; i++) {
		data.args[i] = (uint64_t)arguments[i];
	}
	uint32_t count = atomic_load(&filter_count);
	for (uint32_t i = 0; i < count && i < FILTERS_MAX; i++) {
		const struct sock_filter *code = atomic_load(&filters[i].code);
		if (code != NULL && !is_harmless(run(code, filters[i].length, &data))) {
			return true;
		}
	}
	return false;
}

void sc_filters_add_all_deadly(void)
{
	atomic_store(&is_all_deadly, true);
	atomic_store(&sc_sys_is_deadly, is_deadly);
}

void sc_filters_add(const struct sock_fprog *program)
{
	uint32_t start = atomic_fetch_add(&room_used, program->len);
	if (start + program->len > INSTRUCTIONS_MAX || start > INSTRUCTIONS_MAX) {
		sc_filters_add_all_deadly();
		return;
	}
	uint32_t slot = atomic_fetch_add(&filter_count, 1);
	if (slot >= FILTERS_MAX) {
		sc_filters_add_all_deadly();
		return;
	}
	memcpy(&room[start], program->filter, program->len * sizeof(room[0]));
	filters[slot].length = program->len;
	atomic_store(&filters[slot].code, &room[start]);
	atomic_store(&sc_sys_is_deadly, is_deadly);
}
