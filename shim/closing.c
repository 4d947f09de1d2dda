// SPDX-License-Identifier: MIT
#include "closing.h"
#include "background.h"
#include "births.h"
#include "departures.h"
#include "family.h"
#include "holder.h"
#include "inspect.h"
#include "interest.h"
#include "leaving.h"
#include "mailbox.h"
#include "ownfds.h"
#include "parting.h"
#include "plan.h"
#include "process.h"
#include "resets.h"
#include "sink.h"
#include "stacks.h"
#include "sys.h"
#include "telling.h"
#include "turns.h"
#include "watch.h"
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdatomic.h>

enum {
	RELEASE_PAUSES = 600,
	PAUSE_NS = 100000,
};

static bool is_unshared(int fd)
{
	enum sc_birth birth = sc_births_of(fd);
	return birth == SC_BIRTH_SOLE || birth == SC_BIRTH_LOCAL;
}

/* A private copy of fd, which keeps the connection alive past the program's close. */
static int begin_hold(struct sc_job *job, int fd)
{
	int copy = sc_ownfds_copy(fd);
	if (copy >= 0) {
		sc_family_add_copy(sc_process_pid(), copy);
		if (is_unshared(fd)) {
			/* SIGIO and SIGURG go to the program, which is about to have closed. */
			sc_sys_fcntl(copy, F_SETOWN, 0);
		}
		sc_interest_take_out(&job->interest, fd);
	}
	return copy;
}

static void let_go(const struct sc_closing *it)
{
	if (it->held >= 0) {
		if (it->job.birth != SC_BIRTH_SOLE) {
			sc_ownfds_empty(it->held); /* somebody may look for holders now */
		}
		sc_family_remove_copy(sc_process_pid(), it->held);
	}
	sc_ownfds_release(it->held);
}

/* No descriptor is to be had for a copy, but nobody else holds it: end it before the real call. */
static void end_early(struct sc_closing *it, int fd)
{
	it->is_ended_early = true;
	it->job.is_in_place = true;
	sc_inspect_unacked(fd, &it->job.conn);
	sc_interest_take_out(&it->job.interest, fd);
	/* Where not even the background could receive it, it would be lost on the way. */
	bool can_be_received = sc_ownfds_share(1) > 0;
	if (it->plan.action == SC_ACTION_LINGER && can_be_received &&
		sc_background_give(&it->job, &it->note, fd) == 0) {
		it->early_end.outcome = SC_OUTCOME_NONE; /* the background tells */
		return;
	}
	it->early_end =
		sc_linger_end_without_thread(fd, it->plan.action, sc_config.drain_max_bytes);
}

/* Take what the end will need: a watch, a copy, or nothing. */
static void take_hold(struct sc_closing *it, int fd)
{
	it->is_ended_early = false;
	it->held = -EBADF;
	it->resets = -1;
	if (it->plan.action == SC_ACTION_WATCH) {
		sc_watch_begin(&it->watch, fd);
		it->watch.is_listener = it->job.conn.is_listener;
	} else if (it->plan.action != SC_ACTION_PASS) {
		it->held = begin_hold(&it->job, fd);
		sc_background_prepare();
		if (it->held < 0 && sc_holders_are_known((enum sc_birth)it->job.birth)) {
			end_early(it, fd);
		}
	}
}

/*
 * The very last look, as what is told of a watched one is what the close is about to do. The peer
 * may have reset it since, and then there is nothing left to reset. Another holder or thread may
 * have read it empty; or may do so, and close, before the watch can tell. And where the program has
 * sent its FIN, the peer's, or its answer to ours, ends the connection: then a close resets nothing
 * (__tcp_close, net/ipv4/tcp.c).
 */
