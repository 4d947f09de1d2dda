// SPDX-License-Identifier: MIT
/* A raw capture of the loopback device: packet socket in, frames with kernel times out. */
#include "capture.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netpacket/packet.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "segment.h"

int capture_open(void)
{
	struct sockaddr_ll lo = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL)};
	int on = 1;
	/* Protocol 0: nothing arrives before bind() has named the device. */
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0) {
		return -errno;
	}
	lo.sll_ifindex = (int)if_nametoindex("lo");
	if (lo.sll_ifindex == 0 || bind(fd, (struct sockaddr *)&lo, sizeof(lo)) != 0 ||
		setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(on)) != 0) {
		int error = errno;

		close(fd);
		return -error;
	}
	return fd;
}

/* When the kernel saw the frame; where it does not say, now. */
static struct timespec time_of(struct msghdr *message)
{
	struct timespec at;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c != NULL; c = CMSG_NXTHDR(message, c)) {
		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMPNS) {
			memcpy(&at, CMSG_DATA(c), sizeof(at));
			return at;
		}
	}
	clock_gettime(CLOCK_REALTIME, &at);
	return at;
}

/*
 * Receive one frame. 1: into *frame; 0: one to skip; -1: none waits.
 * A packet socket on lo sees every frame twice, as it leaves (PACKET_OUTGOING) and as it arrives.
 * The leaving is the one to keep: each processor delivers from a queue of its own, so of two frames
 * of one sender the later can arrive first; and an answer leaves after what it answers in any case.
 */
static int receive(int fd, struct frame *frame)
{
	struct sockaddr_ll from;
	struct iovec into = {.iov_base = frame->bytes, .iov_len = sizeof(frame->bytes)};
	char control[CMSG_SPACE(sizeof(struct timespec))];
	struct msghdr message = {
		.msg_name = &from,
		.msg_namelen = sizeof(from),
		.msg_iov = &into,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	ssize_t length = recvmsg(fd, &message, MSG_TRUNC | MSG_DONTWAIT);

	if (length < 0) {
		return -1;
	}
	frame->at = time_of(&message);
	frame->wire_bytes = (uint32_t)length;
	frame->kept_bytes = length < CAPTURE_KEEP_BYTES ? (uint32_t)length : CAPTURE_KEEP_BYTES;
	return from.sll_pkttype == PACKET_OUTGOING ? 1 : 0;
}

void capture_read(int fd, unsigned port, struct capture *capture)
{
	struct frame frame = {0};
	struct segment segment;
	int got;

	while ((got = receive(fd, &frame)) >= 0) {
		if (got == 0 || !segment_parse(&frame, &segment) ||
			capture->count == CAPTURE_FRAMES) {
			continue;
		}
		if (segment.source.port == port || segment.target.port == port) {
			capture->frames[capture->count++] = frame;
		}
	}
}
