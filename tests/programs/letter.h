// SPDX-License-Identifier: MIT
/* A message of eight bytes with room for one descriptor (SCM_RIGHTS); the caller's memory. */
#ifndef LETTER_H
#define LETTER_H

#include <string.h>
#include <sys/socket.h>

struct letter {
	struct msghdr header;
	struct iovec part;
	char bytes[8];
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))];
};

static inline void open_letter(struct letter *letter)
{
	memset(letter, 0, sizeof(*letter));
	letter->part = (struct iovec){letter->bytes, sizeof(letter->bytes)};
	letter->header = (struct msghdr){.msg_iov = &letter->part,
		.msg_iovlen = 1,
		.msg_control = letter->control,
		.msg_controllen = sizeof(letter->control)};
}

static inline void put_in(struct letter *letter, int fd)
{
	struct cmsghdr *part;

	open_letter(letter);
	part = CMSG_FIRSTHDR(&letter->header);
	part->cmsg_level = SOL_SOCKET;
	part->cmsg_type = SCM_RIGHTS;
	part->cmsg_len = CMSG_LEN(sizeof(fd));
	memcpy(CMSG_DATA(part), &fd, sizeof(fd));
}

#endif
