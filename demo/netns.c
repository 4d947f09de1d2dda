// SPDX-License-Identifier: MIT
/* A network namespace of one's own: entering it, and reading its counters. */
#include "netns.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* Write text to a file of /proc. 0 or a negative errno. */
static int put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	int error = 0;

	if (fd < 0) {
		return -errno;
	}
	if (write(fd, text, strlen(text)) < 0) {
		error = -errno;
	}
	close(fd);
	return error;
}

/* Ids inside the user namespace as outside: what is executed there runs as the ordinary user. */
static int map_ids(unsigned uid, unsigned gid)
{
	char map[64];
	int error = put("/proc/self/setgroups", "deny");

	if (error != 0 && error != -ENOENT) { /* before Linux 3.19 there is none */
		return error;
	}
	snprintf(map, sizeof(map), "%u %u 1", uid, uid);
	error = put("/proc/self/uid_map", map);
	if (error != 0) {
		return error;
	}
	snprintf(map, sizeof(map), "%u %u 1", gid, gid);
	return put("/proc/self/gid_map", map);
}

static int bring_up_lo(void)
{
	struct ifreq request = {.ifr_name = "lo"};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int error = 0;

	if (fd < 0) {
		return -errno;
	}
	if (ioctl(fd, SIOCGIFFLAGS, &request) != 0) {
		error = -errno;
	} else {
		request.ifr_flags |= IFF_UP;
		error = ioctl(fd, SIOCSIFFLAGS, &request) == 0 ? 0 : -errno;
	}
	close(fd);
	return error;
}

int netns_enter(const char **step)
{
	unsigned uid = geteuid(), gid = getegid();
	int error = 0;

	if (unshare(CLONE_NEWNET) != 0) {
		*step = "unshare(CLONE_NEWUSER | CLONE_NEWNET)";
		if (unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0) {
			return -errno;
		}
		*step = "the user namespace's map of ids";
		error = map_ids(uid, gid);
	}
	if (error == 0) {
		*step = "bringing lo up";
		error = bring_up_lo();
	}
	return error;
}

/* The value in the column of values that is called name in the column of names. -1: none is. */
static int64_t pick(char *names, char *values, const char *name)
{
	char *names_rest, *values_rest;
	char *n = strtok_r(names, " \n", &names_rest);
	char *v = strtok_r(values, " \n", &values_rest);

	while (n != NULL && v != NULL) {
		if (strcmp(n, name) == 0) {
			return strtoll(v, NULL, 10);
		}
		n = strtok_r(NULL, " \n", &names_rest);
		v = strtok_r(NULL, " \n", &values_rest);
	}
	return -1;
}

int64_t netns_counter(const char *file, const char *group, const char *name)
{
	char path[64];
	char *names = NULL, *values = NULL;
	size_t names_size = 0, values_size = 0;
	int64_t value = -1;
	FILE *in;

	snprintf(path, sizeof(path), "/proc/self/net/%s", file);
	in = fopen(path, "re");
	if (in == NULL) {
		return -1;
	}
	/* Two lines a group: its names, then its values. */
	while (value < 0 && getline(&names, &names_size, in) > 0 &&
		getline(&values, &values_size, in) > 0) {
		if (strncmp(names, group, strlen(group)) == 0) {
			value = pick(names, values, name);
		}
	}
	free(names);
	free(values);
	fclose(in);
	return value;
}
