// SPDX-License-Identifier: MIT
#include "closing.h"
#include "background.h"
#include "clock.h"
#include "family.h"
#include "holder.h"
#include "holders.h"
#include "inspect.h"
#include "mailbox.h"
#include "memory.h"
#include "ownfds.h"
#include "parting.h"
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
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/epoll.h>

enum {
	ASK_MAX = 3, /* times, where an answer is not certain */
	FEW = 8,
};

static const struct sc_config *_Atomic config;
_Atomic enum sc_attention sc_closing_attention;

static uint64_t now_us(void)
{
	return sc_clock_ns(CLOCK_MONOTONIC) / 1000;
}

static void report_outcome(const struct sc_job *job, const struct sc_note *note,
	enum sc_outcome outcome, const char *why)
{
	struct sc_linger_end end = {outcome, why, 0};
	sc_telling_tell(job, note, &end);
}

/* A forked child: its parent's copies and channel are none of its business. Where it shares the
 * parent's table, they are the parent's still. */
static void forget_parent(void)
{
	sc_turns_forget_parent();
	sc_background_forget_parent();
	if (sc_process_is_table_shared()) {
		sc_watch_leave_sets();
		return;
	}
	sc_watch_forget_parent();
	sc_ownfds_forget_parent();
}

void sc_closing_init(const struct sc_config *loaded)
{
	sc_process_set_child_handler(forget_parent);
	sc_telling_init(loaded);
	sc_background_init(loaded, sc_telling_tell);
	atomic_store(&config, loaded);
	const struct sc_conn clean = {.proto = SC_PROTO_TCP};
	enum sc_attention wanted =
		sc_policy_is_of_interest(loaded, &clean) ? SC_ATTENTION_ALL : SC_ATTENTION_UNREAD;
	atomic_store(
		&sc_closing_attention, loaded->mode != SC_MODE_OFF ? wanted : SC_ATTENTION_NONE);
}

bool sc_closing_is_on(void)
{
	return atomic_load_explicit(&sc_closing_attention, memory_order_relaxed) !=
	       SC_ATTENTION_NONE;
}

bool sc_closing_halves_shutdown(void)
{
	const struct sc_config *loaded = atomic_load(&config);
	return loaded != NULL && loaded->mode == SC_MODE_FIN &&
	       loaded->shutdown == SC_SHUTDOWN_HALF;
}

bool sc_closing_strips_deepbind(void)
{
	const struct sc_config *loaded = atomic_load(&config);
	return loaded != NULL && loaded->deepbind == SC_DEEPBIND_STRIP;
}

uint64_t sc_closing_exit_timeout_ms(void)
{
	const struct sc_config *loaded = atomic_load(&config);
	return loaded->exit_timeout_ms;
}

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

/* Ask until every answer is certain, but not for ever. */
static void ask_all(struct sc_holders_query *queries, size_t count, enum sc_own_table own_table)
{
	bool is_certain = false;
	for (int tries = 0; tries < ASK_MAX && !is_certain; tries++) {
		if (tries > 0) {
			sc_sys6(SYS_sched_yield, 0, 0, 0, 0, 0, 0);
		}
		sc_holders_ask(queries, count, own_table);
		is_certain = true;
		for (size_t i = 0; i < count; i++) {
			is_certain = is_certain && !queries[i].is_passing && !queries[i].is_forking;
		}
	}
}

static enum sc_holders ask_holders(const struct sc_job *job)
{
	struct sc_holders_query query = {.inode = job->conn.inode,
		.birth = (enum sc_birth)job->birth,
		.born = job->born,
		.is_unix = job->conn.proto == SC_PROTO_OTHER};
	ask_all(&query, 1, SC_OWN_TABLE_COUNTS);
	return query.answer;
}

static void remember(struct sc_job *job, int fd, enum sc_via via, const void *caller)
{
	/* It may become a message: no byte of the stack's goes along. */
	memset((char *)job + sizeof(job->conn), 0, sizeof(*job) - sizeof(job->conn));
	job->fd = fd;
	job->via = (uint8_t)via;
	job->age = sc_process_get_age();
	job->birth = (uint8_t)sc_births_of(fd);
	job->born = sc_births_when(fd);
	job->origin = sc_stacks_find(caller, (size_t)config->stack_frames);
	job->begun_us = now_us();
}

/* The background was not to be had. */
static struct sc_linger_end end_now(int fd, enum sc_action action)
{
	struct sc_linger_end end = sc_linger_end_now(fd, action, config->drain_max_bytes);
	sc_linger_explain_cut(&end, fd, action, "no thread");
	return end;
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
	it->early_end = end_now(fd, it->plan.action);
}

