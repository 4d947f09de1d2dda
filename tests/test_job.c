// SPDX-License-Identifier: MIT
// LINK: job.o
/*
 * Two holders end one connection at once: one of them tells of it, whenever the other one runs.
 */
#include "../shim/family.h"
#include "../shim/inspect.h"
#include "../shim/job.h"
#include "harness/unit.h"

/* The other holder's steps: it looks for a FIN, claims, and sends its own. */
enum step { LOOKS, CLAIMS, ENDS, STEP_COUNT };

enum { READ_BYTES = 10, LEFT_BYTES = 100 };

static size_t taken;

/* How many of them it has taken before each of our own calls. */
static size_t upto[2];
static size_t calls;

static struct sc_job other;
static bool is_claimed;
static bool is_fin_sent;
static bool is_others_turn;
static bool is_drained;

/* ---- in the place of the family's page, and of the kernel -------------------------------------- */

static void let_other_run(size_t until);

static void begin_call(void)
{
	if (!is_others_turn) {
		assert_true(calls < 2);
		let_other_run(upto[calls++]);
	}
}

bool sc_family_claim_end(uint64_t inode)
{
	bool is_first;

	(void)inode;
	begin_call();
	is_first = !is_claimed;
	is_claimed = true;
	return is_first;
}

bool sc_inspect_has_ended_since(int fd, const struct sc_conn *conn)
{
	(void)fd;
	(void)conn;
	begin_call();
	return is_fin_sent;
}

void sc_inspect_quickly(int fd, struct sc_conn *conn)
{
	(void)fd;
	*conn = (struct sc_conn){.unread_bytes = is_drained ? 0 : LEFT_BYTES};
}

static void let_other_run(size_t until)
{
	static bool has_seen_fin;

	is_others_turn = true;
	for (; taken < until; taken++) {
		if (taken == LOOKS) {
			has_seen_fin = is_fin_sent;
		} else if (taken == CLAIMS) {
			other.is_twins = !sc_family_claim_end(1) || has_seen_fin;
		} else {
			is_fin_sent = true;
		}
	}
	is_others_turn = false;
}

/* ---- tests ----------------------------------------------------------------------------------- */

static void test_job_of_two_that_end_it_one_tells(void **state)
{
	(void)state;
	for (size_t first = 0; first <= STEP_COUNT; first++) {
		for (size_t second = first; second <= STEP_COUNT; second++) {
			struct sc_job ours = {.birth = SC_BIRTH_ELDER};

			other = (struct sc_job){.birth = SC_BIRTH_FAMILY};
			taken = calls = 0;
			is_claimed = is_fin_sent = false;
			upto[0] = first;
			upto[1] = second;
			sc_job_claim(&ours, 3);
			is_fin_sent = true;
			let_other_run(STEP_COUNT);
			if (ours.is_twins == other.is_twins) {
				fail_msg("%zu and %zu steps before ours: %s", first, second,
					ours.is_twins ? "nobody tells" : "both tell");
			}
		}
	}
}

static void test_job_of_a_sole_holder_is_told(void **state)
{
	struct sc_job job = {.birth = SC_BIRTH_SOLE};

	(void)state;
	is_claimed = is_fin_sent = true;
	calls = 2; /* it asks nobody */
	sc_job_claim(&job, 3);
	assert_false(job.is_twins);
}

/* Is it told by whom it is ended, where bytes were unread at his close, and drained so many? */
static bool is_told(struct sc_job *job, uint64_t drained_bytes)
{
	struct sc_linger_end end = {SC_OUTCOME_FIN, NULL, drained_bytes};

	sc_job_yield_to_twin(job, &end);
	return end.outcome == SC_OUTCOME_FIN;
}

/*
 * The first closed before the other one read some bytes, sent a FIN (by a shutdown of the program's) and
 * closed. Whoever gets the rest tells, in whatever order they claim and drain.
 */
static void test_job_of_who_drains_what_another_has_left_is_told(void **state)
{
	(void)state;
	for (int order = 0; order < 4; order++) {
		struct sc_job jobs[] = {{.birth = SC_BIRTH_ELDER}, {.birth = SC_BIRTH_FAMILY}};
		struct sc_job *earlier = &jobs[order & 1];
		struct sc_job *later = &jobs[!(order & 1)];
		bool is_both = order & 2;

		jobs[0].conn.unread_bytes = READ_BYTES + LEFT_BYTES;
		jobs[1].conn.unread_bytes = LEFT_BYTES;
		taken = calls = upto[0] = upto[1] = 0;
		is_claimed = is_drained = false;
		is_fin_sent = true;
		sc_job_claim(earlier, 3);
		calls = 0;
		if (is_both) {
			sc_job_claim(later, 3);
		}
		assert_true(is_told(earlier, LEFT_BYTES));
		is_drained = true;
		calls = 0;
		if (!is_both) {
			sc_job_claim(later, 3);
		}
		assert_false(is_told(later, 0));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_job_of_two_that_end_it_one_tells),
		cmocka_unit_test(test_job_of_a_sole_holder_is_told),
		cmocka_unit_test(test_job_of_who_drains_what_another_has_left_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
