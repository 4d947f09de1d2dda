// SPDX-License-Identifier: MIT
/*
 * A look into the queue (MSG_PEEK) installs a copy of every descriptor in the message. That the program
 * must not notice:
 * - It moves on with SO_PEEK_OFF, and takes the socket's pending error: so only in a queue that nobody
 *   else can read any more.
 * - Closing a copy of a file takes away the locks that the process has on that file (fcntl(2)), and
 *   some file systems have to be asked (flush): so only where this family is the sender, and has never
 *   sent anything but sockets, pipes and the like (sc_inspect_is_channel). What is there all the same, and
 *   locked by whomever, is kept.
 * - A child made meanwhile would keep the copies: sc_process_begin_taking().
 */
#include "mailbox.h"
#include "births.h"
#include "family.h"
#include "inspect.h"
#include "messages.h"
#include "ownfds.h"
#include "process.h"
#include "sys.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

enum {
	LOOKS_MAX = 256,
	BYTES = 2048,
	CONTROL_BYTES = 512,
};

struct taking {
	int *copies;
	size_t count;
};

bool sc_mailbox_is_one(int fd)
{
	int domain = 0;
	int bytes = 0;
	unsigned size = sizeof(domain);
	return sc_family_has_sent_tcp_and_no_file() &&
	       sc_sys_getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) == 0 &&
	       domain == AF_UNIX && sc_sys_ioctl(fd, FIONREAD, &bytes) == 0 && bytes > 0;
}

/* Was the other end made or connected by this process, or one that it was forked from? */
static bool is_from_family(int fd)
{
	struct ucred peer = {.pid = 0};
	unsigned size = sizeof(peer);
	return sc_sys_getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && peer.pid > 0 &&
	       sc_process_may_be_of_line(peer.pid);
}

static bool is_locked(int fd)
{
	struct flock64 lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	return sc_sys_fcntl(fd, F_OFD_GETLK, (long)&lock) == 0 && lock.l_type != F_UNLCK;
}

static void take_one(void *context, int fd)
{
	struct taking *taking = context;
	bool is_tcp = sc_inspect_is_tcp(fd);
	int kept = sc_ownfds_adopt(fd);
	if (is_tcp && taking->count < SC_MAILBOX_MAX) {
		int copy = kept < 0 ? kept : sc_ownfds_copy(kept);
		if (copy >= 0) {
			sc_births_forget(copy);
			sc_family_add_copy(sc_process_pid(), copy);
			taking->copies[taking->count++] = copy;
		}
	}
	if (is_tcp || kept < 0 || !is_locked(kept)) {
		sc_ownfds_release(kept);
	}
}

/* The next message, or more than one without descriptors. false: there is none. */
static bool look_on(int fd, struct taking *taking)
{
	char junk[BYTES];
	_Alignas(struct cmsghdr) char control[CONTROL_BYTES];
	struct iovec part = {junk, sizeof(junk)};
	struct msghdr message = {.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control)};
	long got = SC_SYS3(SYS_recvmsg, fd, &message, MSG_PEEK | MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	if (got < 0) {
		return got == -ECONNRESET; /* the pending error comes first */
	}
	sc_messages_each(&message, take_one, taking);
	return got > 0 || message.msg_controllen > 0;
}

size_t sc_mailbox_copy(int fd, int copies[SC_MAILBOX_MAX])
{
	struct taking taking = {.copies = copies};
	int offset = 0;
	if (!is_from_family(fd) ||
		sc_sys_setsockopt(fd, SOL_SOCKET, SO_PEEK_OFF, &offset, sizeof(offset)) != 0 ||
		!sc_process_begin_taking()) {
		return 0;
	}
	for (int i = 0; i < LOOKS_MAX && taking.count < SC_MAILBOX_MAX; i++) {
		if (!look_on(fd, &taking)) {
			break;
		}
	}
	sc_process_end_taking();
	return taking.count;
}
