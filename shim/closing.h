// SPDX-License-Identifier: MIT
/*
 * One descriptor on its way out: what happens before and after the real call that closes it.
 * inspect -> policy -> (drain | background) -> report. Async-signal-safe, allocates nothing, leaves
 * errno alone; waits for nobody but other closes and calls of the same family, and for those some
 * milliseconds.
 */
#ifndef SC_CLOSING_H
#define SC_CLOSING_H

#include "config.h"
#include "glance.h"
#include "job.h"
#include "linger.h"
#include "policy.h"
#include "report.h"
#include "watch.h"

/* A close under way; the caller's, on its stack. */
struct sc_closing {
	struct sc_job job;
	struct sc_note note;
	struct sc_verdict plan;
	int held; /* drain, linger: private copy; else negative errno */
	struct sc_watch watch;
	uint32_t turn;   /* watched: the family's, to reset; 0: none */
	int64_t resets;  /* watched: the kernel's count of them before; negative: not known */
	bool is_settled; /* watched: the answer was clear in this turn */
	bool has_reset;
	int answer; /* of sc_watch_end() */
	int cancel_state;
	const void *caller;
	bool is_mailbox;     /* a unix socket with messages (mailbox.h) */
	bool is_ended_early; /* no copy was to be had: ended before the real call */
	struct sc_linger_end early_end;
};

/*
 * Before the real call, which closes fd; caller is where that was called from. false: nothing to
 * do, make the call and forget *it. true: make the call, and then sc_closing_end(). Between the two
 * the thread cannot be cancelled.
 */
bool sc_closing_begin(struct sc_closing *it, int fd, enum sc_via via, const void *caller);

/* The same where sc_plan_is_plain() has said no. */
bool sc_closing_begin_after_glance(struct sc_closing *it, int fd, struct sc_glance glance,
	enum sc_via via, const void *caller);

/* After the real call; is_closed: fd no longer holds the connection. */
void sc_closing_end(struct sc_closing *it, bool is_closed);

/* After sc_closing_begin(): another descriptor of this process, to be closed after this one,
 * holds the same connection. */
void sc_closing_leave_to_twin(struct sc_closing *it);

#endif
