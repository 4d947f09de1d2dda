// SPDX-License-Identifier: MIT
// LINK: policy.o
/*
 * sc_policy_*: invariants over every combination of what the policy looks at, then named cases.
 * The invariants say what must hold, not how the policy finds it.
 */
#include <limits.h>
#include <netinet/tcp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "../shim/policy.h"

static const uint8_t all_states[] = {
	0,
	TCP_ESTABLISHED,
	TCP_SYN_SENT,
	TCP_SYN_RECV,
	TCP_FIN_WAIT1,
	TCP_FIN_WAIT2,
	TCP_TIME_WAIT,
	TCP_CLOSE,
	TCP_CLOSE_WAIT,
	TCP_LAST_ACK,
	TCP_LISTEN,
	TCP_CLOSING,
};

static const struct sc_config default_config = {
	.mode = SC_MODE_WARN,
	.when = SC_WHEN_UNREAD,
	.report = SC_REPORT_ACTED,
	.linger_time_ms = 30000,
	.linger_timeout_ms = 5000,
	.exit_timeout_ms = 2000,
	.drain_max_bytes = 64 << 20,
	.log = "stderr",
};

/* One row of the truth table. */
struct row {
	struct sc_config config;
	struct sc_conn conn;
	enum sc_holders holders;
};

/* What the row means, in the words of the contract. */

static bool has_unread(const struct row *row)
{
	return row->conn.unread_bytes > 0 || row->conn.is_urgent;
}

static bool is_left_alone_by_kind(const struct row *row)
{
	const struct sc_conn *conn = &row->conn;

	return conn->proto == SC_PROTO_OTHER || conn->is_listener || conn->is_repair ||
	       conn->is_abortive || conn->state == TCP_LISTEN || conn->state == TCP_CLOSE ||
	       conn->state == TCP_SYN_SENT || conn->state == TCP_SYN_RECV;
}

/* A connection whose close sends FIN or RST, depending on what is unread. */
static bool is_live(const struct row *row)
{
	switch (row->conn.state) {
	case TCP_ESTABLISHED:
	case TCP_CLOSE_WAIT:
	case TCP_FIN_WAIT1:
	case TCP_FIN_WAIT2:
	case TCP_CLOSING:
	case TCP_LAST_ACK:
		return !is_left_alone_by_kind(row);
	default:
		return false;
	}
}

static bool is_shared(const struct row *row)
{
	return row->holders == SC_HOLDERS_SOMEBODY || row->holders == SC_HOLDERS_UNKNOWN;
}

static bool is_acting_mode(const struct row *row)
{
	return row->config.mode == SC_MODE_DRAIN || row->config.mode == SC_MODE_FIN;
}

static bool takes_or_waits(struct sc_verdict verdict)
{
	return verdict.action == SC_ACTION_DRAIN || verdict.action == SC_ACTION_LINGER;
}

static struct sc_verdict decide(const struct row *row)
{
	return sc_policy_decide(&row->config, &row->conn, row->holders);
}

static struct sc_verdict decide_with(const struct row *row, enum sc_holders holders)
{
	return sc_policy_decide(&row->config, &row->conn, holders);
}

/* The truth table: an invariant answers false for a row that breaks it. */

typedef bool invariant(const struct row *row, struct sc_verdict verdict);

static void fail_on_row(const struct row *row, struct sc_verdict verdict)
{
	const struct sc_conn *conn = &row->conn;

	fail_msg("mode %d when %d report %d holders %d: proto %d state %d unread %llu urgent %d "
		 "listener %d abortive %d repair %d peer_done %d -> action %d outcome %d why %s",
		row->config.mode, row->config.when, row->config.report, row->holders, conn->proto,
		conn->state, (unsigned long long)conn->unread_bytes, conn->is_urgent,
		conn->is_listener, conn->is_abortive, conn->is_repair, conn->is_peer_done,
		verdict.action, verdict.outcome, verdict.why ? verdict.why : "(none)");
}

