// SPDX-License-Identifier: MIT
/*
 * A look into the queue (MSG_PEEK) installs a copy of every descriptor in the message. That the program
 * must not notice:
 * - It moves on with SO_PEEK_OFF, and takes the socket's pending error: so only in a queue that nobody
 *   else can read any more; or, where the socket may be in a message, if no error is pending and that is
 *   not set, and it is put back.
 * - Closing a copy of a file takes away the locks that the process has on that file (fcntl(2)), and
 *   some file systems have to be asked (flush). At the end of the process files are kept. Before, where
 *   files may be in the queue (the family has sent one, the other end is not the family's, or it was inherited
 *   over an exec), there must be no lock, and no other thread to take one meanwhile. A file that nobody knew
 *   of is kept where there is any lock.
 * - A child made meanwhile would keep the copies: sc_process_begin_taking().
 */
#include "mailbox.h"
#include "births.h"
#include "family.h"
#include "inspect.h"
#include "messages.h"
#include "ownfds.h"
#include "process.h"
#include "procfs.h"
#include "sys.h"
#include "threads.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	LOOKS_MAX = 256,
	BYTES = 2048,
	CONTROL_BYTES = 512,
};

struct taking {
	int *copies;
	size_t count;
};

/* Was the other end made or connected by this process, or one that it was forked from? At its
 * end, also by the one that has started the program. */
static bool is_from_family(int fd)
{
	struct ucred peer = {.pid = 0};
	unsigned size = sizeof(peer);
	return sc_sys_getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && peer.pid > 0 &&
	       (sc_process_may_be_of_line(peer.pid) ||
		       (sc_process_is_ending() && peer.pid == sc_process_get_family()->parent_pid));
}

/* Has this process any lock on a file, by the kernel's list? */
static bool may_have_locked(void)
{
	char text[16] = " ";
	long length = SC_SYS4(
		SYS_readlinkat, AT_FDCWD, "/proc/self", text + 1, sizeof(text) - sizeof("  "));
	text[length < 0 ? 0 : 1 + length] = ' '; /* a blank alone is in every line */
	return sc_procfs_find("/proc/locks", text) != 0;
}

/* Of what is inherited over an exec nothing is known, as far as calls that are followed tell. */
static bool may_have_files(int fd)
{
	return !sc_births_is_noted(fd) || sc_family_may_have_sent(SC_SENT_FILE);
}

bool sc_mailbox_may_be_one(int fd)
{
	int domain = 0;
	unsigned size = sizeof(domain);
	bool may_look = sc_process_is_ending() || may_have_files(fd) ||
			sc_family_may_have_sent(SC_SENT_SOCKET);
	return may_look && sc_sys_getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) == 0 &&
	       domain == AF_UNIX;
}

static bool may_close_copies(int fd)
{
	return sc_process_is_ending() || (!may_have_files(fd) && is_from_family(fd)) ||
	       (sc_threads_is_only_one() && !may_have_locked());
}

static bool has_bytes(int fd)
{
	int bytes = 0;
	return sc_sys_ioctl(fd, FIONREAD, &bytes) == 0 && bytes > 0;
}

/* Descriptors in the queue are told of since Linux 5.10. */
bool sc_mailbox_has_letters(int fd)
{
	return has_bytes(fd) && sc_procfs_find_about(fd, "scm_fds: 0\n") != 1;
}

static bool is_awaiting_letters(int fd)
{
	return sc_process_is_ending() && sc_family_may_have_sent(SC_SENT_ANY) &&
	       fd > STDERR_FILENO && is_from_family(fd);
}

bool sc_mailbox_is_one(int fd)
{
	return sc_mailbox_may_be_one(fd) &&
	       ((sc_mailbox_has_letters(fd) && may_close_copies(fd)) || is_awaiting_letters(fd));
}

/* At the end, a file of which there is but this copy is closed by the kernel. */
static bool is_to_be_kept(int fd)
{
	uint64_t inode;
	return sc_inspect_kind(fd, &inode) == SC_INSPECT_FILE &&
	       (sc_process_is_ending() || may_have_locked());
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
	if (is_tcp || kept < 0 || !is_to_be_kept(kept)) {
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

/* Negative: a look does not move on. */
static int look_offset(int fd)
{
	int offset = -1;
	unsigned size = sizeof(offset);
	sc_sys_getsockopt(fd, SOL_SOCKET, SO_PEEK_OFF, &offset, &size);
	return offset;
}

static void set_look_offset(int fd, int offset)
{
	sc_sys_setsockopt(fd, SOL_SOCKET, SO_PEEK_OFF, &offset, sizeof(offset));
}

/* Or may have, where that may not be asked. */
static bool has_error(int fd)
{
	int events = sc_sys_poll(fd, 0, 0);
	return events < 0 || (events & POLLERR);
}

size_t sc_mailbox_copy(int fd, bool may_be_received, int copies[SC_MAILBOX_MAX])
{
	struct taking taking = {.copies = copies};
	int before = look_offset(fd);
	if ((may_be_received && (before >= 0 || has_error(fd))) || !sc_process_begin_taking()) {
		return 0;
	}
	set_look_offset(fd, 0);
	/* Another process that looks at the same moment ends it for both, and has seen the rest. */
	for (int i = 0; i < LOOKS_MAX && taking.count < SC_MAILBOX_MAX && look_offset(fd) >= 0;
		i++) {
		if (!look_on(fd, &taking)) {
			break;
		}
	}
	if (may_be_received) {
		set_look_offset(fd, before);
	}
	sc_process_end_taking();
	return taking.count;
}
