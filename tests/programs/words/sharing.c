// SPDX-License-Identifier: MIT
/* Words by which a connection gets a second holder. */
#include "words.h"

#include <fcntl.h>
#include <sched.h>
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

/* The ways of sendmsg() and recvmsg(). */
static const char *const message_ways[] = {"libc", "many", "number", "number-many"};

static long send_by(const char *way, int fd, struct mmsghdr *message)
{
	if (strcmp(way, message_ways[0]) == 0) {
		return sendmsg(fd, &message->msg_hdr, 0) == 1;
	}
	if (strcmp(way, message_ways[1]) == 0) {
		return sendmmsg(fd, message, 1, 0);
	}
	if (strcmp(way, message_ways[2]) == 0) {
		return syscall(SYS_sendmsg, fd, &message->msg_hdr, 0) == 1;
	}
	must(strcmp(way, message_ways[3]) == 0, "no such way");
	return syscall(SYS_sendmmsg, fd, message, 1, 0);
}

static long receive_by(const char *way, int fd, struct mmsghdr *message)
{
	if (strcmp(way, message_ways[0]) == 0) {
		return recvmsg(fd, &message->msg_hdr, 0) == 1;
	}
	if (strcmp(way, message_ways[1]) == 0) {
		return recvmmsg(fd, message, 1, 0, NULL);
	}
	if (strcmp(way, message_ways[2]) == 0) {
		return syscall(SYS_recvmsg, fd, &message->msg_hdr, 0) == 1;
	}
	must(strcmp(way, message_ways[3]) == 0, "no such way");
	return syscall(SYS_recvmmsg, fd, message, 1, 0, NULL);
}

/* One descriptor, with one byte. */
struct parcel {
	struct mmsghdr message;
	struct iovec data;
	char byte;
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof(int))];
	} control;
};

static void make_parcel(struct parcel *parcel)
{
	memset(parcel, 0, sizeof(*parcel));
	parcel->data = (struct iovec){.iov_base = &parcel->byte, .iov_len = 1};
	parcel->message.msg_hdr = (struct msghdr){.msg_iov = &parcel->data,
		.msg_iovlen = 1,
		.msg_control = &parcel->control,
		.msg_controllen = sizeof(parcel->control)};
}

static void send_fd(const char *way, char **words)
{
	struct parcel parcel;
	int fd = number(words[1]);

	make_parcel(&parcel);
	parcel.control.header.cmsg_level = SOL_SOCKET;
	parcel.control.header.cmsg_type = SCM_RIGHTS;
	parcel.control.header.cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(&parcel.control.header), &fd, sizeof(fd));
	must(send_by(way, number(words[0]), &parcel.message) == 1, "sendmsg");
}

static void receive_fd(const char *way, char **words)
{
	struct parcel parcel;
	int fd = -1;

	make_parcel(&parcel);
	must(receive_by(way, number(words[0]), &parcel.message) == 1, "recvmsg");
	must(parcel.message.msg_hdr.msg_controllen > 0, "no descriptor came");
	memcpy(&fd, CMSG_DATA(&parcel.control.header), sizeof(fd));
	must_be(fd, number(words[1]));
}

static void do_send_fd(char **words)
{
	send_fd("libc", words);
}

static void do_send_fd_by(char **words)
{
	send_fd(words[0], words + 1);
}

static void do_receive_fd(char **words)
{
	receive_fd("libc", words);
}

static void do_receive_fd_by(char **words)
{
	receive_fd(words[0], words + 1);
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

/* This thread has a descriptor table of its own from now on. */
static void do_unshare_files(char **words)
{
	if (strcmp(words[0], "number") == 0) {
		must(syscall(SYS_unshare, CLONE_FILES) == 0, "unshare");
	} else {
		must(unshare(CLONE_FILES) == 0, "unshare");
	}
}

/* It shares the parent's thread storage, so it must not call into libc. */
static int hold_descriptors(void *unused)
{
	(void)unused;
	for (;;) {
#if defined(__x86_64__)
		long result;

		__asm__ volatile("syscall"
				 : "=a"(result)
				 : "a"(SYS_pause)
				 : "rcx", "r11", "memory");
#elif defined(__aarch64__)
		__asm__ volatile("wfe");
#endif
	}
	return 0;
}

/* A thread that has a copy of the descriptor table since its birth, and does nothing. */
static void do_thread_with_a_table(char **words)
{
	static char stack[16 * 1024] __attribute__((aligned(16)));

	(void)words;
	must(clone(hold_descriptors, stack + sizeof(stack),
		     CLONE_VM | CLONE_FS | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM, NULL) > 0,
		"clone");
}

const struct word words_sharing[] = {
	{"dup", 2, do_dup},                     /* FD FD */
	{"dupfd", 2, do_dupfd},                 /* FD FD */
	{"dupfd-cloexec", 2, do_dupfd_cloexec}, /* FD FD */
	{"send-fd", 2, do_send_fd},             /* UNIX FD */
	{"receive-fd", 2, do_receive_fd},       /* UNIX FD */
	/* libc|many|number|number-many UNIX FD: sendmsg, sendmmsg, the same by syscall() */
	{"send-fd-by", 3, do_send_fd_by},
	{"receive-fd-by", 3, do_receive_fd_by},
	{"unshare-files", 1, do_unshare_files},             /* libc|number */
	{"thread-with-a-table", 0, do_thread_with_a_table}, /* for ever */
	{"take", 2, do_take},                 /* FD FD: from the parent; tells the result */
	{"syscall-take", 2, do_syscall_take}, /* the same */
	{NULL, 0, NULL},
};