/* The connections of one configuration and one state. Returns how many rows were looked at. */
static unsigned long check_flags(struct row *row, invariant *holds)
{
	unsigned long count = 0;

	for (unsigned int bits = 0; bits < 1u << 6; bits++) {
		row->conn.unread_bytes = bits & 1u ? 1 : 0;
		row->conn.is_urgent = bits & 2u;
		row->conn.is_listener = bits & 4u;
		row->conn.is_abortive = bits & 8u;
		row->conn.is_repair = bits & 16u;
		row->conn.is_peer_done = bits & 32u;
		row->conn.backlog = row->conn.is_listener ? 3 : 0;
		for (int holders = SC_HOLDERS_UNASKED; holders <= SC_HOLDERS_UNKNOWN; holders++) {
			row->holders = (enum sc_holders)holders;
			struct sc_verdict verdict = decide(row);
			if (!holds(row, verdict)) {
				fail_on_row(row, verdict);
			}
			count++;
		}
	}
	return count;
}

static unsigned long check_connections(struct row *row, invariant *holds)
{
	unsigned long count = 0;

	for (int proto = SC_PROTO_OTHER; proto <= SC_PROTO_MPTCP; proto++) {
		for (size_t i = 0; i < sizeof(all_states); i++) {
			row->conn.proto = (enum sc_proto)proto;
			row->conn.state = all_states[i];
			count += check_flags(row, holds);
		}
	}
	return count;
}

static void check_every_row(invariant *holds)
{
	struct row row = {.config = default_config, .conn = {.linger_s = -1}};
	unsigned long count = 0;

	for (int mode = SC_MODE_OFF; mode <= SC_MODE_FIN; mode++) {
		for (int when = SC_WHEN_UNREAD; when <= SC_WHEN_ALWAYS; when++) {
			for (int report = SC_REPORT_ACTED; report <= SC_REPORT_ALL; report++) {
				row.config.mode = (enum sc_mode)mode;
				row.config.when = (enum sc_when)when;
				row.config.report = (enum sc_report_level)report;
				count += check_connections(&row, holds);
			}
		}
	}
	assert_int_equal(count, 4 * 2 * 2 * 3 * sizeof(all_states) * 64 * 4);
}

/* Invariants. */

static bool holds_verdict_in_range(const struct row *row, struct sc_verdict verdict)
{
	(void)row;
	return verdict.action >= SC_ACTION_PASS && verdict.action <= SC_ACTION_LINGER &&
	       verdict.outcome >= SC_OUTCOME_NONE && verdict.outcome <= SC_OUTCOME_LIMIT;
}

static void test_policy_verdict_is_always_a_known_one(void **state)
{
	(void)state;
	check_every_row(holds_verdict_in_range);
}

static bool holds_off_passes(const struct row *row, struct sc_verdict verdict)
{
	return row->config.mode != SC_MODE_OFF ||
	       (verdict.action == SC_ACTION_PASS && verdict.outcome == SC_OUTCOME_NONE);
}

static void test_policy_off_passes_all_and_tells_nothing(void **state)
{
	(void)state;
	check_every_row(holds_off_passes);
}

static bool holds_warn_changes_nothing(const struct row *row, struct sc_verdict verdict)
{
	return row->config.mode != SC_MODE_WARN || !takes_or_waits(verdict);
}

static void test_policy_warn_never_acts(void **state)
{
	(void)state;
	check_every_row(holds_warn_changes_nothing);
}

static bool holds_warn_watches_unread(const struct row *row, struct sc_verdict verdict)
{
	if (row->config.mode != SC_MODE_WARN || !is_live(row) || !has_unread(row) ||
		is_shared(row)) {
		return true;
	}
	return verdict.action == SC_ACTION_WATCH;
}

static void test_policy_warn_with_unread_watches(void **state)
{
	(void)state;
	check_every_row(holds_warn_watches_unread);
}