static void look_last(struct sc_closing *it, int fd)
{
	struct sc_conn now;
	bool is_sole = it->job.birth == SC_BIRTH_SOLE;
	bool is_listener = it->job.conn.is_listener;
	it->turn = sc_resets_begin_turn();
	if (!is_listener &&
		!(is_sole && sc_turns_is_one_thread() && !sc_inspect_is_fin_sent(&it->job.conn))) {
		it->resets = sc_resets_before(&it->job.conn, fd);
	}
	sc_inspect_quickly(fd, &now);
	sc_inspect_unacked_late(fd, &it->job.conn);
	bool is_over = it->job.conn.state == TCP_CLOSE;
	if (is_over || (!is_listener && now.unread_bytes == 0 && !now.is_urgent)) {
		sc_resets_end_turn(it->turn); /* the close may wait (SO_LINGER) */
		it->turn = 0;
		sc_watch_leave(&it->watch);
		it->plan = (struct sc_verdict){SC_ACTION_PASS,
			is_over || is_sole ? SC_OUTCOME_NONE : SC_OUTCOME_SHARED, NULL};
	}
}

/* Is fd the last descriptor of it? That is known once it is closed; until then a copy keeps the
 * messages. As close() has not returned before the copy is gone too, nobody can tell. */
static bool begin_mailbox(struct sc_closing *it, int fd, enum sc_via via, const void *caller)
{
	if (!sc_plan_finds_mailbox(fd, &it->job.conn)) {
		return false;
	}
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &it->cancel_state);
	sc_plan_remember(&it->job, fd, via);
	it->job.origin = sc_stacks_find(caller, (size_t)sc_config.stack_frames);
	it->job.conn.inode = sc_inspect_inode(fd);
	it->is_mailbox = true;
	it->caller = caller;
	it->held = sc_ownfds_copy(fd);
	if (it->held >= 0) {
		sc_family_add_copy(sc_process_pid(), it->held);
	}
	return true;
}

bool sc_closing_begin_after_glance(
	struct sc_closing *it, int fd, struct sc_glance glance, enum sc_via via, const void *caller)
{
	it->is_mailbox = false;
	it->turn = 0;
	if (!sc_plan_make(fd, glance, &it->job.conn, &it->plan)) {
		return begin_mailbox(it, fd, via, caller);
	}
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &it->cancel_state);
	sc_plan_remember(&it->job, fd, via);
	it->job.origin = sc_stacks_find(caller, (size_t)sc_config.stack_frames);
	if (it->plan.action != SC_ACTION_LINGER) {
		sc_telling_prepare(&it->job);
	}
	sc_sink_prepare();
	sc_plan_take_note(&it->note, &it->job, fd, &it->plan);
	take_hold(it, fd);
	/* The background, where it is to have the connection, asks as well. */
	if (it->held < 0 || it->plan.action != SC_ACTION_LINGER || it->job.birth != SC_BIRTH_SOLE) {
		sc_inspect_addresses(fd, &it->job.conn);
	}
	if (it->plan.action == SC_ACTION_WATCH) {
		look_last(it, fd);
	} else if (!it->is_ended_early) {
		sc_inspect_unacked(fd, &it->job.conn); /* it changes until the very close */
	}
	return true;
}

bool sc_closing_begin(struct sc_closing *it, int fd, enum sc_via via, const void *caller)
{
	struct sc_glance glance;
	return !sc_plan_is_plain(fd, &glance) &&
	       sc_closing_begin_after_glance(it, fd, glance, via, caller);
}

static bool is_alone_with_it(const struct sc_closing *it)
{
	return it->job.birth == SC_BIRTH_SOLE && !it->job.conn.is_listener;
}

/* Where another than this close let go last, he may be on his way still: the file has left the
 * watch, and resets when it is released (__fput, fs/file_table.c), a moment later, or many
 * milliseconds where he loses the processor there. */
static void take_answer(struct sc_closing *it, enum sc_watch_for others)
{
	it->answer = sc_watch_end(&it->watch, others);
	it->has_reset = it->has_reset || sc_resets_may_be_more(it->resets);
	bool may_be_late = others != SC_WATCH_FOR_CALLS && it->answer == 0;
	for (int i = 0; i < RELEASE_PAUSES && may_be_late && !it->has_reset; i++) {
		sc_sys_pause(PAUSE_NS);
		it->has_reset = sc_resets_may_be_more(it->resets);
	}
}

