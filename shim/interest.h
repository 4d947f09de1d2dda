// SPDX-License-Identifier: MIT
/*
 * The interest that an epoll set of the program has in a connection that closes. A private copy keeps
 * the connection alive, so the set would go on reporting a descriptor that is closed: it is taken out
 * before. Where somebody else may hold the connection, only the answer tells whether that was right: then
 * it is put back, as the kernel would have left it. Async-signal-safe; leaves errno alone.
 */
#ifndef SC_INTEREST_H
#define SC_INTEREST_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/epoll.h>

enum sc_interest_state {
	SC_INTEREST_NONE,      /* no set, or more than one */
	SC_INTEREST_ENDED,     /* taken out, and nobody else can hold the connection */
	SC_INTEREST_TAKEN_OUT, /* taken out, but somebody may hold it */
	SC_INTEREST_LEFT_IN, /* both are inherited: most likely another's, who goes on; or it is not
				* known what would have to be put back */
};

/* Plain data: part of a job (job.h). */
struct sc_interest {
	uint64_t data;
	uint32_t events;
	int32_t set; /* of the program's table */
	uint8_t state;
};

/* Note what the program tells its sets. before: about to call; after: it has succeeded. */
void sc_interest_before_epoll_ctl(int set, int operation, int fd);
void sc_interest_after_epoll_ctl(int operation, int fd, const struct epoll_event *event);

/* fd is about to be closed, and a copy kept. */
void sc_interest_take_out(struct sc_interest *it, int fd);

/* The same where the connection is ending although fd stays open: in no set of the program's any more. */
void sc_interest_end(int fd);

/* fd was not closed after all, or is a copy of what somebody else still holds. */
void sc_interest_put_back(const struct sc_interest *it, int fd);

/* Does the answer about the holders matter? */
bool sc_interest_is_unsure(const struct sc_interest *it);

/*
 * Settle it, in a descriptor table of the calling thread's own: put it in, or take it out. set and copy:
 * the set and the connection there; number: the program's, which the kernel knows the interest by.
 */
void sc_interest_settle(const struct sc_interest *it, bool is_in, int set, int copy, int number);

#endif
