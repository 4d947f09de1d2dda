// SPDX-License-Identifier: MIT
// LINK: drain.o sys.o
// HARNESS
/*
 * sc_drain_socket() on real connections over loopback. What was taken is checked against what is
 * left: the stream's bytes follow a pattern, so that each tells its place.
 */
#include "harness/deadline.h"
#include "harness/pair.h"
#include "harness/pattern.h"
#include "harness/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "../shim/drain.h"

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif

enum {
	STUCK_MS = 5000, /* a call that must not wait is woken after this */
	CHUNK = 4096,
	FLOOD_BYTES = 4 << 20,
	SIGNAL_ROUNDS = 5000,
	ERRNO_MARK = 4242, /* no error of the system's */
};

static void wait_for_events(int fd, short events)
{
	int64_t end = deadline_in(DEADLINE_MS);

	while (!(deadline_poll(fd, events, end) & events)) {
		assert_true(deadline_left_ms(end) > 0);
	}
}

static int unread_bytes(int fd)
{
	int count = -1;

	assert_int_equal(ioctl(fd, FIONREAD, &count), 0);
	return count;
}

static void wait_for_unread(int fd, int at_least)
{
	int64_t end = deadline_in(DEADLINE_MS);

	while (unread_bytes(fd) < at_least) {
		assert_true(deadline_left_ms(end) > 0);
		sched_yield();
	}
}

static bool is_at_mark(int fd)
{
	int at_mark = 0;

	assert_int_equal(ioctl(fd, SIOCATMARK, &at_mark), 0);
	return at_mark != 0;
}

/* A connection: ours is drained, the peer's end writes. */

static bool open_pair_of(struct pair *pair, int protocol)
{
	int one = 1, count;

	if (!pair_open_as(pair, AF_INET, AF_INET, protocol)) {
		return false;
	}
	setsockopt(pair->peer, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	return ioctl(pair->ours, FIONREAD, &count) == 0; /* MPTCP: since Linux 5.16 */
}

static struct pair open_pair(void)
{
	struct pair pair;

	assert_true(open_pair_of(&pair, IPPROTO_TCP));
	return pair;
}

static void set_abortive(int fd)
{
	struct linger linger = {.l_onoff = 1, .l_linger = 0};

	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)), 0);
}

/* Send count bytes of the pattern, beginning at position, and wait until they have arrived. */
static void send_pattern(const struct pair *pair, uint64_t position, size_t count)
{
	unsigned char bytes[CHUNK];
	int before = unread_bytes(pair->ours);

	assert_in_range(count, 0, sizeof(bytes));
	pattern_fill(bytes, count, position);
	assert_int_equal(send(pair->peer, bytes, count, MSG_NOSIGNAL), count);
	wait_for_unread(pair->ours, before + (int)count);
}

/* FIONREAD stops at the mark, hence the urgent byte itself is waited for as an event. */
static void send_urgent(const struct pair *pair)
{
	assert_int_equal(send(pair->peer, "!", 1, MSG_OOB | MSG_NOSIGNAL), 1);
	wait_for_events(pair->ours, POLLPRI);
}

/* Bytes behind the mark cannot be counted before it is passed: the peer knows when they arrived. */
static void wait_for_all_acknowledged(const struct pair *pair)
{
	int64_t end = deadline_in(DEADLINE_MS);
	int unacknowledged = 1;

	while (unacknowledged > 0) {
		assert_int_equal(ioctl(pair->peer, TIOCOUTQ, &unacknowledged), 0);
		assert_true(deadline_left_ms(end) > 0);
		sched_yield();
	}
}

static void send_behind_mark(const struct pair *pair, uint64_t position, size_t count)
{
	unsigned char bytes[CHUNK];

	assert_in_range(count, 0, sizeof(bytes));
	pattern_fill(bytes, count, position);
	assert_int_equal(send(pair->peer, bytes, count, MSG_NOSIGNAL), count);
	wait_for_all_acknowledged(pair);
}

/* The next count bytes are those of the pattern at position, and no more are there. */
static void assert_left(int fd, uint64_t position, size_t count)
{
	unsigned char got[CHUNK + 1], wanted[CHUNK];

	assert_in_range(count, 0, sizeof(wanted));
	assert_int_equal(unread_bytes(fd), count);
	if (count > 0) {
		pattern_fill(wanted, count, position);
		assert_int_equal(recv(fd, got, sizeof(got), MSG_DONTWAIT), count);
		assert_memory_equal(got, wanted, count);
	}
}

