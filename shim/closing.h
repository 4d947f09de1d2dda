// SPDX-License-Identifier: MIT
/*
 * One descriptor on its way out: what happens before and after the real call that closes it.
 * inspect -> policy -> (drain | linger) -> report. Async-signal-safe, takes no lock, allocates
 * nothing, leaves errno alone.
 */
#ifndef SC_CLOSING_H
#define SC_CLOSING_H

#include "births.h"
#include "config.h"
#include "policy.h"
#include "report.h"

/* A close under way; the caller's, on its stack. */
struct sc_closing {
	struct sc_conn conn;
	struct sc_verdict plan;
	enum sc_via via;
	enum sc_birth birth;
	const void *caller; /* return address of the call that closes */
	uint64_t begun_us;
	int fd;
	int held; /* drain, linger: private copy; watch: epoll set it is in; else negative errno */
	int cancel_state;
};

/* Once, before the first close. config must live for ever. */
void sc_closing_init(const struct sc_config *config);

/* The configuration in force, or NULL before sc_closing_init(). */
bool sc_closing_is_on(void);

/*
 * Before the real call. false: nothing to do, make the call and forget *it. true: make the call, and
 * then sc_closing_end(). Between the two the thread cannot be cancelled.
 */
bool sc_closing_begin(struct sc_closing *it, int fd, enum sc_via via, const void *caller);

/* After the real call; is_closed: fd no longer holds the connection. */
void sc_closing_end(struct sc_closing *it, bool is_closed);

#endif
