// SPDX-License-Identifier: MIT
/*
 * One descriptor on its way out: what happens before and after the real call that closes it.
 * inspect -> policy -> (drain | background) -> report. Async-signal-safe, takes no lock, allocates
 * nothing, never waits, leaves errno alone.
 */
#ifndef SC_CLOSING_H
#define SC_CLOSING_H

#include "births.h"
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
	int64_t resets; /* watched: the kernel's count of them before; negative: not known */
	int cancel_state;
	const void *caller;
	bool is_mailbox;     /* a unix socket with messages (mailbox.h) */
	bool is_ended_early; /* no copy was to be had: ended before the real call */
	struct sc_linger_end early_end;
};

/* The call that closes, and where it was made. */
struct sc_call {
	enum sc_via via;
	const void *caller;
};

/* Once, before the first close. config must live for ever. */
void sc_closing_init(const struct sc_config *config);

/* Set once, with the configuration. */
enum sc_attention {
	SC_ATTENTION_NONE,
	SC_ATTENTION_UNREAD, /* of a connection with nothing unread there is nothing to do or tell */
	SC_ATTENTION_ALL,
};
extern _Atomic enum sc_attention sc_closing_attention;

/* Is there nothing to do, as for most closes? If not, more is to be asked than glance has. */
static inline __attribute__((always_inline)) bool sc_closing_is_plain(
	int fd, struct sc_glance *glance)
{
	enum sc_attention now = atomic_load_explicit(&sc_closing_attention, memory_order_relaxed);
	*glance = sc_glance_none;
	if (now == SC_ATTENTION_NONE || !sc_glance_is_allowed()) {
		return now == SC_ATTENTION_NONE;
	}
	return now == SC_ATTENTION_UNREAD && sc_births_is_tcp(fd)
		       ? sc_glance_is_clean(fd, glance)
		       : sc_glance_is_no_socket(fd, glance);
}

/* Is there anything to do at all (mode is not off)? */
bool sc_closing_is_on(void);

/* Do SAFECLOSE_MODE and SAFECLOSE_SHUTDOWN ask for half-closes instead of shutdowns? */
bool sc_closing_halves_shutdown(void);

/* Is the TCP socket fd one of those that SAFECLOSE_ONLY names? */
bool sc_closing_is_chosen(int fd);

/* Does SAFECLOSE_DEEPBIND ask to take RTLD_DEEPBIND away? */
bool sc_closing_strips_deepbind(void);

/* SAFECLOSE_EXIT_TIMEOUT; only while sc_closing_is_on(). */
uint64_t sc_closing_exit_timeout_ms(void);

/* The cheap first look of sc_closing_begin(): false means that it would say no. */
bool sc_closing_is_of_interest(int fd);

/* Is fd, which is no TCP socket, one that sc_closing_begin() would say yes to all the same? */
bool sc_closing_is_mailbox(int fd);

/*
 * Before the real call, which closes fd; caller is where that was called from. false: nothing to
 * do, make the call and forget *it. true: make the call, and then sc_closing_end(). Between the two
 * the thread cannot be cancelled.
 */
bool sc_closing_begin(struct sc_closing *it, int fd, enum sc_via via, const void *caller);

/* The same where sc_closing_is_plain() has said no. */
bool sc_closing_begin_after_glance(struct sc_closing *it, int fd, struct sc_glance glance,
	enum sc_via via, const void *caller);

/* After the real call; is_closed: fd no longer holds the connection. */
void sc_closing_end(struct sc_closing *it, bool is_closed);

/* After sc_closing_begin(): another descriptor of this process, to be closed after this one, holds the
 * same connection. */
void sc_closing_leave_to_twin(struct sc_closing *it);

/*
 * fds would be closed by an exec that is about to be tried: end their connections, but leave the
 * descriptors open.
 */
void sc_closing_before_exec(const int *fds, size_t count, const struct sc_call *call);

#endif
