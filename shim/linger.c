// SPDX-License-Identifier: MIT
#include "linger.h"
#include "clock.h"
#include "drain.h"
#include "inspect.h"
#include "sys.h"
#include <errno.h>
#include <sys/socket.h>

enum { HURRIED_TIMEOUT_MS = 500 };

static uint64_t min(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

uint64_t sc_linger_now_ms(void)
{
	return sc_clock_ns(CLOCK_MONOTONIC) / 1000000;
}

void sc_linger_begin(struct sc_linger *it, int fd, const struct sc_linger_limits *limits)
{
	uint64_t now = sc_linger_now_ms();
	*it = (struct sc_linger){
		.fd = fd,
		.ends_ms = now + limits->time_ms,
		.quiet_ms = now + limits->timeout_ms,
		.timeout_ms = (uint32_t)limits->timeout_ms,
		.left_bytes = limits->max_bytes,
	};
	/* ENOTCONN: the peer has reset it meanwhile; the discarding sees that too. */
	sc_sys_shutdown(fd, SHUT_WR);
	it->unacked_bytes = sc_inspect_unacked_bytes(fd);
	sc_linger_receive(it, now);
}

static void finish(struct sc_linger *it, enum sc_outcome outcome, const char *why)
{
	it->end.outcome = outcome;
	it->end.why = why;
}

/*
 * What a failed recv(2) means. Errors of the connection are the peer's or the network's doing, and
 * nothing is left that this close could reset; anything else says that reading was not allowed.
 */
static void explain_error(struct sc_linger_end *end, int error)
{
	end->outcome = SC_OUTCOME_FIN;
	switch (error) {
	case -ECONNRESET:
	case -ECONNABORTED:
	case -EPIPE:
	case -ENOTCONN:
		end->why = "peer reset";
		break;
	case -ETIMEDOUT:
	case -EHOSTUNREACH:
	case -ENETUNREACH:
	case -ENETDOWN:
	case -EHOSTDOWN:
	case -ECONNREFUSED:
		end->why = "peer gone";
		break;
	default:
		end->outcome = SC_OUTCOME_RST;
		end->why = "cannot be read";
		break;
	}
}

void sc_linger_receive(struct sc_linger *it, uint64_t now_ms)
{
	struct sc_drain drain = sc_drain_socket(it->fd, it->left_bytes);
	it->end.drained_bytes += drain.bytes;
	it->left_bytes -= drain.bytes;
	if (drain.bytes > 0) {
		it->quiet_ms = now_ms + it->timeout_ms;
	}
	switch (drain.end) {
	case SC_DRAIN_PEER_FIN:
		if (sc_inspect_is_peer_done(it->fd)) {
			finish(it, SC_OUTCOME_FIN, NULL);
		}
		break;
	case SC_DRAIN_LIMIT:
		finish(it, SC_OUTCOME_LIMIT, "bytes");
		break;
	case SC_DRAIN_ERROR:
		explain_error(&it->end, drain.error);
		break;
	case SC_DRAIN_EMPTY:
		break;
	}
}

/* In silence, bytes of the program that were acknowledged meanwhile are life; when the process
 * is about to end, bytes that still wait for it are too. */
static bool is_alive(struct sc_linger *it)
{
	uint32_t before = it->unacked_bytes;
	it->unacked_bytes = sc_inspect_unacked_bytes(it->fd);
	/* The last of them is the FIN's own. */
	bool is_progress = it->unacked_bytes < before && before > 1;
	return is_progress || (it->is_hurried && it->unacked_bytes > 0);
}

void sc_linger_tick(struct sc_linger *it, uint64_t now_ms)
{
	if (now_ms >= it->ends_ms) {
		finish(it, SC_OUTCOME_TIMEOUT, it->is_hurried ? "exit" : "time");
	} else if (now_ms >= it->quiet_ms) {
		if (is_alive(it)) {
			it->quiet_ms = now_ms + it->timeout_ms;
		} else if (it->is_hurried) {
			/* The FIN and all before it have arrived, and the peer has no more to say. */
			finish(it, SC_OUTCOME_FIN, "exit");
		} else {
			finish(it, SC_OUTCOME_TIMEOUT, "silence");
		}
	}
}

uint64_t sc_linger_due_ms(const struct sc_linger *it)
{
	return min(it->ends_ms, it->quiet_ms);
}

void sc_linger_hurry(struct sc_linger *it, uint64_t now_ms, uint64_t until_ms)
{
	it->is_hurried = true;
	it->ends_ms = min(it->ends_ms, until_ms);
	it->timeout_ms = (uint32_t)min(it->timeout_ms, HURRIED_TIMEOUT_MS);
	it->quiet_ms = min(it->quiet_ms, now_ms + it->timeout_ms);
}

struct sc_linger_end sc_linger_end_now(int fd, enum sc_action action, uint64_t max_bytes)
{
	if (action == SC_ACTION_LINGER) {
		sc_sys_shutdown(fd, SHUT_WR);
	}
	struct sc_drain drain = sc_drain_socket(fd, max_bytes);
	struct sc_linger_end end = {SC_OUTCOME_FIN, NULL, drain.bytes};
	if (drain.end == SC_DRAIN_LIMIT) {
		end.outcome = SC_OUTCOME_RST;
		end.why = "limit";
	} else if (drain.end == SC_DRAIN_ERROR) {
		explain_error(&end, drain.error);
	}
	return end;
}

void sc_linger_explain_cut(
	struct sc_linger_end *end, int fd, enum sc_action action, const char *why)
{
	bool is_cut = action == SC_ACTION_LINGER && end->outcome == SC_OUTCOME_FIN &&
		      end->why == NULL && !sc_inspect_is_peer_done(fd);
	if (is_cut) {
		end->outcome = SC_OUTCOME_LIMIT;
		end->why = why;
	}
}

struct sc_linger_end sc_linger_end_without_thread(int fd, enum sc_action action, uint64_t max_bytes)
{
	struct sc_linger_end end = sc_linger_end_now(fd, action, max_bytes);
	sc_linger_explain_cut(&end, fd, action, "no thread");
	return end;
}