/* Close our end; does the peer see FIN rather than RST? Closes the pair. */
static bool closes_with_fin(struct pair *pair)
{
	char byte;
	int error = -1;
	socklen_t size = sizeof(error);

	close(pair->ours);
	wait_for_events(pair->peer, POLLRDHUP);
	assert_int_equal(getsockopt(pair->peer, SOL_SOCKET, SO_ERROR, &error, &size), 0);
	ssize_t got = recv(pair->peer, &byte, 1, MSG_DONTWAIT);
	close(pair->peer);
	assert_true(error == 0 || error == ECONNRESET);
	return got == 0 && error == 0;
}

/* Draining, with what holds for every call: it does not wait, errno stays, the cap is kept. */

static volatile sig_atomic_t is_woken;
static volatile sig_atomic_t fd_to_wake;

static void wake(int signal_number)
{
	(void)signal_number;
	is_woken = 1;
	shutdown(fd_to_wake, SHUT_RDWR);
}

static void set_alarm(int ms)
{
	struct itimerval timer = {.it_value = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000}};

	assert_int_equal(setitimer(ITIMER_REAL, &timer, NULL), 0);
}

static struct sc_drain drain(int fd, uint64_t max_bytes)
{
	struct sigaction action = {.sa_handler = wake, .sa_flags = SA_RESTART};

	is_woken = 0;
	fd_to_wake = fd;
	assert_int_equal(sigaction(SIGALRM, &action, NULL), 0);
	set_alarm(STUCK_MS);
	errno = ERRNO_MARK;
	struct sc_drain result = sc_drain_socket(fd, max_bytes);
	int errno_after = errno;
	set_alarm(0);
	assert_false(is_woken);
	assert_int_equal(errno_after, ERRNO_MARK);
	assert_true(result.bytes <= max_bytes);
	if (result.end == SC_DRAIN_ERROR) {
		assert_true(result.error < 0);
	} else {
		assert_int_equal(result.error, 0);
	}
	return result;
}

static void assert_drained(struct sc_drain result, enum sc_drain_end end, uint64_t bytes)
{
	assert_int_equal(result.end, end);
	assert_int_equal(result.bytes, bytes);
}

static void assert_failed(struct sc_drain result, int error, uint64_t bytes)
{
	assert_drained(result, SC_DRAIN_ERROR, bytes);
	assert_int_equal(result.error, error);
}

/* The control of closes_with_fin(): what all this is about. */
static void test_drain_left_out_resets_the_connection(void **state)
{
	struct pair pair = open_pair();

	(void)state;
	send_pattern(&pair, 0, 1);
	assert_false(closes_with_fin(&pair));
	pair = open_pair();
	assert_true(closes_with_fin(&pair));
}

static void test_drain_empty_blocking_socket_returns_at_once(void **state)
{
	struct pair pair = open_pair();

	(void)state;
	assert_int_equal(fcntl(pair.ours, F_GETFL) & O_NONBLOCK, 0);
	assert_drained(drain(pair.ours, 1), SC_DRAIN_EMPTY, 0);
	assert_drained(drain(pair.ours, UINT64_MAX), SC_DRAIN_EMPTY, 0);
	pair_close(&pair);
}

static void test_drain_leaves_the_blocking_mode_as_it_was(void **state)
{
	struct pair pair = open_pair();

	(void)state;
	for (int is_nonblocking = 0; is_nonblocking < 2; is_nonblocking++) {
		int flags = fcntl(pair.ours, F_GETFL) & ~O_NONBLOCK;
		flags |= is_nonblocking ? O_NONBLOCK : 0;
		assert_int_equal(fcntl(pair.ours, F_SETFL, flags), 0);
		flags = fcntl(pair.ours, F_GETFL);
		send_pattern(&pair, 0, 10);
		assert_drained(drain(pair.ours, 5), SC_DRAIN_LIMIT, 5);
		assert_int_equal(fcntl(pair.ours, F_GETFL), flags);
		assert_drained(drain(pair.ours, 100), SC_DRAIN_EMPTY, 5);
		assert_int_equal(fcntl(pair.ours, F_GETFL), flags);
	}
	pair_close(&pair);
}

