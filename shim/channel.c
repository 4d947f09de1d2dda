// SPDX-License-Identifier: MIT
#include "channel.h"
#include "family.h"
#include "ownfds.h"
#include "sys.h"
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

enum { QUEUE_BYTES = 1 << 20, ROOM_TRIES = 100, ROOM_WAIT_NS = 100000 };

int sc_channel_open(struct sc_channel *channel)
{
	int pair[2];
	int error = (int)SC_SYS4(SYS_socketpair, AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair);
	if (error != 0) {
		return error;
	}
	struct stat64 status;
	if (SC_SYS2(SYS_fstat, pair[0], &status) == 0) {
		sc_family_add_channel(status.st_ino);
	}
	sc_sys_fcntl(pair[0], F_SETFL, SC_CHANNEL_MARK);
	int bytes =
		QUEUE_BYTES; /* without CAP_NET_ADMIN as much of it as net.core.wmem_max allows */
	if (sc_sys_setsockopt(pair[1], SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof(bytes)) != 0) {
		sc_sys_setsockopt(pair[1], SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
	}
	channel->reader = sc_ownfds_copy_for_good(pair[0]);
	channel->writer = sc_ownfds_copy_for_good(pair[1]);
	sc_sys_close(pair[0]);
	sc_sys_close(pair[1]);
	if (channel->reader < 0 || channel->writer < 0) {
		sc_ownfds_release(channel->reader);
		sc_ownfds_release(channel->writer);
		return -EMFILE;
	}
	return 0;
}

/* Room for the descriptors of a message, aligned as the kernel wants it. */
union rights {
	struct cmsghdr header;
	char bytes[CMSG_SPACE(SC_CHANNEL_FDS * sizeof(int))];
};

int sc_channel_send(
	int writer, const struct sc_job *job, const struct sc_note *note, size_t note_bytes, int fd)
{
	struct iovec parts[] = {{(void *)job, sizeof(*job)}, {(void *)note, note_bytes}};
	struct msghdr message = {.msg_iov = parts, .msg_iovlen = note_bytes > 0 ? 2 : 1};
	union rights rights;
	if (fd >= 0) {
		memset(&rights, 0, sizeof(rights));
		rights.header.cmsg_level = SOL_SOCKET;
		rights.header.cmsg_type = SCM_RIGHTS;
		int fds[SC_CHANNEL_FDS] = {fd, job->interest.set};
		size_t size = sc_interest_is_unsure(&job->interest) ? sizeof(fds) : sizeof(fd);
		rights.header.cmsg_len = CMSG_LEN(size);
		memcpy(CMSG_DATA(&rights.header), fds, size);
		message.msg_control = &rights;
		message.msg_controllen = CMSG_SPACE(size);
	}
	for (int tries = 0;; tries++) {
		long sent = SC_SYS3(SYS_sendmsg, writer, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (sent >= 0) {
			return 0;
		}
		/* ETOOMANYREFS: too many descriptors of this user are in flight. */
		bool is_full = sent == -EAGAIN || sent == -ETOOMANYREFS;
		if ((!is_full && sent != -EINTR) || tries == ROOM_TRIES) {
			return (int)sent;
		}
		sc_sys_poll(writer, POLLOUT, ROOM_WAIT_NS);
	}
}

bool sc_channel_may_receive(int reader)
{
	struct msghdr nothing = {0};
	long got = SC_SYS3(SYS_recvmsg, reader, &nothing, MSG_DONTWAIT | MSG_PEEK);
	return got >= 0 || got == -EAGAIN || got == -EINTR;
}

int sc_channel_receive(
	int reader, struct sc_job *job, struct sc_note *note, int fds[SC_CHANNEL_FDS])
{
	struct iovec parts[] = {{job, sizeof(*job)}, {note, sizeof(*note)}};
	union rights rights;
	struct msghdr message = {.msg_iov = parts,
		.msg_iovlen = 2,
		.msg_control = &rights,
		.msg_controllen = sizeof(rights)};
	long got;
	do {
		got = SC_SYS3(SYS_recvmsg, reader, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	} while (got == -EINTR);
	if (got < (long)sizeof(*job)) {
		return got == -EAGAIN ? 0 : got < 0 ? (int)got : -EPROTO;
	}
	fds[SC_CHANNEL_FD] = fds[SC_CHANNEL_SET] = -1;
	if (message.msg_controllen >= sizeof(rights.header) &&
		rights.header.cmsg_type == SCM_RIGHTS) {
		memcpy(fds, CMSG_DATA(&rights.header), rights.header.cmsg_len - CMSG_LEN(0));
	}
	return 1;
}
