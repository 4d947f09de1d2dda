// SPDX-License-Identifier: MIT
/* Words by which a connection gets a second holder. */
#include "words.h"

#include <fcntl.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

static void do_dup(char **words)
{
	must_be(dup(number(words[0])), number(words[1]));
}

static void do_dupfd(char **words)
{
	int wanted_fd = number(words[1]);

	must_be(fcntl(number(words[0]), F_DUPFD, wanted_fd), wanted_fd);
}

static void do_dupfd_cloexec(char **words)
{
	int wanted_fd = number(words[1]);

	must_be(fcntl(number(words[0]), F_DUPFD_CLOEXEC, wanted_fd), wanted_fd);
}

static void do_send_fd(char **words)
{
	int fd = number(words[1]);
	char byte = 0;
	struct iovec data = {.iov_base = &byte, .iov_len = 1};
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof(int))];
	} control;
	struct msghdr message = {.msg_iov = &data,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control)};

	memset(&control, 0, sizeof(control));
	control.header.cmsg_level = SOL_SOCKET;
	control.header.cmsg_type = SCM_RIGHTS;
	control.header.cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
	must(sendmsg(number(words[0]), &message, 0) == 1, "sendmsg");
}

static void do_receive_fd(char **words)
{
	int fd = -1;
	char byte;
	struct iovec data = {.iov_base = &byte, .iov_len = 1};
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof(int))];
	} control;
	struct msghdr message = {.msg_iov = &data,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control)};

	must(recvmsg(number(words[0]), &message, 0) == 1, "recvmsg");
	must(message.msg_controllen > 0, "no descriptor came");
	memcpy(&fd, CMSG_DATA(&control.header), sizeof(fd));
	must_be(fd, number(words[1]));
}

/* Copy the parent's descriptor fd, by libc's pidfd_getfd() or by its number. */
static void take(char **words, long (*getfd)(int pidfd, int fd))
{
	int pidfd = (int)syscall(SYS_pidfd_open, getppid(), 0);
	int fd;

	must(pidfd >= 0, "pidfd_open");
	errno = 0;
	fd = (int)getfd(pidfd, number(words[0]));
	close(pidfd);
	if (fd < 0) {
		tell("take %s -> errno %d", words[0], errno);
		return;
	}
	if (fd != number(words[1])) {
		must_be(dup2(fd, number(words[1])), number(words[1]));
		close(fd);
	}
	tell("take %s -> %s", words[0], words[1]);
}

extern int pidfd_getfd(int pidfd, int fd, unsigned int flags) __attribute__((weak));

static long getfd_by_libc(int pidfd, int fd)
{
	return pidfd_getfd ? pidfd_getfd(pidfd, fd, 0) : syscall(SYS_pidfd_getfd, pidfd, fd, 0);
}

static long getfd_by_number(int pidfd, int fd)
{
	return syscall(SYS_pidfd_getfd, pidfd, fd, 0);
}

static void do_take(char **words)
{
	take(words, getfd_by_libc);
}

static void do_syscall_take(char **words)
{
	take(words, getfd_by_number);
}

const struct word words_sharing[] = {
	{"dup", 2, do_dup},                     /* FD FD */
	{"dupfd", 2, do_dupfd},                 /* FD FD */
	{"dupfd-cloexec", 2, do_dupfd_cloexec}, /* FD FD */
	{"send-fd", 2, do_send_fd},             /* UNIX FD */
	{"receive-fd", 2, do_receive_fd},       /* UNIX FD */
	{"take", 2, do_take},                   /* FD FD: from the parent; tells the result */
	{"syscall-take", 2, do_syscall_take},   /* the same */
	{NULL, 0, NULL},
};
