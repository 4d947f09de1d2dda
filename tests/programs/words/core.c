// SPDX-License-Identifier: MIT
#include "words.h"

#include <poll.h>
#include <stdarg.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

__thread char **next_word;
__thread const char *running_word = "start";
int input_fd = 0;
int output_fd = 1;
uint64_t read_place[FD_MAX];
uint64_t written_place[FD_MAX];
FILE *streams[FD_MAX];

void tell(const char *format, ...)
{
	char line[LINE_MAX_BYTES];
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = vsnprintf(line, sizeof(line) - 1, format, arguments);
	va_end(arguments);
	if (length > (int)sizeof(line) - 2) {
		length = (int)sizeof(line) - 2;
	}
	line[length++] = '\n';
	if (write(output_fd, line, (size_t)length) != length) {
		_exit(STATUS_FAILED);
	}
}

void give_up(const char *what)
{
	tell("actor: %s: %s: errno %d", running_word, what, errno);
	_exit(STATUS_FAILED);
}

void must(bool is_done, const char *what)
{
	if (!is_done) {
		give_up(what);
	}
}

int number(const char *text)
{
	char *end;
	long value = strtol(text, &end, 0);

	must(*text && !*end, "not a number");
	return (int)value;
}

int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void pause_within(int64_t start_ms)
{
	const struct timespec moment = {.tv_nsec = 1000000};

	must(now_ms() - start_ms < WAIT_MS, "waited in vain");
	nanosleep(&moment, NULL);
}

void await_events(int fd, short events)
{
	struct pollfd polled = {.fd = fd, .events = events};

	must(poll(&polled, 1, WAIT_MS) == 1, "waited in vain");
}

void must_be(int fd, int wanted_fd)
{
	must(fd >= 0, "failed");
	if (fd != wanted_fd) {
		tell("actor: %s: descriptor %d came out as %d", running_word, wanted_fd, fd);
		_exit(STATUS_FAILED);
	}
	if (fd < FD_MAX) {
		read_place[fd] = 0;
		written_place[fd] = 0;
	}
}

void tell_result(const char *call, const char *arguments, long result)
{
	int error = errno;

	tell("%s %s -> %ld errno %d", call, arguments, result, error);
}
