// SPDX-License-Identifier: MIT
#include "sink.h"
#include "clock.h"
#include "config.h"
#include "line.h"
#include "ownfds.h"
#include "sys.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <time.h>

enum { LINES_PER_SECOND_MAX = 10000, KERNEL_SIGSET_SIZE = 8 };

/* An open destination and what it was when it was opened. */
struct target {
	_Atomic int fd; /* -1: none */
	dev_t device;
	ino_t inode;
	mode_t mode;
};

static char path[SC_LOG_MAX + 256]; /* absolute; empty: stderr */
static struct target target = {.fd = -1};
static _Atomic int path_pid;          /* the pid in the opened path; 0: not opened, or none in it */
static _Atomic uint64_t second_count; /* second << 32 | lines written in it */
static _Atomic uint64_t lost_lines;

static bool has_pid(void)
{
	return strstr(path, "%p") != NULL;
}

static bool is_syslog;

/* syslog(3) without libc's part in it: one datagram a line. */
static int open_syslog(void)
{
	struct sockaddr_un place = {.sun_family = AF_UNIX, .sun_path = "/dev/log"};
	int fd = (int)SC_SYS3(SYS_socket, AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0) {
		return fd;
	}
	int error = (int)SC_SYS3(SYS_connect, fd, &place, sizeof(place));
	int copy = error == 0 ? sc_ownfds_copy_for_good(fd) : error;
	sc_sys_close(fd);
	return copy;
}

/* Take fd, an own descriptor, as the place to write to. */
static void set_target(int fd)
{
	struct stat status;
	if (fd >= 0 && SC_SYS2(SYS_fstat, fd, &status) == 0) {
		target.device = status.st_dev;
		target.inode = status.st_ino;
		target.mode = status.st_mode;
		atomic_store(&target.fd, fd);
	}
}

static int open_path(int pid)
{
	char name[sizeof(path) + 64];
	struct sc_line line = {name, sizeof(name) - 1, 0};
	for (const char *at = path; *at != '\0'; at++) {
		if (at[0] == '%' && at[1] == 'p') {
			sc_line_add_number(&line, (uint64_t)pid);
			at++;
		} else {
			sc_line_add_char(&line, *at);
		}
	}
	name[line.length] = '\0';
	int fd = (int)SC_SYS4(SYS_openat, AT_FDCWD, name,
		O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0666);
	if (fd < 0) {
		return fd;
	}
	int copy = sc_ownfds_copy_for_good(fd);
	sc_sys_close(fd);
	return copy;
}

/* A relative path means the folder the program was started in, wherever it goes later. */
static void remember_path(const char *text)
{
	struct sc_line line = {path, sizeof(path) - 1, 0};
	if (text[0] != '/') {
		char folder[256];
		if (SC_SYS2(SYS_getcwd, folder, sizeof(folder)) > 0 && folder[0] == '/') {
			sc_line_add(&line, folder);
			sc_line_add_char(&line, '/');
		}
	}
	sc_line_add(&line, text);
	path[line.length] = '\0';
}

static void complain(const char *what, int error)
{
	char text[SC_LOG_MAX + 512];
	struct sc_line line = {text, sizeof(text), 0};
	sc_line_add(&line, "safeclose[");
	sc_line_add_number(&line, (uint64_t)sc_sys_getpid());
	sc_line_add(&line, "]: cannot write to ");
	sc_line_add_escaped(&line, what, SC_LOG_MAX);
	sc_line_add(&line, " (errno ");
	sc_line_add_number(&line, (uint64_t)-error);
	sc_line_add(&line, "); reports go to stderr");
	sc_line_end(&line);
	sc_sink_write(text, line.length, 0);
}

/* Under inetd and its like, descriptor 2 is the client's connection: nothing of ours belongs there. */
static bool is_connection(int fd)
{
	int domain = 0;
	unsigned size = sizeof(domain);
	return sc_sys_getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) == 0 &&
	       (domain == AF_INET || domain == AF_INET6);
}

void sc_sink_init(const char *text)
{
	int on_stderr = is_connection(2) ? -EBADF : sc_ownfds_copy_for_good(2);
	if (strcmp(text, "stderr") == 0) {
		set_target(on_stderr);
		return;
	}
	is_syslog = strcmp(text, "syslog") == 0;
	if (!is_syslog) {
		remember_path(text);
	}
	int pid = sc_sys_getpid();
	int opened = is_syslog ? open_syslog() : open_path(pid);
	if (opened >= 0) {
		sc_ownfds_release(on_stderr);
		set_target(opened);
		atomic_store(&path_pid, has_pid() ? pid : 0);
	} else {
		set_target(on_stderr);
		complain(is_syslog ? text : path, opened);
		is_syslog = false;
		path[0] = '\0';
	}
}

int sc_sink_fd(void)
{
	return atomic_load(&target.fd);
}

bool sc_sink_evade(int fd)
{
	if (fd < 0 || atomic_load(&target.fd) != fd) {
		return false;
	}
	atomic_store(&target.fd, sc_ownfds_copy_for_good(fd));
	sc_ownfds_release(fd);
	return true;
}

