// SPDX-License-Identifier: MIT
/*
 * The document's client: connect(); close();
 *
 * in:  PORT of 127.0.0.1; --early: close at once, else when the server's byte has arrived, unread,
 *      as in the document's capture
 * out: nothing; exit status 0, or 1 with the reason on stderr
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { WAIT_MS = 10000 }; /* longest wait for the server's byte */

static int fail(const char *what)
{
	fprintf(stderr, "client: %s: %s\n", what, strerror(errno));
	return 1;
}

int main(int argc, char **argv)
{
	bool is_early = argc == 3 && strcmp(argv[1], "--early") == 0;
	int port = argc > 1 ? atoi(argv[argc - 1]) : 0;
	struct sockaddr_in server = {.sin_family = AF_INET};
	struct pollfd byte = {.events = POLLIN};

	if (argc != (is_early ? 3 : 2) || port < 1 || port > 65535) {
		fprintf(stderr, "usage: client [--early] PORT\n");
		return 1;
	}
	server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	server.sin_port = htons((uint16_t)port);
	byte.fd = socket(AF_INET, SOCK_STREAM, 0);
	if (byte.fd < 0 || connect(byte.fd, (struct sockaddr *)&server, sizeof(server)) != 0) {
		return fail("connect");
	}
	if (!is_early && poll(&byte, 1, WAIT_MS) != 1) {
		errno = ETIMEDOUT;
		return fail("no byte");
	}
	if (close(byte.fd) != 0) {
		return fail("close");
	}
	return 0;
}
