// SPDX-License-Identifier: MIT
/*
 * Many peers at once, for a program that connects again and again: each sends CROWD_BYTES of the
 * pattern when it is connected, reads what comes, and hangs up when its connection ends. They live
 * in the runner, on the stage, and serve until the program and all connections have ended.
 */
#ifndef HARNESS_CROWD_H
#define HARNESS_CROWD_H

#include "counters.h"
#include "program.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CROWD_BYTES = 1000 };

struct crowd_options {
	struct program_options program; /* gets the peers' port as its first argument */
	bool stays;                     /* and does not hang up before the program has ended */
	bool sends_late;                /* after the program's FIN two more bytes, one urgent */
};

/* How it went. */
struct crowd_end {
	int status;              /* of the program */
	size_t connections;      /* that there were */
	size_t fins;             /* ended without an error */
	size_t errors;           /* ended with one */
	uint64_t received_bytes; /* from the program, by all together */
	struct counters grown;
	const char *output; /* of the program; valid until the next run or the teardown */
	const char *report; /* its stderr */
};

/* Run the program with the arguments that stand in the formatted text, to the end. A deadline fails
 * the test. */
struct crowd_end crowd_run(const struct crowd_options *options, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* The program ended with status 0, and every connection with FIN, all of them expected. */
void assert_crowd_was_fin(const struct crowd_end *end, size_t connections);

/* The program ended with status 0, and every close reset its connection over unread bytes. */
void assert_crowd_was_reset(const struct crowd_end *end, size_t connections);

/* The cmocka teardown: close what is open. */
int crowd_teardown(void **state);

#endif
