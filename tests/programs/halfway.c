// SPDX-License-Identifier: MIT
/*
 * halfway ROUNDS: a server, and its client in another thread. The server reads a part of each request,
 * answers, half-closes and closes; the client reads the answer to its end and closes at once. Where its FIN
 * comes before the server's close, that one resets nothing.
 */
#include "dial.h"

#include <pthread.h>

enum { REQUEST_BYTES = 1000, ANSWER_BYTES = 30000 };

static int listener;
static int rounds;

static void *ask(void *unused)
{
	static const char request[REQUEST_BYTES];
	static char answer[ANSWER_BYTES];

	(void)unused;
	for (int i = 0; i < rounds; i++) {
		int fd = connect_here(listener);

		must(write(fd, request, sizeof(request)) == sizeof(request), "write");
		while (recv(fd, answer, sizeof(answer), 0) > 0) {
		}
		close_well(fd);
	}
	return NULL;
}

static void serve(int fd)
{
	static const char answer[ANSWER_BYTES];
	char part[REQUEST_BYTES / 10];

	must(recv(fd, part, sizeof(part), MSG_WAITALL) == sizeof(part), "recv");
	must(write(fd, answer, sizeof(answer)) == sizeof(answer), "write");
	must(shutdown(fd, SHUT_WR) == 0, "shutdown");
	close_well(fd);
}

int main(int argc, char **argv)
{
	pthread_t client;

	must(argc == 2, "usage: halfway ROUNDS");
	rounds = number(argv[1]);
	listener = listen_here();
	must(pthread_create(&client, NULL, ask, NULL) == 0, "pthread_create");
	for (int i = 0; i < rounds; i++) {
		int fd = accept(listener, NULL, NULL);

		must(fd >= 0, "accept");
		serve(fd);
	}
	pthread_join(client, NULL);
	return 0;
}
