// SPDX-License-Identifier: MIT
#include "pair.h"
#include "deadline.h"
#include "unit.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

static void set_loopback(union address *address)
{
	if (address->any.sa_family == AF_INET6) {
		address->v6.sin6_addr = in6addr_loopback;
	} else {
		address->v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	}
}

/* A socket that takes peers of the other domain too listens on all addresses. */
static int listen_as(int domain, int peer_domain, int protocol)
{
	union address address = {.any.sa_family = (sa_family_t)domain};
	int listener = socket(domain, SOCK_STREAM | SOCK_CLOEXEC, protocol);

	if (listener < 0) {
		return -1;
	}
	if (domain == peer_domain) {
		set_loopback(&address);
	}
	assert_return_code(bind(listener, &address.any, sizeof(address)), errno);
	assert_return_code(listen(listener, 1), errno);
	return listener;
}

/* Where it listens, as a peer of this domain connects there. The port has one place in both. */
static void find_target(union address *target, int listener, int peer_domain)
{
	union address bound;
	socklen_t size = sizeof(bound);

	assert_return_code(getsockname(listener, &bound.any, &size), errno);
	*target = (union address){.any.sa_family = (sa_family_t)peer_domain};
	target->v4.sin_port = bound.v4.sin_port;
	set_loopback(target);
}

bool pair_open_as(struct pair *pair, int our_domain, int peer_domain, int protocol)
{
	union address target;
	int listener = listen_as(our_domain, peer_domain, protocol);

	if (listener < 0) {
		return false;
	}
	find_target(&target, listener, peer_domain);
	pair->peer = socket(peer_domain, SOCK_STREAM | SOCK_CLOEXEC, protocol);
	assert_return_code(pair->peer, errno);
	assert_return_code(connect(pair->peer, &target.any,
				   peer_domain == AF_INET6 ? sizeof(target.v6) : sizeof(target.v4)),
		errno);
	assert_true(deadline_poll(listener, POLLIN, deadline_in(DEADLINE_MS)) & POLLIN);
	pair->ours = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	assert_return_code(pair->ours, errno);
	close(listener);
	return true;
}

struct pair pair_open(void)
{
	struct pair pair;

	assert_true(pair_open_as(&pair, AF_INET, AF_INET, IPPROTO_TCP));
	return pair;
}

void pair_close(const struct pair *pair)
{
	close(pair->ours);
	close(pair->peer);
}
