// SPDX-License-Identifier: MIT
/*
 * SAFECLOSE_SHUTDOWN=half: bytes that arrive after shutdown(SHUT_RDWR) and a close are answered
 * with a reset, and nothing can help there. So only the writing half is shut down until the close.
 */
#include "inspect.h"
#include "interpose.h"
#include "plan.h"
#include "real.h"
#include "start.h"
#include <netinet/tcp.h>
#include <sys/socket.h>

static bool is_connected(int fd)
{
	struct sc_conn conn;
	sc_inspect_quickly(fd, &conn);
	if (conn.proto == SC_PROTO_OTHER || conn.is_listener) {
		return false;
	}
	sc_inspect_wholly(fd, &conn);
	return conn.state == TCP_ESTABLISHED || conn.state == TCP_CLOSE_WAIT ||
	       conn.state == TCP_FIN_WAIT1 || conn.state == TCP_FIN_WAIT2;
}

SC_EXPORT int shutdown(int fd, int how)
{
	sc_start();
	if ((how != SHUT_RD && how != SHUT_RDWR) || !sc_plan_halves_shutdown() ||
		!is_connected(fd) || !sc_plan_is_chosen(fd)) {
		return sc_real.shutdown(fd, how);
	}
	return how == SHUT_RD ? 0 : sc_real.shutdown(fd, SHUT_WR);
}