static void test_drain_takes_all_that_is_unread(void **state)
{
	struct pair pair = open_pair();

	(void)state;
	send_pattern(&pair, 0, 1000);
	assert_drained(drain(pair.ours, 64 << 20), SC_DRAIN_EMPTY, 1000);
	assert_int_equal(unread_bytes(pair.ours), 0);
	assert_true(closes_with_fin(&pair));
}

/* Caps. */

static void test_drain_zero_cap_takes_nothing(void **state)
{
	struct pair pair = open_pair();

	(void)state;
	send_pattern(&pair, 0, 1000);
	assert_drained(drain(pair.ours, 0), SC_DRAIN_LIMIT, 0);
	assert_left(pair.ours, 0, 1000);
	/* A read of no bytes answers 0 too: that is not the peer's FIN. */
	assert_int_not_equal(drain(pair.ours, 0).end, SC_DRAIN_PEER_FIN);
	pair_close(&pair);
}

static void test_drain_cap_below_leaves_the_rest_in_place(void **state)
{
	static const unsigned int caps[] = {1, 2, 500, 998, 999};

	(void)state;
	for (size_t i = 0; i < sizeof(caps) / sizeof(caps[0]); i++) {
		struct pair pair = open_pair();
		send_pattern(&pair, 0, 1000);
		assert_drained(drain(pair.ours, caps[i]), SC_DRAIN_LIMIT, caps[i]);
		assert_left(pair.ours, caps[i], 1000 - caps[i]);
		pair_close(&pair);
	}
}

static void test_drain_cap_at_the_amount_is_a_limit_with_nothing_left(void **state)
{
	struct pair pair = open_pair();

	(void)state;
	send_pattern(&pair, 0, 1000);
	assert_drained(drain(pair.ours, 1000), SC_DRAIN_LIMIT, 1000);
	assert_int_equal(unread_bytes(pair.ours), 0);
	assert_true(closes_with_fin(&pair));
}

static void test_drain_cap_above_is_no_limit(void **state)
{
	static const uint64_t caps[] = {1001, 1 << 20, (uint64_t)INT32_MAX + 1, UINT64_C(1) << 32,
		(uint64_t)INT64_MAX + 1, UINT64_MAX};

	(void)state;
	for (size_t i = 0; i < sizeof(caps) / sizeof(caps[0]); i++) {
		struct pair pair = open_pair();
		send_pattern(&pair, 0, 1000);
		assert_drained(drain(pair.ours, caps[i]), SC_DRAIN_EMPTY, 1000);
		assert_true(closes_with_fin(&pair));
	}
}

static void test_drain_several_calls_go_on_where_the_last_ended(void **state)
{
	struct pair pair = open_pair();

	(void)state;
	send_pattern(&pair, 0, 1000);
	for (uint64_t taken = 0; taken < 900; taken += 100) {
		assert_drained(drain(pair.ours, 100), SC_DRAIN_LIMIT, 100);
	}
	assert_left(pair.ours, 900, 100);
	pair_close(&pair);
}

/* A program's own SO_RCVLOWAT must not hide what lies below it. */
static void test_drain_low_water_mark_hides_nothing(void **state)
{
	struct pair pair = open_pair();
	int low_water = 1000;

	(void)state;
	assert_int_equal(
		setsockopt(pair.ours, SOL_SOCKET, SO_RCVLOWAT, &low_water, sizeof(low_water)), 0);
	send_pattern(&pair, 0, 10);
	assert_drained(drain(pair.ours, 1 << 20), SC_DRAIN_EMPTY, 10);
	pair_close(&pair);
}

/* The peer's end of the stream. */

static void test_drain_peer_fin_is_told_from_empty(void **state)
{
	struct pair pair = open_pair();

	(void)state;
	send_pattern(&pair, 0, 1000);
	assert_drained(drain(pair.ours, 1 << 20), SC_DRAIN_EMPTY, 1000);
	assert_int_equal(shutdown(pair.peer, SHUT_WR), 0);
	wait_for_events(pair.ours, POLLRDHUP);
	assert_drained(drain(pair.ours, 1 << 20), SC_DRAIN_PEER_FIN, 0);
	assert_drained(drain(pair.ours, 1 << 20), SC_DRAIN_PEER_FIN, 0);
	pair_close(&pair);
}

static void test_drain_bytes_and_fin_are_told_in_one_call(void **state)
{
	struct pair pair = open_pair();

	(void)state;
	send_pattern(&pair, 0, 1000);
	assert_int_equal(shutdown(pair.peer, SHUT_WR), 0);
	wait_for_events(pair.ours, POLLRDHUP);
	assert_drained(drain(pair.ours, 1 << 20), SC_DRAIN_PEER_FIN, 1000);
	pair_close(&pair);
}

