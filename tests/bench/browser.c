// SPDX-License-Identifier: MIT
/*
 * browser PORT PATH BYTES CLIENTS SECONDS: that many clients at once ask an HTTP server for PATH
 * again and again, with "Connection: close" and PIPELINED_BYTES more behind the request that the
 * server has no reason to read. Tells "requests N whole N per-second X p50-ms X p99-ms X": whole are
 * the answers whose body has BYTES and whose connection was not reset.
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

enum { PIPELINED_BYTES = 32768, CLIENTS_MAX = 256, REQUESTS_MAX = 1 << 20, WAIT_MS = 30000 };

struct client {
	int fd;
	uint64_t start_ns;
	uint64_t received_bytes;
	uint64_t header_bytes; /* 0: not all of it is here */
};

static struct client clients[CLIENTS_MAX];
static float lasted_ms[REQUESTS_MAX];
static size_t requests;
static size_t whole;
static uint64_t wanted_bytes;
static struct sockaddr_in server = {.sin_family = AF_INET};
static char request[PIPELINED_BYTES + 512];
static size_t request_bytes;
static int set;

static void must(bool is_done, const char *what)
{
	if (!is_done) {
		printf("browser: %s: %s\n", what, strerror(errno));
		exit(1);
	}
}

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static void compose(const char *path)
{
	int length = snprintf(request, sizeof(request),
		"GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", path);

	memset(request + length, 'x', PIPELINED_BYTES);
	request_bytes = (size_t)length + PIPELINED_BYTES;
}

static void ask(struct client *client)
{
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = client};

	*client = (struct client){.start_ns = now_ns()};
	client->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	must(connect(client->fd, (struct sockaddr *)&server, sizeof(server)) == 0, "connect");
	must(send(client->fd, request, request_bytes, MSG_NOSIGNAL) == (ssize_t)request_bytes,
		"send");
	must(epoll_ctl(set, EPOLL_CTL_ADD, client->fd, &event) == 0, "epoll_ctl");
}

/* The connection has ended, by FIN where is_clean. */
static void finish(struct client *client, bool is_clean)
{
	uint64_t body_bytes = client->received_bytes - client->header_bytes;

	must(requests < REQUESTS_MAX, "too many requests");
	lasted_ms[requests++] = (float)(now_ns() - client->start_ns) / 1e6f;
	whole += is_clean && client->header_bytes > 0 && body_bytes == wanted_bytes;
	close(client->fd);
}

/* Returns false when the connection has ended. */
static bool receive(struct client *client)
{
	static char chunk[1 << 18];
	ssize_t bytes = recv(client->fd, chunk, sizeof(chunk), MSG_DONTWAIT);

	if (bytes <= 0) {
		if (bytes < 0 && errno == EAGAIN) {
			return true;
		}
		finish(client, bytes == 0);
		return false;
	}
	if (client->header_bytes == 0) {
		const char *end = memmem(chunk, (size_t)bytes, "\r\n\r\n", 4);

		must(end != NULL && strncmp(chunk, "HTTP/1.1 200", 12) == 0, "a strange answer");
		client->header_bytes = (uint64_t)(end - chunk) + 4;
	}
	client->received_bytes += (uint64_t)bytes;
	return true;
}

static void browse(int count, uint64_t end_ns)
{
	int running = count;

	for (int i = 0; i < count; i++) {
		ask(&clients[i]);
	}
	while (running > 0) {
		struct epoll_event events[64];
		int ready = epoll_wait(set, events, 64, WAIT_MS);

		must(ready > 0, "waited in vain");
		for (int i = 0; i < ready; i++) {
			if (receive(events[i].data.ptr)) {
				continue;
			}
			if (now_ns() < end_ns) {
				ask(events[i].data.ptr);
			} else {
				running--;
			}
		}
	}
}

static int compare(const void *a, const void *b)
{
	float first = *(const float *)a;
	float second = *(const float *)b;

	return (first > second) - (first < second);
}

int main(int argc, char **argv)
{
	uint64_t start_ns = now_ns();
	double seconds;

	must(argc == 6 && atoi(argv[4]) <= CLIENTS_MAX, "five arguments");
	server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	server.sin_port = htons((uint16_t)atoi(argv[1]));
	compose(argv[2]);
	wanted_bytes = strtoull(argv[3], NULL, 10);
	set = epoll_create1(EPOLL_CLOEXEC);
	browse(atoi(argv[4]), start_ns + strtoull(argv[5], NULL, 10) * 1000000000);
	seconds = (double)(now_ns() - start_ns) / 1e9;
	qsort(lasted_ms, requests, sizeof(lasted_ms[0]), compare);
	printf("requests %zu whole %zu per-second %.1f p50-ms %.2f p99-ms %.2f\n", requests, whole,
		(double)requests / seconds, (double)lasted_ms[requests / 2],
		(double)lasted_ms[requests - 1 - requests / 100]);
	return 0;
}
