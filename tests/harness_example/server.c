// SPDX-License-Identifier: MIT
/*
 * A small server of the kind that `safeclose run --fail-on-reset` finds a fault in. Listens on a
 * loopback port, which it tells on stdout. "PUT N:" and N bytes: answers "200 N\n", or "413\n" where
 * N is above 100. Then it closes - without having read what it refuses. That close resets the
 * connection, and the answer gets lost where the client has not fetched it yet.
 */
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { UPLOAD_MAX = 100, CHUNK = 256 };

/* Not static: exported (-rdynamic), they have names in a report. */
void refuse(int client);
void take(int client, size_t bytes);
void serve(int client);

static void answer(int client, const char *text)
{
	if (write(client, text, strlen(text)) < 0) {
		perror("write");
	}
}

/* The fault: the upload is still there to be read. */
void refuse(int client)
{
	answer(client, "413\n");
	close(client);
}

void take(int client, size_t bytes)
{
	char chunk[CHUNK];
	char text[32];
	size_t got = 0;

	while (got < bytes) {
		size_t wanted = bytes - got < sizeof(chunk) ? bytes - got : sizeof(chunk);
		ssize_t now = read(client, chunk, wanted);

		if (now <= 0) {
			break;
		}
		got += (size_t)now;
	}
	snprintf(text, sizeof(text), "200 %zu\n", got);
	answer(client, text);
	close(client);
}

void serve(int client)
{
	char line[32];
	size_t length = 0;

	while (length < sizeof(line) - 1 && read(client, &line[length], 1) == 1 &&
		line[length] != ':') {
		length++;
	}
	line[length] = '\0';
	size_t bytes = strncmp(line, "PUT ", 4) == 0 ? strtoul(line + 4, NULL, 10) : 0;
	if (bytes > UPLOAD_MAX) {
		refuse(client);
	} else {
		take(client, bytes);
	}
}

static void end(int number)
{
	(void)number;
	_exit(0);
}

int main(void)
{
	struct sockaddr_in place = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t size = sizeof(place);
	signal(SIGTERM, end);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (bind(listener, (struct sockaddr *)&place, size) < 0 || listen(listener, 16) < 0 ||
		getsockname(listener, (struct sockaddr *)&place, &size) < 0) {
		perror("server");
		return 1;
	}
	printf("%d\n", ntohs(place.sin_port));
	fflush(stdout);
	for (;;) {
		int client = accept(listener, NULL, NULL);

		if (client >= 0) {
			serve(client);
		}
	}
}