static void test_drain_cap_before_fin_is_a_limit(void **state)
{
	struct pair pair = open_pair();

	(void)state;
	send_pattern(&pair, 0, 1000);
	assert_int_equal(shutdown(pair.peer, SHUT_WR), 0);
	wait_for_events(pair.ours, POLLRDHUP);
	assert_drained(drain(pair.ours, 999), SC_DRAIN_LIMIT, 999);
	assert_drained(drain(pair.ours, 999), SC_DRAIN_PEER_FIN, 1);
	pair_close(&pair);
}

/* As a lingering connection is drained: its own FIN is out. */
static void test_drain_after_half_close_goes_on(void **state)
{
	struct pair pair = open_pair();

	(void)state;
	assert_int_equal(shutdown(pair.ours, SHUT_WR), 0);
	assert_drained(drain(pair.ours, 1 << 20), SC_DRAIN_EMPTY, 0);
	send_pattern(&pair, 0, 1000);
	assert_drained(drain(pair.ours, 1 << 20), SC_DRAIN_EMPTY, 1000);
	assert_int_equal(shutdown(pair.peer, SHUT_WR), 0);
	/* With both directions ended the kernel says POLLHUP as well. */
	wait_for_events(pair.ours, POLLHUP);
	assert_drained(drain(pair.ours, 1 << 20), SC_DRAIN_PEER_FIN, 0);
	pair_close(&pair);
}

static void test_drain_reset_by_peer_is_an_error(void **state)
{
	struct pair pair = open_pair();

	(void)state;
	set_abortive(pair.peer);
	close(pair.peer);
	wait_for_events(pair.ours, POLLHUP);
	assert_failed(drain(pair.ours, 1 << 20), -ECONNRESET, 0);
	close(pair.ours);
}

static void test_drain_bytes_before_a_reset_are_counted(void **state)
{
	struct pair pair = open_pair();

	(void)state;
	send_pattern(&pair, 0, 1000);
	set_abortive(pair.peer);
	close(pair.peer);
	wait_for_events(pair.ours, POLLHUP);
	assert_failed(drain(pair.ours, 1 << 20), -ECONNRESET, 1000);
	close(pair.ours);
}

/* Urgent bytes: FIONREAD and recv stop at the mark, the close would reset all the same. */

static void test_drain_lone_urgent_byte_is_discarded_uncounted(void **state)
{
	struct pair pair = open_pair();

	(void)state;
	send_urgent(&pair);
	assert_int_equal(unread_bytes(pair.ours), 0);
	assert_true(is_at_mark(pair.ours));
	assert_drained(drain(pair.ours, 1 << 20), SC_DRAIN_EMPTY, 0);
	assert_false(is_at_mark(pair.ours));
	assert_true(closes_with_fin(&pair));
}

static void test_drain_lone_urgent_byte_left_alone_resets(void **state)
{
	struct pair pair = open_pair();

	(void)state;
	send_urgent(&pair);
	assert_false(closes_with_fin(&pair));
}

static void test_drain_urgent_byte_in_the_middle_is_passed(void **state)
{
	struct pair pair = open_pair();

	(void)state;
	send_pattern(&pair, 0, 100);
	send_urgent(&pair);
	send_behind_mark(&pair, 100, 200);
	assert_int_equal(unread_bytes(pair.ours), 100);
	assert_drained(drain(pair.ours, 1 << 20), SC_DRAIN_EMPTY, 300);
	assert_int_equal(unread_bytes(pair.ours), 0);
	assert_true(closes_with_fin(&pair));
}

static void test_drain_urgent_byte_already_read_is_passed(void **state)
{
	struct pair pair = open_pair();
	char byte = 0;

	(void)state;
	send_pattern(&pair, 0, 100);
	send_urgent(&pair);
	send_behind_mark(&pair, 100, 200);
	assert_int_equal(recv(pair.ours, &byte, 1, MSG_OOB | MSG_DONTWAIT), 1);
	assert_int_equal(byte, '!');
	assert_drained(drain(pair.ours, 1 << 20), SC_DRAIN_EMPTY, 300);
	assert_true(closes_with_fin(&pair));
}

