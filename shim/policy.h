// SPDX-License-Identifier: MIT
/*
 * What to do with a connection that is about to be closed: config + conn + holders -> verdict.
 * Pure: no system call, no state. Async-signal-safe.
 */
#ifndef SC_POLICY_H
#define SC_POLICY_H

#include "config.h"
#include "conn.h"

/* Who holds the connection besides the descriptors that the call under way closes. */
enum sc_holders {
	SC_HOLDERS_UNASKED, /* not asked yet: the verdict is a plan */
	SC_HOLDERS_NOBODY,  /* proven: this close is the last */
	SC_HOLDERS_SOMEBODY,
	SC_HOLDERS_UNKNOWN, /* treated as SOMEBODY */
};

enum sc_action {
	SC_ACTION_PASS,  /* the kernel's close, nothing else */
	SC_ACTION_WATCH, /* the kernel's close, and find out afterwards whether it reset */
	SC_ACTION_DRAIN, /* discard what is unread, then close */
	SC_ACTION_LINGER /* half-close, discard until the peer's FIN or a limit, then close */
};

enum sc_outcome {
	SC_OUTCOME_NONE, /* nothing to tell */
	SC_OUTCOME_RST,
	SC_OUTCOME_FIN,
	SC_OUTCOME_SHARED,
	SC_OUTCOME_ABORTIVE,
	SC_OUTCOME_TIMEOUT,
	SC_OUTCOME_LIMIT
};

struct sc_verdict {
	enum sc_action action;
	enum sc_outcome outcome; /* known already only where action is SC_ACTION_PASS */
	const char *why;         /* constant string or NULL */
};

/*
 * Does the quick look (proto, is_listener, unread_bytes, is_urgent; nothing else is filled in)
 * leave anything to decide? false: let the call pass, at once.
 */
bool sc_policy_is_of_interest(const struct sc_config *config, const struct sc_conn *quick);

/*
 * The verdict over a wholly inspected connection. With holders SC_HOLDERS_UNASKED it is what should
 * be done if nobody else holds the connection; the action it names is taken only after a second call
 * with the holders known gives the same action.
 */
struct sc_verdict sc_policy_decide(
	const struct sc_config *config, const struct sc_conn *conn, enum sc_holders holders);

/* Milliseconds that this connection may linger in all: SAFECLOSE_LINGER_TIME, bounded by the
 * program's own SO_LINGER {1, n}. */
uint64_t sc_policy_linger_time_ms(const struct sc_config *config, const struct sc_conn *conn);

/* Is an event with this outcome, these unread bytes and these discarded bytes worth a report? */
bool sc_policy_is_reported(const struct sc_config *config, const struct sc_conn *conn,
	enum sc_outcome outcome, uint64_t drained_bytes);

#endif
