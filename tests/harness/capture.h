// SPDX-License-Identifier: MIT
/*
 * A raw capture on lo: the TCP segments as they were sent, each once, in order. A segment is here
 * before the call that sent it returns.
 */
#ifndef HARNESS_CAPTURE_H
#define HARNESS_CAPTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bits of the TCP header's flag byte. */
enum {
	SEGMENT_FIN = 0x01,
	SEGMENT_SYN = 0x02,
	SEGMENT_RST = 0x04,
	SEGMENT_PUSH = 0x08,
	SEGMENT_ACK = 0x10,
	SEGMENT_URGENT = 0x20,
};

struct segment {
	uint16_t from_port;
	uint16_t to_port;
	uint32_t seq;
	uint32_t ack;
	uint8_t flags;
	uint32_t payload_bytes; /* before the kernel would cut it to the device's size */
};

/* Zero-initialise before the first use. Owns its descriptor, its ring and the list. */
struct capture {
	int fd; /* valid where ring is not NULL */
	uint8_t *ring;
	unsigned int next_frame;
	struct segment *segments;
	size_t count;
};

/* Capture from now on, in the present network namespace. */
void capture_open(struct capture *capture);
void capture_close(struct capture *capture);

/* The ring has room for some 16,000: what lets more pass takes them meanwhile. */
void capture_take(struct capture *capture);

/* Number of segments so far from this port (0: any) with at least one of these flags set. A capture
 * that lost something fails the test. */
size_t capture_count(struct capture *capture, uint16_t from_port, uint8_t flags);

/* Has one been seen? */
bool capture_saw(struct capture *capture, uint16_t from_port, uint8_t flags);

/* Wait for one. Returns false if there is none at the deadline. */
bool capture_await(struct capture *capture, uint16_t from_port, uint8_t flags);

/* Print what was captured, one segment a line, for whoever reads a failed test. */
void capture_print(struct capture *capture);

#endif
