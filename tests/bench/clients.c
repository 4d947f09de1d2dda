// SPDX-License-Identifier: MIT
/*
 * clients PORT COUNT: COUNT clients that connect, send a byte and then wait for the end of their
 * connection without finishing it. Tells "connected", and when the last has seen the end "ended fins
 * N resets N last NS" (CLOCK_MONOTONIC); hears "end" and lets all go.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { EVENTS = 256, WAIT_MS = 60000 };

static void must(bool is_done, const char *what)
{
	if (!is_done) {
		printf("clients: %s: %s\n", what, strerror(errno));
		exit(1);
	}
}

static int connect_one(uint16_t port)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	must(connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0, "connect");
	must(send(fd, "?", 1, MSG_NOSIGNAL) == 1, "send");
	return fd;
}

static void await_ends(int set, int count)
{
	struct epoll_event events[EVENTS];
	struct timespec now = {0, 0};
	int fins = 0;
	int resets = 0;

	while (fins + resets < count) {
		int ready = epoll_wait(set, events, EVENTS, WAIT_MS);

		must(ready > 0, "waited in vain");
		clock_gettime(CLOCK_MONOTONIC, &now);
		for (int i = 0; i < ready; i++) {
			char byte;

			if (recv(events[i].data.fd, &byte, 1, MSG_DONTWAIT) == 0) {
				fins++;
			} else {
				resets++;
			}
			epoll_ctl(set, EPOLL_CTL_DEL, events[i].data.fd, NULL);
		}
	}
	printf("ended fins %d resets %d last %lld\n", fins, resets,
		(long long)now.tv_sec * 1000000000 + now.tv_nsec);
}

int main(int argc, char **argv)
{
	int set = epoll_create1(EPOLL_CLOEXEC);
	char line[16];
	int count;

	must(argc == 3, "two arguments");
	count = atoi(argv[2]);
	setvbuf(stdout, NULL, _IOLBF, 0);
	for (int i = 0; i < count; i++) {
		struct epoll_event event = {.events = EPOLLIN | EPOLLRDHUP};

		event.data.fd = connect_one((uint16_t)atoi(argv[1]));
		must(epoll_ctl(set, EPOLL_CTL_ADD, event.data.fd, &event) == 0, "epoll_ctl");
	}
	printf("connected\n");
	await_ends(set, count);
	must(fgets(line, sizeof(line), stdin) != NULL, "end");
	return 0;
}