static bool holds_drain_never_lingers(const struct row *row, struct sc_verdict verdict)
{
	return row->config.mode != SC_MODE_DRAIN || verdict.action != SC_ACTION_LINGER;
}

static void test_policy_drain_never_lingers(void **state)
{
	(void)state;
	check_every_row(holds_drain_never_lingers);
}

static bool holds_drain_drains_unread(const struct row *row, struct sc_verdict verdict)
{
	if (row->config.mode != SC_MODE_DRAIN || !is_live(row) || !has_unread(row) ||
		is_shared(row)) {
		return true;
	}
	return verdict.action == SC_ACTION_DRAIN;
}

static void test_policy_drain_with_unread_drains(void **state)
{
	(void)state;
	check_every_row(holds_drain_drains_unread);
}

static bool holds_fin_prevents_reset(const struct row *row, struct sc_verdict verdict)
{
	if (row->config.mode != SC_MODE_FIN || !is_live(row) || !has_unread(row) ||
		is_shared(row)) {
		return true;
	}
	/* Once the peer's FIN is here nothing more can come: draining is then enough. */
	return verdict.action == SC_ACTION_LINGER ||
	       (verdict.action == SC_ACTION_DRAIN && row->conn.is_peer_done);
}

static void test_policy_fin_with_unread_lingers(void **state)
{
	(void)state;
	check_every_row(holds_fin_prevents_reset);
}

static bool holds_fin_always_lingers(const struct row *row, struct sc_verdict verdict)
{
	const struct sc_conn *conn = &row->conn;

	if (row->config.mode != SC_MODE_FIN || row->config.when != SC_WHEN_ALWAYS ||
		has_unread(row) || conn->is_peer_done || is_left_alone_by_kind(row) ||
		row->holders != SC_HOLDERS_NOBODY) {
		return true;
	}
	if (conn->state != TCP_ESTABLISHED && conn->state != TCP_FIN_WAIT1 &&
		conn->state != TCP_FIN_WAIT2) {
		return true;
	}
	return verdict.action == SC_ACTION_LINGER;
}

static void test_policy_fin_always_with_open_peer_lingers(void **state)
{
	(void)state;
	check_every_row(holds_fin_always_lingers);
}

static bool holds_when_matters_in_fin_only(const struct row *row, struct sc_verdict verdict)
{
	struct row other = *row;

	other.config.when = row->config.when == SC_WHEN_ALWAYS ? SC_WHEN_UNREAD : SC_WHEN_ALWAYS;
	struct sc_verdict twin = decide(&other);
	return row->config.mode == SC_MODE_FIN ||
	       (twin.action == verdict.action && twin.outcome == verdict.outcome);
}

static void test_policy_when_outside_fin_has_no_effect(void **state)
{
	(void)state;
	check_every_row(holds_when_matters_in_fin_only);
}

static bool holds_shared_is_untouched(const struct row *row, struct sc_verdict verdict)
{
	return !is_shared(row) || !takes_or_waits(verdict);
}

static void test_policy_shared_or_unknown_is_never_touched(void **state)
{
	(void)state;
	check_every_row(holds_shared_is_untouched);
}

static bool holds_shared_unread_says_so(const struct row *row, struct sc_verdict verdict)
{
	if (!is_acting_mode(row) || !is_shared(row) || !is_live(row) || !has_unread(row)) {
		return true;
	}
	return verdict.action == SC_ACTION_PASS && verdict.outcome == SC_OUTCOME_SHARED;
}

static void test_policy_shared_with_unread_passes_as_shared(void **state)
{
	(void)state;
	check_every_row(holds_shared_unread_says_so);
}

static bool holds_unknown_is_as_somebody(const struct row *row, struct sc_verdict verdict)
{
	struct sc_verdict somebody = decide_with(row, SC_HOLDERS_SOMEBODY);

	return row->holders != SC_HOLDERS_UNKNOWN ||
	       (verdict.action == somebody.action && verdict.outcome == somebody.outcome);
}

