// SPDX-License-Identifier: MIT
/*
 * What there is to do with a descriptor that is about to be closed: from what the kernel says and
 * the configuration to a verdict, and what has to be remembered of the close. Changes nothing.
 * Async-signal-safe; leaves errno alone.
 */
#ifndef SC_PLAN_H
#define SC_PLAN_H

#include "births.h"
#include "compiler.h"
#include "config.h"
#include "glance.h"
#include "holders.h"
#include "job.h"
#include "policy.h"
#include "report.h"
#include <stdatomic.h>
#include <stdbool.h>

/* Set once, with the configuration. */
enum sc_attention {
	SC_ATTENTION_NONE,   /* mode is off */
	SC_ATTENTION_UNREAD, /* of a connection with nothing unread there is nothing to do or tell */
	SC_ATTENTION_ALL,
};
extern SC_HIDDEN _Atomic enum sc_attention sc_plan_attention;

/* Once, before the first close. */
void sc_plan_init(void);

/* Is there ever anything to do? */
static inline bool sc_plan_is_any(void)
{
	return atomic_load_explicit(&sc_plan_attention, memory_order_relaxed) != SC_ATTENTION_NONE;
}

/* Do SAFECLOSE_MODE and SAFECLOSE_SHUTDOWN ask for half-closes instead of shutdowns? */
bool sc_plan_halves_shutdown(void);

/* Does SAFECLOSE_DEEPBIND ask to take RTLD_DEEPBIND away? */
bool sc_plan_strips_deepbind(void);

/* Is there nothing to do, as for most closes? If not, more is to be asked than glance has. */
static inline __attribute__((always_inline)) bool sc_plan_is_plain(int fd, struct sc_glance *glance)
{
	enum sc_attention now = atomic_load_explicit(&sc_plan_attention, memory_order_relaxed);
	*glance = sc_glance_none;
	if (!SC_MOSTLY(now != SC_ATTENTION_NONE && sc_glance_is_allowed())) {
		return now == SC_ATTENTION_NONE;
	}
	return now == SC_ATTENTION_UNREAD && sc_births_is_tcp(fd)
		       ? sc_glance_is_clean(fd, glance)
		       : sc_glance_is_no_socket(fd, glance);
}

/* Is there, by a quick look, something to decide? */
bool sc_plan_is_of_interest(int fd);

/* Is the TCP socket fd one of those that SAFECLOSE_ONLY names? */
bool sc_plan_is_chosen(int fd);

/* After a quick look at fd that filled in conn: may connections end with it that are in
 * messages? */
bool sc_plan_finds_mailbox(int fd, const struct sc_conn *conn);

/* After a glance: fills in conn, all but addresses and what is unacknowledged, and makes the
 * plan. false: nothing to do. */
bool sc_plan_make(int fd, struct sc_glance glance, struct sc_conn *conn, struct sc_verdict *plan);

/* All of job but conn and origin. */
void sc_plan_remember(struct sc_job *job, int fd, enum sc_via via);

/* What only a report wants to know, if there may be one: who closes, and over what. */
void sc_plan_take_note(
	struct sc_note *note, const struct sc_job *job, int fd, const struct sc_verdict *plan);

/* Who else holds them? Until every answer is certain, but not for ever. */
void sc_plan_ask(struct sc_holders_query *queries, size_t count, enum sc_own_table own_table);

/* The same. *is_passing: UNKNOWN only because it may be in a message, or the like, where nobody uses it. */
enum sc_holders sc_plan_ask_hands(const struct sc_job *job, bool *is_passing);

/* The same of one that the program has closed. */
enum sc_holders sc_plan_ask_holders(const struct sc_job *job);

#endif