/* Another holder may have read it empty since; or may do so, and close, before the watch can tell. */
static void look_again(struct sc_closing *it, int fd)
{
	struct sc_conn now;
	if (it->job.birth == SC_BIRTH_SOLE || it->job.conn.is_listener) {
		return;
	}
	it->resets = sc_resets_before(&it->job.conn, fd);
	sc_inspect_quickly(fd, &now);
	if (now.unread_bytes == 0 && !now.is_urgent) {
		sc_watch_end(&it->watch, true);
		it->plan = (struct sc_verdict){SC_ACTION_PASS, SC_OUTCOME_SHARED, NULL};
	}
}

/* Take what the end will need: a watch, a copy, or nothing. */
static void take_hold(struct sc_closing *it, int fd)
{
	it->is_ended_early = false;
	it->held = -EBADF;
	it->resets = -1;
	if (it->plan.action == SC_ACTION_WATCH) {
		sc_watch_begin(&it->watch, fd);
		look_again(it, fd);
	} else if (it->plan.action != SC_ACTION_PASS) {
		it->held = begin_hold(&it->job, fd);
		sc_background_prepare();
		if (it->held < 0 && sc_holders_are_known((enum sc_birth)it->job.birth)) {
			end_early(it, fd);
		}
	}
}

/* Is it one of SAFECLOSE_ONLY? Its addresses are filled in where that is asked. */
static bool is_chosen(int fd, struct sc_conn *conn)
{
	if (config->only.count == 0) {
		return true;
	}
	sc_inspect_addresses(fd, conn);
	return sc_only_matches(&config->only, &conn->local, &conn->peer);
}

bool sc_closing_is_chosen(int fd)
{
	struct sc_conn conn = {.proto = SC_PROTO_OTHER};
	return sc_closing_is_on() && is_chosen(fd, &conn);
}

static bool is_plain(int fd, struct sc_glance *glance)
{
	return sc_closing_is_plain(fd, glance);
}

/* The quick look, and whether there may be anything to decide. Of most listeners there is nothing to
 * tell, so they are not asked here whether they are chosen. */
static bool look_quickly(int fd, struct sc_glance glance, struct sc_conn *conn)
{
	sc_inspect_after_glance(fd, conn, glance);
	return sc_policy_is_of_interest(config, conn) && (conn->is_listener || is_chosen(fd, conn));
}

/* What was looked at quickly, fd: may connections end with it that are in messages? Not in a vfork child,
 * whose parent has the same descriptors. */
static bool is_mailbox(int fd, const struct sc_conn *conn)
{
	return conn->proto == SC_PROTO_OTHER && sc_mailbox_is_one(fd) && sc_process_is_own_memory();
}

bool sc_closing_is_of_interest(int fd)
{
	struct sc_conn conn;
	struct sc_glance glance;
	return !is_plain(fd, &glance) && (look_quickly(fd, glance, &conn) || is_mailbox(fd, &conn));
}

bool sc_closing_is_mailbox(int fd)
{
	struct sc_conn conn = {.proto = SC_PROTO_OTHER};
	return sc_closing_is_on() && is_mailbox(fd, &conn);
}

/* A child that shares its parent's memory has the same descriptors, as a rule; of others a reset can be
 * told, but nobody followed them. */
static struct sc_verdict plan_in_vfork_child(
	int fd, const struct sc_conn *conn, const struct sc_verdict *plan)
{
	int parent = (int)sc_sys6(SYS_getppid, 0, 0, 0, 0, 0, 0);
	if (!sc_process_is_table_shared() && sc_holder_still_holds(conn->inode, parent, fd)) {
		return (struct sc_verdict){SC_ACTION_PASS, SC_OUTCOME_SHARED, NULL};
	}
	bool is_watched = plan->action == SC_ACTION_WATCH;
	return (struct sc_verdict){
		SC_ACTION_WATCH, SC_OUTCOME_NONE, is_watched ? plan->why : "holders unknown"};
}

/* What the kernel says, and the plan made of it. false: nothing to do. */
static bool look(int fd, struct sc_glance glance, struct sc_conn *conn, struct sc_verdict *plan)
{
	if (!look_quickly(fd, glance, conn)) {
		return false;
	}
	sc_inspect_wholly(fd, conn);
	*plan = sc_policy_decide(config, conn, SC_HOLDERS_UNASKED);
	if (plan->action != SC_ACTION_PASS && !sc_process_is_own_memory()) {
		*plan = plan_in_vfork_child(fd, conn, plan);
	}
	bool is_told = plan->action != SC_ACTION_PASS || plan->outcome != SC_OUTCOME_NONE;
	return is_told && (!conn->is_listener || is_chosen(fd, conn));
}

/* What only a report wants to know: who closes, and over what. */
static void take_note(
	struct sc_note *note, const struct sc_job *job, int fd, const struct sc_verdict *plan)
{
	if (plan->action != SC_ACTION_PASS ||
		sc_policy_is_reported(config, &job->conn, plan->outcome, 0)) {
		sc_note_take(note, config, fd, &job->conn);
	}
}

