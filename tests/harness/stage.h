// SPDX-License-Identifier: MIT
/*
 * All that one run of a program needs: a fresh network namespace, its counters, a capture, a peer
 * and the program. The stage is one for the whole runner: a test opens it for each run, and the
 * teardown closes what a failed test left.
 */
#ifndef HARNESS_STAGE_H
#define HARNESS_STAGE_H

#include "capture.h"
#include "counters.h"
#include "peer.h"
#include "program.h"

struct stage {
	struct counters before;
	struct capture capture;
	struct peer peer;
	struct peer other_peer; /* for a second connection: peer_listen() it where needed */
	struct program program;
};

/* How the run ended, as peer, wire, counters and program saw it. */
struct stage_end {
	enum peer_family family;
	int status;              /* of the program */
	int peer_error;          /* 0 or the errno that ended the peer's connection */
	uint64_t received_bytes; /* by the peer, all of them the pattern's */
	bool was_fin_sent;       /* by the program's side */
	bool was_rst_sent;       /* by the program's side */
	struct counters grown;
	const char *output; /* of the program; valid until the stage is closed */
	const char *errors;
};

/* A new stage, with the peer listening. Skips the test where there can be none. */
struct stage *stage_open(enum peer_family family);

/* The same without a capture, which costs 35 ms: the kernel waits three times until no processor can
 * still see its ring. Not for stage_finish() and stage_judge(). With HARNESS_VERBOSE there is one. */
struct stage *stage_open_uncaptured(enum peer_family family);

/*
 * The usual last act: the peer receives to the end and hangs up, the program is told "go" if
 * is_told, and its exit is waited for.
 */
struct stage_end stage_finish(struct stage *stage, bool is_told);

/* The same without touching peer or program: both have ended. */
struct stage_end stage_judge(struct stage *stage, int status);

/* Close the stage. With HARNESS_VERBOSE in the environment, tell all that happened on it. */
void stage_close(struct stage *stage);

/* The cmocka teardown: close what is open. */
int stage_teardown(void **state);

#endif
