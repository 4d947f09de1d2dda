// SPDX-License-Identifier: MIT
/*
 * What a peer's first bytes are, whatever it sent. Reads at most 16 of them and none past their end,
 * and what it names begins in the way that this begins.
 */
#include "must.h"

#include "guess.h"

#include <stdint.h>
#include <string.h>

static bool begins(const unsigned char *bytes, size_t count, const char *text)
{
	return count >= strlen(text) && memcmp(bytes, text, strlen(text)) == 0;
}

static void must_begin_so(enum sc_guess guess, const unsigned char *bytes, size_t count)
{
	switch (guess) {
	case SC_GUESS_NONE:
		return;
	case SC_GUESS_TLS_ALERT:
		must(count >= 5 && bytes[0] == 21 && bytes[1] == 3);
		return;
	case SC_GUESS_TLS_HANDSHAKE:
		must(count >= 5 && (bytes[0] == 22 || bytes[0] == 20) && bytes[1] == 3);
		return;
	case SC_GUESS_TLS_TICKET:
		must(count >= 6 && bytes[0] == 22 && bytes[1] == 3 && bytes[5] == 4);
		return;
	case SC_GUESS_TLS_DATA:
	case SC_GUESS_TLS_DATA_OR_TICKET:
	case SC_GUESS_TLS_DATA_OR_ALERT:
		must(count >= 5 && bytes[0] == 23 && bytes[1] == 3);
		return;
	case SC_GUESS_HTTP_REQUEST:
		must(count >= 5 && bytes[0] >= 'A' && bytes[0] <= 'Z' && memchr(bytes, ' ', count));
		return;
	case SC_GUESS_HTTP_RESPONSE:
		must(begins(bytes, count, "HTTP/1."));
		return;
	case SC_GUESS_HTTP2_PREFACE:
		must(begins(bytes, count, "PRI * HTTP/2.0\r\n"));
		return;
	case SC_GUESS_HTTP2_FRAME:
		must(count >= 9 && bytes[0] == 0 && bytes[3] <= 8);
		return;
	case SC_GUESS_SSH_BANNER:
		must(begins(bytes, count, "SSH-"));
		return;
	case SC_GUESS_COUNT:
		break;
	}
	abort();
}

/* The first eight bytes are how many more are unread than are here, or no bytes at all. */
int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t size)
{
	uint64_t more = 0;

	if (size >= sizeof(more)) {
		memcpy(&more, bytes, sizeof(more));
		bytes += sizeof(more);
		size -= sizeof(more);
	}
	/* One of a small number in two: frames that stand alone. */
	uint64_t total = size + (more & 1 ? more : more >> 1 & 31);
	unsigned char *all = malloc(size);

	memcpy(all, bytes, size);
	enum sc_guess guess = sc_guess_bytes(all, size, total);
	must((sc_guess_name(guess) == NULL) == (guess == SC_GUESS_NONE));
	must_begin_so(guess, all, size);

	/* Those past the sixteenth change nothing. */
	for (size_t i = SC_GUESS_BYTES; i < size; i++) {
		all[i] ^= 0xff;
	}
	must(sc_guess_bytes(all, size, total) == guess);
	free(all);
	unsigned char *first = malloc(size < SC_GUESS_BYTES ? size : SC_GUESS_BYTES);
	memcpy(first, bytes, size < SC_GUESS_BYTES ? size : SC_GUESS_BYTES);
	must(sc_guess_bytes(first, size < SC_GUESS_BYTES ? size : SC_GUESS_BYTES, total) == guess);
	free(first);
	return 0;
}