static void test_drain_lone_urgent_byte_already_read_is_passed(void **state)
{
	struct pair pair = open_pair();
	char byte;

	(void)state;
	send_urgent(&pair);
	assert_int_equal(recv(pair.ours, &byte, 1, MSG_OOB | MSG_DONTWAIT), 1);
	assert_drained(drain(pair.ours, 1 << 20), SC_DRAIN_EMPTY, 0);
	assert_true(closes_with_fin(&pair));
}

static void test_drain_urgent_byte_inline_is_counted(void **state)
{
	struct pair pair = open_pair();
	int one = 1;

	(void)state;
	assert_int_equal(setsockopt(pair.ours, SOL_SOCKET, SO_OOBINLINE, &one, sizeof(one)), 0);
	send_pattern(&pair, 0, 100);
	send_urgent(&pair);
	send_behind_mark(&pair, 100, 200);
	assert_drained(drain(pair.ours, 1 << 20), SC_DRAIN_EMPTY, 301);
	assert_true(closes_with_fin(&pair));
}

static void test_drain_cap_at_the_urgent_mark_is_kept(void **state)
{
	struct pair pair = open_pair();

	(void)state;
	send_pattern(&pair, 0, 100);
	send_urgent(&pair);
	send_behind_mark(&pair, 100, 200);
	assert_drained(drain(pair.ours, 100), SC_DRAIN_LIMIT, 100);
	assert_drained(drain(pair.ours, 150), SC_DRAIN_LIMIT, 150);
	assert_left(pair.ours, 250, 50);
	pair_close(&pair);
}

static void test_drain_urgent_byte_before_fin_is_passed(void **state)
{
	struct pair pair = open_pair();

	(void)state;
	send_urgent(&pair);
	assert_int_equal(shutdown(pair.peer, SHUT_WR), 0);
	wait_for_events(pair.ours, POLLRDHUP);
	assert_drained(drain(pair.ours, 1 << 20), SC_DRAIN_PEER_FIN, 0);
	assert_false(is_at_mark(pair.ours));
	assert_true(closes_with_fin(&pair));
}

/* Signals without end for the thread that drains. */

struct storm {
	pthread_t target;
	atomic_bool is_stopped;
	pthread_t thread;
};

static void ignore_signal(int signal_number)
{
	(void)signal_number;
}

static void *send_signals(void *argument)
{
	struct storm *storm = argument;

	while (!atomic_load(&storm->is_stopped)) {
		pthread_kill(storm->target, SIGUSR1);
	}
	return NULL;
}

/*
 * At the urgent mark, and nowhere else, tcp_recvmsg() answers EAGAIN to a call that a signal meets,
 * before it passes the mark: that EAGAIN is not the end. Some of the rounds meet it, on any machine
 * with more than one processor.
 */
static void test_drain_signal_at_the_urgent_mark_leaves_nothing(void **state)
{
	struct sigaction action = {.sa_handler = ignore_signal, .sa_flags = SA_RESTART};
	struct storm storm = {.target = pthread_self()};
	struct pair pair = open_pair();
	int left_over = 0;
	char byte;

	(void)state;
	assert_int_equal(sigaction(SIGUSR1, &action, NULL), 0);
	assert_int_equal(pthread_create(&storm.thread, NULL, send_signals, &storm), 0);
	for (int round = 0; round < SIGNAL_ROUNDS; round++) {
		send_urgent(&pair);
		assert_drained(sc_drain_socket(pair.ours, 1 << 20), SC_DRAIN_EMPTY, 0);
		left_over += is_at_mark(pair.ours);
		while (is_at_mark(pair.ours)) {
			recv(pair.ours, &byte, 1, MSG_DONTWAIT);
		}
	}
	atomic_store(&storm.is_stopped, true);
	assert_int_equal(pthread_join(storm.thread, NULL), 0);
	assert_int_equal(left_over, 0);
	assert_true(closes_with_fin(&pair));
}

/* A segment of the peer's that no honest kernel sends: URG, and no byte. Needs privileges. */

struct wire_header {
	uint16_t source_port, target_port;
	uint32_t sequence, acknowledged;
	uint8_t length, flags;
	uint16_t window, checksum, urgent;
} __attribute__((packed));

static bool get_sequence(int fd, int queue, uint32_t *sequence)
{
	socklen_t size = sizeof(*sequence);

	return setsockopt(fd, IPPROTO_TCP, TCP_REPAIR_QUEUE, &queue, sizeof(queue)) == 0 &&
	       getsockopt(fd, IPPROTO_TCP, TCP_QUEUE_SEQ, sequence, &size) == 0;
}

