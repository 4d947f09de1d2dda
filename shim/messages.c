// SPDX-License-Identifier: MIT
#include "messages.h"
#include "births.h"
#include <string.h>

static void each_descriptor(const struct msghdr *message, void (*note)(int fd))
{
	if (message->msg_control == NULL) {
		return;
	}
	struct msghdr *walked = (struct msghdr *)message; /* CMSG_NXTHDR wants it so; it reads */
	for (struct cmsghdr *part = CMSG_FIRSTHDR(walked); part != NULL;
		part = CMSG_NXTHDR(walked, part)) {
		if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS ||
			part->cmsg_len < CMSG_LEN(0)) {
			continue;
		}
		size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < count; i++) {
			int fd;
			memcpy(&fd, CMSG_DATA(part) + i * sizeof(fd), sizeof(fd));
			note(fd);
		}
	}
}

void sc_messages_after_sending(const struct msghdr *message)
{
	each_descriptor(message, sc_births_record_sent);
}

void sc_messages_after_sending_many(const struct mmsghdr *messages, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		sc_messages_after_sending(&messages[i].msg_hdr);
	}
}

void sc_messages_after_receiving(const struct msghdr *message)
{
	each_descriptor(message, sc_births_forget);
}

void sc_messages_after_receiving_many(const struct mmsghdr *messages, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		sc_messages_after_receiving(&messages[i].msg_hdr);
	}
}
