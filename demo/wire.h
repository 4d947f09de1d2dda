// SPDX-License-Identifier: MIT
/* How a captured connection ended. in: a capture; out: facts, none of them an opinion. */
#ifndef DEMO_WIRE_H
#define DEMO_WIRE_H

#include <stdbool.h>
#include <stddef.h>

#include "capture.h"

enum wire_ending { WIRE_NONE, WIRE_FIN, WIRE_RST };

struct wire {
	size_t segments;
	enum wire_ending client_ending; /* the last of the client's FIN and RST segments */
	unsigned resets;                /* RST segments of both sides */
	bool has_byte;                  /* the server's byte was sent */
	bool is_byte_acked;             /* the client's host acknowledged it, not by a reset */
	bool is_byte_after_fin;         /* it left after the client's FIN */
	bool is_finished; /* reset, or FIN and its ACK both ways: nothing can follow */
};

struct wire wire_read(const struct capture *capture);

#endif
