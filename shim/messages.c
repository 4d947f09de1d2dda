// SPDX-License-Identifier: MIT
#include "messages.h"
#include "births.h"
#include "family.h"
#include "inspect.h"
#include "sys.h"
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum { SC_SCM_PIDFD = 4 }; /* linux/socket.h, Linux 6.5: received only */

/* linux/io_uring.h, Linux 5.1 to 5.13. */
enum {
	REGISTER_FILES = 2,
	REGISTER_FILES_UPDATE = 6,
	REGISTER_FILES2 = 13,
	REGISTER_FILES_UPDATE2 = 14,
};
#define OF_REGISTERED_RING (1U << 31)

/* What the kernel reads for these: io_uring_rsrc_register, io_uring_rsrc_update. */
struct ring_files {
	uint32_t count;
	uint32_t flags;
	uint64_t reserved;
	uint64_t fds;
};
struct ring_update {
	uint32_t offset;
	uint32_t reserved;
	uint64_t fds;
};

/*
 * Walked by hand: glibc's CMSG_NXTHDR() may call a function that musl lacks. musl's lengths have 32
 * bits, and what lies beside them need not be zero before sending; the kernel takes no more anyway.
 */
void sc_messages_each(
	const struct msghdr *message, void (*each)(void *context, int fd), void *context)
{
	const char *place = message->msg_control;
	size_t left = place != NULL ? (uint32_t)message->msg_controllen : 0;
	struct cmsghdr part;
	while (left >= sizeof(part)) {
		memcpy(&part, place, sizeof(part));
		size_t length = (uint32_t)part.cmsg_len;
		if (length < CMSG_LEN(0) || length > left) {
			return;
		}
		bool is_rights = part.cmsg_level == SOL_SOCKET &&
				 (part.cmsg_type == SCM_RIGHTS || part.cmsg_type == SC_SCM_PIDFD);
		for (size_t at = CMSG_LEN(0); is_rights && at + sizeof(int) <= length;
			at += sizeof(int)) {
			int fd;
			memcpy(&fd, place + at, sizeof(fd));
			each(context, fd);
		}
		size_t step = CMSG_ALIGN(length);
		place += step;
		left -= step < left ? step : left;
	}
}

/* ring: not NULL where it is no message. */
static void record_sent(void *ring, int fd)
{
	if (sc_births_table.size == 0) {
		return; /* nothing is followed */
	}
	uint64_t inode;
	enum sc_inspect_kind kind = sc_inspect_kind(fd, &inode);
	sc_family_note_sending(ring != NULL ? SC_SENT_TO_RING : (enum sc_sent)(1 << kind));
	if (kind == SC_INSPECT_SOCKET || (inode == 0 && sc_sys_fcntl(fd, F_GETFD, 0) != -EBADF)) {
		sc_family_note_passed_on(inode);
	}
	sc_births_record_sent(fd);
}

static void record_received(void *unused, int fd)
{
	(void)unused;
	sc_births_record_received(fd);
}

void sc_messages_after_sending(const struct msghdr *message)
{
	sc_messages_each(message, record_sent, NULL);
}

void sc_messages_after_sending_many(const struct mmsghdr *messages, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		sc_messages_after_sending(&messages[i].msg_hdr);
	}
}

void sc_messages_after_receiving(const struct msghdr *message)
{
	sc_messages_each(message, record_received, NULL);
}

void sc_messages_after_receiving_many(const struct mmsghdr *messages, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		sc_messages_after_receiving(&messages[i].msg_hdr);
	}
}

void sc_messages_after_registering(
	unsigned opcode, const void *argument, unsigned count, long result)
{
	const struct ring_files *files = argument;
	const struct ring_update *update = argument;
	const int *fds = argument;
	switch (opcode & ~OF_REGISTERED_RING) {
	case REGISTER_FILES:
		break;
	case REGISTER_FILES2:
		fds = (const int *)(uintptr_t)files->fds;
		count = files->count;
		break;
	case REGISTER_FILES_UPDATE:
	case REGISTER_FILES_UPDATE2:
		fds = (const int *)(uintptr_t)update->fds;
		count = (unsigned)result;
		break;
	default:
		return;
	}
	for (unsigned i = 0; fds != NULL && i < count; i++) {
		record_sent(&count, fds[i]);
	}
}
