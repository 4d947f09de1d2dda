// SPDX-License-Identifier: MIT
/* A program that we start: its output in, its end out. It dies with us. */
#ifndef DEMO_PROCESS_H
#define DEMO_PROCESS_H

#include <stdbool.h>
#include <sys/types.h>

#include "scene.h"

struct process {
	pid_t pid;     /* 0: not started, or reaped */
	int output_fd; /* -1: at its end */
	size_t output_bytes;
	struct process_seen *seen;
};

/* What the program runs with; mode and when are SAFECLOSE_MODE and SAFECLOSE_WHEN or NULL. */
struct process_preload {
	const char *library; /* absolute path */
	const char *mode;
	const char *when;
};

void process_init(struct process *process, struct process_seen *seen);

/* Start arguments[0], with the library preloaded or (NULL) without. 0 or a negative errno. */
int process_start(
	struct process *process, char *const arguments[], const struct process_preload *preload);

/* Take in output that waits, or its end. */
void process_read(struct process *process);

/* Take in the program's end, if it has ended. */
void process_reap(struct process *process);

/* Has it ended, and is all its output here? */
bool process_is_done(const struct process *process);

/* End it, where it still runs. */
void process_kill(struct process *process);

#endif