void sc_sink_prepare(void)
{
	int before = atomic_load(&path_pid);
	if (before == 0) {
		return;
	}
	int pid = sc_sys_getpid();
	if (before == pid || !atomic_compare_exchange_strong(&path_pid, &before, pid)) {
		return;
	}
	int opened = open_path(pid);
	if (opened >= 0) {
		int inherited = atomic_exchange(&target.fd, -1);
		set_target(opened);
		sc_ownfds_release(inherited);
	}
}

static bool is_still_itself(int fd)
{
	struct stat status;
	return SC_SYS2(SYS_fstat, fd, &status) == 0 && status.st_dev == target.device &&
	       status.st_ino == target.inode;
}

/* Room for a line, without waiting for it. (Regular files always have.) */
static bool is_writable(int fd)
{
	struct pollfd wanted = {fd, POLLOUT, 0};
	struct timespec now = {0, 0};
	return SC_SYS5(SYS_ppoll, &wanted, 1, &now, NULL, 0) == 1;
}

/* The kernel's signal set: one bit a signal, beginning with 1. */
static uint64_t bit(int signal_number)
{
	return 1ULL << (signal_number - 1);
}

/*
 * write(2) to a pipe without readers, or past RLIMIT_FSIZE, raises a signal that the program does
 * not expect: hold both back meanwhile, and take back the one that this write raised.
 */
static bool write_without_signal(int fd, const char *text, size_t length)
{
	uint64_t held = bit(SIGPIPE) | bit(SIGXFSZ);
	uint64_t before = 0;
	uint64_t pending = 0;
	if (SC_SYS4(SYS_rt_sigprocmask, SIG_BLOCK, &held, &before, KERNEL_SIGSET_SIZE) != 0) {
		return false;
	}
	SC_SYS2(SYS_rt_sigpending, &pending, KERNEL_SIGSET_SIZE);
	long written = SC_SYS3(SYS_write, fd, text, length);
	uint64_t raised = written == -EPIPE ? bit(SIGPIPE) : written == -EFBIG ? bit(SIGXFSZ) : 0;
	raised &= ~pending;
	if (raised != 0) {
		struct timespec now = {0, 0};
		SC_SYS4(SYS_rt_sigtimedwait, &raised, NULL, &now, KERNEL_SIGSET_SIZE);
	}
	SC_SYS4(SYS_rt_sigprocmask, SIG_SETMASK, &before, NULL, KERNEL_SIGSET_SIZE);
	return written == (long)length;
}

/* Facility daemon, severity warning; the newline is not part of the message. */
static bool send_to_syslog(int fd, const char *text, size_t length)
{
	static const char priority[] = "<28>";
	struct iovec parts[] = {
		{(void *)priority, sizeof(priority) - 1}, {(void *)text, length - 1}};
	struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
	return SC_SYS3(SYS_sendmsg, fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL) > 0;
}

static bool write_line(const char *text, size_t length)
{
	int fd = atomic_load(&target.fd);
	if (fd < 0 || !is_still_itself(fd) || !is_writable(fd)) {
		return false;
	}
	if (is_syslog) {
		return send_to_syslog(fd, text, length);
	}
	if (S_ISSOCK(target.mode)) {
		return SC_SYS6(SYS_sendto, fd, text, length, MSG_DONTWAIT | MSG_NOSIGNAL, NULL,
			       0) == (long)length;
	}
	return write_without_signal(fd, text, length);
}

/* Is there room for one more line in this second? */
static bool is_within_rate(void)
{
	uint64_t second = sc_clock_ns(CLOCK_MONOTONIC_COARSE) / 1000000000 << 32;
	uint64_t seen = atomic_load(&second_count);
	uint64_t wanted;
	do {
		wanted = (seen >> 32 == second >> 32 ? seen : second) + 1;
		if ((wanted & 0xffffffff) > LINES_PER_SECOND_MAX) {
			return false;
		}
	} while (!atomic_compare_exchange_weak(&second_count, &seen, wanted));
	return true;
}

static void tell_lost(int pid)
{
	uint64_t lost = atomic_exchange(&lost_lines, 0);
	if (lost == 0) {
		return;
	}
	char text[96];
	struct sc_line line = {text, sizeof(text), 0};
	sc_line_add(&line, "safeclose[");
	sc_line_add_number(&line, (uint64_t)pid);
	sc_line_add(&line, "]: ");
	sc_line_add_number(&line, lost);
	sc_line_add(&line, " lines lost before this one");
	sc_line_end(&line);
	if (!write_line(text, line.length)) {
		atomic_fetch_add(&lost_lines, lost);
	}
}

void sc_sink_write(const char *line, size_t length, int pid)
{
	if (!is_within_rate()) {
		atomic_fetch_add(&lost_lines, 1);
		return;
	}
	tell_lost(pid);
	if (!write_line(line, length)) {
		atomic_fetch_add(&lost_lines, 1);
	}
}

void sc_sink_write_stderr(const char *line, size_t length)
{
	if (!is_connection(2) && is_writable(2)) {
		write_without_signal(2, line, length);
	}
}
