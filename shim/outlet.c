// SPDX-License-Identifier: MIT
#include "outlet.h"
#include "sys.h"
#include "devlog.h"
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>

#ifndef RWF_NOWAIT
#define RWF_NOWAIT 8
#endif

enum { KERNEL_SIGSET_SIZE = 8 };

/* What it is first, its number last: who sees the number sees the rest. */
void sc_outlet_set(struct sc_outlet *it, int fd, bool is_syslog)
{
	struct stat64 status;
	atomic_store(&it->fd, -1);
	if (fd >= 0 && SC_SYS2(SYS_fstat, fd, &status) == 0) {
		atomic_store(&it->device, status.st_dev);
		atomic_store(&it->inode, status.st_ino);
		atomic_store(&it->mode, status.st_mode);
		atomic_store(&it->is_syslog, is_syslog);
		atomic_store(&it->is_cut, false);
		atomic_store(&it->fd, fd);
	}
}

void sc_outlet_set_like(struct sc_outlet *it, const struct sc_outlet *other, int fd)
{
	atomic_store(&it->device, atomic_load(&other->device));
	atomic_store(&it->inode, atomic_load(&other->inode));
	atomic_store(&it->mode, atomic_load(&other->mode));
	atomic_store(&it->is_syslog, atomic_load(&other->is_syslog));
	atomic_store(&it->is_cut, atomic_load(&other->is_cut));
	atomic_store(&it->fd, fd);
}

static bool is_still_itself(const struct sc_outlet *it, int fd)
{
	struct stat64 status;
	return fd >= 0 && SC_SYS2(SYS_fstat, fd, &status) == 0 &&
	       status.st_dev == atomic_load(&it->device) &&
	       status.st_ino == atomic_load(&it->inode);
}

bool sc_outlet_is_itself(const struct sc_outlet *it)
{
	return is_still_itself(it, atomic_load(&it->fd));
}

/* Room for a line, without waiting for it. (Regular files always have.) */
static bool is_writable(int fd)
{
	return sc_sys_poll(fd, POLLOUT, 0) > 0;
}

/* The kernel's signal set: one bit a signal, beginning with 1. */
static uint64_t bit(int signal_number)
{
	return 1ULL << (signal_number - 1);
}

static long write_if_writable(int fd, const char *text, size_t length)
{
	return is_writable(fd) ? SC_SYS3(SYS_write, fd, text, length) : -EAGAIN;
}

/*
 * Somebody else may fill a pipe between a look and a write, and the program's own flags say that it
 * waits. Before Linux 6.4, and with a FIFO, there is only the look.
 */
static long write_to_pipe(int fd, const char *text, size_t length)
{
	struct iovec part = {(void *)text, length};
	long written = SC_SYS6(SYS_pwritev2, fd, &part, 1, -1, -1, RWF_NOWAIT);
	bool is_known = written >= 0 || written == -EAGAIN || written == -EPIPE;
	return is_known ? written : write_if_writable(fd, text, length);
}

/*
 * A write to a pipe without readers, or past RLIMIT_FSIZE, raises a signal that the program does
 * not expect: hold both back meanwhile, and take back the one that this write raised.
 */
static long write_without_signal(int fd, bool is_pipe, const char *text, size_t length)
{
	uint64_t held = bit(SIGPIPE) | bit(SIGXFSZ);
	uint64_t before = 0;
	uint64_t pending = 0;
	long error = SC_SYS4(SYS_rt_sigprocmask, SIG_BLOCK, &held, &before, KERNEL_SIGSET_SIZE);
	if (error != 0) {
		return error;
	}
	SC_SYS2(SYS_rt_sigpending, &pending, KERNEL_SIGSET_SIZE);
	long written =
		is_pipe ? write_to_pipe(fd, text, length) : write_if_writable(fd, text, length);
	uint64_t raised = written == -EPIPE ? bit(SIGPIPE) : written == -EFBIG ? bit(SIGXFSZ) : 0;
	raised &= ~pending;
	if (raised != 0) {
		struct timespec now = {0, 0};
		SC_SYS4(SYS_rt_sigtimedwait, &raised, NULL, &now, KERNEL_SIGSET_SIZE);
	}
	SC_SYS4(SYS_rt_sigprocmask, SIG_SETMASK, &before, NULL, KERNEL_SIGSET_SIZE);
	return written;
}

static long write_some(const struct sc_outlet *it, int fd, const char *text, size_t length)
{
	uint32_t mode = atomic_load(&it->mode);
	if (S_ISSOCK(mode)) {
		return SC_SYS6(SYS_sendto, fd, text, length, MSG_DONTWAIT | MSG_NOSIGNAL, NULL, 0);
	}
	return write_without_signal(fd, S_ISFIFO(mode), text, length);
}

int sc_outlet_write(struct sc_outlet *it, const char *text, size_t length, int pid)
{
	int fd = atomic_load(&it->fd);
	if (!is_still_itself(it, fd)) {
		return -EBADF;
	}
	if (atomic_load(&it->is_syslog)) {
		return sc_devlog_send(fd, text, length, pid);
	}
	if (atomic_load(&it->is_cut)) {
		/* The line that was cut stays alone. */
		long ended = write_some(it, fd, "\n", 1);
		if (ended != 1) {
			return ended < 0 ? (int)ended : -ENOSPC;
		}
		atomic_store(&it->is_cut, false);
	}
	long written = write_some(it, fd, text, length);
	if (written > 0 && (size_t)written < length) {
		atomic_store(&it->is_cut, true);
	}
	return written < 0 ? (int)written : (size_t)written == length ? 0 : -ENOSPC;
}
