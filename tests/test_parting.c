// SPDX-License-Identifier: MIT
// LINK: parting.o inspect.o sys.o
// HARNESS
/*
 * sc_parting_leave(), where nobody can tell who else holds the connection and this was the last close
 * of it: what is told, against what the peer sees. The connections are real; who else holds them and
 * what the kernel has counted is what each test says.
 */
#include "harness/deadline.h"
#include "harness/pair.h"
#include "harness/unit.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../shim/family.h"
#include "../shim/holders.h"
#include "../shim/inspect.h"
#include "../shim/ownfds.h"
#include "../shim/parting.h"
#include "../shim/resets.h"
#include "../shim/watch.h"

enum { UNREAD_BYTES = 100 };

/* ---- what parting.c asks of others ----------------------------------------------------------- */

static int watch_answer;      /* 1: somebody else holds it, 0: nobody */
static int other_holder = -1; /* a descriptor that is read empty and closed after the first look */
static int64_t resets = -1;   /* of the kernel's resets; not to be had, as behind a chroot */
static bool is_one_more;      /* behind the close */
static int relative = -1;     /* whose library ends it behind the last look, as it has claimed */

void sc_watch_begin(struct sc_watch *watch, int fd)
{
	(void)fd;
	watch->set = -1;
}

int sc_watch_end(struct sc_watch *watch, enum sc_watch_for others)
{
	(void)watch;
	(void)others;
	return watch_answer;
}

void sc_ownfds_drop(int fd)
{
	assert_int_equal(close(fd), 0);
}

void sc_ownfds_empty(int fd)
{
	char bytes[UNREAD_BYTES];
	(void)fd; /* what sc_ownfds_drop() closes */
	if (relative >= 0) {
		assert_int_equal(recv(relative, bytes, sizeof(bytes), MSG_WAITALL), sizeof(bytes));
		close(relative);
	}
}

bool sc_family_claim_end(uint64_t inode)
{
	(void)inode;
	return relative < 0;
}

int64_t sc_resets_before(const struct sc_conn *conn, int fd)
{
	char bytes[UNREAD_BYTES];
	(void)conn;
	(void)fd;
	if (other_holder >= 0) {
		assert_int_equal(
			recv(other_holder, bytes, sizeof(bytes), MSG_WAITALL), sizeof(bytes));
		close(other_holder);
		other_holder = -1;
	}
	return resets;
}

bool sc_resets_may_be_more(int64_t before)
{
	return before < 0 || is_one_more;
}

void sc_holders_ask(struct sc_holders_query *queries, size_t count, enum sc_own_table own_table)
{
	(void)queries;
	(void)count;
	(void)own_table;
	fail_msg("nobody is to be looked for");
}

struct sc_config sc_config;

struct sc_verdict sc_policy_decide(
	const struct sc_config *config, const struct sc_conn *conn, enum sc_holders holders)
{
	(void)config;
	(void)conn;
	(void)holders;
	fail_msg("nothing is to be decided");
	return (struct sc_verdict){0};
}

struct sc_linger_end sc_linger_end_now(int fd, enum sc_action action, uint64_t max_bytes)
{
	(void)fd;
	(void)action;
	(void)max_bytes;
	fail_msg("left alone means that nothing is read");
	return (struct sc_linger_end){0};
}

void sc_linger_explain_cut(
	struct sc_linger_end *end, int fd, enum sc_action action, const char *why)
{
	(void)end;
	(void)fd;
	(void)action;
	(void)why;
	fail_msg("left alone means that nothing is ended");
}

void sc_job_claim(struct sc_job *job, int fd)
{
	(void)job;
	(void)fd;
}

void sc_job_yield_to_twin(const struct sc_job *job, struct sc_linger_end *end)
{
	(void)job;
	(void)end;
}

/* ---- a connection ----------------------------------------------------------------------------- */

static int state_of(int fd)
{
	struct tcp_info info;
	socklen_t size = sizeof(info);
	assert_int_equal(getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size), 0);
	return info.tcpi_state;
}

static void await_state(int fd, int state)
{
	int64_t deadline = deadline_in(DEADLINE_MS);
	while (state_of(fd) != state) {
		assert_true(deadline_pause(deadline));
	}
}

static void send_unread(const struct pair *pair)
{
	char bytes[UNREAD_BYTES] = "";
	assert_int_equal(send(pair->peer, bytes, sizeof(bytes), 0), sizeof(bytes));
	int64_t deadline = deadline_in(DEADLINE_MS);
	for (int unread = 0; unread < UNREAD_BYTES;) {
		assert_true(deadline_pause(deadline));
		assert_int_equal(ioctl(pair->ours, FIONREAD, &unread), 0);
	}
}

static bool is_reset(int peer)
{
	int error = 0;
	socklen_t size = sizeof(error);
	assert_int_equal(getsockopt(peer, SOL_SOCKET, SO_ERROR, &error, &size), 0);
	return error != 0;
}

/* ---- leaving it ------------------------------------------------------------------------------- */

static struct sc_linger_end told;