static void test_policy_unknown_holders_is_treated_as_somebody(void **state)
{
	(void)state;
	check_every_row(holds_unknown_is_as_somebody);
}

static bool holds_shared_needs_a_holder(const struct row *row, struct sc_verdict verdict)
{
	return verdict.outcome != SC_OUTCOME_SHARED || is_shared(row);
}

static void test_policy_not_shared_is_never_called_shared(void **state)
{
	(void)state;
	check_every_row(holds_shared_needs_a_holder);
}

static bool holds_kind_is_left_alone(const struct row *row, struct sc_verdict verdict)
{
	return !is_left_alone_by_kind(row) || !takes_or_waits(verdict);
}

static void test_policy_listener_repair_abortive_closed_other_is_never_touched(void **state)
{
	(void)state;
	check_every_row(holds_kind_is_left_alone);
}

static bool holds_other_and_repair_are_silent(const struct row *row, struct sc_verdict verdict)
{
	const struct sc_conn *conn = &row->conn;

	/* Of a listener the kernel resets the waiting connections, repair or not. */
	if (conn->proto != SC_PROTO_OTHER && (!conn->is_repair || conn->is_listener)) {
		return true;
	}
	return verdict.action == SC_ACTION_PASS && verdict.outcome == SC_OUTCOME_NONE;
}

static void test_policy_other_protocol_or_repair_is_passed_by_silently(void **state)
{
	(void)state;
	check_every_row(holds_other_and_repair_are_silent);
}

static bool holds_closed_is_silent(const struct row *row, struct sc_verdict verdict)
{
	const struct sc_conn *conn = &row->conn;

	if (conn->state != TCP_CLOSE || conn->is_listener || conn->is_abortive) {
		return true;
	}
	return verdict.action == SC_ACTION_PASS && verdict.outcome == SC_OUTCOME_NONE;
}

/* The kernel sends nothing for a connection that is closed already, whatever is unread. */
static void test_policy_already_closed_is_passed_by_silently(void **state)
{
	(void)state;
	check_every_row(holds_closed_is_silent);
}

static bool holds_abortive_stays(const struct row *row, struct sc_verdict verdict)
{
	struct row willing = *row;

	willing.conn.is_abortive = false;
	if (row->config.mode == SC_MODE_OFF || !row->conn.is_abortive || !is_live(&willing) ||
		!has_unread(row) || is_shared(row)) {
		return true;
	}
	return verdict.action == SC_ACTION_PASS && verdict.outcome == SC_OUTCOME_ABORTIVE;
}

static void test_policy_abortive_with_unread_passes_as_abortive(void **state)
{
	(void)state;
	check_every_row(holds_abortive_stays);
}

static bool holds_abortive_needs_the_flag(const struct row *row, struct sc_verdict verdict)
{
	return verdict.outcome != SC_OUTCOME_ABORTIVE || row->conn.is_abortive;
}

static void test_policy_willing_close_is_never_called_abortive(void **state)
{
	(void)state;
	check_every_row(holds_abortive_needs_the_flag);
}

static bool holds_nothing_unread_passes(const struct row *row, struct sc_verdict verdict)
{
	if (has_unread(row) || row->conn.is_listener || row->config.when != SC_WHEN_UNREAD) {
		return true;
	}
	return verdict.action == SC_ACTION_PASS;
}

static void test_policy_nothing_unread_when_unread_passes(void **state)
{
	(void)state;
	check_every_row(holds_nothing_unread_passes);
}

static bool holds_peer_done_passes(const struct row *row, struct sc_verdict verdict)
{
	if (has_unread(row) || row->conn.is_listener || !row->conn.is_peer_done) {
		return true;
	}
	return verdict.action == SC_ACTION_PASS && verdict.outcome != SC_OUTCOME_RST &&
	       verdict.outcome != SC_OUTCOME_FIN;
}

static void test_policy_peer_done_and_nothing_unread_passes(void **state)
{
	(void)state;
	check_every_row(holds_peer_done_passes);
}

