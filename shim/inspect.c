// SPDX-License-Identifier: MIT
#include "inspect.h"
#include "sys.h"
#include "urgent.h"
#include <errno.h>
#include <linux/sockios.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif

/* SO_PROTOCOL, or a negative errno. */
static int ask_protocol(int fd)
{
	int protocol = 0;
	unsigned size = sizeof(protocol);
	int error = sc_sys_getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &size);
	return error != 0 ? error : protocol;
}

/* Raw and netlink sockets may carry these numbers too; they have no TCP_INFO, hence no state, and
 * policy.c passes them by. */
static enum sc_proto proto_of(int protocol)
{
	return protocol == IPPROTO_TCP     ? SC_PROTO_TCP
	       : protocol == IPPROTO_MPTCP ? SC_PROTO_MPTCP
					   : SC_PROTO_OTHER;
}

bool sc_inspect_is_socket(int fd, bool *is_tcp)
{
	int protocol = ask_protocol(fd);
	*is_tcp = proto_of(protocol) != SC_PROTO_OTHER;
	return protocol >= 0;
}

bool sc_inspect_is_tcp(int fd)
{
	bool is_tcp;
	return sc_inspect_is_socket(fd, &is_tcp) && is_tcp;
}

enum sc_inspect_kind sc_inspect_kind(int fd, uint64_t *inode)
{
	struct stat64 status = {.st_mode = S_IFREG};
	SC_SYS2(SYS_fstat, fd, &status);
	*inode = status.st_ino;
	unsigned kind = status.st_mode & S_IFMT;
	return kind == S_IFSOCK               ? SC_INSPECT_SOCKET
	       : kind == S_IFIFO || kind == 0 ? SC_INSPECT_CHANNEL
					      : SC_INSPECT_FILE;
}

uint64_t sc_inspect_inode(int fd)
{
	struct stat64 status;
	return SC_SYS2(SYS_fstat, fd, &status) == 0 ? status.st_ino : 0;
}

/* MPTCP counts the peer's FIN as one byte: a peek tells (0 is the end). */
static bool is_fin_only(int fd)
{
	char byte;
	return sc_sys_recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) <= 0;
}

void sc_inspect_after_glance(int fd, struct sc_conn *conn, struct sc_glance glance)
{
	int unread = glance.unread_bytes;
	enum sc_proto proto =
		proto_of(glance.protocol == SC_GLANCE_UNASKED ? ask_protocol(fd) : glance.protocol);
	if (proto == SC_PROTO_OTHER) {
		conn->proto = SC_PROTO_OTHER;
		conn->unread_bytes = 0;
		conn->is_listener = false;
		conn->is_urgent = false;
		return;
	}
	memset(conn, 0, sizeof(*conn));
	conn->linger_s = -1;
	conn->proto = (uint8_t)proto;
	if (unread == SC_GLANCE_UNASKED) {
		int error = sc_sys_ioctl(fd, FIONREAD, &unread);
		unread = error != 0 ? error : unread;
	}
	if (unread == -EINVAL) {
		conn->is_listener = true;
	} else if (unread < 0) {
		conn->proto = SC_PROTO_OTHER;
	} else if (unread == 0) {
		conn->is_urgent = sc_urgent_is_next(fd);
	} else if (conn->proto == SC_PROTO_TCP || unread > 1 || !is_fin_only(fd)) {
		conn->unread_bytes = (uint32_t)unread;
	}
}

void sc_inspect_quickly(int fd, struct sc_conn *conn)
{
	sc_inspect_after_glance(fd, conn, sc_glance_none);
}

uint32_t sc_inspect_unacked_bytes(int fd)
{
	int bytes = 0;
	return sc_sys_ioctl(fd, SIOCOUTQ, &bytes) == 0 && bytes > 0 ? (uint32_t)bytes : 0;
}

bool sc_inspect_is_fin_sent(const struct sc_conn *conn)
{
	return conn->state == TCP_FIN_WAIT1 || conn->state == TCP_FIN_WAIT2 ||
	       conn->state == TCP_CLOSING || conn->state == TCP_LAST_ACK;
}

void sc_inspect_unacked(int fd, struct sc_conn *conn)
{
	if (conn->is_listener) {
		return;
	}
	conn->unacked_bytes = sc_inspect_unacked_bytes(fd);
	/* The FIN is the last to be acknowledged: as long as anything is, it is among them. */
	if (conn->unacked_bytes > 0 && sc_inspect_is_fin_sent(conn)) {
		conn->unacked_bytes--;
	}
}