/* Is fd the last descriptor of it? That is known once it is closed; until then a copy keeps the
 * messages. As close() has not returned before the copy is gone too, nobody can tell. */
static bool begin_mailbox(struct sc_closing *it, int fd, enum sc_via via, const void *caller)
{
	if (!is_mailbox(fd, &it->job.conn)) {
		return false;
	}
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &it->cancel_state);
	remember(&it->job, fd, via, caller);
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
	if (!look(fd, glance, &it->job.conn, &it->plan)) {
		return begin_mailbox(it, fd, via, caller);
	}
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &it->cancel_state);
	remember(&it->job, fd, via, caller);
	if (it->plan.action != SC_ACTION_LINGER) {
		sc_telling_prepare(&it->job);
	}
	sc_sink_prepare();
	take_note(&it->note, &it->job, fd, &it->plan);
	take_hold(it, fd);
	/* The background, where it is to have the connection, asks as well. */
	if (it->held < 0 || it->plan.action != SC_ACTION_LINGER || it->job.birth != SC_BIRTH_SOLE) {
		sc_inspect_addresses(fd, &it->job.conn);
	}
	if (!it->is_ended_early) {
		sc_inspect_unacked(fd, &it->job.conn); /* it changes until the very close */
	}
	return true;
}

bool sc_closing_begin(struct sc_closing *it, int fd, enum sc_via via, const void *caller)
{
	struct sc_glance glance;
	return !is_plain(fd, &glance) && sc_closing_begin_after_glance(it, fd, glance, via, caller);
}

static void end_watched(struct sc_closing *it)
{
	bool is_sole = it->job.birth == SC_BIRTH_SOLE && !it->job.conn.is_listener;
	int answer = sc_watch_end(&it->watch, is_sole);
	bool is_shared = answer < 0 ? ask_holders(&it->job) != SC_HOLDERS_NOBODY : answer == 1;
	if (is_shared || !sc_resets_may_be_more(it->resets) ||
		!sc_family_claim_end(it->job.conn.inode)) {
		report_outcome(&it->job, &it->note, SC_OUTCOME_SHARED, NULL);
	} else {
		report_outcome(&it->job, &it->note, SC_OUTCOME_RST,
			it->plan.why != NULL ? it->plan.why : "unread");
	}
}

/* Somebody else holds it, or may: the copy goes, and tells whether that was the last close after all. */
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
	enum sc_holders holders = ask_holders(&it->job);
	struct sc_verdict verdict = sc_policy_decide(config, &it->job.conn, holders);
	if (verdict.action == SC_ACTION_PASS) {
		leave_here(it, verdict.why);
		return;
	}
	sc_job_claim(&it->job, it->held);
	struct sc_linger_end end =
		sc_linger_end_now(it->held, verdict.action, config->drain_max_bytes);
	sc_job_yield_to_twin(&it->job, &end);
	sc_linger_explain_cut(&end, it->held, verdict.action, "no thread");
	if (end.outcome == SC_OUTCOME_RST) {
		sc_inspect_unacked_late(it->held, &it->job.conn);
	}
	let_go(it);
	sc_telling_tell(&it->job, &it->note, &end);
}

/* Lingering takes time; so does a look at /proc, and what it finds may have to be looked at again. */
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
		report_outcome(&it->job, &it->note, SC_OUTCOME_SHARED, NULL);
	} else if (it->held < 0) {
		/* No copy, so the program's close was the kernel's: it reset if it was the last. */
		report_outcome(&it->job, &it->note, SC_OUTCOME_RST, "no descriptor free");
	} else if (is_for_background(it) &&
		   sc_background_give(&it->job, &it->note, it->held) == 0) {
		let_go(it);
	} else {
		end_here(it);
	}
}

/* The message that held it is gone: as if the program closed it by the same call. */
static void end_unreceived(const struct sc_closing *mailbox, int copy)
{
	struct sc_closing closing;
	bool is_followed =
		sc_closing_begin(&closing, copy, (enum sc_via)mailbox->job.via, mailbox->caller);
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
	if (is_closed && it->held >= 0 && ask_holders(&it->job) == SC_HOLDERS_NOBODY) {
		count = sc_mailbox_copy(it->held, copies);
	}
	let_go(it);
	for (size_t i = 0; i < count; i++) {
		end_unreceived(it, copies[i]);
	}
}

