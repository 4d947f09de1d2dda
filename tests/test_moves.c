// SPDX-License-Identifier: MIT
// LINK: births.o numbers.o clock.o family.o holders.o sort.o line.o memory.o folder.o ownfds.o process.o real.o relatives.o sys.o turns.o
/*
 * A table of descriptors is read one after the other. What is moved meanwhile from a number that has
 * not been read yet to one that has, or to another process, still has a holder.
 */
#define sc_procfs_number read_number
#define sc_procfs_socket_inode read_inode
#include "../shim/procfs.c"
#undef sc_procfs_number
#undef sc_procfs_socket_inode

#include "../shim/births.h"
#include "../shim/family.h"
#include "../shim/holders.h"
#include "../shim/ownfds.h"
#include "../shim/process.h"
#include "../shim/thread.h"
#include "../shim/threads.h"
#include "harness/unit.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LOW = 30, HIGH = 900, PATIENCE_S = 20 };

bool sc_procfs_number(const char *name, int *number);
uint64_t sc_procfs_socket_inode(const char *link, long length);

static void (*act)(void);        /* once, when the number HIGH is about to be looked at */
static void (*act_behind)(void); /* once, when an entry of the socket has just been read */
static int own_copy = -1;
static int holder;
static int to_holder[2];
static int from_holder[2];
static struct sc_holders_query query;

bool sc_procfs_number(const char *name, int *number)
{
	void (*now)(void) = act;
	bool is_number = read_number(name, number);

	if (now != NULL && is_number && *number == HIGH) {
		act = NULL;
		now();
	}
	return is_number;
}

uint64_t sc_procfs_socket_inode(const char *link, long length)
{
	void (*now)(void) = act_behind;
	uint64_t inode = read_inode(link, length);

	if (now != NULL && inode == query.inode) {
		act_behind = NULL;
		now();
	}
	return inode;
}

/* The library's own thread is not here, whose start would need all the rest. */
bool sc_thread_is_here(void)
{
	return false;
}

/* Nor is it asked how many others there are. */
bool sc_threads_is_only_one(void)
{
	return false;
}

/* A socket of this process's at HIGH, and what is to be asked when that is closed. */
static int make_socket(void **state)
{
	uint32_t moment = sc_process_moment();
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	struct stat status;

	(void)state;
	if (fd < 0 || dup2(fd, HIGH) < 0 || close(fd) < 0 || fstat(HIGH, &status) < 0 ||
		pipe(to_holder) < 0 || pipe(from_holder) < 0) {
		return -1;
	}
	sc_births_record(HIGH, moment, false);
	query = (struct sc_holders_query){.inode = status.st_ino, .born = sc_births_when(HIGH)};
	return 0;
}

static int end_holder(void **state)
{
	(void)state;
	act = NULL;
	act_behind = NULL;
	if (holder > 0) {
		kill(holder, SIGKILL);
		waitpid(holder, NULL, 0);
		holder = 0;
	}
	for (int i = 0; i < 2; i++) {
		close(to_holder[i]);
		close(from_holder[i]);
	}
	return 0;
}

/* In the child: move the socket when told to, and hold it. */
static void hold(void)
{
	char byte;

	alarm(PATIENCE_S);
	if (read(to_holder[0], &byte, 1) == 1 && dup2(HIGH, LOW) == LOW && close(HIGH) == 0 &&
		write(from_holder[1], &byte, 1) == 1) {
		pause();
	}
	_exit(1);
}

static void start_holder(void)
{
	sc_process_begin_fork();
	holder = fork();
	if (holder == 0) {
		hold();
	}
	sc_process_end_fork(holder);
	close(HIGH);
}

static void have_it_moved(void)
{
	char byte = 0;

	assert_int_equal(write(to_holder[1], &byte, 1), 1);
	assert_int_equal(read(from_holder[0], &byte, 1), 1);
}

static enum sc_holders ask(void)
{
	sc_holders_ask(&query, 1, SC_OWN_TABLE_COUNTS);
	return query.answer;
}

static void assert_nobody_is_left(void)
{
	kill(holder, SIGKILL);
	assert_int_equal(waitpid(holder, NULL, 0), holder);
	holder = 0;
	assert_int_equal(ask(), SC_HOLDERS_NOBODY);
}

/* inetd's child: dup2(6, 0), close(6). */
static void test_moves_to_a_number_already_read_held(void **state)
{
	(void)state;
	start_holder();
	query.birth = SC_BIRTH_ELDER;
	act = have_it_moved;
	assert_int_equal(ask(), SC_HOLDERS_SOMEBODY);
	assert_null(act);
	assert_int_equal(query.holder_pid, holder);
	assert_int_equal(query.holder_fd, LOW);
	assert_nobody_is_left();
}

/* One of two descriptors has been closed, and was this process's alone. */
static void test_moves_to_a_child_forked_meanwhile_held(void **state)
{
	(void)state;
	query.birth = SC_BIRTH_LOCAL;
	act = start_holder;
	assert_int_equal(ask(), SC_HOLDERS_SOMEBODY);
	assert_null(act);
	assert_int_equal(query.holder_pid, holder);
	query.birth = SC_BIRTH_ELDER;
	assert_nobody_is_left();
}

static void let_go(void)
{
	sc_ownfds_empty(own_copy);
	sc_ownfds_release(own_copy);
}

/* Another thread has closed the connection, and lets go of the copy that it had for that. */
static void test_copy_let_go_of_behind_the_look_not_held(void **state)
{
	(void)state;
	own_copy = sc_ownfds_copy(HIGH);
	assert_true(own_copy > HIGH);
	close(HIGH);
	query.birth = SC_BIRTH_ELDER;
	act_behind = let_go;
	assert_int_equal(ask(), SC_HOLDERS_NOBODY);
	assert_null(act_behind);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_moves_to_a_number_already_read_held, make_socket, end_holder),
		cmocka_unit_test_setup_teardown(
			test_moves_to_a_child_forked_meanwhile_held, make_socket, end_holder),
		cmocka_unit_test_setup_teardown(
			test_copy_let_go_of_behind_the_look_not_held, make_socket, end_holder),
	};

	assert_true(sc_process_init());
	sc_births_init();
	sc_family_init();
	sc_ownfds_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
