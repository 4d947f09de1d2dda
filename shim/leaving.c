// SPDX-License-Identifier: MIT
#include "leaving.h"
#include "background.h"
#include "departures.h"
#include "family.h"
#include "inspect.h"
#include "interest.h"
#include "linger.h"
#include "memory.h"
#include "plan.h"
#include "process.h"
#include "sink.h"
#include "stacks.h"
#include "telling.h"
#include <string.h>

enum { FEW = 8 };

/* Nobody else holds it, but the descriptor stays open. */
static void end_in_place(struct sc_job *job, const struct sc_note *note, enum sc_action action)
{
	job->birth = SC_BIRTH_SOLE; /* just proven */
	sc_interest_end(job->fd);
	if (action != SC_ACTION_LINGER || sc_background_give(job, note, job->fd) != 0) {
		struct sc_linger_end end =
			sc_linger_end_without_thread(job->fd, action, sc_config.drain_max_bytes);
		sc_telling_tell(job, note, &end);
	}
}

static void end_before_exec(struct sc_job *job, enum sc_holders holders)
{
	struct sc_verdict verdict = sc_policy_decide(&sc_config, &job->conn, holders);
	struct sc_note note;
	bool is_last = holders == SC_HOLDERS_NOBODY;
	if (is_last && !sc_family_claim_end(job->conn.inode)) {
		return; /* another of this process's descriptors has told of it */
	}
	sc_plan_take_note(&note, job, job->fd, &verdict);
	sc_inspect_unacked(job->fd, &job->conn);
	if (verdict.action == SC_ACTION_PASS) {
		sc_telling_tell_outcome(job, &note, verdict.outcome, verdict.why);
	} else if (verdict.action != SC_ACTION_WATCH) {
		end_in_place(job, &note, verdict.action);
	} else if (is_last) {
		sc_telling_tell_outcome(
			job, &note, SC_OUTCOME_RST, verdict.why != NULL ? verdict.why : "unread");
	} else {
		sc_telling_tell_outcome(job, &note, SC_OUTCOME_SHARED, NULL);
	}
}

/* In warn the exec closes in the order of numbers: an end whose other end is closed before, and
 * resets it, resets nothing any more. */
static bool is_reset_before(const struct sc_job *first, const struct sc_job *job)
{
	for (const struct sc_job *it = first; it < job && sc_config.mode == SC_MODE_WARN; it++) {
		if (it->is_last && job->conn.peer.any.sa_family != AF_UNSPEC &&
			memcmp(&it->conn.local, &job->conn.peer, sizeof(union sc_addr)) == 0 &&
			memcmp(&it->conn.peer, &job->conn.local, sizeof(union sc_addr)) == 0) {
			return true;
		}
	}
	return false;
}

/*
 * Whoever holds one of them may be about to let go of it too. Who closes, waits for this exec
 * (departures.h). Of two that exec, the second waits for the first; where each has noted its own
 * before it saw the other's, the one whose note was overwritten does.
 */
static void ask_holders(const struct sc_job *jobs, struct sc_holders_query *queries, size_t count)
{
	bool is_followed = sc_config.mode == SC_MODE_WARN && sc_process_is_own_memory();
	bool is_any_gone = false;
	for (size_t i = 0; i < count && is_followed; i++) {
		sc_departures_await(jobs[i].conn.inode, jobs[i].fd);
		sc_family_note_departure(jobs[i].conn.inode, sc_process_pid(), jobs[i].fd);
	}
	sc_plan_ask(queries, count, SC_OWN_TABLE_CLOEXEC_ENDS);
	for (size_t i = 0; i < count && is_followed; i++) {
		is_any_gone = sc_departures_await(jobs[i].conn.inode, jobs[i].fd) || is_any_gone;
	}
	if (is_any_gone) {
		sc_plan_ask(queries, count, SC_OWN_TABLE_CLOEXEC_ENDS);
	}
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
		if (!sc_plan_is_plain(fds[at], &glance) &&
			sc_plan_make(fds[at], glance, &job->conn, &verdict)) {
			sc_inspect_addresses(fds[at], &job->conn);
			sc_plan_remember(job, fds[at], call->via);
			job->origin = sc_stacks_find(call->caller, (size_t)sc_config.stack_frames);
			job->is_in_place = true;
			queries[kept] = (struct sc_holders_query){.inode = job->conn.inode,
				.birth = (enum sc_birth)job->birth,
				.born = job->born,
				.mine = kept};
			kept++;
		}
	}
	ask_holders(jobs, queries, kept);
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

void sc_leaving_end(const int *fds, size_t count, const struct sc_call *call)
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
