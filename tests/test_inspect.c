// SPDX-License-Identifier: MIT
// LINK: inspect.o sys.o
// HARNESS
/*
 * The addresses of a connection may be asked for late: also when its peer has reset it meanwhile,
 * and getpeername() has no answer any more. And a peek at unread bytes changes nothing.
 */
#include "../shim/inspect.h"
#include "harness/deadline.h"
#include "harness/pair.h"
#include "harness/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <string.h>
#include <unistd.h>

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif

#define TEST_OF(kind) "test_inspect_finds_addresses_after_a_reset (" kind ")"

static const struct row {
	const char *name;
	int listener_domain;
	int domain; /* of the end that connects */
	int protocol;
} rows[] = {
	{TEST_OF("IPv4"), AF_INET, AF_INET, IPPROTO_TCP},
	{TEST_OF("IPv6"), AF_INET6, AF_INET6, IPPROTO_TCP},
	{TEST_OF("IPv4 at an IPv6 socket"), AF_INET6, AF_INET, IPPROTO_TCP},
	{TEST_OF("MPTCP"), AF_INET, AF_INET, IPPROTO_MPTCP},
};

enum { ROW_COUNT = sizeof(rows) / sizeof(rows[0]), FURTHER_COUNT = 5 };

static struct pair connect_pair(const struct row *row)
{
	struct pair pair;

	if (!pair_open_as(&pair, row->listener_domain, row->domain, row->protocol)) {
		print_message("no such socket here: %s\n", strerror(errno));
		skip();
	}
	return pair;
}

static void reset_by_peer(struct pair *pair)
{
	const struct linger abortive = {1, 0};

	assert_int_equal(send(pair->peer, "!", 1, MSG_NOSIGNAL), 1);
	assert_return_code(
		setsockopt(pair->peer, SOL_SOCKET, SO_LINGER, &abortive, sizeof(abortive)), errno);
	close(pair->peer);
	while (!(deadline_poll(pair->ours, POLLRDHUP, deadline_in(DEADLINE_MS)) & POLLHUP)) {
	}
}

static void test_inspect_finds_addresses_after_a_reset(void **state)
{
	const struct row *row = *state;
	struct pair pair = connect_pair(row);
	struct sc_conn before;
	struct sc_conn after;
	union sc_addr none;
	socklen_t size = sizeof(none);

	sc_inspect_quickly(pair.ours, &before);
	sc_inspect_addresses(pair.ours, &before);
	sc_inspect_quickly(pair.ours, &after);
	assert_int_equal(before.local.any.sa_family, row->listener_domain);
	assert_int_equal(before.peer.any.sa_family, row->listener_domain);
	reset_by_peer(&pair);
	assert_int_equal(getpeername(pair.ours, &none.any, &size), -1);
	assert_int_equal(errno, ENOTCONN);
	sc_inspect_addresses(pair.ours, &after);
	assert_memory_equal(&after.local, &before.local, sizeof(before.local));
	assert_memory_equal(&after.peer, &before.peer, sizeof(before.peer));
	close(pair.ours);
}

static void test_inspect_keeps_addresses_it_has(void **state)
{
	struct pair pair = connect_pair(&rows[0]);
	struct sc_conn conn;
	union sc_addr before;

	(void)state;
	sc_inspect_quickly(pair.ours, &conn);
	sc_inspect_addresses(pair.ours, &conn);
	before = conn.peer;
	/* Of the other end: the same two, the other way round. */
	sc_inspect_addresses(pair.peer, &conn);
	assert_memory_equal(&conn.peer, &before, sizeof(before));
	pair_close(&pair);
}

/* ---- peeks ---------------------------------------------------------------------------------- */

static struct pair connect_with_unread(const struct row *row, const char *text)
{
	struct pair pair = connect_pair(row);
	ssize_t length = (ssize_t)strlen(text);

	assert_int_equal(send(pair.peer, text, (size_t)length, MSG_NOSIGNAL), length);
	assert_true(deadline_poll(pair.ours, POLLIN, deadline_in(DEADLINE_MS)) & POLLIN);
	return pair;
}

static void test_inspect_peek_leaves_all_unread(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROW_COUNT; i++) {
		struct pair pair = connect_with_unread(&rows[i], "hello, world");
		char bytes[16] = "";

		assert_int_equal(sc_inspect_peek(pair.ours, bytes, 5), 5);
		assert_string_equal(bytes, "hello");
		assert_int_equal(sc_inspect_peek(pair.ours, bytes, sizeof(bytes)), 12);
		assert_memory_equal(bytes, "hello, world", 12);
		memset(bytes, 0, sizeof(bytes));
		assert_int_equal(recv(pair.ours, bytes, sizeof(bytes), MSG_DONTWAIT), 12);
		assert_memory_equal(bytes, "hello, world", 12);
		assert_int_equal(sc_inspect_peek(pair.ours, bytes, sizeof(bytes)), 0);
		pair_close(&pair);
	}
}

