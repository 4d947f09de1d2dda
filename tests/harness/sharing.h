// SPDX-License-Identifier: MIT
/*
 * Runs of a program that has one connection and closes it in part: says "closed" where nothing may
 * have been sent or discarded yet, and goes on when it hears "on".
 */
#ifndef HARNESS_SHARING_H
#define HARNESS_SHARING_H

#include "stage.h"

/* The peer sends the first before "closed"; who is left untouched reads them and writes the
 * other. */
enum { SHARING_UNREAD_BYTES = 1000, SHARING_WRITTEN_BYTES = 5000 };

/* Of control, warn, drain, fin. */
enum { SHARING_MODES = 4 };
extern const char *const sharing_modes[SHARING_MODES];

struct sharing_row {
	const char *name;
	const char *words; /* TARGET stands for where the peer is; at the end "hear go" is added */
};

/* Pieces of such words. */
#define CONNECT "connect 3 TARGET "
#define CONNECT_CLOEXEC "connect-cloexec 3 TARGET "
#define AWAIT_UNREAD "await-unread 3 1000 "
#define USE(fd) "hear on read " fd " 1000 write " fd " 5000 close " fd " "

struct sharing_options {
	const char *mode;
	const char *environment[PROGRAM_ENVIRONMENT_MAX]; /* "NAME=value", up to the first NULL */
	const char *closing;                              /* stderr contains this at "closed" */
	const char *ending; /* and this when the connection has ended */
};

/* The run, to its end. */
struct stage_end sharing_run(const char *words, const struct sharing_options *options);

/* Status 0, all read and written by the other holder, FIN. */
void assert_was_untouched(const struct stage_end *end);

/* Tests over rows (*state is one): in which the other holder reads and writes, ... */
void sharing_test_left_alone(void **state);
void sharing_test_reported_as_shared(void **state);
void sharing_test_left_unknown(void **state); /* and nobody can tell who that is */

/* ... or the other one closes over unread bytes too. */
void sharing_test_last_control_resets(void **state);
void sharing_test_last_warn_reports_once(void **state);
void sharing_test_last_drain_ends_with_fin(void **state);
void sharing_test_last_fin_ends_with_fin(void **state);

#endif
