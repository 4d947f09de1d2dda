// SPDX-License-Identifier: MIT
/*
 * Every wait of the tests ends: at what it waits for, or at a deadline, which fails the test.
 * A deadline is a moment of CLOCK_MONOTONIC in milliseconds.
 */
#ifndef HARNESS_DEADLINE_H
#define HARNESS_DEADLINE_H

#include <stdbool.h>
#include <stdint.h>

/* Far beyond what any step takes, even where all processors are busy. */
enum { DEADLINE_MS = 20000 };

/* Now, in milliseconds. */
int64_t deadline_now(void);

/* The moment wait_ms milliseconds from now. */
int64_t deadline_in(int wait_ms);

/* Milliseconds left, at least 0; fits poll(). */
int deadline_left_ms(int64_t deadline);

/* Between two looks at something that has no descriptor to poll: lets a millisecond pass.
 * Returns false once the deadline has passed. */
bool deadline_pause(int64_t deadline);

/* Wait until poll() events come on fd. Returns the events, 0 at the deadline. */
short deadline_poll(int fd, short events, int64_t deadline);

#endif
