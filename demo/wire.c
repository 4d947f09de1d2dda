// SPDX-License-Identifier: MIT
/* How a captured connection ended: one pass over its segments, in the order in which they left. */
#include "wire.h"

#include "segment.h"

/* What one side has sent that the other has to acknowledge. */
struct side {
	bool has_fin, is_fin_acked;
	uint32_t fin_end; /* the sequence number after it */
};

static bool is_reached(uint32_t ack, uint32_t end)
{
	return (int32_t)(ack - end) >= 0;
}

static void read_fin(struct side *sender, struct side *receiver, const struct segment *s)
{
	if (s->flags & SEGMENT_FIN) {
		sender->has_fin = true;
		sender->fin_end = s->seq + s->data_bytes + 1;
	}
	if (s->flags & SEGMENT_ACK && receiver->has_fin && is_reached(s->ack, receiver->fin_end)) {
		receiver->is_fin_acked = true;
	}
}

struct wire wire_read(const struct capture *capture)
{
	struct wire wire = {.segments = capture->count};
	struct side client = {0}, server = {0};
	unsigned client_port = 0;
	uint32_t byte_end = 0;
	struct segment s;

	for (size_t i = 0; i < capture->count; i++) {
		if (!segment_parse(&capture->frames[i], &s)) {
			continue;
		}
		if (s.flags & SEGMENT_SYN && !(s.flags & SEGMENT_ACK)) {
			client_port = s.source.port;
		}
		wire.resets += s.flags & SEGMENT_RST ? 1 : 0;
		if (s.source.port != client_port) {
			if (s.data_bytes > 0 && !wire.has_byte) {
				wire.has_byte = true;
				wire.is_byte_after_fin = client.has_fin;
				byte_end = s.seq + s.data_bytes;
			}
			read_fin(&server, &client, &s);
			continue;
		}
		if (s.flags & SEGMENT_RST) {
			wire.client_ending = WIRE_RST;
		} else if (s.flags & SEGMENT_FIN) {
			wire.client_ending = WIRE_FIN;
		}
		if (wire.has_byte && s.flags & SEGMENT_ACK && !(s.flags & SEGMENT_RST) &&
			is_reached(s.ack, byte_end)) {
			wire.is_byte_acked = true;
		}
		read_fin(&client, &server, &s);
	}
	wire.is_finished = wire.resets > 0 || (client.is_fin_acked && server.is_fin_acked);
	return wire;
}
