// SPDX-License-Identifier: MIT
/*
 * visitors PORT SECONDS CLIENTS: clients of soaker. Each connects, sends some bytes, reads the
 * answer to the FIN, sends some more, and ends; then it begins again. When the time is over, tells
 * "visits N", "resets N" and "cut N": answers that were not whole.
 */
#include "../harness/pattern.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { CLIENTS_MAX = 1024, SENT_MAX = 4000, WAIT_MS = 30000, LENGTH_BYTES = 4 };

struct visitor {
	int fd;
	uint8_t length[LENGTH_BYTES];
	uint64_t received_bytes;
};

static struct visitor visitors[CLIENTS_MAX];
static struct sockaddr_in server = {.sin_family = AF_INET};
static int set;
static unsigned int seed = 1;
static uint64_t visits;
static uint64_t resets;
static uint64_t cut;

static void must(bool is_done, const char *what)
{
	if (!is_done) {
		printf("visitors: %s: %s\n", what, strerror(errno));
		exit(1);
	}
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Some bytes; now and then the last of them is urgent. */
static ssize_t send_some(int fd)
{
	static const char bytes[SENT_MAX];
	size_t size = 1 + (size_t)rand_r(&seed) % (SENT_MAX - 1);
	/* An urgent byte alone is nothing to read: the server would wait for more. */
	int flags = MSG_NOSIGNAL | (size > 1 && rand_r(&seed) % 8 == 0 ? MSG_OOB : 0);

	return send(fd, bytes, size, flags);
}

static void begin(struct visitor *visitor)
{
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = visitor};

	*visitor = (struct visitor){.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
	must(connect(visitor->fd, (struct sockaddr *)&server, sizeof(server)) == 0, "connect");
	send_some(visitor->fd);
	must(epoll_ctl(set, EPOLL_CTL_ADD, visitor->fd, &event) == 0, "epoll_ctl");
}

static bool is_whole(const struct visitor *visitor)
{
	uint32_t length;

	memcpy(&length, visitor->length, sizeof(length));
	return visitor->received_bytes >= LENGTH_BYTES &&
	       visitor->received_bytes - LENGTH_BYTES == le32toh(length);
}

static int error_of(int fd)
{
	int error = 0;
	socklen_t size = sizeof(error);

	getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
	return error;
}

/* FIN or error: late bytes, and the verdict. */
static void end(struct visitor *visitor, bool is_reset)
{
	if (!is_reset && rand_r(&seed) % 2) {
		send_some(visitor->fd);
	}
	visits++;
	resets += is_reset || error_of(visitor->fd) != 0;
	cut += !is_whole(visitor);
	close(visitor->fd);
}

/* Returns false when the connection has ended. */
static bool receive(struct visitor *visitor)
{
	static uint8_t chunk[1 << 16];
	uint64_t place = visitor->received_bytes;
	size_t wanted = place < LENGTH_BYTES ? LENGTH_BYTES - (size_t)place : sizeof(chunk);
	ssize_t bytes = recv(visitor->fd, chunk, wanted, MSG_DONTWAIT);

	if (bytes <= 0) {
		if (bytes < 0 && errno == EAGAIN) {
			return true;
		}
		end(visitor, bytes < 0);
		return false;
	}
	if (place < LENGTH_BYTES) {
		memcpy(visitor->length + place, chunk, (size_t)bytes);
	} else {
		must(pattern_matches(chunk, (size_t)bytes, place - LENGTH_BYTES), "wrong bytes");
	}
	visitor->received_bytes += (uint64_t)bytes;
	return true;
}

static void visit(int count, int64_t end_ms)
{
	int running = count;

	for (int i = 0; i < count; i++) {
		begin(&visitors[i]);
	}
	while (running > 0) {
		struct epoll_event events[64];
		int ready = epoll_wait(set, events, 64, WAIT_MS);

		must(ready > 0, "waited in vain");
		for (int i = 0; i < ready; i++) {
			if (receive(events[i].data.ptr)) {
				continue;
			}
			if (now_ms() < end_ms) {
				begin(events[i].data.ptr);
			} else {
				running--;
			}
		}
	}
}

int main(int argc, char **argv)
{
	must(argc == 4 && atoi(argv[3]) <= CLIENTS_MAX, "three arguments");
	setvbuf(stdout, NULL, _IOLBF, 0);
	server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	server.sin_port = htons((uint16_t)atoi(argv[1]));
	set = epoll_create1(EPOLL_CLOEXEC);
	visit(atoi(argv[3]), now_ms() + atoi(argv[2]) * 1000LL);
	printf("visits %llu\nresets %llu\ncut %llu\n", (unsigned long long)visits,
		(unsigned long long)resets, (unsigned long long)cut);
	return 0;
}
