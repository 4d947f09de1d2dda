// SPDX-License-Identifier: MIT
#include "linger.h"
#include "drain.h"
#include "inspect.h"
#include "sys.h"
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <time.h>

/* A connection that lingers. Times in milliseconds of CLOCK_MONOTONIC. */
struct lingering {
	int fd;
	uint64_t ends_ms;  /* whatever happens */
	uint64_t quiet_ms; /* unless something happens before */
	uint64_t timeout_ms;
	uint64_t left_bytes;    /* that may still be discarded */
	uint64_t unacked_bytes; /* when it was last looked at */
	struct sc_linger_end end;
};

static uint64_t now_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* Half-close, and start the clocks. */
static void begin(struct lingering *it, int fd, const struct sc_linger_limits *limits)
{
	uint64_t now = now_ms();
	*it = (struct lingering){.fd = fd,
		.ends_ms = now + limits->time_ms,
		.quiet_ms = now + limits->timeout_ms,
		.timeout_ms = limits->timeout_ms,
		.left_bytes = limits->max_bytes,
		.end = {SC_OUTCOME_NONE, NULL, 0}};
	/* ENOTCONN: the peer has reset it meanwhile; the discarding sees that too. */
	sc_sys_shutdown(fd, SHUT_WR);
	it->unacked_bytes = sc_inspect_unacked_bytes(fd);
}

static void finish(struct lingering *it, enum sc_outcome outcome, const char *why)
{
	it->end.outcome = outcome;
	it->end.why = why;
}

/* Discard what has come. */
static void receive(struct lingering *it, uint64_t now)
{
	struct sc_drain drain = sc_drain_socket(it->fd, it->left_bytes);
	it->end.drained_bytes += drain.bytes;
	it->left_bytes -= drain.bytes;
	if (drain.bytes > 0) {
		it->quiet_ms = now + it->timeout_ms;
	}
	switch (drain.end) {
	case SC_DRAIN_PEER_FIN:
		finish(it, SC_OUTCOME_FIN, NULL);
		break;
	case SC_DRAIN_LIMIT:
		finish(it, SC_OUTCOME_LIMIT, "bytes");
		break;
	case SC_DRAIN_ERROR:
		/* Nothing is left that this close could reset. */
		finish(it, SC_OUTCOME_FIN,
			drain.error == -ETIMEDOUT ? "peer gone" : "reset by the peer");
		break;
	case SC_DRAIN_EMPTY:
		break;
	}
}

/* Time has passed in silence: bytes of the program that were acknowledged meanwhile are life. */
static void check_clocks(struct lingering *it, uint64_t now)
{
	if (now >= it->quiet_ms) {
		uint64_t unacked_bytes = sc_inspect_unacked_bytes(it->fd);
		if (unacked_bytes < it->unacked_bytes) {
			it->quiet_ms = now + it->timeout_ms;
		}
		it->unacked_bytes = unacked_bytes;
	}
	if (now >= it->ends_ms || now >= it->quiet_ms) {
		finish(it, SC_OUTCOME_TIMEOUT, now >= it->ends_ms ? "time" : "silence");
	}
}

static void wait_for_peer(const struct lingering *it, uint64_t now)
{
	uint64_t until = it->ends_ms < it->quiet_ms ? it->ends_ms : it->quiet_ms;
	uint64_t wait_ms = until > now ? until - now : 0;
	struct timespec wait = {(time_t)(wait_ms / 1000), (long)(wait_ms % 1000) * 1000000};
	struct pollfd wanted = {it->fd, POLLIN | POLLRDHUP | POLLPRI, 0};
	SC_SYS5(SYS_ppoll, &wanted, 1, &wait, NULL, 0);
}

struct sc_linger_end sc_linger_run(int fd, const struct sc_linger_limits *limits)
{
	struct lingering it;
	begin(&it, fd, limits);
	for (;;) {
		uint64_t now = now_ms();
		receive(&it, now);
		if (it.end.outcome == SC_OUTCOME_NONE) {
			check_clocks(&it, now);
		}
		if (it.end.outcome != SC_OUTCOME_NONE) {
			return it.end;
		}
		wait_for_peer(&it, now);
	}
}
