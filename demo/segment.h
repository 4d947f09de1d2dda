// SPDX-License-Identifier: MIT
/*
 * TCP segments: a captured frame in; its fields, or a line in tcpdump's form, out.
 */
#ifndef DEMO_SEGMENT_H
#define DEMO_SEGMENT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "capture.h"

enum segment_flag {
	SEGMENT_FIN = 0x01,
	SEGMENT_SYN = 0x02,
	SEGMENT_RST = 0x04,
	SEGMENT_PSH = 0x08,
	SEGMENT_ACK = 0x10,
	SEGMENT_URG = 0x20,
	SEGMENT_ECE = 0x40,
	SEGMENT_CWR = 0x80,
};

struct segment_end {
	uint8_t address[4];
	unsigned port;
};

struct segment {
	struct segment_end source, target;
	uint32_t seq, ack;
	unsigned flags, window, urgent;
	uint32_t data_bytes;
	const uint8_t *options; /* into the frame */
	uint32_t options_bytes;
};

/* Is the frame IPv4 TCP, whole headers? Then *segment says what is in it. */
bool segment_parse(const struct frame *frame, struct segment *segment);

/* Print the connection's segments, a line each, with the TCP options or without. */
void segment_print_all(FILE *out, const struct capture *capture, bool with_options);

#endif