/*
 * While it is still this close's turn: what others reset is not counted, and another holder that
 * closes waits, so that one of the two is the last. Where nobody else can hold it but a thread in a
 * call, that may take longer than a turn.
 */
static void look_at_once(struct sc_closing *it)
{
	bool is_sole = is_alone_with_it(it);
	bool is_quiet = sc_watch_is_quiet(&it->watch);
	int waits = 0;
	if (!is_quiet && !is_sole && sc_departures_await(it->job.conn.inode, it->job.fd) &&
		sc_plan_ask_holders(&it->job) == SC_HOLDERS_NOBODY) {
		while (!sc_watch_is_quiet(&it->watch) &&
			sc_departures_pause(it->job.conn.inode, waits)) {
			waits++;
		}
	}
	while (!is_sole && sc_watch_is_leaving(&it->watch) &&
		sc_departures_pause(it->job.conn.inode, waits)) {
		waits++;
	}
	it->has_reset = is_sole && is_quiet && sc_resets_may_be_more(it->resets);
	it->is_settled = !is_sole || it->has_reset || (is_quiet && sc_turns_is_one_thread());
	if (it->is_settled) {
		take_answer(it, is_sole ? SC_WATCH_FOR_CALLS : SC_WATCH_FOR_HOLDERS);
	}
}

static void end_watched(struct sc_closing *it)
{
	bool is_sole = is_alone_with_it(it);
	if (!it->is_settled) {
		take_answer(it, SC_WATCH_FOR_RETURNS);
	}
	bool is_shared = it->answer < 0 ? sc_plan_ask_holders(&it->job) != SC_HOLDERS_NOBODY
					: it->answer == 1;
	if (is_sole && !is_shared && !it->has_reset) {
		return; /* it had ended before */
	}
	if (is_shared || !it->has_reset || !sc_family_claim_end(it->job.conn.inode)) {
		sc_telling_tell_outcome(&it->job, &it->note, SC_OUTCOME_SHARED, NULL);
	} else {
		sc_telling_tell_outcome(&it->job, &it->note, SC_OUTCOME_RST,
			it->plan.why != NULL ? it->plan.why : "unread");
	}
}

/* Somebody else holds it, or may: the copy goes, and tells whether that was the last close after
 * all. */
static void leave_here(struct sc_closing *it, const char *why)
{
	struct sc_parting gone = {it->job, &it->note, it->held};
	/* By another number: the best here. */
	sc_interest_put_back(&it->job.interest, it->held);
	sc_parting_leave(&gone, why, sc_telling_tell);
	sc_family_remove_copy(sc_process_pid(), it->held);
}

/* End the connection on this thread, without waiting. */
static void end_here(struct sc_closing *it)
{
	sc_inspect_addresses(it->held, &it->job.conn);
	enum sc_holders holders = sc_plan_ask_holders(&it->job);
	struct sc_verdict verdict = sc_policy_decide(&sc_config, &it->job.conn, holders);
	if (verdict.action == SC_ACTION_PASS) {
		leave_here(it, verdict.why);
		return;
	}
	sc_job_claim(&it->job, it->held);
	struct sc_linger_end end =
		sc_linger_end_now(it->held, verdict.action, sc_config.drain_max_bytes);
	sc_job_yield_to_twin(&it->job, &end);
	sc_linger_explain_cut(&end, it->held, verdict.action, "no thread");
	if (end.outcome == SC_OUTCOME_RST) {
		sc_inspect_unacked_late(it->held, &it->job.conn);
	}
	let_go(it);
	sc_telling_tell(&it->job, &it->note, &end);
}

/* Lingering takes time; so does a look at /proc, and what it finds may have to be looked at
 * again. */
static bool is_for_background(const struct sc_closing *it)
{
	return it->plan.action == SC_ACTION_LINGER ||
	       !sc_holders_are_known((enum sc_birth)it->job.birth);
}

/* A forked child's copy, while the parent goes on with its own under the same number: everyday, and
 * known without a sweep. */