void sc_closing_end(struct sc_closing *it, bool is_closed)
{
	it->job.birth = (uint8_t)sc_births_after((enum sc_birth)it->job.birth, it->job.age);
	if (it->is_mailbox) {
		end_mailbox(it, is_closed);
	} else if (!is_closed && it->plan.action == SC_ACTION_WATCH) {
		sc_watch_end(&it->watch, true);
	} else if (!is_closed) {
		sc_interest_put_back(&it->job.interest, it->job.fd);
		let_go(it);
	} else if (it->plan.action == SC_ACTION_PASS) {
		report_outcome(&it->job, &it->note, it->plan.outcome, it->plan.why);
	} else if (it->plan.action == SC_ACTION_WATCH) {
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

/* Nobody else holds it, but the descriptor stays open. */
static void end_in_place(struct sc_job *job, const struct sc_note *note, enum sc_action action)
{
	job->birth = SC_BIRTH_SOLE; /* just proven */
	sc_interest_end(job->fd);
	if (action != SC_ACTION_LINGER || sc_background_give(job, note, job->fd) != 0) {
		struct sc_linger_end end = end_now(job->fd, action);
		sc_telling_tell(job, note, &end);
	}
}

static void end_before_exec(struct sc_job *job, enum sc_holders holders)
{
	struct sc_verdict verdict = sc_policy_decide(config, &job->conn, holders);
	struct sc_note note;
	bool is_last = holders == SC_HOLDERS_NOBODY;
	if (is_last && !sc_family_claim_end(job->conn.inode)) {
		return; /* another of this process's descriptors has told of it */
	}
	take_note(&note, job, job->fd, &verdict);
	sc_inspect_unacked(job->fd, &job->conn);
	if (verdict.action == SC_ACTION_PASS) {
		report_outcome(job, &note, verdict.outcome, verdict.why);
	} else if (verdict.action != SC_ACTION_WATCH) {
		end_in_place(job, &note, verdict.action);
	} else if (is_last) {
		report_outcome(
			job, &note, SC_OUTCOME_RST, verdict.why != NULL ? verdict.why : "unread");
	} else {
		report_outcome(job, &note, SC_OUTCOME_SHARED, NULL);
	}
}

/* In warn the exec closes in the order of numbers: an end whose other end is closed before, and resets it,
 * resets nothing any more. */
static bool is_reset_before(const struct sc_job *first, const struct sc_job *job)
{
	for (const struct sc_job *it = first; it < job && config->mode == SC_MODE_WARN; it++) {
		if (it->is_last && job->conn.peer.any.sa_family != AF_UNSPEC &&
			memcmp(&it->conn.local, &job->conn.peer, sizeof(union sc_addr)) == 0 &&
			memcmp(&it->conn.peer, &job->conn.local, sizeof(union sc_addr)) == 0) {
			return true;
		}
	}
	return false;
}

/* One sweep serves as many as there is room for. Returns how many of fds it dealt with. */
static size_t end_some_before_exec(struct sc_job *jobs, struct sc_holders_query *queries,
	size_t size, const int *fds, size_t count, const struct sc_call *call)
{
	size_t kept = 0;
	size_t at = 0;
	for (; at < count && kept < size; at++) {
		struct sc_job *job = &jobs[kept];
		struct sc_verdict verdict;
		struct sc_glance glance;
		if (!is_plain(fds[at], &glance) && look(fds[at], glance, &job->conn, &verdict)) {
			sc_inspect_addresses(fds[at], &job->conn);
			remember(job, fds[at], call->via, call->caller);
			job->is_in_place = true;
			queries[kept] = (struct sc_holders_query){.inode = job->conn.inode,
				.birth = (enum sc_birth)job->birth,
				.born = job->born,
				.mine = kept};
			kept++;
		}
	}
	ask_all(queries, kept, SC_OWN_TABLE_CLOEXEC_ENDS);
	for (size_t i = 0; i < kept; i++) {
		jobs[queries[i].mine].is_last = queries[i].answer == SC_HOLDERS_NOBODY;
	}
	for (size_t i = 0; i < kept; i++) {
		struct sc_job *job = &jobs[queries[i].mine];
		if (!is_reset_before(jobs, job)) {
			end_before_exec(job, queries[i].answer);
		}
	}
	return at;
}

void sc_closing_before_exec(const int *fds, size_t count, const struct sc_call *call)
{
	struct sc_job few_jobs[FEW];
	struct sc_holders_query few_queries[FEW];
	size_t bytes = count * (sizeof(few_jobs[0]) + sizeof(few_queries[0]));
	struct sc_job *many = count > FEW ? sc_memory_map(bytes) : NULL;
	sc_sink_prepare();
	if (many != NULL) {
		struct sc_holders_query *queries = (struct sc_holders_query *)(many + count);
		end_some_before_exec(many, queries, count, fds, count, call);
		sc_memory_unmap(many, bytes);
		return;
	}
	while (count > 0) {
		size_t done = end_some_before_exec(few_jobs, few_queries, FEW, fds, count, call);
		fds += done;
		count -= done;
	}
}