static bool holds_plan_is_kept(const struct row *row, struct sc_verdict verdict)
{
	return row->holders != SC_HOLDERS_UNASKED ||
	       verdict.action == decide_with(row, SC_HOLDERS_NOBODY).action;
}

/* Otherwise the caller, who acts only where both agree, would never act. */
static void test_policy_plan_equals_action_with_nobody_else(void **state)
{
	(void)state;
	check_every_row(holds_plan_is_kept);
}

static bool holds_action_has_no_outcome_yet(const struct row *row, struct sc_verdict verdict)
{
	(void)row;
	return verdict.action == SC_ACTION_PASS || verdict.outcome == SC_OUTCOME_NONE;
}

static void test_policy_outcome_is_known_for_pass_only(void **state)
{
	(void)state;
	check_every_row(holds_action_has_no_outcome_yet);
}

static bool holds_urgent_counts_as_unread(const struct row *row, struct sc_verdict verdict)
{
	struct row other = *row;

	if (!row->conn.is_urgent || row->conn.unread_bytes > 0) {
		return true;
	}
	other.conn.is_urgent = false;
	other.conn.unread_bytes = 1;
	struct sc_verdict twin = decide(&other);
	return twin.action == verdict.action && twin.outcome == verdict.outcome;
}

/* FIONREAD is 0 before a lone urgent byte, and the close resets all the same. */
static void test_policy_lone_urgent_byte_counts_as_unread(void **state)
{
	(void)state;
	check_every_row(holds_urgent_counts_as_unread);
}

static bool holds_protocols_are_equal(const struct row *row, struct sc_verdict verdict)
{
	struct row other = *row;

	if (row->conn.proto != SC_PROTO_TCP) {
		return true;
	}
	other.conn.proto = SC_PROTO_MPTCP;
	return verdict.action == decide(&other).action;
}

static void test_policy_mptcp_is_treated_as_tcp(void **state)
{
	(void)state;
	check_every_row(holds_protocols_are_equal);
}

static bool holds_quick_look_loses_nothing(const struct row *row, struct sc_verdict verdict)
{
	struct sc_conn quick = {
		.proto = row->conn.proto,
		.is_listener = row->conn.is_listener,
		.unread_bytes = row->conn.unread_bytes,
		.is_urgent = row->conn.is_urgent,
		.linger_s = -1,
	};

	if (sc_policy_is_of_interest(&row->config, &quick)) {
		return true;
	}
	return verdict.action == SC_ACTION_PASS &&
	       !sc_policy_is_reported(&row->config, &row->conn, verdict.outcome, 0);
}

static void test_policy_uninteresting_quick_look_hides_no_action_or_report(void **state)
{
	(void)state;
	check_every_row(holds_quick_look_loses_nothing);
}

/* Named cases. */

static struct row established_with_unread(enum sc_mode mode, uint32_t unread_bytes)
{
	struct row row = {
		.config = default_config,
		.conn =
			{
				.proto = SC_PROTO_TCP,
				.state = TCP_ESTABLISHED,
				.unread_bytes = unread_bytes,
				.linger_s = -1,
			},
		.holders = SC_HOLDERS_NOBODY,
	};

	row.config.mode = mode;
	return row;
}

static void test_policy_one_unread_byte_gives_each_mode_its_action(void **state)
{
	static const enum sc_action expected[] = {
		[SC_MODE_OFF] = SC_ACTION_PASS,
		[SC_MODE_WARN] = SC_ACTION_WATCH,
		[SC_MODE_DRAIN] = SC_ACTION_DRAIN,
		[SC_MODE_FIN] = SC_ACTION_LINGER,
	};

	(void)state;
	for (int mode = SC_MODE_OFF; mode <= SC_MODE_FIN; mode++) {
		struct row row = established_with_unread((enum sc_mode)mode, 1);
		assert_int_equal(decide(&row).action, expected[mode]);
	}
}

