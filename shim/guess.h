// SPDX-License-Identifier: MIT
/*
 * What unread bytes are, by the first of them. Names only what it knows: a wrong name is worse than
 * none. Pure: no system call, no state.
 */
#ifndef SC_GUESS_H
#define SC_GUESS_H

#include <stddef.h>
#include <stdint.h>

enum { SC_GUESS_BYTES = 16 }; /* looked at, at most */

enum sc_guess {
	SC_GUESS_NONE,
	SC_GUESS_TLS_ALERT,
	SC_GUESS_TLS_HANDSHAKE,
	SC_GUESS_TLS_TICKET, /* of TLS 1.2, which sends it in the clear */
	SC_GUESS_TLS_DATA,   /* the type of the record: of TLS 1.3 it hides others */
	SC_GUESS_TLS_DATA_OR_TICKET,
	SC_GUESS_TLS_DATA_OR_ALERT,
	SC_GUESS_HTTP_REQUEST,
	SC_GUESS_HTTP_RESPONSE,
	SC_GUESS_HTTP2_PREFACE,
	SC_GUESS_HTTP2_FRAME,
	SC_GUESS_SSH_BANNER,
	SC_GUESS_COUNT
};

/* count bytes are there, of total_bytes that are unread; those past SC_GUESS_BYTES are not looked
 * at. */
enum sc_guess sc_guess_bytes(const unsigned char *bytes, size_t count, uint64_t total_bytes);

/* "HTTP request"; NULL for SC_GUESS_NONE. */
const char *sc_guess_name(enum sc_guess guess);

#endif
