// SPDX-License-Identifier: MIT
/*
 * A raw capture of the loopback device, of one connection's TCP segments.
 * in: a port; out: frames with their times, in the order in which they left.
 * Plain data of fixed size, so that it can lie in memory that two processes share.
 */
#ifndef DEMO_CAPTURE_H
#define DEMO_CAPTURE_H

#include <stddef.h>
#include <stdint.h>
#include <time.h>

enum {
	CAPTURE_FRAMES = 128,     /* a run takes about ten */
	CAPTURE_KEEP_BYTES = 192, /* of a frame: all headers and far more than the one byte */
};

struct frame {
	struct timespec at;
	uint32_t wire_bytes;               /* the frame's length */
	uint32_t kept_bytes;               /* the first of them, in bytes[] */
	uint8_t bytes[CAPTURE_KEEP_BYTES]; /* from the Ethernet header on */
};

struct capture {
	size_t count;
	struct frame frames[CAPTURE_FRAMES];
};

/* A packet socket on lo of this network namespace, or a negative errno. */
int capture_open(void);

/* Take in, without waiting, all waiting frames that come from or go to the TCP port. */
void capture_read(int fd, unsigned port, struct capture *capture);

#endif
