// SPDX-License-Identifier: MIT
#include "drain.h"
#include "sys.h"
#include "urgent.h"
#include <errno.h>
#include <sys/socket.h>

/*
 * Where nothing is put: with MSG_TRUNC the kernel discards without copying (tcp(7)), so no page of it
 * comes into being. A protocol above TCP may copy all the same (kernel TLS); and valgrind wants to see
 * memory there.
 */
static char nowhere[256 * 1024];

static long discard_some(int fd, uint64_t max_bytes)
{
	size_t size = max_bytes < sizeof(nowhere) ? (size_t)max_bytes : sizeof(nowhere);
	return sc_sys_recv(fd, nowhere, size, MSG_TRUNC | MSG_DONTWAIT);
}

struct sc_drain sc_drain_socket(int fd, uint64_t max_bytes)
{
	struct sc_drain drain = {SC_DRAIN_LIMIT, 0, 0};
	/* The kernel stops at an urgent mark and skips that byte at the next call, even at one that
	 * says EAGAIN: hence until EAGAIN or 0. */
	while (drain.bytes < max_bytes) {
		long got = discard_some(fd, max_bytes - drain.bytes);
		if (got > 0) {
			drain.bytes += (uint64_t)got;
		} else if (got == 0) {
			drain.end = SC_DRAIN_PEER_FIN;
			return drain;
		} else if (got == -EAGAIN && sc_urgent_is_next(fd)) {
			continue; /* a signal is pending: then the call does not pass the mark */
		} else if (got == -EAGAIN) {
			drain.end = SC_DRAIN_EMPTY;
			return drain;
		} else if (got != -EINTR) {
			drain.end = SC_DRAIN_ERROR;
			drain.error = (int)got;
			return drain;
		}
	}
	return drain;
}
