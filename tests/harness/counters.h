// SPDX-License-Identifier: MIT
/* What the kernel counted in the network namespace of the calling thread. */
#ifndef HARNESS_COUNTERS_H
#define HARNESS_COUNTERS_H

#include <stdint.h>

struct counters {
	uint64_t aborts_on_close; /* TcpExt TCPAbortOnClose: closes that reset for unread bytes */
	uint64_t aborts_on_data;  /* TcpExt TCPAbortOnData: bytes came after SHUT_RD and close */
	uint64_t out_rsts;        /* Tcp OutRsts: resets sent */
};

/* The present values; a counter that the kernel does not have fails the test. */
struct counters counters_read(void);

/* How much each has grown since. */
struct counters counters_since(const struct counters *before);

#endif
