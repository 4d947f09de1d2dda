// SPDX-License-Identifier: MIT
// LINK: tally.o report.o line.o
/*
 * Resets counted in a file that processes share: every one is in the total and in its site's row, also
 * where several processes count at once, and where there is no row left.
 */
#include "harness/unit.h"
#include "tally.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static struct sc_tally *new_tally(void)
{
	struct sc_tally *tally = mmap(
		NULL, sizeof(*tally), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	assert_true(tally != MAP_FAILED);
	return tally;
}

static struct sc_event event_at(uint64_t offset)
{
	return (struct sc_event){
		.via = SC_VIA_CLOSE,
		.outcome = SC_OUTCOME_RST,
		.why = "unread",
		.conn = {.unread_bytes = 100, .unacked_bytes = 7},
		.site = {.module = "app", .module_offset = offset, .symbol = "reply"},
	};
}

static const struct sc_tally_row *row_at(const struct sc_tally *tally, uint64_t offset)
{
	const struct sc_tally_row *found = NULL;

	for (size_t i = 0; i < SC_TALLY_ROW_COUNT; i++) {
		const struct sc_tally_row *row = &tally->rows[i];

		if (row->is_filled && row->module_offset == offset) {
			assert_null(found);
			found = row;
		}
	}
	return found;
}

static void test_tally_row_has_all_of_the_site(void **state)
{
	struct sc_tally *tally = new_tally();
	struct sc_event event = event_at(0x1a2b);
	const struct sc_tally_row *row;

	(void)state;
	sc_tally_add(tally, &event);
	sc_tally_add(tally, &event);
	row = row_at(tally, 0x1a2b);
	assert_non_null(row);
	assert_string_equal(row->module, "app");
	assert_string_equal(row->symbol, "reply");
	assert_string_equal(row->via, "close");
	assert_string_equal(row->why, "unread");
	assert_int_equal(row->sum.connections, 2);
	assert_int_equal(row->sum.unread_bytes, 200);
	assert_int_equal(row->sum.unacked_bytes, 14);
	assert_int_equal(tally->total.connections, 2);
	munmap(tally, sizeof(*tally));
}

static void test_tally_sites_calls_and_reasons_are_rows(void **state)
{
	struct sc_tally *tally = new_tally();
	struct sc_event events[] = {
		event_at(1), event_at(2), event_at(2), event_at(2), event_at(2)};
	size_t used = 0;

	(void)state;
	events[2].via = SC_VIA_EXIT;
	events[3].why = "holders unknown";
	events[4].site = (struct sc_site){0};
	for (size_t i = 0; i < 5; i++) {
		sc_tally_add(tally, &events[i]);
	}
	for (size_t i = 0; i < SC_TALLY_ROW_COUNT; i++) {
		used += tally->rows[i].sum.connections == 1;
	}
	assert_int_equal(used, 5);
	munmap(tally, sizeof(*tally));
}

static void test_tally_listener_counts_its_connections(void **state)
{
	struct sc_tally *tally = new_tally();
	struct sc_event event = event_at(1);

	(void)state;
	event.why = "listener";
	event.conn = (struct sc_conn){.is_listener = true, .backlog = 3};
	sc_tally_add(tally, &event);
	assert_int_equal(tally->total.connections, 3);
	munmap(tally, sizeof(*tally));
}

static void test_tally_long_names_are_cut_and_end(void **state)
{
	struct sc_tally *tally = new_tally();
	struct sc_event event = event_at(1);
	char name[300];

	(void)state;
	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	event.site.module = event.site.symbol = event.why = name;
	sc_tally_add(tally, &event);
	assert_int_equal(strlen(row_at(tally, 1)->module), SC_TALLY_NAME_SIZE - 1);
	assert_int_equal(strlen(row_at(tally, 1)->symbol), SC_TALLY_NAME_SIZE - 1);
	assert_int_equal(strlen(row_at(tally, 1)->why), SC_TALLY_WORD_SIZE - 1);
	munmap(tally, sizeof(*tally));
}

static void test_tally_without_rows_still_counts(void **state)
{
	enum { SITES = SC_TALLY_ROW_COUNT + 100 };
	struct sc_tally *tally = new_tally();
	uint64_t sum = 0;

	(void)state;
	for (uint64_t i = 0; i < 2 * SITES; i++) {
		struct sc_event event = event_at(i % SITES);

		sc_tally_add(tally, &event);
	}
	for (size_t i = 0; i < SC_TALLY_ROW_COUNT; i++) {
		assert_int_equal(tally->rows[i].sum.connections, 2);
		sum += tally->rows[i].sum.connections;
	}
	assert_int_equal(tally->total.connections, 2 * SITES);
	assert_int_equal(sum, 2 * SC_TALLY_ROW_COUNT);
	munmap(tally, sizeof(*tally));
}

/* Processes that begin with the same sites at once find each other's rows. */
static void test_tally_of_several_processes_is_exact(void **state)
{
	enum { PROCESSES = 4, ROUNDS = 2000, SITES = 300 };
	struct sc_tally *tally = new_tally();

	(void)state;
	for (int i = 0; i < PROCESSES; i++) {
		if (fork() == 0) {
			for (uint64_t k = 0; k < (uint64_t)ROUNDS * SITES; k++) {
				struct sc_event event = event_at(k % SITES);

				sc_tally_add(tally, &event);
			}
			_exit(0);
		}
	}
	for (int i = 0; i < PROCESSES; i++) {
		int status;

		assert_true(wait(&status) > 0);
		assert_int_equal(status, 0);
	}
	assert_int_equal(tally->total.connections, PROCESSES * ROUNDS * SITES);
	for (uint64_t site = 0; site < SITES; site++) {
		const struct sc_tally_row *row = row_at(tally, site);

		assert_non_null(row);
		assert_int_equal(row->sum.connections, PROCESSES * ROUNDS);
		assert_int_equal(row->sum.unread_bytes, 100 * PROCESSES * ROUNDS);
	}
	munmap(tally, sizeof(*tally));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tally_row_has_all_of_the_site),
		cmocka_unit_test(test_tally_sites_calls_and_reasons_are_rows),
		cmocka_unit_test(test_tally_listener_counts_its_connections),
		cmocka_unit_test(test_tally_long_names_are_cut_and_end),
		cmocka_unit_test(test_tally_without_rows_still_counts),
		cmocka_unit_test(test_tally_of_several_processes_is_exact),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
