// SPDX-License-Identifier: MIT
#include "plan.h"
#include "births.h"
#include "clock.h"
#include "holder.h"
#include "inspect.h"
#include "mailbox.h"
#include "only.h"
#include "process.h"
#include "sys.h"
#include <stdatomic.h>
#include <string.h>

enum { ASK_MAX = 3 }; /* times, where an answer is not certain */

_Atomic enum sc_attention sc_plan_attention;

void sc_plan_init(void)
{
	const struct sc_conn clean = {.proto = SC_PROTO_TCP};
	enum sc_attention wanted = sc_policy_is_of_interest(&sc_config, &clean)
					   ? SC_ATTENTION_ALL
					   : SC_ATTENTION_UNREAD;
	atomic_store(
		&sc_plan_attention, sc_config.mode != SC_MODE_OFF ? wanted : SC_ATTENTION_NONE);
}

bool sc_plan_halves_shutdown(void)
{
	return sc_config.mode == SC_MODE_FIN && sc_config.shutdown == SC_SHUTDOWN_HALF;
}

bool sc_plan_strips_deepbind(void)
{
	return sc_plan_is_any() && sc_config.deepbind == SC_DEEPBIND_STRIP;
}

/* Is it one of SAFECLOSE_ONLY? Its addresses are filled in where that is asked. */
static bool is_chosen(int fd, struct sc_conn *conn)
{
	if (sc_config.only.count == 0) {
		return true;
	}
	sc_inspect_addresses(fd, conn);
	return sc_only_matches(&sc_config.only, &conn->local, &conn->peer);
}

bool sc_plan_is_chosen(int fd)
{
	struct sc_conn conn = {.proto = SC_PROTO_OTHER};
	return sc_plan_is_any() && is_chosen(fd, &conn);
}

/* The quick look, and whether there may be anything to decide. Of most listeners there is
 * nothing to tell, so they are not asked here whether they are chosen. */
static bool look_quickly(int fd, struct sc_glance glance, struct sc_conn *conn)
{
	sc_inspect_after_glance(fd, conn, glance);
	return sc_policy_is_of_interest(&sc_config, conn) &&
	       (conn->is_listener || is_chosen(fd, conn));
}

/* What was looked at quickly, fd: may connections end with it that are in messages? Not in a
 * vfork child, whose parent has the same descriptors. */
bool sc_plan_finds_mailbox(int fd, const struct sc_conn *conn)
{
	return conn->proto == SC_PROTO_OTHER && sc_mailbox_is_one(fd) && sc_process_is_own_memory();
}

bool sc_plan_is_of_interest(int fd)
{
	struct sc_conn conn;
	struct sc_glance glance;
	return !sc_plan_is_plain(fd, &glance) &&
	       (look_quickly(fd, glance, &conn) || sc_plan_finds_mailbox(fd, &conn));
}

/* A child that shares its parent's memory has the same descriptors, as a rule; of others a reset
 * can be told, but nobody followed them. */
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
bool sc_plan_make(int fd, struct sc_glance glance, struct sc_conn *conn, struct sc_verdict *plan)
{
	if (!look_quickly(fd, glance, conn)) {
		return false;
	}
	sc_inspect_wholly(fd, conn);
	*plan = sc_policy_decide(&sc_config, conn, SC_HOLDERS_UNASKED);
	if (plan->action != SC_ACTION_PASS && !sc_process_is_own_memory()) {
		*plan = plan_in_vfork_child(fd, conn, plan);
	}
	bool is_told = plan->action != SC_ACTION_PASS || plan->outcome != SC_OUTCOME_NONE;
	return is_told && (!conn->is_listener || is_chosen(fd, conn));
}

/* What only a report wants to know: who closes, and over what. */
void sc_plan_take_note(
	struct sc_note *note, const struct sc_job *job, int fd, const struct sc_verdict *plan)
{
	if (plan->action != SC_ACTION_PASS ||
		sc_policy_is_reported(&sc_config, &job->conn, plan->outcome, 0)) {
		sc_note_take(note, fd, &job->conn);
	}
}

/* Ask until every answer is certain, but not for ever. */
void sc_plan_ask(struct sc_holders_query *queries, size_t count, enum sc_own_table own_table)
{
	bool is_certain = false;
	for (int tries = 0; tries < ASK_MAX && !is_certain; tries++) {
		if (tries > 0) {
			sc_sys_yield();
		}
		sc_holders_ask(queries, count, own_table);
		is_certain = true;
		for (size_t i = 0; i < count; i++) {
			is_certain = is_certain && !queries[i].is_passing && !queries[i].is_forking;
		}
	}
}

enum sc_holders sc_plan_ask_hands(const struct sc_job *job, bool *is_passing)
{
	struct sc_holders_query query = {
		.inode = job->conn.inode, .birth = (enum sc_birth)job->birth, .born = job->born};
	sc_plan_ask(&query, 1, SC_OWN_TABLE_COUNTS);
	*is_passing = query.is_passing;
	return query.answer;
}

enum sc_holders sc_plan_ask_holders(const struct sc_job *job)
{
	bool ignored;
	return sc_plan_ask_hands(job, &ignored);
}

void sc_plan_remember(struct sc_job *job, int fd, enum sc_via via)
{
	/* It may become a message: no byte of the stack's goes along. */
	memset((char *)job + sizeof(job->conn), 0, sizeof(*job) - sizeof(job->conn));
	job->fd = fd;
	job->via = (uint8_t)via;
	job->age = sc_process_get_age();
	sc_process_look_for_children();
	job->birth = (uint8_t)sc_births_of(fd);
	job->born = sc_births_when(fd);
	job->begun_us = sc_clock_ns(CLOCK_MONOTONIC) / 1000;
}
