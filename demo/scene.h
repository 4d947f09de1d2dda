// SPDX-License-Identifier: MIT
/*
 * The words that the demo's parts share: a scene, which is one run of server and client and how
 * it must end, and a sighting, which is all that was seen of it. Plain data.
 */
#ifndef DEMO_SCENE_H
#define DEMO_SCENE_H

#include <stdbool.h>
#include <stdint.h>

#include "capture.h"

struct scene {
	const char *name;
	const char *story;
	const char *mode; /* SAFECLOSE_MODE of the client; NULL: it runs without the library */
	const char *when; /* SAFECLOSE_WHEN of the client; NULL: unset */
	bool is_late;     /* the byte comes after the close */
	/* How it must end. */
	bool is_reset;       /* the client's host sends RST; else FIN, and no RST anywhere */
	int aborts;          /* growth of TCPAbortOnClose */
	const char *outcome; /* what the library's report says; NULL: there is none */
};

/* How a process ended. */
enum process_end { PROCESS_NOT_STARTED, PROCESS_KILLED, PROCESS_EXITED, PROCESS_SIGNALED };

enum { OUTPUT_BYTES = 4096 };

struct process_seen {
	enum process_end end;      /* KILLED: by us, it was still running at the deadline */
	int status;                /* exit status, or the signal */
	char output[OUTPUT_BYTES]; /* stdout and stderr, ended with NUL */
};

struct sighting {
	bool is_complete; /* the stage came to its end, so the rest is meant */
	bool has_netns;   /* a private namespace, so the counters are this run's alone */
	bool has_capture;
	int netns_error, capture_error; /* negative errno where there is none */
	char netns_step[64];            /* what was refused */
	int64_t aborts, resets_sent;    /* growth of TCPAbortOnClose and OutRsts; -1: not known */
	char recv_result[32], so_error[32]; /* what the server saw; empty: it did not tell */
	struct process_seen server, client;
	struct capture capture;
};

#endif
