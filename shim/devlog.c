// SPDX-License-Identifier: MIT
#include "devlog.h"
#include "line.h"
#include "sys.h"
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>

#define TAG "safeclose["

static int connect_to_daemon(int fd)
{
	struct sockaddr_un place = {.sun_family = AF_UNIX, .sun_path = "/dev/log"};
	return (int)SC_SYS3(SYS_connect, fd, &place, sizeof(place));
}

static int open_as(int type)
{
	int fd = (int)SC_SYS3(SYS_socket, AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int error = fd >= 0 ? connect_to_daemon(fd) : fd;
	if (error != 0 && fd >= 0) {
		sc_sys_close(fd);
	}
	return error != 0 ? error : fd;
}

int sc_devlog_open(void)
{
	int fd = open_as(SOCK_DGRAM);
	return fd == -EPROTOTYPE ? open_as(SOCK_STREAM) : fd;
}

static bool is_stream(int fd)
{
	int type = 0;
	unsigned size = sizeof(type);
	return sc_sys_getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_STREAM;
}

/* Has the other end gone, so that there may be a new one by that name? */
static bool is_orphaned(long error)
{
	return error == -ECONNREFUSED || error == -ECONNRESET || error == -ENOTCONN ||
	       error == -EPIPE || error == -EDESTADDRREQ;
}

int sc_devlog_send(int fd, const char *text, size_t length, int pid)
{
	char head[40];
	struct sc_line line = {head, sizeof(head), 0};
	sc_line_add(&line, "<28>"); /* facility daemon, severity warning */
	if (length < strlen(TAG) || memcmp(text, TAG, strlen(TAG)) != 0) {
		sc_line_add(&line, TAG);
		sc_line_add_number(&line, (uint64_t)pid);
		sc_line_add(&line, "]: ");
	}
	/* The newline is not part of the message. */
	struct iovec parts[] = {{head, line.length}, {(void *)text, length - 1}, {(void *)"", 1}};
	struct msghdr message = {.msg_iov = parts, .msg_iovlen = is_stream(fd) ? 3 : 2};
	long sent = SC_SYS3(SYS_sendmsg, fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (is_orphaned(sent)) {
		int error = connect_to_daemon(fd);
		sent = error != 0 ? error
				  : SC_SYS3(SYS_sendmsg, fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
	}
	return sent < 0 ? (int)sent : 0;
}
