// SPDX-License-Identifier: MIT
/*
 * The memory of the connections that linger: numbered slots in one mapping that grows, chained by
 * age, and their notes in another one where there are any. Addresses are good until the next
 * sc_slots_take(). For one thread.
 */
#ifndef SC_SLOTS_H
#define SC_SLOTS_H

#include "job.h"
#include "linger.h"
#include <stdbool.h>
#include <stdint.h>

enum { SC_NO_SLOT = UINT32_MAX };

enum sc_phase {
	SC_PHASE_WAITING,   /* nobody else holds it; it is to begin */
	SC_PHASE_ASKING,    /* its holders are to be asked for */
	SC_PHASE_RETRY,     /* and to be asked for again soon */
	SC_PHASE_LINGERING, /* the FIN is out */
};

struct sc_lingerer {
	struct sc_job job;
	struct sc_linger linger;
	uint32_t older;
	uint32_t newer; /* the chain of free slots uses this one too */
	int fd;
	int set;        /* the program's epoll set, while its interest is unsure; else -1 */
	int holder_pid; /* who had it when last asked; 0: nobody, or this process */
	int holder_fd;
	uint32_t holder_exe; /* which program that runs; 0: unknown */
	uint8_t phase;
	uint8_t retries;
	uint8_t grace;    /* retries since that has let go */
	bool is_answered; /* at least once */
};
_Static_assert(
	sizeof(struct sc_lingerer) <= 240, "many linger at once: at most 256 bytes, all told");

struct sc_slots {
	struct sc_lingerer *slots;
	uint32_t size;      /* slots there are */
	uint32_t fresh;     /* from here on none was ever used: not touched, so not resident */
	uint32_t free_slot; /* chain of free ones */
	uint32_t oldest;    /* chain by age */
	uint32_t newest;
	uint32_t count; /* in use */
	void *notes;
	size_t note_size; /* room for each; 0: there are none */
	size_t notes_bytes;
};

void sc_slots_init(struct sc_slots *all, size_t note_size);

/* The note of a slot, also of one just freed; NULL: there are none. */
struct sc_note *sc_slots_note(const struct sc_slots *all, uint32_t slot);

/* A slot, as the newest; its content is undefined. SC_NO_SLOT: no memory. */
uint32_t sc_slots_take(struct sc_slots *all);

void sc_slots_free(struct sc_slots *all, uint32_t slot);

/* Give the memory back. */
void sc_slots_end(struct sc_slots *all);

#endif
