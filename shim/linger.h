// SPDX-License-Identifier: MIT
/*
 * Ending a connection properly: half-close, discard what the peer still sends, until its FIN or a
 * limit. Only for a connection proven nobody else's. Knows nothing of who closed it or how.
 */
#ifndef SC_LINGER_H
#define SC_LINGER_H

#include "policy.h"
#include <stdint.h>

struct sc_linger_limits {
	uint64_t time_ms;    /* in all */
	uint64_t timeout_ms; /* of silence: nothing received, nothing acknowledged */
	uint64_t max_bytes;  /* discarded */
};

struct sc_linger_end {
	enum sc_outcome outcome; /* FIN, TIMEOUT or LIMIT */
	const char *why;         /* constant, or NULL */
	uint64_t drained_bytes;
};

/*
 * End the connection that fd, a descriptor of the library's own, holds. The caller closes fd.
 * Holds the calling thread within the limits; leaves errno and the socket's mode alone.
 */
struct sc_linger_end sc_linger_run(int fd, const struct sc_linger_limits *limits);

#endif