static void test_policy_everyday_close_is_of_no_interest(void **state)
{
	(void)state;
	for (int mode = SC_MODE_OFF; mode <= SC_MODE_FIN; mode++) {
		struct row row = established_with_unread((enum sc_mode)mode, 0);
		assert_false(sc_policy_is_of_interest(&row.config, &row.conn));
		assert_int_equal(decide(&row).action, SC_ACTION_PASS);
		assert_int_equal(decide(&row).outcome, SC_OUTCOME_NONE);
	}
}

/* The quick look is all that an everyday close may cost. */
static void test_policy_when_outside_fin_adds_no_interest(void **state)
{
	(void)state;
	for (int mode = SC_MODE_OFF; mode <= SC_MODE_DRAIN; mode++) {
		struct row row = established_with_unread((enum sc_mode)mode, 0);
		row.config.when = SC_WHEN_ALWAYS;
		assert_false(sc_policy_is_of_interest(&row.config, &row.conn));
	}
}

static void test_policy_off_is_interested_in_nothing(void **state)
{
	struct row row = established_with_unread(SC_MODE_OFF, 1);

	(void)state;
	row.config.when = SC_WHEN_ALWAYS;
	row.config.report = SC_REPORT_ALL;
	assert_false(sc_policy_is_of_interest(&row.config, &row.conn));
}

static void test_policy_other_protocol_is_of_no_interest(void **state)
{
	struct row row = established_with_unread(SC_MODE_FIN, 1);

	(void)state;
	row.config.when = SC_WHEN_ALWAYS;
	row.conn.proto = SC_PROTO_OTHER;
	assert_false(sc_policy_is_of_interest(&row.config, &row.conn));
}

static void test_policy_huge_unread_is_still_drained(void **state)
{
	struct row row = established_with_unread(SC_MODE_DRAIN, UINT32_MAX);

	(void)state;
	assert_true(sc_policy_is_of_interest(&row.config, &row.conn));
	assert_int_equal(decide(&row).action, SC_ACTION_DRAIN);
}

static void test_policy_clean_close_in_fin_always_lingers(void **state)
{
	struct row row = established_with_unread(SC_MODE_FIN, 0);

	(void)state;
	row.config.when = SC_WHEN_ALWAYS;
	assert_true(sc_policy_is_of_interest(&row.config, &row.conn));
	assert_int_equal(decide(&row).action, SC_ACTION_LINGER);
	row.conn.state = TCP_CLOSE_WAIT;
	row.conn.is_peer_done = true;
	assert_int_equal(decide(&row).action, SC_ACTION_PASS);
	assert_int_equal(decide(&row).outcome, SC_OUTCOME_NONE);
}

static void test_policy_bounded_linger_option_still_lingers(void **state)
{
	struct row row = established_with_unread(SC_MODE_FIN, 1);

	(void)state;
	row.conn.linger_s = 3;
	assert_int_equal(decide(&row).action, SC_ACTION_LINGER);
}

static void test_policy_listener_with_backlog_is_watched_not_touched(void **state)
{
	(void)state;
	for (int mode = SC_MODE_WARN; mode <= SC_MODE_FIN; mode++) {
		struct row row = established_with_unread((enum sc_mode)mode, 0);
		row.conn.state = TCP_LISTEN;
		row.conn.is_listener = true;
		row.conn.backlog = 3;
		assert_true(sc_policy_is_of_interest(&row.config, &row.conn));
		assert_int_equal(decide(&row).action, SC_ACTION_WATCH);
		row.conn.backlog = 0;
		assert_int_equal(decide(&row).outcome, SC_OUTCOME_NONE);
	}
}

/* How long a connection may linger. */

static void check_linger_time(uint64_t config_ms, int linger_s, uint64_t expected_ms)
{
	struct row row = established_with_unread(SC_MODE_FIN, 1);

	row.config.linger_time_ms = config_ms;
	row.conn.linger_s = linger_s;
	assert_int_equal(sc_policy_linger_time_ms(&row.config, &row.conn), expected_ms);
}

