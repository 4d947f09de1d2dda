// SPDX-License-Identifier: MIT
#include "netns.h"
#include "deadline.h"
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

static int write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t written;

	if (fd < 0) {
		return -errno;
	}
	written = write(fd, text, strlen(text));
	close(fd);
	return written == (ssize_t)strlen(text) ? 0 : -EIO;
}

/* A user namespace in which this user is root, with a network namespace that belongs to it. */
static int unshare_as_user(void)
{
	char map[64];
	unsigned int uid = getuid();
	unsigned int gid = getgid();

	if (unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0) {
		return -errno;
	}
	write_file("/proc/self/setgroups", "deny");
	snprintf(map, sizeof(map), "0 %u 1", gid);
	write_file("/proc/self/gid_map", map);
	snprintf(map, sizeof(map), "0 %u 1", uid);
	return write_file("/proc/self/uid_map", map);
}

static int bring_lo_up(void)
{
	struct ifreq request = {.ifr_name = "lo"};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int error = 0;

	if (fd < 0) {
		return -errno;
	}
	if (ioctl(fd, SIOCGIFFLAGS, &request) < 0) {
		error = -errno;
	} else {
		request.ifr_flags |= IFF_UP;
		if (ioctl(fd, SIOCSIFFLAGS, &request) < 0) {
			error = -errno;
		}
	}
	close(fd);
	return error;
}

void netns_enter(void)
{
	int error = 0;

	if (unshare(CLONE_NEWNET) < 0) {
		error = errno == EPERM ? unshare_as_user() : -errno;
	}
	if (error == 0) {
		error = bring_lo_up();
	}
	if (error < 0) {
		print_message("no private network namespace: %s\n", strerror(-error));
		skip();
	}
}

/* One datagram to oneself: lo hands packets on in order, per processor. */
static void send_round(int fd)
{
	char byte = 0;

	if (send(fd, &byte, 1, 0) != 1 || !deadline_poll(fd, POLLIN, deadline_in(DEADLINE_MS)) ||
		recv(fd, &byte, 1, MSG_DONTWAIT) != 1) {
		fail_msg("no datagram went round on lo: %s", strerror(errno));
	}
}

static int open_round_socket(void)
{
	struct sockaddr_in self = {.sin_family = AF_INET};
	socklen_t size = sizeof(self);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	self.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_true(fd >= 0);
	assert_return_code(bind(fd, (struct sockaddr *)&self, sizeof(self)), errno);
	assert_return_code(getsockname(fd, (struct sockaddr *)&self, &size), errno);
	assert_return_code(connect(fd, (struct sockaddr *)&self, sizeof(self)), errno);
	return fd;
}

void netns_settle(void)
{
	cpu_set_t allowed;
	int fd = open_round_socket();

	assert_return_code(sched_getaffinity(0, sizeof(allowed), &allowed), errno);
	/* Twice: what the first round pushed out may have been answered behind it. */
	for (int round = 0; round < 2; round++) {
		for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
			cpu_set_t one;

			if (!CPU_ISSET(cpu, &allowed)) {
				continue;
			}
			CPU_ZERO(&one);
			CPU_SET(cpu, &one);
			sched_setaffinity(0, sizeof(one), &one);
			send_round(fd);
		}
	}
	sched_setaffinity(0, sizeof(allowed), &allowed);
	close(fd);
}