/* Does a peek leave everything as it is? Subflows of MPTCP have a layer (ULP) of that name. */
static bool may_peek(int fd)
{
	char layer[16] = "";
	unsigned size = sizeof(layer) - 1;
	int error = sc_sys_getsockopt(fd, IPPROTO_TCP, TCP_ULP, layer, &size);
	if (error != 0 && error != -ENOPROTOOPT && error != -EOPNOTSUPP) {
		return false;
	}
	if (error == 0 && size > 0 && layer[0] != '\0' && strcmp(layer, "mptcp") != 0) {
		return false;
	}
	int offset = -1;
	size = sizeof(offset);
	return sc_sys_getsockopt(fd, SOL_SOCKET, SO_PEEK_OFF, &offset, &size) != 0 || offset < 0;
}

size_t sc_inspect_peek(int fd, void *bytes, size_t max)
{
	if (!may_peek(fd)) {
		return 0;
	}
	long got = sc_sys_recv(fd, bytes, max, MSG_PEEK | MSG_DONTWAIT);
	return got > 0 ? (size_t)got : 0;
}

static void ask_state(int fd, struct sc_conn *conn)
{
	struct tcp_info info;
	unsigned size = sizeof(info);
	memset(&info, 0, sizeof(info));
	if (sc_sys_getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) == 0) {
		conn->state = info.tcpi_state;
		conn->backlog = conn->state == TCP_LISTEN ? info.tcpi_unacked : 0;
	}
}

void sc_inspect_unacked_late(int fd, struct sc_conn *conn)
{
	ask_state(fd, conn);
	sc_inspect_unacked(fd, conn);
}

static void ask_linger(int fd, struct sc_conn *conn)
{
	struct linger linger = {0, 0};
	unsigned size = sizeof(linger);
	if (sc_sys_getsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, &size) == 0 && linger.l_onoff) {
		conn->is_abortive = linger.l_linger == 0;
		conn->linger_s = linger.l_linger > 0 ? linger.l_linger : -1;
	}
}

static bool is_in_repair(int fd)
{
	int repair = 0;
	unsigned size = sizeof(repair);
	return sc_sys_getsockopt(fd, IPPROTO_TCP, TCP_REPAIR, &repair, &size) == 0 && repair != 0;
}

/* The state of an MPTCP socket does not tell of the peer's FIN; poll does. */
static bool has_peer_hung_up(int fd)
{
	int events = sc_sys_poll(fd, POLLRDHUP, 0);
	return events > 0 && (events & POLLRDHUP);
}

static bool is_peer_done(int fd, const struct sc_conn *conn)
{
	switch (conn->state) {
	case TCP_ESTABLISHED:
	case TCP_FIN_WAIT1:
	case TCP_FIN_WAIT2:
		return conn->proto == SC_PROTO_MPTCP && has_peer_hung_up(fd);
	default:
		return true;
	}
}

/* getpeername() has no answer any more once the peer has reset; SO_PEERNAME has, if asked for as
 * many bytes as the address has. */
void sc_inspect_addresses(int fd, struct sc_conn *conn)
{
	if (conn->local.any.sa_family != AF_UNSPEC) {
		return;
	}
	unsigned size = sizeof(conn->local);
	if (SC_SYS3(SYS_getsockname, fd, &conn->local, &size) == 0) {
		sc_sys_getsockopt(fd, SOL_SOCKET, SO_PEERNAME, &conn->peer, &size);
	}
}

void sc_inspect_wholly(int fd, struct sc_conn *conn)
{
	ask_state(fd, conn);
	if (conn->is_listener && conn->backlog == 0) {
		return;
	}
	ask_linger(fd, conn);
	conn->is_peer_done = is_peer_done(fd, conn);
	conn->is_repair = is_in_repair(fd);
	conn->inode = sc_inspect_inode(fd);
}

static bool is_open(uint8_t state)
{
	return state == TCP_ESTABLISHED || state == TCP_CLOSE_WAIT;
}

bool sc_inspect_has_ended_since(int fd, const struct sc_conn *conn)
{
	struct sc_conn now;
	now.state = conn->state; /* where there is no answer */
	ask_state(fd, &now);
	return is_open(conn->state) && !is_open(now.state);
}

bool sc_inspect_is_peer_done(int fd)
{
	struct sc_conn conn = {.proto = (uint8_t)proto_of(ask_protocol(fd))};
	ask_state(fd, &conn);
	return is_peer_done(fd, &conn);
}