/* In network byte order. RFC 9293 section 3.1: over a header of both addresses, then the segment. */
static uint16_t checksum_over_loopback(const struct wire_header *header)
{
	uint16_t words[sizeof(*header) / 2];
	uint32_t sum = 2 * (0x7f00 + 0x0001) + IPPROTO_TCP + sizeof(*header);

	memcpy(words, header, sizeof(words));
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		sum += ntohs(words[i]);
	}
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return htons((uint16_t)~sum);
}

static bool fill_header(const struct pair *pair, struct wire_header *header)
{
	int on = 1, off = -1; /* -1: leave repair without a window probe */
	uint32_t sent, received;
	struct sockaddr_in source, target;
	socklen_t size = sizeof(source);

	if (setsockopt(pair->peer, IPPROTO_TCP, TCP_REPAIR, &on, sizeof(on)) != 0) {
		return false;
	}
	assert_true(get_sequence(pair->peer, 2, &sent));     /* TCP_SEND_QUEUE */
	assert_true(get_sequence(pair->peer, 1, &received)); /* TCP_RECV_QUEUE */
	assert_int_equal(setsockopt(pair->peer, IPPROTO_TCP, TCP_REPAIR, &off, sizeof(off)), 0);
	assert_int_equal(getsockname(pair->peer, (struct sockaddr *)&source, &size), 0);
	assert_int_equal(getpeername(pair->peer, (struct sockaddr *)&target, &size), 0);
	*header = (struct wire_header){
		.source_port = source.sin_port,
		.target_port = target.sin_port,
		.sequence = htonl(sent),
		.acknowledged = htonl(received),
		.length = sizeof(*header) / 4 << 4,
		.flags = TH_ACK | TH_URG,
		.window = htons(512),
		.urgent = htons(1),
	};
	header->checksum = checksum_over_loopback(header);
	return true;
}

static bool announce_urgent_byte(const struct pair *pair)
{
	struct sockaddr_in target = {.sin_family = AF_INET};
	struct wire_header header;
	int raw = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_TCP);

	if (raw < 0 || !fill_header(pair, &header)) {
		close(raw);
		return false;
	}
	target.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(
		sendto(raw, &header, sizeof(header), 0, (struct sockaddr *)&target, sizeof(target)),
		sizeof(header));
	close(raw);
	return true;
}

/* The mark is there, SIOCATMARK says so for ever, and there is nothing to discard. */
static void test_drain_urgent_byte_that_never_comes_is_not_waited_for(void **state)
{
	struct pair pair = open_pair();
	int64_t end = deadline_in(DEADLINE_MS);

	(void)state;
	if (!announce_urgent_byte(&pair)) {
		pair_close(&pair);
		skip();
	}
	while (!is_at_mark(pair.ours)) {
		assert_true(deadline_left_ms(end) > 0);
		sched_yield();
	}
	assert_drained(drain(pair.ours, 1 << 20), SC_DRAIN_EMPTY, 0);
	assert_true(closes_with_fin(&pair));
}

/* A peer that never stops. */

struct sender {
	int fd;
	atomic_bool is_stopped;
	atomic_ullong sent;
	pthread_t thread;
};

static void *send_until_stopped(void *argument)
{
	struct sender *sender = argument;
	unsigned char bytes[65536];

	while (!atomic_load(&sender->is_stopped)) {
		struct pollfd item = {.fd = sender->fd, .events = POLLOUT};
		poll(&item, 1, 50);
		pattern_fill(bytes, sizeof(bytes), atomic_load(&sender->sent));
		ssize_t got = send(sender->fd, bytes, sizeof(bytes), MSG_NOSIGNAL | MSG_DONTWAIT);
		if (got > 0) {
			atomic_fetch_add(&sender->sent, (unsigned long long)got);
		}
	}
	return NULL;
}

/* The alarm that drain() sets is for the thread that drains: the handler interrupts its recv. */
static void start_sender(struct sender *sender, int fd)
{
	sigset_t alarm_only, before;

	sigemptyset(&alarm_only);
	sigaddset(&alarm_only, SIGALRM);
	*sender = (struct sender){.fd = fd};
	assert_int_equal(pthread_sigmask(SIG_BLOCK, &alarm_only, &before), 0);
	assert_int_equal(pthread_create(&sender->thread, NULL, send_until_stopped, sender), 0);
	assert_int_equal(pthread_sigmask(SIG_SETMASK, &before, NULL), 0);
}

