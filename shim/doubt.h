// SPDX-License-Identifier: MIT
/*
 * One connection that the program closed and somebody else may hold: is the answer about the holders
 * to be believed, or will it be another one in a moment? Counts the tries; they are bounded, and few
 * where the process ends (is_hurried). Leaves errno alone.
 */
#ifndef SC_DOUBT_H
#define SC_DOUBT_H

#include "holders.h"
#include "slots.h"

/* Before the first answer; and: the next answer is to be believed. */
void sc_doubt_begin(struct sc_lingerer *it);
void sc_doubt_end(struct sc_lingerer *it);

/* Asked only a few times: it is worth asking soon again. */
bool sc_doubt_is_new(const struct sc_lingerer *it);

/* There is an answer. Is to be asked again? */
bool sc_doubt_remains(
	struct sc_lingerer *it, const struct sc_holders_query *query, bool is_hurried);

/* Asked again, without a sweep: is the holder found the last time still to be waited for? */
bool sc_doubt_waits_for_holder(struct sc_lingerer *it, bool is_hurried);

/*
 * Nobody holds it: is nothing unread any more? Then whoever held it read it all and closed, or their
 * library is ending it just now.
 */
bool sc_doubt_is_moot(const struct sc_lingerer *it);

/*
 * The answer is final, and with it whether the epoll set was right to be left; its descriptor is
 * closed. Only on a thread with a descriptor table of its own.
 */
void sc_doubt_settle_interest(
	struct sc_lingerer *it, const struct sc_holders_query *query, bool is_ours);

#endif