static void test_policy_linger_time_without_option_is_the_configured(void **state)
{
	(void)state;
	check_linger_time(30000, -1, 30000);
	check_linger_time(0, -1, 0);
	check_linger_time(UINT64_MAX, -1, UINT64_MAX);
}

static void test_policy_linger_time_with_option_is_the_smaller(void **state)
{
	(void)state;
	check_linger_time(30000, 1, 1000);
	check_linger_time(30000, 29, 29000);
	check_linger_time(30000, 30, 30000);
	check_linger_time(30000, 31, 30000);
	check_linger_time(999, 1, 999);
	check_linger_time(1001, 1, 1000);
	check_linger_time(0, 1, 0);
}

static void test_policy_linger_time_with_huge_option_does_not_overflow(void **state)
{
	/* n * 1000 modulo 2^32 is small for these: 0, 704 and 1000. */
	static const int huge[] = {INT_MAX, 536870912, 4294968, 1073741825};

	(void)state;
	for (size_t i = 0; i < sizeof(huge) / sizeof(huge[0]); i++) {
		check_linger_time(30000, huge[i], 30000);
		check_linger_time(UINT64_MAX, huge[i], (uint64_t)huge[i] * 1000);
	}
}

/* What is worth a report. */

static bool is_reported(enum sc_report_level level, enum sc_outcome outcome, uint32_t unread_bytes,
	uint64_t drained_bytes)
{
	struct row row = established_with_unread(SC_MODE_FIN, unread_bytes);

	row.config.report = level;
	return sc_policy_is_reported(&row.config, &row.conn, outcome, drained_bytes);
}

static void test_policy_nothing_to_tell_is_never_reported(void **state)
{
	(void)state;
	assert_false(is_reported(SC_REPORT_ACTED, SC_OUTCOME_NONE, 5, 5));
	assert_false(is_reported(SC_REPORT_ALL, SC_OUTCOME_NONE, 5, 5));
}

static void test_policy_left_alone_is_reported_in_all_only(void **state)
{
	(void)state;
	assert_false(is_reported(SC_REPORT_ACTED, SC_OUTCOME_SHARED, 5, 0));
	assert_false(is_reported(SC_REPORT_ACTED, SC_OUTCOME_ABORTIVE, 5, 0));
	assert_true(is_reported(SC_REPORT_ALL, SC_OUTCOME_SHARED, 5, 0));
	assert_true(is_reported(SC_REPORT_ALL, SC_OUTCOME_ABORTIVE, 5, 0));
}

static void test_policy_reset_timeout_and_limit_are_always_reported(void **state)
{
	static const enum sc_outcome outcomes[] = {
		SC_OUTCOME_RST, SC_OUTCOME_TIMEOUT, SC_OUTCOME_LIMIT};

	(void)state;
	for (size_t i = 0; i < sizeof(outcomes) / sizeof(outcomes[0]); i++) {
		for (int level = SC_REPORT_ACTED; level <= SC_REPORT_ALL; level++) {
			enum sc_report_level report = (enum sc_report_level)level;
			assert_true(is_reported(report, outcomes[i], 5, 5));
			assert_true(is_reported(report, outcomes[i], 5, 0));
			assert_true(is_reported(report, outcomes[i], 0, 5));
			assert_true(is_reported(report, outcomes[i], 0, 0));
		}
	}
}

static void test_policy_fin_is_reported_where_a_reset_was_prevented(void **state)
{
	(void)state;
	assert_false(is_reported(SC_REPORT_ACTED, SC_OUTCOME_FIN, 0, 0));
	for (int level = SC_REPORT_ACTED; level <= SC_REPORT_ALL; level++) {
		enum sc_report_level report = (enum sc_report_level)level;
		assert_true(is_reported(report, SC_OUTCOME_FIN, 5, 5));
		assert_true(is_reported(report, SC_OUTCOME_FIN, 0, 5));
		assert_true(is_reported(report, SC_OUTCOME_FIN, 5, 0));
	}
}