static void stop_sender(struct sender *sender)
{
	atomic_store(&sender->is_stopped, true);
	assert_int_equal(pthread_join(sender->thread, NULL), 0);
}

static void test_drain_cap_holds_while_the_peer_keeps_sending(void **state)
{
	struct pair pair = open_pair();
	struct sender sender;
	uint64_t total = 0;

	(void)state;
	start_sender(&sender, pair.peer);
	while (total < FLOOD_BYTES) {
		wait_for_events(pair.ours, POLLIN);
		struct sc_drain result = drain(pair.ours, FLOOD_BYTES - total);
		total += result.bytes;
		assert_int_equal(
			result.end, total == FLOOD_BYTES ? SC_DRAIN_LIMIT : SC_DRAIN_EMPTY);
	}
	assert_int_equal(total, FLOOD_BYTES);
	wait_for_unread(pair.ours, CHUNK);
	stop_sender(&sender);
	unsigned char got[CHUNK], wanted[CHUNK];
	assert_int_equal(recv(pair.ours, got, CHUNK, MSG_DONTWAIT), CHUNK);
	pattern_fill(wanted, CHUNK, FLOOD_BYTES);
	assert_memory_equal(got, wanted, CHUNK);
	pair_close(&pair);
}

/* One call, a full queue, a sender at work: no more than the cap, which is there already. */
static void test_drain_one_call_under_flood_ends_at_its_cap(void **state)
{
	struct pair pair = open_pair();
	struct sender sender;

	(void)state;
	start_sender(&sender, pair.peer);
	wait_for_unread(pair.ours, 20000);
	assert_drained(drain(pair.ours, 20000), SC_DRAIN_LIMIT, 20000);
	stop_sender(&sender);
	pair_close(&pair);
}

/* A full window: draining opens it again, and in the end all that was sent has been counted. */
static void test_drain_full_window_opens_again(void **state)
{
	struct pair pair = open_pair();
	unsigned char bytes[65536] = {0};
	uint64_t sent = 0, drained = 0;
	ssize_t got;

	(void)state;
	while ((got = send(pair.peer, bytes, sizeof(bytes), MSG_DONTWAIT)) > 0) {
		sent += (uint64_t)got;
	}
	assert_int_equal(errno, EAGAIN);
	while (drained < sent) {
		wait_for_events(pair.ours, POLLIN);
		struct sc_drain result = drain(pair.ours, 64 << 20);
		assert_int_equal(result.end, SC_DRAIN_EMPTY);
		drained += result.bytes;
	}
	assert_int_equal(drained, sent);
	wait_for_events(pair.peer, POLLOUT);
	assert_true(closes_with_fin(&pair));
}

/* Other sockets, and no sockets. */

static void test_drain_mptcp_connection_is_drained_as_tcp(void **state)
{
	struct pair pair;

	(void)state;
	if (!open_pair_of(&pair, IPPROTO_MPTCP)) {
		skip();
	}
	assert_drained(drain(pair.ours, 1 << 20), SC_DRAIN_EMPTY, 0);
	send_pattern(&pair, 0, 1000);
	assert_drained(drain(pair.ours, 0), SC_DRAIN_LIMIT, 0);
	assert_drained(drain(pair.ours, 300), SC_DRAIN_LIMIT, 300);
	assert_left(pair.ours, 300, 700);
	send_pattern(&pair, 0, 1000);
	assert_drained(drain(pair.ours, 1 << 20), SC_DRAIN_EMPTY, 1000);
	assert_int_equal(shutdown(pair.peer, SHUT_WR), 0);
	wait_for_events(pair.ours, POLLRDHUP);
	assert_drained(drain(pair.ours, 1 << 20), SC_DRAIN_PEER_FIN, 0);
	pair_close(&pair);
}

