// SPDX-License-Identifier: MIT
#include "deadline.h"

#include <errno.h>
#include <poll.h>
#include <time.h>

int64_t deadline_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t deadline_in(int wait_ms)
{
	return deadline_now() + wait_ms;
}

int deadline_left_ms(int64_t deadline)
{
	int64_t left_ms = deadline - deadline_now();

	return left_ms > 0 ? (int)left_ms : 0;
}

bool deadline_pause(int64_t deadline)
{
	const struct timespec moment = {.tv_nsec = 1000000};

	if (deadline_left_ms(deadline) == 0) {
		return false;
	}
	nanosleep(&moment, NULL);
	return true;
}

short deadline_poll(int fd, short events, int64_t deadline)
{
	struct pollfd polled = {.fd = fd, .events = events};

	for (;;) {
		int ready = poll(&polled, 1, deadline_left_ms(deadline));

		if (ready > 0) {
			return polled.revents;
		}
		if (ready == 0 || errno != EINTR) {
			return 0;
		}
	}
}