static void test_policy_fin_over_lone_urgent_byte_is_reported(void **state)
{
	struct row row = established_with_unread(SC_MODE_FIN, 0);

	(void)state;
	row.conn.is_urgent = true;
	assert_true(sc_policy_is_reported(&row.config, &row.conn, SC_OUTCOME_FIN, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_policy_verdict_is_always_a_known_one),
		cmocka_unit_test(test_policy_off_passes_all_and_tells_nothing),
		cmocka_unit_test(test_policy_warn_never_acts),
		cmocka_unit_test(test_policy_warn_with_unread_watches),
		cmocka_unit_test(test_policy_drain_never_lingers),
		cmocka_unit_test(test_policy_drain_with_unread_drains),
		cmocka_unit_test(test_policy_fin_with_unread_lingers),
		cmocka_unit_test(test_policy_fin_always_with_open_peer_lingers),
		cmocka_unit_test(test_policy_when_outside_fin_has_no_effect),
		cmocka_unit_test(test_policy_shared_or_unknown_is_never_touched),
		cmocka_unit_test(test_policy_shared_with_unread_passes_as_shared),
		cmocka_unit_test(test_policy_unknown_holders_is_treated_as_somebody),
		cmocka_unit_test(test_policy_not_shared_is_never_called_shared),
		cmocka_unit_test(
			test_policy_listener_repair_abortive_closed_other_is_never_touched),
		cmocka_unit_test(test_policy_other_protocol_or_repair_is_passed_by_silently),
		cmocka_unit_test(test_policy_already_closed_is_passed_by_silently),
		cmocka_unit_test(test_policy_abortive_with_unread_passes_as_abortive),
		cmocka_unit_test(test_policy_willing_close_is_never_called_abortive),
		cmocka_unit_test(test_policy_nothing_unread_when_unread_passes),
		cmocka_unit_test(test_policy_peer_done_and_nothing_unread_passes),
		cmocka_unit_test(test_policy_plan_equals_action_with_nobody_else),
		cmocka_unit_test(test_policy_outcome_is_known_for_pass_only),
		cmocka_unit_test(test_policy_lone_urgent_byte_counts_as_unread),
		cmocka_unit_test(test_policy_mptcp_is_treated_as_tcp),
		cmocka_unit_test(test_policy_uninteresting_quick_look_hides_no_action_or_report),
		cmocka_unit_test(test_policy_one_unread_byte_gives_each_mode_its_action),
		cmocka_unit_test(test_policy_everyday_close_is_of_no_interest),
		cmocka_unit_test(test_policy_when_outside_fin_adds_no_interest),
		cmocka_unit_test(test_policy_off_is_interested_in_nothing),
		cmocka_unit_test(test_policy_other_protocol_is_of_no_interest),
		cmocka_unit_test(test_policy_huge_unread_is_still_drained),
		cmocka_unit_test(test_policy_clean_close_in_fin_always_lingers),
		cmocka_unit_test(test_policy_bounded_linger_option_still_lingers),
		cmocka_unit_test(test_policy_listener_with_backlog_is_watched_not_touched),
		cmocka_unit_test(test_policy_linger_time_without_option_is_the_configured),
		cmocka_unit_test(test_policy_linger_time_with_option_is_the_smaller),
		cmocka_unit_test(test_policy_linger_time_with_huge_option_does_not_overflow),
		cmocka_unit_test(test_policy_nothing_to_tell_is_never_reported),
		cmocka_unit_test(test_policy_left_alone_is_reported_in_all_only),
		cmocka_unit_test(test_policy_reset_timeout_and_limit_are_always_reported),
		cmocka_unit_test(test_policy_fin_is_reported_where_a_reset_was_prevented),
		cmocka_unit_test(test_policy_fin_over_lone_urgent_byte_is_reported),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