/* As kernel TLS does, a unix socket insists on a place to copy to. */
static void test_drain_socket_that_must_copy_keeps_its_caps(void **state)
{
	int fds[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	struct pair pair = {.ours = fds[0], .peer = fds[1]};
	assert_drained(drain(pair.ours, 100), SC_DRAIN_EMPTY, 0);
	send_pattern(&pair, 0, 4000);
	assert_drained(drain(pair.ours, 10), SC_DRAIN_LIMIT, 10);
	assert_drained(drain(pair.ours, 2990), SC_DRAIN_LIMIT, 2990);
	assert_left(pair.ours, 3000, 1000);
	send_pattern(&pair, 0, 4000);
	assert_drained(drain(pair.ours, UINT64_MAX), SC_DRAIN_EMPTY, 4000);
	send_pattern(&pair, 0, 1);
	close(pair.peer);
	assert_drained(drain(pair.ours, 100), SC_DRAIN_PEER_FIN, 1);
	close(pair.ours);
}

static void test_drain_unconnected_socket_is_not_connected(void **state)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)state;
	assert_true(fd >= 0);
	assert_failed(drain(fd, 100), -ENOTCONN, 0);
	assert_int_equal(listen(fd, 1), 0); /* at a port that the kernel picks */
	assert_failed(drain(fd, 100), -ENOTCONN, 0);
	close(fd);
}

static void test_drain_no_socket_is_an_error(void **state)
{
	int fds[2];
	char byte = 0;

	(void)state;
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	assert_int_equal(write(fds[1], "x", 1), 1);
	assert_failed(drain(fds[0], 100), -ENOTSOCK, 0);
	assert_int_equal(read(fds[0], &byte, 1), 1);
	assert_int_equal(byte, 'x');
	close(fds[0]);
	close(fds[1]);
}

static void test_drain_closed_descriptor_is_an_error(void **state)
{
	struct pair pair = open_pair();

	(void)state;
	pair_close(&pair);
	assert_failed(drain(pair.ours, 100), -EBADF, 0);
	assert_failed(drain(-1, 100), -EBADF, 0);
	assert_failed(drain(10000000, 100), -EBADF, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_drain_left_out_resets_the_connection),
		cmocka_unit_test(test_drain_empty_blocking_socket_returns_at_once),
		cmocka_unit_test(test_drain_leaves_the_blocking_mode_as_it_was),
		cmocka_unit_test(test_drain_takes_all_that_is_unread),
		cmocka_unit_test(test_drain_zero_cap_takes_nothing),
		cmocka_unit_test(test_drain_cap_below_leaves_the_rest_in_place),
		cmocka_unit_test(test_drain_cap_at_the_amount_is_a_limit_with_nothing_left),
		cmocka_unit_test(test_drain_cap_above_is_no_limit),
		cmocka_unit_test(test_drain_several_calls_go_on_where_the_last_ended),
		cmocka_unit_test(test_drain_low_water_mark_hides_nothing),
		cmocka_unit_test(test_drain_peer_fin_is_told_from_empty),
		cmocka_unit_test(test_drain_bytes_and_fin_are_told_in_one_call),
		cmocka_unit_test(test_drain_cap_before_fin_is_a_limit),
		cmocka_unit_test(test_drain_after_half_close_goes_on),
		cmocka_unit_test(test_drain_reset_by_peer_is_an_error),
		cmocka_unit_test(test_drain_bytes_before_a_reset_are_counted),
		cmocka_unit_test(test_drain_lone_urgent_byte_is_discarded_uncounted),
		cmocka_unit_test(test_drain_lone_urgent_byte_left_alone_resets),
		cmocka_unit_test(test_drain_urgent_byte_in_the_middle_is_passed),
		cmocka_unit_test(test_drain_urgent_byte_already_read_is_passed),
		cmocka_unit_test(test_drain_lone_urgent_byte_already_read_is_passed),
		cmocka_unit_test(test_drain_urgent_byte_inline_is_counted),
		cmocka_unit_test(test_drain_cap_at_the_urgent_mark_is_kept),
		cmocka_unit_test(test_drain_urgent_byte_before_fin_is_passed),
		cmocka_unit_test(test_drain_signal_at_the_urgent_mark_leaves_nothing),
		cmocka_unit_test(test_drain_urgent_byte_that_never_comes_is_not_waited_for),
		cmocka_unit_test(test_drain_cap_holds_while_the_peer_keeps_sending),
		cmocka_unit_test(test_drain_one_call_under_flood_ends_at_its_cap),
		cmocka_unit_test(test_drain_full_window_opens_again),
		cmocka_unit_test(test_drain_mptcp_connection_is_drained_as_tcp),
		cmocka_unit_test(test_drain_socket_that_must_copy_keeps_its_caps),
		cmocka_unit_test(test_drain_unconnected_socket_is_not_connected),
		cmocka_unit_test(test_drain_no_socket_is_an_error),
		cmocka_unit_test(test_drain_closed_descriptor_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
