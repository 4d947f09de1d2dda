// SPDX-License-Identifier: MIT
#include "capture.h"
#include "deadline.h"
#include "unit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

/* A frame holds the ring's own header and the packet's headers, no more. */
enum {
	FRAME_BYTES = 256,
	FRAME_COUNT = 16384,
	BLOCK_BYTES = 1 << 16,
	RING_BYTES = FRAME_BYTES * FRAME_COUNT,
	KEPT_BYTES = 128, /* Ethernet 14, IPv6 40, TCP at least 20 */
};

/*
 * On lo a packet passes the tap twice, as outgoing and as incoming. The outgoing copy is kept: it is
 * taken within the call that sends, while the other may wait for the processor.
 */
static void keep_outgoing_headers(int fd)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)(SKF_AD_OFF + SKF_AD_PKTTYPE)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PACKET_OUTGOING, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, KEPT_BYTES),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	struct sock_fprog program = {.len = sizeof(code) / sizeof(code[0]), .filter = code};

	assert_return_code(
		setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)), errno);
}

static void *map_ring(int fd)
{
	int version = TPACKET_V2;
	struct tpacket_req request = {
		.tp_block_size = BLOCK_BYTES,
		.tp_block_nr = RING_BYTES / BLOCK_BYTES,
		.tp_frame_size = FRAME_BYTES,
		.tp_frame_nr = FRAME_COUNT,
	};
	void *ring;

	assert_return_code(
		setsockopt(fd, SOL_PACKET, PACKET_VERSION, &version, sizeof(version)), errno);
	assert_return_code(
		setsockopt(fd, SOL_PACKET, PACKET_RX_RING, &request, sizeof(request)), errno);
	ring = mmap(NULL, RING_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	assert_true(ring != MAP_FAILED);
	return ring;
}

void capture_open(struct capture *capture)
{
	struct sockaddr_ll lo = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL)};

	memset(capture, 0, sizeof(*capture));
	/* Protocol 0 until the filter is in place: not a packet gets in before. */
	capture->fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	if (capture->fd < 0) {
		print_message("no raw capture: %s\n", strerror(errno));
		skip();
	}
	keep_outgoing_headers(capture->fd);
	capture->ring = map_ring(capture->fd);
	lo.sll_ifindex = (int)if_nametoindex("lo");
	assert_return_code(bind(capture->fd, (struct sockaddr *)&lo, sizeof(lo)), errno);
}

void capture_close(struct capture *capture)
{
	if (capture->ring) {
		munmap(capture->ring, RING_BYTES);
		close(capture->fd);
	}
	free(capture->segments);
	memset(capture, 0, sizeof(*capture));
}

static uint16_t get16(const uint8_t *at)
{
	return (uint16_t)(at[0] << 8 | at[1]);
}

static uint32_t get32(const uint8_t *at)
{
	return (uint32_t)get16(at) << 16 | get16(at + 2);
}

/* Returns false where the packet is not TCP over IPv4 or IPv6. */
static bool parse_packet(const uint8_t *packet, struct segment *segment)
{
	const uint8_t *tcp;
	uint32_t ip_payload_bytes;

	if (packet[0] >> 4 == 4 && packet[9] == IPPROTO_TCP) {
		uint32_t header_bytes = (packet[0] & 0x0fU) * 4;

		tcp = packet + header_bytes;
		ip_payload_bytes = get16(packet + 2) - header_bytes;
	} else if (packet[0] >> 4 == 6 && packet[6] == IPPROTO_TCP) {
		tcp = packet + 40;
		ip_payload_bytes = get16(packet + 4);
	} else {
		return false;
	}
	*segment = (struct segment){
		.from_port = get16(tcp),
		.to_port = get16(tcp + 2),
		.seq = get32(tcp + 4),
		.ack = get32(tcp + 8),
		.flags = tcp[13],
		.payload_bytes = ip_payload_bytes - (tcp[12] >> 4) * 4U,
	};
	return true;
}

static void append_segment(struct capture *capture, const struct segment *segment)
{
	size_t bytes = (capture->count + 1) * sizeof(*segment);
	struct segment *grown = realloc(capture->segments, bytes);

	assert_non_null(grown);
	grown[capture->count++] = *segment;
	capture->segments = grown;
}

void capture_take(struct capture *capture)
{
	for (;;) {
		uint8_t *frame = capture->ring + (size_t)capture->next_frame * FRAME_BYTES;
		struct tpacket2_hdr *header = (struct tpacket2_hdr *)frame;
		struct segment segment;

		if (!(header->tp_status & TP_STATUS_USER)) {
			return;
		}
		atomic_thread_fence(memory_order_acquire);
		if (parse_packet(frame + header->tp_net, &segment)) {
			append_segment(capture, &segment);
		}
		atomic_thread_fence(memory_order_release);
		header->tp_status = TP_STATUS_KERNEL;
		capture->next_frame = (capture->next_frame + 1) % FRAME_COUNT;
	}
}

static void check_loss(struct capture *capture)
{
	struct tpacket_stats lost = {0};
	socklen_t size = sizeof(lost);

	assert_return_code(
		getsockopt(capture->fd, SOL_PACKET, PACKET_STATISTICS, &lost, &size), errno);
	if (lost.tp_drops) {
		fail_msg("the capture lost %u packets", lost.tp_drops);
	}
}

size_t capture_count(struct capture *capture, uint16_t from_port, uint8_t flags)
{
	size_t count = 0;

	assert_non_null(capture->ring);
	capture_take(capture);
	check_loss(capture);
	for (size_t i = 0; i < capture->count; i++) {
		const struct segment *segment = &capture->segments[i];

		if ((from_port == 0 || segment->from_port == from_port) &&
			(segment->flags & flags)) {
			count++;
		}
	}
	return count;
}

bool capture_saw(struct capture *capture, uint16_t from_port, uint8_t flags)
{
	return capture_count(capture, from_port, flags) > 0;
}

bool capture_await(struct capture *capture, uint16_t from_port, uint8_t flags)
{
	int64_t deadline = deadline_in(DEADLINE_MS);

	while (!capture_saw(capture, from_port, flags)) {
		if (!deadline_pause(deadline)) {
			return false;
		}
	}
	return true;
}

void capture_print(struct capture *capture)
{
	static const char letters[] = "FSRP.U";

	capture_take(capture);
	for (size_t i = 0; i < capture->count; i++) {
		const struct segment *segment = &capture->segments[i];
		char flags[sizeof(letters)];
		size_t length = 0;

		for (size_t bit = 0; bit < sizeof(letters) - 1; bit++) {
			if (segment->flags & 1U << bit) {
				flags[length++] = letters[bit];
			}
		}
		flags[length] = '\0';
		print_message("%5u > %5u [%s] seq %u ack %u, length %u\n", segment->from_port,
			segment->to_port, flags, segment->seq, segment->ack,
			segment->payload_bytes);
	}
}