static void keep(
	const struct sc_job *job, const struct sc_note *note, const struct sc_linger_end *end)
{
	(void)job;
	(void)note;
	told = *end;
}

static void leave(const struct pair *pair, const char *why)
{
	struct sc_parting parting = {.fd = pair->ours};
	sc_inspect_quickly(pair->ours, &parting.job.conn);
	assert_int_equal(parting.job.conn.unread_bytes, UNREAD_BYTES);
	told = (struct sc_linger_end){0};
	sc_parting_leave(&parting, why, keep);
}

static void test_leave_last_close_over_unread_is_told_as_reset(void **state)
{
	(void)state;
	watch_answer = 0;
	struct pair pair = pair_open();
	send_unread(&pair);
	leave(&pair, "holders unknown");
	assert_true(is_reset(pair.peer));
	assert_int_equal(told.outcome, SC_OUTCOME_RST);
	assert_string_equal(told.why, "holders unknown");
	close(pair.peer);
}

static void test_leave_half_closed_over_unread_is_told_as_reset(void **state)
{
	(void)state;
	watch_answer = 0;
	struct pair pair = pair_open();
	send_unread(&pair);
	shutdown(pair.ours, SHUT_WR);
	await_state(pair.ours, TCP_FIN_WAIT2);
	leave(&pair, "holders unknown");
	assert_true(is_reset(pair.peer));
	assert_int_equal(told.outcome, SC_OUTCOME_RST);
	close(pair.peer);
}

/* As an FTP server's data connection: the client has closed too while holders were looked for. */
static void test_leave_when_both_ends_have_closed_is_no_reset(void **state)
{
	(void)state;
	watch_answer = 0;
	struct pair pair = pair_open();
	send_unread(&pair);
	shutdown(pair.ours, SHUT_WR);
	shutdown(pair.peer, SHUT_WR);
	await_state(pair.ours, TCP_CLOSE);
	leave(&pair, "holders unknown");
	assert_false(is_reset(pair.peer));
	assert_int_equal(told.outcome, SC_OUTCOME_SHARED);
	assert_string_equal(told.why, "holders unknown");
	close(pair.peer);
}

/* And it was that relative's close that was the last: this one let go just before. */
static void test_leave_what_a_relative_has_claimed_is_no_reset(void **state)
{
	(void)state;
	watch_answer = 0;
	struct pair pair = pair_open();
	send_unread(&pair);
	relative = dup(pair.ours);
	leave(&pair, "holders unknown");
	relative = -1;
	assert_false(is_reset(pair.peer));
	assert_int_equal(told.outcome, SC_OUTCOME_SHARED);
	close(pair.peer);
}

static void test_leave_what_somebody_holds_is_shared(void **state)
{
	(void)state;
	watch_answer = 1;
	struct pair pair = pair_open();
	send_unread(&pair);
	int other = dup(pair.ours);
	leave(&pair, "holders unknown");
	assert_false(is_reset(pair.peer));
	assert_int_equal(told.outcome, SC_OUTCOME_SHARED);
	close(other);
	close(pair.peer);
}

/* As a program that goes on with its duplicate while the library's thread looks. */
static void test_leave_when_the_other_holder_has_read_all_is_no_reset(void **state)
{
	(void)state;
	watch_answer = 0;
	struct pair pair = pair_open();
	send_unread(&pair);
	other_holder = dup(pair.ours);
	leave(&pair, "holders unknown");
	assert_false(is_reset(pair.peer));
	assert_int_equal(told.outcome, SC_OUTCOME_SHARED);
	close(pair.peer);
}

/* Where a holder was there a moment ago, it may have been he who let go last: the count tells. */
static void test_leave_behind_a_holder_is_told_by_the_count(void **state)
{
	static const struct {
		int64_t count;
		bool is_one_more;
		enum sc_outcome told;
	} rows[] = {{-1, false, SC_OUTCOME_SHARED}, {7, false, SC_OUTCOME_SHARED},
		{7, true, SC_OUTCOME_RST}};

	(void)state;
	watch_answer = 0;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct pair pair = pair_open();

		send_unread(&pair);
		resets = rows[i].count;
		is_one_more = rows[i].is_one_more;
		leave(&pair, NULL);
		resets = -1;
		assert_int_equal(told.outcome, rows[i].told);
		assert_true(told.outcome != SC_OUTCOME_RST || strcmp(told.why, "let go last") == 0);
		close(pair.peer);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_leave_last_close_over_unread_is_told_as_reset),
		cmocka_unit_test(test_leave_half_closed_over_unread_is_told_as_reset),
		cmocka_unit_test(test_leave_when_both_ends_have_closed_is_no_reset),
		cmocka_unit_test(test_leave_when_the_other_holder_has_read_all_is_no_reset),
		cmocka_unit_test(test_leave_behind_a_holder_is_told_by_the_count),
		cmocka_unit_test(test_leave_what_a_relative_has_claimed_is_no_reset),
		cmocka_unit_test(test_leave_what_somebody_holds_is_shared),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
