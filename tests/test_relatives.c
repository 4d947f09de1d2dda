// SPDX-License-Identifier: MIT
// LINK: relatives.o procfs.o line.o sys.o
/*
 * What a process that may not be read can be, by its entry in /proc: here a folder that looks like
 * one. In a pid namespace any number but the first may be anybody's.
 */
#include "harness/plainfds.h"
#include "harness/unit.h"
#include "process.h"
#include "relatives.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	SELF = 6,
	OLDEST_BORN = 100,
	USER = 0x400040,           /* flags as of a shell */
	ENDING = 0x4,              /* its exit has begun */
	KERNEL = 0x200000 | 0x840, /* as of a kernel thread */
};

/* ---- what the rest of the library would say -------------------------------------------------- */

int sc_process_pid(void)
{
	return SELF;
}

const struct sc_process_family *sc_process_get_family(void)
{
	static const struct sc_process_family family = {.root_pid = SELF, .parent_pid = 2};

	return &family;
}

bool sc_process_may_be_of_line(int pid)
{
	return pid == SELF;
}

/* ---- /proc ----------------------------------------------------------------------------------- */

static char root[64];
static int proc;

static int make_root(void **state)
{
	(void)state;
	snprintf(root, sizeof(root), "/tmp/relatives-XXXXXX");
	if (!mkdtemp(root)) {
		return -1;
	}
	proc = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return proc < 0 ? -1 : 0;
}

static void entry_path(char *path, size_t size, int pid, const char *file)
{
	snprintf(path, size, "%s/%d/%s", root, pid, file);
}

static int remove_root(void **state)
{
	char path[96];

	(void)state;
	for (int pid = 1; pid < 10; pid++) {
		entry_path(path, sizeof(path), pid, "stat");
		unlink(path);
		entry_path(path, sizeof(path), pid, "");
		rmdir(path);
	}
	close(proc);
	return rmdir(root);
}

/* Give pid an entry. */
static void put(
	int pid, const char *comm, char task_state, int parent, unsigned int flags, int born)
{
	char path[96];
	FILE *file;

	entry_path(path, sizeof(path), pid, "");
	assert_return_code(mkdir(path, 0700), errno);
	entry_path(path, sizeof(path), pid, "stat");
	file = fopen(path, "w");
	assert_non_null(file);
	fprintf(file, "%d (%s) %c %d 1 1 0 -1 %u 0 0 0 0 0 0 0 0 20 0 1 0 %d 0 0\n", pid, comm,
		task_state, parent, flags, born);
	assert_int_equal(fclose(file), 0);
}

static bool is_nothing(int pid)
{
	struct sc_stranger stranger;

	sc_relatives_look(&stranger, proc, SELF, pid, OLDEST_BORN);
	return stranger.is_nothing;
}

static void test_process_two_and_its_children_may_hold(void **state)
{
	(void)state;
	put(2, "master", 'S', 1, USER, 10);
	put(5, "worker", 'S', 2, USER, 50);
	assert_false(is_nothing(2));
	assert_false(is_nothing(5));
}

static void test_kernel_threads_hold_nothing(void **state)
{
	(void)state;
	put(2, "kthreadd", 'S', 0, KERNEL, 1);
	put(7, "kworker/0:1 (x)", 'I', 2, KERNEL, 200);
	assert_true(is_nothing(2));
	assert_true(is_nothing(7));
}

static void test_who_ends_holds_nothing_soon(void **state)
{
	struct sc_stranger stranger;

	(void)state;
	put(5, "worker", 'R', 2, USER, 50);
	put(7, "worker", 'R', 2, USER | ENDING, 50);
	sc_relatives_look(&stranger, proc, SELF, 5, OLDEST_BORN);
	assert_false(stranger.is_ending);
	sc_relatives_look(&stranger, proc, SELF, 7, OLDEST_BORN);
	assert_true(stranger.is_ending);
	assert_false(stranger.is_nothing);
}

static void test_zombies_and_the_gone_hold_nothing(void **state)
{
	(void)state;
	put(5, "worker", 'Z', 2, USER, 50);
	assert_true(is_nothing(5));
	assert_true(is_nothing(8));
}

/* What began later than the connection is followed upwards; its name may look like anything. */
static void test_the_young_are_known_by_their_line(void **state)
{
	struct sc_stranger stranger;

	(void)state;
	put(2, "a) Z 9 (b", 'S', 0, USER, 10);
	put(5, "worker", 'S', 2, USER, 150);
	sc_relatives_look(&stranger, proc, SELF, 5, OLDEST_BORN);
	assert_false(stranger.is_nothing);
	assert_int_equal(stranger.relatives.count, 2);
	assert_true(stranger.relatives.is_whole);
	assert_int_equal(stranger.relatives.line[0].pid, 5);
	assert_int_equal(stranger.relatives.line[0].start_time, 150);
	assert_int_equal(stranger.relatives.line[1].pid, 2);
	assert_int_equal(stranger.relatives.line[1].start_time, 10);
}

#define IN_A_FOLDER(test) cmocka_unit_test_setup_teardown(test, make_root, remove_root)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_A_FOLDER(test_process_two_and_its_children_may_hold),
		IN_A_FOLDER(test_kernel_threads_hold_nothing),
		IN_A_FOLDER(test_who_ends_holds_nothing_soon),
		IN_A_FOLDER(test_zombies_and_the_gone_hold_nothing),
		IN_A_FOLDER(test_the_young_are_known_by_their_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