/* From Linux 6.9 on a peek would move on. */
static void test_inspect_peek_keeps_off_a_peek_offset(void **state)
{
	struct pair pair = connect_with_unread(&rows[0], "hello");
	const int offset = 0;
	char bytes[8];

	(void)state;
	if (setsockopt(pair.ours, SOL_SOCKET, SO_PEEK_OFF, &offset, sizeof(offset)) != 0) {
		pair_close(&pair);
		print_message("no SO_PEEK_OFF here: %s\n", strerror(errno));
		skip();
	}
	assert_int_equal(sc_inspect_peek(pair.ours, bytes, sizeof(bytes)), 0);
	assert_int_equal(recv(pair.ours, bytes, sizeof(bytes), MSG_PEEK | MSG_DONTWAIT), 5);
	assert_memory_equal(bytes, "hello", 5);
	pair_close(&pair);
}

/* There a peek decrypts what lies in the queue. */
static void test_inspect_peek_keeps_off_kernel_tls(void **state)
{
	struct pair pair = connect_with_unread(&rows[0], "hello");
	char bytes[8];

	(void)state;
	if (setsockopt(pair.ours, IPPROTO_TCP, TCP_ULP, "tls", sizeof("tls")) != 0) {
		pair_close(&pair);
		print_message("no kernel TLS here: %s\n", strerror(errno));
		skip();
	}
	assert_int_equal(sc_inspect_peek(pair.ours, bytes, sizeof(bytes)), 0);
	pair_close(&pair);
}

/* ---- what is supposed to be clean ------------------------------------------------------------- */

static struct sc_conn look(int fd, bool is_supposed_clean)
{
	struct sc_conn conn = {.proto = SC_PROTO_TCP};
	struct sc_glance glance = sc_glance_none;

	if (!is_supposed_clean || !sc_glance_is_clean(fd, &glance)) {
		sc_inspect_after_glance(fd, &conn, glance);
	}
	return conn;
}

static void assert_supposition_changes_nothing(int fd, enum sc_proto proto)
{
	struct sc_conn asked = look(fd, false);
	struct sc_conn supposed = look(fd, true);

	assert_int_equal(asked.proto, proto);
	assert_int_equal(supposed.proto, proto);
	assert_int_equal(supposed.unread_bytes, asked.unread_bytes);
	assert_int_equal(supposed.is_urgent, asked.is_urgent);
	assert_int_equal(supposed.is_listener, asked.is_listener);
}

static void test_inspect_supposed_clean_is_asked_unless_it_is(void **state)
{
	struct pair pair = connect_pair(&rows[0]);
	int listener = socket(AF_INET, SOCK_STREAM, 0);
	int messages[2];
	int file = open("/dev/zero", O_RDONLY);

	(void)state;
	assert_supposition_changes_nothing(pair.ours, SC_PROTO_TCP);
	assert_int_equal(send(pair.peer, "!", 1, MSG_OOB | MSG_NOSIGNAL), 1);
	assert_true(deadline_poll(pair.ours, POLLPRI, deadline_in(DEADLINE_MS)) & POLLPRI);
	assert_true(look(pair.ours, true).is_urgent);
	assert_supposition_changes_nothing(pair.ours, SC_PROTO_TCP);
	pair_close(&pair);
	pair = connect_with_unread(&rows[0], "hello");
	assert_int_equal(look(pair.ours, true).unread_bytes, 5);
	assert_supposition_changes_nothing(pair.ours, SC_PROTO_TCP);
	pair_close(&pair);
	assert_return_code(listen(listener, 1), errno);
	assert_true(look(listener, true).is_listener);
	assert_supposition_changes_nothing(listener, SC_PROTO_TCP);
	close(listener);
	/* By calls that nobody followed it may be something else. */
	assert_supposition_changes_nothing(file, SC_PROTO_OTHER);
	close(file);
	assert_return_code(socketpair(AF_UNIX, SOCK_STREAM, 0, messages), errno);
	assert_int_equal(look(messages[0], true).unread_bytes, 0);
	assert_int_equal(write(messages[1], "hello", 5), 5);
	assert_supposition_changes_nothing(messages[0], SC_PROTO_OTHER);
	close(messages[0]);
	close(messages[1]);
}

int main(void)
{
	struct CMUnitTest tests[ROW_COUNT + FURTHER_COUNT] = {
		cmocka_unit_test(test_inspect_supposed_clean_is_asked_unless_it_is),
		cmocka_unit_test(test_inspect_keeps_addresses_it_has),
		cmocka_unit_test(test_inspect_peek_leaves_all_unread),
		cmocka_unit_test(test_inspect_peek_keeps_off_a_peek_offset),
		cmocka_unit_test(test_inspect_peek_keeps_off_kernel_tls),
	};

	for (size_t i = 0; i < ROW_COUNT; i++) {
		tests[FURTHER_COUNT + i] = (struct CMUnitTest){
			.name = rows[i].name,
			.test_func = test_inspect_finds_addresses_after_a_reset,
			.initial_state = (void *)(uintptr_t)&rows[i],
		};
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