static bool is_parents(const struct sc_job *job)
{
	if (job->birth != SC_BIRTH_FAMILY) {
		return false;
	}
	int parent = (int)sc_sys6(SYS_getppid, 0, 0, 0, 0, 0, 0);
	return sc_holder_still_holds(job->conn.inode, parent, job->fd) &&
	       !sc_holder_is_starting(parent);
}

static void end_held(struct sc_closing *it)
{
	if (it->is_ended_early) {
		sc_telling_tell(&it->job, &it->note, &it->early_end);
	} else if (it->held >= 0 && is_parents(&it->job)) {
		let_go(it);
		sc_telling_tell_outcome(&it->job, &it->note, SC_OUTCOME_SHARED, NULL);
	} else if (it->held < 0) {
		/* No copy, so the program's close was the kernel's: it reset if it was the last. */
		sc_telling_tell_outcome(&it->job, &it->note, SC_OUTCOME_RST, "no descriptor free");
	} else if (is_for_background(it) &&
		   sc_background_give(&it->job, &it->note, it->held) == 0) {
		let_go(it);
	} else {
		end_here(it);
	}
}

/* If the message that held it is gone: as if the program closed it by the same call. */
static void end_unreceived(const struct sc_closing *mailbox, int copy, bool is_gone)
{
	struct sc_closing closing;
	bool is_followed = is_gone && sc_closing_begin(&closing, copy,
					      (enum sc_via)mailbox->job.via, mailbox->caller);
	closing.job.fd = mailbox->job.fd;
	sc_family_remove_copy(sc_process_pid(), copy);
	sc_ownfds_release(copy);
	if (is_followed) {
		sc_closing_end(&closing, true);
	}
}

static void end_mailbox(struct sc_closing *it, bool is_closed)
{
	int copies[SC_MAILBOX_MAX];
	size_t count = 0;
	bool is_passing = false;
	if (is_closed && it->held >= 0 && sc_mailbox_has_letters(it->held) &&
		(sc_plan_ask_hands(&it->job, &is_passing) == SC_HOLDERS_NOBODY || is_passing)) {
		count = sc_mailbox_copy(it->held, is_passing, copies);
	}
	if (count == 0) {
		let_go(it);
		return;
	}
	/* A relative may have looked too, and let go of it last: until then the messages hold them. */
	sc_watch_begin(&it->watch, it->held);
	let_go(it);
	bool is_gone = sc_watch_end(&it->watch, SC_WATCH_FOR_RETURNS) == 0 || !is_passing;
	for (size_t i = 0; i < count; i++) {
		end_unreceived(it, copies[i], is_gone);
	}
}

void sc_closing_end(struct sc_closing *it, bool is_closed)
{
	bool is_watched = !it->is_mailbox && it->plan.action == SC_ACTION_WATCH;
	it->job.birth = (uint8_t)sc_births_after((enum sc_birth)it->job.birth, it->job.age);
	if (is_watched && is_closed) {
		look_at_once(it);
	}
	sc_resets_end_turn(it->turn);
	if (it->is_mailbox) {
		end_mailbox(it, is_closed);
	} else if (!is_closed && is_watched) {
		sc_watch_leave(&it->watch);
	} else if (!is_closed) {
		sc_interest_put_back(&it->job.interest, it->job.fd);
		let_go(it);
	} else if (it->plan.action == SC_ACTION_PASS) {
		sc_telling_tell_outcome(&it->job, &it->note, it->plan.outcome, it->plan.why);
	} else if (is_watched) {
		end_watched(it);
	} else {
		end_held(it);
	}
	pthread_setcancelstate(it->cancel_state, NULL);
}

void sc_closing_leave_to_twin(struct sc_closing *it)
{
	if (it->is_mailbox || it->plan.action == SC_ACTION_WATCH || it->is_ended_early) {
		return; /* a watch tells by itself, and so does the end of a mailbox */
	}
	sc_interest_put_back(&it->job.interest, it->job.fd);
	let_go(it);
	it->held = -EBADF;
	it->plan = (struct sc_verdict){SC_ACTION_PASS, SC_OUTCOME_SHARED, NULL};
}
