// SPDX-License-Identifier: MIT
// LINK: filters.o sys.o
/*
 * What a seccomp filter would do to a system call, held against what the kernel does: programs by
 * chance over all instructions that seccomp(2) allows, each put on a child that makes one call.
 */
#include "filters.h"
#include "harness/unit.h"
#include "sys.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { STEPS_MAX = 24, ROUNDS = 400, PROBED = SYS_getppid };

static const long arguments[6] = {0x7, 0x100000003L, -1, 0x1234, 0, 0x80000000L};

static unsigned int seed = 20261122;

static unsigned int chance(unsigned int bound)
{
	return (unsigned int)rand_r(&seed) % bound;
}

/* The library does not tell where the call would be made from. */
static unsigned int random_place(void)
{
	unsigned int word = chance(sizeof(struct seccomp_data) / 4 - 2);

	return word < 2 ? word * 4 : (word + 2) * 4;
}

static struct sock_filter random_step(unsigned int steps_left)
{
	static const unsigned short operations[] = {
		BPF_ADD, BPF_SUB, BPF_MUL, BPF_DIV, BPF_AND, BPF_OR, BPF_XOR, BPF_LSH, BPF_RSH};
	static const unsigned short tests[] = {BPF_JEQ, BPF_JGT, BPF_JGE, BPF_JSET};
	static const unsigned int numbers[] = {0, 1, 3, 7, 31, 0x1234, 0x80000000, UINT32_MAX};
	unsigned short source = chance(2) ? BPF_K : BPF_X;
	unsigned int number = numbers[chance(8)];

	switch (chance(9)) {
	case 0:
	case 1:
		return (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, random_place());
	case 2:
		return (struct sock_filter)BPF_STMT(
			(chance(2) ? BPF_LD : BPF_LDX) | BPF_IMM, number);
	case 3:
		return (struct sock_filter)BPF_STMT((chance(2) ? BPF_ST : BPF_STX), chance(2));
	case 4:
		return (struct sock_filter)BPF_STMT(
			(chance(2) ? BPF_LD : BPF_LDX) | BPF_MEM, chance(2));
	case 5:
		return (struct sock_filter)BPF_STMT(BPF_MISC | (chance(2) ? BPF_TAX : BPF_TXA), 0);
	case 6:
		return chance(8) == 0
			       ? (struct sock_filter)BPF_STMT(BPF_ALU | BPF_NEG, 0)
			       : (struct sock_filter)BPF_STMT(
					 BPF_ALU | operations[chance(9)] | source, number % 32 + 1);
	case 7:
		return (struct sock_filter)BPF_STMT(
			(chance(2) ? BPF_LD : BPF_LDX) | BPF_W | BPF_LEN, 0);
	default:
		return (struct sock_filter)BPF_JUMP(BPF_JMP | tests[chance(4)] | source, number,
			(unsigned char)chance(steps_left), (unsigned char)chance(steps_left));
	}
}

/* All calls but one pass, so that the child can end; both ends are there for the jumps. */
static size_t random_program(struct sock_filter *program)
{
	unsigned int body = 3 + chance(STEPS_MAX - 10);
	size_t count = 0;

	program[count++] = (struct sock_filter)BPF_STMT(
		BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
	program[count++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PROBED, 1, 0);
	program[count++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	program[count++] = (struct sock_filter)BPF_STMT(BPF_ST, 0);
	program[count++] = (struct sock_filter)BPF_STMT(BPF_ST, 1);
	for (unsigned int i = 0; i < body; i++) {
		program[count++] = random_step(body - i);
	}
	program[count++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 1, 1, 0);
	program[count++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	program[count++] = (struct sock_filter)BPF_STMT(
		BPF_RET | BPF_K, chance(2) ? SECCOMP_RET_KILL_PROCESS : SECCOMP_RET_TRAP);
	return count;
}

/* 1: the call killed, 0: it did not, -1: the kernel does not take the program. */
static int ask_kernel(const struct sock_fprog *program)
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		signal(SIGSYS, SIG_DFL);
		if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
			prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, program) != 0) {
			_exit(1);
		}
		syscall(PROBED, arguments[0], arguments[1], arguments[2], arguments[3],
			arguments[4], arguments[5]);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WIFSIGNALED(status)) {
		assert_int_equal(WTERMSIG(status), SIGSYS);
		return 1;
	}
	return WEXITSTATUS(status) == 0 ? 0 : -1;
}

/* The library's answer, in a child too: filters stay. */
static int ask_library(const struct sock_fprog *program)
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		sc_filters_add(program);
		_exit(atomic_load(&sc_sys_is_deadly)(PROBED, arguments));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void test_filters_say_what_the_kernel_does(void **state)
{
	size_t kills = 0;
	size_t passes = 0;

	(void)state;
	for (int i = 0; i < ROUNDS; i++) {
		struct sock_filter steps[STEPS_MAX];
		const struct sock_fprog program = {
			.len = (unsigned short)random_program(steps), .filter = steps};
		int truth = ask_kernel(&program);

		if (truth < 0) {
			continue; /* reads memory that was not written */
		}
		kills += truth == 1;
		passes += truth == 0;
		if (ask_library(&program) != truth) {
			fail_msg("program %d: the kernel says %d", i, truth);
		}
	}
	assert_true(kills > ROUNDS / 10);
	assert_true(passes > ROUNDS / 10);
}

static void test_filters_answers_that_do_not_kill(void **state)
{
	static const struct {
		unsigned int answer;
		bool is_deadly;
	} rows[] = {{SECCOMP_RET_ALLOW, false}, {SECCOMP_RET_LOG, false},
		{SECCOMP_RET_ERRNO | EPERM, false}, {SECCOMP_RET_KILL_THREAD, true},
		{SECCOMP_RET_KILL_PROCESS, true}, {SECCOMP_RET_TRAP, true},
		{SECCOMP_RET_TRACE, true}, {SECCOMP_RET_USER_NOTIF, true}};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct sock_filter step = BPF_STMT(BPF_RET | BPF_K, rows[i].answer);

		assert_int_equal(ask_library(&(struct sock_fprog){.len = 1, .filter = &step}),
			rows[i].is_deadly);
	}
}

/* The strictest of several holds; more than there is room for are as strict as can be. */
static void test_filters_add_up(void **state)
{
	struct sock_filter allow = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	struct sock_filter deny[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PROBED, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};

	(void)state;
	assert_true(sc_sys_is_allowed(PROBED, 0));
	sc_filters_add(&(struct sock_fprog){.len = 1, .filter = &allow});
	assert_true(sc_sys_is_allowed(PROBED, 0));
	sc_filters_add(&(struct sock_fprog){.len = 4, .filter = deny});
	sc_filters_add(&(struct sock_fprog){.len = 1, .filter = &allow});
	assert_false(sc_sys_is_allowed(PROBED, 0));
	assert_int_equal(sc_sys6(PROBED, 0, 0, 0, 0, 0, 0), -EPERM);
	assert_true(sc_sys_is_allowed(SYS_getpid, 0));
	for (int i = 0; i < 40; i++) {
		sc_filters_add(&(struct sock_fprog){.len = 1, .filter = &allow});
	}
	assert_false(sc_sys_is_allowed(SYS_getpid, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_filters_say_what_the_kernel_does),
		cmocka_unit_test(test_filters_answers_that_do_not_kill),
		cmocka_unit_test(test_filters_add_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
