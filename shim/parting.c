// SPDX-License-Identifier: MIT
#include "parting.h"
#include "family.h"
#include "holders.h"
#include "inspect.h"
#include "ownfds.h"
#include "policy.h"
#include "resets.h"
#include "sys.h"
#include "watch.h"
#include <netinet/tcp.h>
#include <sys/socket.h>

/* The connection outlives our last close of it: is it in a program's hands? (The other copies there
 * may be are those of a relative's library, which ends it at the same time.) */
static bool is_held(const struct sc_job *job)
{
	struct sc_holders_query query = {.inode = job->conn.inode, .birth = SC_BIRTH_ELDER};
	sc_holders_ask(&query, 1, SC_OWN_TABLE_COUNTS);
	return query.answer == SC_HOLDERS_SOMEBODY;
}

void sc_parting_end(struct sc_parting *it, struct sc_linger_end *end, sc_job_ended *ended)
{
	if (it->job.conn.linger_s > 0) {
		/* Or the last close would wait once more, as the program had asked. */
		struct linger none = {0, 0};
		sc_sys_setsockopt(it->fd, SOL_SOCKET, SO_LINGER, &none, sizeof(none));
	}
	struct sc_watch watch;
	sc_watch_begin(&watch, it->fd);
	if (end->outcome == SC_OUTCOME_RST) {
		sc_inspect_unacked_late(it->fd, &it->job.conn);
	}
	sc_ownfds_drop(it->fd);
	bool is_alive = sc_watch_end(&watch, SC_WATCH_FOR_CALLS) == 1;
	if (is_alive && !it->job.is_in_place && is_held(&it->job)) {
		end->why = "still held elsewhere";
	}
	ended(&it->job, it->note, end);
}

static bool has_unread(int fd, struct sc_conn *now)
{
	sc_inspect_quickly(fd, now);
	return now->unread_bytes > 0 || now->is_urgent;
}

void sc_parting_leave(struct sc_parting *it, const char *why, sc_job_ended *ended)
{
	struct sc_linger_end end = {SC_OUTCOME_SHARED, why, 0};
	struct sc_conn now;
	struct sc_watch watch;
	int64_t resets = -1;
	sc_watch_begin(&watch, it->fd);
	bool is_unread = has_unread(it->fd, &now);
	if (is_unread) {
		resets = sc_resets_before(&now, it->fd);
	}
	sc_inspect_unacked_late(it->fd, &it->job.conn);
	/* Both ends may have sent their FIN meanwhile: then the kernel sends nothing any more. */
	bool is_over = it->job.conn.state == TCP_CLOSE;
	/* Another holder may have read it since, and closed: where the kernel's count is not to
	 * be had, only the very last look is worth something. */
	is_unread = is_unread && !is_over && has_unread(it->fd, &now);
	sc_ownfds_empty(it->fd); /* whoever looks for holders now must find none here */
	sc_ownfds_drop(it->fd);
	bool is_last = sc_watch_end(&watch, SC_WATCH_FOR_HOLDERS) == 0;
	/* Somebody else held it a moment ago. Did he let go of it first, or was it he who did so
	 * last, and perhaps had read it? Only the kernel's count tells; of a relative's library,
	 * its claim. */
	bool is_certain = resets >= 0 || why != NULL;
	if (is_last && is_unread && is_certain && sc_resets_may_be_more(resets) &&
		sc_family_claim_end(it->job.conn.inode)) {
		end.outcome = SC_OUTCOME_RST;
		end.why = why != NULL ? why : "let go last";
	}
	ended(&it->job, it->note, &end);
}

void sc_parting_end_now(struct sc_parting *it, const char *why, sc_job_ended *ended)
{
	enum sc_action action =
		sc_policy_decide(&sc_config, &it->job.conn, SC_HOLDERS_NOBODY).action;
	sc_job_claim(&it->job, it->fd);
	struct sc_linger_end end = sc_linger_end_now(it->fd, action, sc_config.drain_max_bytes);
	sc_job_yield_to_twin(&it->job, &end);
	sc_linger_explain_cut(&end, it->fd, action, why);
	sc_parting_end(it, &end, ended);
}
