// SPDX-License-Identifier: MIT
/*
 * flushes WAY: closes streams over connections while bytes wait to be written.
 *   fclose, freopen, exit   the peer is gone, so that it answers the flush with a reset
 *   fails                   what fclose() says where the flush fails, and how often the program was signalled
 */
#include "dial.h"

#include <fcntl.h>
#include <signal.h>

static volatile sig_atomic_t signals;

static void count_signal(int number)
{
	(void)number;
	signals++;
}

/* Over a connection with a byte unread, whose other end is other. */
static FILE *open_stream(int *other)
{
	int listener = listen_here();
	int ends[2];
	FILE *stream;

	connect_pair(listener, ends);
	close_well(listener);
	*other = ends[0];
	stream = fdopen(ends[1], "r+");
	must(stream, "fdopen");
	return stream;
}

static void write_later(FILE *stream)
{
	must(fputs("later", stream) >= 0, "fputs");
}

static void tell_fclose(const char *what, FILE *stream)
{
	int result;

	errno = ERRNO_BEFORE;
	result = fclose(stream);
	tell("%s: %d, errno %d, %d signals", what, result, errno, (int)signals);
	signals = 0;
}

static void fail(void)
{
	char bytes[4096] = "";
	int other;
	FILE *stream = fopen("/dev/full", "w");

	must(stream, "fopen");
	write_later(stream);
	tell_fclose("a full device", stream);

	stream = open_stream(&other);
	must(shutdown(fileno(stream), SHUT_WR) == 0, "shutdown");
	write_later(stream);
	tell_fclose("half-closed", stream);

	stream = open_stream(&other);
	must(fcntl(fileno(stream), F_SETFL, O_NONBLOCK) == 0, "fcntl");
	while (write(fileno(stream), bytes, sizeof(bytes)) > 0) {
	}
	write_later(stream);
	tell_fclose("no room", stream);

	stream = open_stream(&other);
	must(recv(fileno(stream), bytes, 1, 0) == 1, "recv");
	write_later(stream);
	tell_fclose("well", stream);
	must(recv(other, bytes, sizeof(bytes), MSG_WAITALL) == 5, "what was flushed");
}

int main(int argc, char **argv)
{
	struct sigaction action = {.sa_handler = count_signal};
	const char *way = argc == 2 ? argv[1] : "";
	FILE *stream;
	int other;

	must(sigaction(SIGPIPE, &action, NULL) == 0, "sigaction");
	if (strcmp(way, "fails") == 0) {
		fail();
		return 0;
	}
	stream = open_stream(&other);
	write_later(stream);
	close_well(other);
	if (strcmp(way, "fclose") == 0) {
		tell_fclose("gone", stream);
	} else if (strcmp(way, "freopen") == 0) {
		must(freopen("/dev/null", "r", stream), "freopen");
	}
	return 0;
}
