// SPDX-License-Identifier: MIT
// LINK: buffers.o
/*
 * sc_buffers_*: each taken once, whole, and what a forked child's parent had is free there.
 */
#include "../shim/buffers.h"
#include "harness/unit.h"

#include <string.h>

enum { MORE_THAN_THERE_ARE = 64, PARENT = 4242, CHILD = 4243 };

static size_t take_all(int pid, char *taken[MORE_THAN_THERE_ARE])
{
	size_t count = 0;

	while (count < MORE_THAN_THERE_ARE && (taken[count] = sc_buffers_take(pid)) != NULL) {
		count++;
	}
	return count;
}

static void give_all_back(char *taken[MORE_THAN_THERE_ARE], size_t count)
{
	while (count > 0) {
		sc_buffers_give_back(taken[--count]);
	}
}

static void test_buffers_do_not_overlap(void **state)
{
	char *taken[MORE_THAN_THERE_ARE];
	size_t count = take_all(PARENT, taken);

	(void)state;
	assert_in_range(count, 2, MORE_THAN_THERE_ARE - 1);
	for (size_t i = 0; i < count; i++) {
		memset(taken[i], (int)i, SC_REPORT_LINE_MAX);
	}
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(taken[i][0], i);
		assert_int_equal(taken[i][SC_REPORT_LINE_MAX - 1], i);
	}
	give_all_back(taken, count);
}

static void test_buffers_given_back_are_taken_again(void **state)
{
	char *taken[MORE_THAN_THERE_ARE];
	size_t count = take_all(PARENT, taken);

	(void)state;
	assert_null(sc_buffers_take(PARENT));
	sc_buffers_give_back(NULL);
	assert_null(sc_buffers_take(PARENT));
	sc_buffers_give_back(taken[1]);
	assert_ptr_equal(sc_buffers_take(PARENT), taken[1]);
	give_all_back(taken, count);
	assert_int_equal(take_all(PARENT, taken), count);
	give_all_back(taken, count);
}

static void test_buffers_of_the_parent_are_free_in_a_child(void **state)
{
	char *parents[MORE_THAN_THERE_ARE];
	char *childs[MORE_THAN_THERE_ARE];
	size_t count = take_all(PARENT, parents);

	(void)state;
	assert_int_equal(take_all(CHILD, childs), count);
	give_all_back(childs, count);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_buffers_do_not_overlap),
		cmocka_unit_test(test_buffers_given_back_are_taken_again),
		cmocka_unit_test(test_buffers_of_the_parent_are_free_in_a_child),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
