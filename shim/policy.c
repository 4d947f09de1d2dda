// SPDX-License-Identifier: MIT
#include "policy.h"
#include <netinet/tcp.h>
#include <stddef.h>

static const struct sc_verdict pass = {SC_ACTION_PASS, SC_OUTCOME_NONE, NULL};

static bool has_unread(const struct sc_conn *conn)
{
	return conn->unread_bytes > 0 || conn->is_urgent;
}

bool sc_policy_is_of_interest(const struct sc_config *config, const struct sc_conn *quick)
{
	if (config->mode == SC_MODE_OFF || quick->proto == SC_PROTO_OTHER) {
		return false;
	}
	/* Only the whole look tells of SO_LINGER {1, 0}. */
	if (quick->is_listener || has_unread(quick) || config->report == SC_REPORT_ALL) {
		return true;
	}
	return config->mode == SC_MODE_FIN && config->when == SC_WHEN_ALWAYS;
}

/* A state in which close() still has something to end. In TCP_SYN_SENT and TCP_SYN_RECV nothing
 * has been received, in TCP_CLOSE the kernel sends nothing any more. */
static bool is_connected(uint8_t state)
{
	switch (state) {
	case TCP_ESTABLISHED:
	case TCP_FIN_WAIT1:
	case TCP_FIN_WAIT2:
	case TCP_CLOSE_WAIT:
	case TCP_LAST_ACK:
	case TCP_CLOSING:
		return true;
	default:
		return false;
	}
}

/* In the kernel's order (__tcp_close, net/ipv4/tcp.c): already closed, repair, unread, abortive. */
static enum sc_action plan(const struct sc_config *config, const struct sc_conn *conn)
{
	if (!is_connected(conn->state) || conn->is_repair) {
		return SC_ACTION_PASS;
	}
	if (!has_unread(conn) && (config->when != SC_WHEN_ALWAYS || conn->is_peer_done)) {
		return SC_ACTION_PASS;
	}
	switch (config->mode) {
	case SC_MODE_WARN:
		return has_unread(conn) ? SC_ACTION_WATCH : SC_ACTION_PASS;
	case SC_MODE_DRAIN:
		return has_unread(conn) ? SC_ACTION_DRAIN : SC_ACTION_PASS;
	case SC_MODE_FIN:
		return SC_ACTION_LINGER;
	case SC_MODE_OFF:
		break;
	}
	return SC_ACTION_PASS;
}

struct sc_verdict sc_policy_decide(
	const struct sc_config *config, const struct sc_conn *conn, enum sc_holders holders)
{
	if (!sc_policy_is_of_interest(config, conn)) {
		return pass;
	}
	if (conn->is_listener) {
		/* Nothing can be kept from a reset here: the program never had the connections. */
		return conn->backlog > 0
			       ? (struct sc_verdict){SC_ACTION_WATCH, SC_OUTCOME_NONE, "listener"}
			       : pass;
	}
	if (conn->is_abortive && is_connected(conn->state) && !conn->is_repair) {
		return (struct sc_verdict){SC_ACTION_PASS, SC_OUTCOME_ABORTIVE, NULL};
	}
	enum sc_action action = plan(config, conn);
	if (action == SC_ACTION_PASS) {
		return pass;
	}
	bool is_ours = holders == SC_HOLDERS_UNASKED || holders == SC_HOLDERS_NOBODY;
	if (action == SC_ACTION_WATCH || is_ours) {
		return (struct sc_verdict){action, SC_OUTCOME_NONE, NULL};
	}
	return (struct sc_verdict){SC_ACTION_PASS, SC_OUTCOME_SHARED,
		holders == SC_HOLDERS_UNKNOWN ? "holders unknown" : NULL};
}

uint64_t sc_policy_linger_time_ms(const struct sc_config *config, const struct sc_conn *conn)
{
	if (conn->linger_s < 0) {
		return config->linger_time_ms;
	}
	uint64_t own_ms = (uint64_t)conn->linger_s * 1000;
	return own_ms < config->linger_time_ms ? own_ms : config->linger_time_ms;
}

bool sc_policy_is_reported(const struct sc_config *config, const struct sc_conn *conn,
	enum sc_outcome outcome, uint64_t drained_bytes)
{
	switch (outcome) {
	case SC_OUTCOME_NONE:
		return false;
	case SC_OUTCOME_SHARED:
	case SC_OUTCOME_ABORTIVE:
		return config->report == SC_REPORT_ALL;
	case SC_OUTCOME_FIN:
		/* A connection that lingered only in case bytes came late, and none came. */
		return config->report == SC_REPORT_ALL || has_unread(conn) || drained_bytes > 0;
	case SC_OUTCOME_RST:
	case SC_OUTCOME_TIMEOUT:
	case SC_OUTCOME_LIMIT:
		break;
	}
	return true;
}
