// SPDX-License-Identifier: MIT
/*
 * Which connections to look at: the list in SAFECLOSE_ONLY, and whether a connection is on it. Pure:
 * no system call, no allocation, no state. Async-signal-safe.
 */
#ifndef SC_ONLY_H
#define SC_ONLY_H

#include "conn.h"

enum { SC_ONLY_MAX = 64 }; /* items of a list */

/* One item. An IPv4 network is kept as four bytes, also where it was written as ::ffff:... */
struct sc_only_item {
	unsigned char network[16];
	uint16_t port;       /* 0: any */
	uint8_t prefix_bits; /* that have to be the same */
	uint8_t family;      /* AF_INET or AF_INET6; AF_UNSPEC: any address */
	bool is_local;       /* this end's; else the peer's */
};

struct sc_only {
	struct sc_only_item items[SC_ONLY_MAX];
	uint32_t count; /* 0: every connection */
};

/*
 * Parse text whole: "all", or items local:PORT, peer:PORT, peer:ADDR[/LEN][:PORT], an IPv6 address in
 * brackets, separated by commas, blanks or both. false: it is none, or too long, and *only is
 * unchanged.
 */
bool sc_only_parse(const char *text, struct sc_only *only);

/* Is a connection with these ends one to look at? One of the items has to fit. An address v4-mapped
 * into IPv6 counts as the IPv4 one; an end that is not known fits only where nothing is asked. */
bool sc_only_matches(
	const struct sc_only *only, const union sc_addr *local, const union sc_addr *peer);

#endif
