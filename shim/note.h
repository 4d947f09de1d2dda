// SPDX-License-Identifier: MIT
/*
 * What a report tells of a close beyond its job: who closed, and what the unread bytes begin with.
 * Only taken where it will be shown, and kept as long as the connection lingers: ten thousand of
 * them may be kept at once. Plain data, sent along with the job.
 */
#ifndef SC_NOTE_H
#define SC_NOTE_H

#include "config.h"
#include "conn.h"
#include <stddef.h>
#include <stdint.h>

enum { SC_COMM_SIZE = 16 }; /* of a thread's name, terminator included (TASK_COMM_LEN) */

struct sc_note {
	int32_t tid; /* of the thread that closed; 0: unknown */
	uint16_t preview_bytes;
	uint8_t guess;           /* enum sc_guess */
	char comm[SC_COMM_SIZE]; /* of that thread; "": unknown */
	unsigned char preview[SC_PREVIEW_MAX];
};

/* Room that a note needs at most; 0: reports show nothing of it. */
size_t sc_note_size(void);

/* The bytes of this one that matter. */
size_t sc_note_length(const struct sc_note *note);

/*
 * Take the note of a close by the calling thread, as late as can be: fd still holds the connection
 * conn. Consumes nothing. Async-signal-safe; leaves errno alone.
 */
void sc_note_take(struct sc_note *note, int fd, const struct sc_conn *conn);

#endif
