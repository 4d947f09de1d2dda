// SPDX-License-Identifier: MIT
#include "guess.h"
#include <stdbool.h>
#include <string.h>

/* What is there of the unread bytes. */
struct view {
	const unsigned char *bytes;
	size_t count;         /* at most SC_GUESS_BYTES */
	uint64_t total_bytes; /* unread in all */
};

const char *sc_guess_name(enum sc_guess guess)
{
	static const char names[SC_GUESS_COUNT][sizeof("TLS application data or session ticket")] =
		{
			[SC_GUESS_TLS_ALERT] = "TLS alert",
			[SC_GUESS_TLS_HANDSHAKE] = "TLS handshake",
			[SC_GUESS_TLS_TICKET] = "TLS session ticket",
			[SC_GUESS_TLS_DATA] = "TLS application data",
			[SC_GUESS_TLS_DATA_OR_TICKET] = "TLS application data or session ticket",
			[SC_GUESS_TLS_DATA_OR_ALERT] = "TLS application data or alert",
			[SC_GUESS_HTTP_REQUEST] = "HTTP request",
			[SC_GUESS_HTTP_RESPONSE] = "HTTP response",
			[SC_GUESS_HTTP2_PREFACE] = "HTTP/2 preface",
			[SC_GUESS_HTTP2_FRAME] = "HTTP/2 frame",
			[SC_GUESS_SSH_BANNER] = "SSH banner",
		};
	return guess != SC_GUESS_NONE && (unsigned)guess < SC_GUESS_COUNT ? names[guess] : NULL;
}

static uint32_t number_at(const struct view *view, size_t at, size_t length)
{
	uint32_t number = 0;
	for (size_t i = 0; i < length; i++) {
		number = number << 8 | view->bytes[at + i];
	}
	return number;
}

static bool begins_with(const struct view *view, const char *text)
{
	size_t length = strlen(text);
	return view->count >= length && memcmp(view->bytes, text, length) == 0;
}

static bool is_visible(unsigned char c)
{
	return c > 0x20 && c < 0x7f;
}

/* ---- TLS (RFC 8446 section 5, RFC 5246 section 6) ------------------------------------------- */

enum {
	TLS_HEADER = 5,
	TLS_CHANGE_CIPHER_SPEC = 20,
	TLS_ALERT = 21,
	TLS_HANDSHAKE = 22,
	TLS_APPLICATION_DATA = 23,
	TLS_NEW_SESSION_TICKET = 4,
	TLS_LENGTH_MAX = 16384 + 2048,
	/* TLS 1.3: a tag of 16 and the true type behind the content */
	TLS_SEALED_MIN = 17,
	TLS_SEALED_ALERT = 19,
	TLS_SEALED_KEY_UPDATE = 22,
};

/* In the clear level and description; sealed their two bytes grow by what the ciphers add. */
static enum sc_guess guess_alert(const struct view *view, uint32_t length)
{
	static const unsigned char sealed[] = {18, 19, 22, 24, 26, 32, 48, 64, 80};
	if (length == 2) {
		bool is_whole = view->count >= TLS_HEADER + 2;
		return is_whole && (view->bytes[5] == 1 || view->bytes[5] == 2) ? SC_GUESS_TLS_ALERT
										: SC_GUESS_NONE;
	}
	for (size_t i = 0; i < sizeof(sealed); i++) {
		if (length == sealed[i]) {
			return SC_GUESS_TLS_ALERT;
		}
	}
	return SC_GUESS_NONE;
}

static bool is_handshake_type(unsigned char type)
{
	static const unsigned char types[] = {0, 1, 2, 3, 4, 11, 12, 13, 14, 15, 16, 20, 21, 22};
	return memchr(types, type, sizeof(types)) != NULL;
}

/* In the clear a type and a length of 24 bits; sealed (TLS 1.2's Finished) nothing is to be known. */
static enum sc_guess guess_handshake(const struct view *view, uint32_t length)
{
	if (view->count < TLS_HEADER + 4 || length < 4 || !is_handshake_type(view->bytes[5])) {
		return SC_GUESS_NONE;
	}
	uint32_t message = number_at(view, TLS_HEADER + 1, 3) + 4;
	if (view->bytes[5] == TLS_NEW_SESSION_TICKET && message == length) {
		return SC_GUESS_TLS_TICKET;
	}
	/* A long message goes on in the next record, after a short one there may be another. */
	return message <= 1 << 18 ? SC_GUESS_TLS_HANDSHAKE : SC_GUESS_NONE;
}

/* TLS 1.3 seals all but the hellos as application data. */
static enum sc_guess guess_data(const struct view *view, uint32_t length)
{
	if (length < TLS_SEALED_MIN) {
		return SC_GUESS_NONE;
	}
	if (view->bytes[2] < 3 || length == TLS_SEALED_KEY_UPDATE) {
		return SC_GUESS_TLS_DATA;
	}
	return length == TLS_SEALED_ALERT ? SC_GUESS_TLS_DATA_OR_ALERT
					  : SC_GUESS_TLS_DATA_OR_TICKET;
}

static enum sc_guess guess_tls(const struct view *view)
{
	if (view->count < TLS_HEADER || view->bytes[1] != 3 || view->bytes[2] < 1 ||
		view->bytes[2] > 4) {
		return SC_GUESS_NONE;
	}
	uint32_t length = number_at(view, 3, 2);
	if (length > TLS_LENGTH_MAX) {
		return SC_GUESS_NONE;
	}
	switch (view->bytes[0]) {
	case TLS_ALERT:
		return guess_alert(view, length);
	case TLS_HANDSHAKE:
		return guess_handshake(view, length);
	case TLS_APPLICATION_DATA:
		return guess_data(view, length);
	case TLS_CHANGE_CIPHER_SPEC:
		return length == 1 && view->count > TLS_HEADER && view->bytes[TLS_HEADER] == 1
			       ? SC_GUESS_TLS_HANDSHAKE
			       : SC_GUESS_NONE;
	default:
		return SC_GUESS_NONE;
	}
}

/* ---- HTTP/1 (RFC 9112) ---------------------------------------------------------------------- */

/* "/a HTTP/1.1", as far as it is there: what stands behind the method and its blank. */
static bool is_target(const struct view *view, size_t at, bool is_connect)
{
	size_t begin = at;
	while (at < view->count && is_visible(view->bytes[at])) {
		at++;
	}
	const char *target = (const char *)view->bytes + begin;
	size_t length = at - begin;
	bool is_form = is_connect ? length > 0 && target[0] != '/' && target[0] != '*'
				  : (length > 0 && target[0] == '/') ||
					    (length == 1 && target[0] == '*') ||
					    (length >= 5 && memcmp(target, "http:", 5) == 0) ||
					    (length >= 6 && memcmp(target, "https:", 6) == 0);
	if (!is_form || at == view->count) {
		return is_form;
	}
	static const char version[] = " HTTP/1.";
	size_t left = view->count - at;
	size_t compared = left < strlen(version) ? left : strlen(version);
	return memcmp(view->bytes + at, version, compared) == 0;
}

static bool is_http_request(const struct view *view)
{
	static const char methods[][sizeof("PROPPATCH ")] = {"GET ", "HEAD ", "POST ", "PUT ",
		"DELETE ", "CONNECT ", "OPTIONS ", "TRACE ", "PATCH ", "PROPFIND ", "PROPPATCH ",
		"MKCOL ", "COPY ", "MOVE ", "LOCK ", "UNLOCK ", "SEARCH ", "REPORT "};
	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
		if (begins_with(view, methods[i])) {
			bool is_connect = methods[i][0] == 'C' && methods[i][2] == 'N';
			return is_target(view, strlen(methods[i]), is_connect);
		}
	}
	return false;
}

/* "HTTP/1.1 200 " */
static bool is_http_response(const struct view *view)
{
	const unsigned char *status = view->bytes + 9;
	if (view->count < 12 ||
		(!begins_with(view, "HTTP/1.1 ") && !begins_with(view, "HTTP/1.0 "))) {
		return false;
	}
	for (int i = 0; i < 3; i++) {
		if (status[i] < '0' || status[i] > '9') {
			return false;
		}
	}
	return status[0] >= '1' && status[0] <= '5' &&
	       (view->count == 12 || status[3] == ' ' || status[3] == '\r');
}

/* ---- HTTP/2 (RFC 9113 sections 4.1 and 6) --------------------------------------------------- */

enum {
	H2_HEADER = 9,
	H2_HEADERS = 1,
	H2_RST_STREAM = 3,
	H2_SETTINGS = 4,
	H2_PING = 6,
	H2_GOAWAY = 7,
	H2_WINDOW_UPDATE = 8,
	H2_ERROR_MAX = 0xd,
	H2_END_HEADERS = 4,
	H2_SETTINGS_MAX = 96, /* bytes: a few of 6 each */
	H2_DEBUG_MAX = 1024,
};

/* The first setting: a known one, with a value that it may have. */
static bool is_setting(const struct view *view)
{
	if (view->count < H2_HEADER + 6) {
		return false;
	}
	uint32_t id = number_at(view, H2_HEADER, 2);
	uint32_t value = number_at(view, H2_HEADER + 2, 4);
	switch (id) {
	case 2: /* ENABLE_PUSH */
	case 8: /* ENABLE_CONNECT_PROTOCOL */
	case 9: /* NO_RFC7540_PRIORITIES */
		return value <= 1;
	case 4: /* INITIAL_WINDOW_SIZE */
		return value <= INT32_MAX;
	case 5: /* MAX_FRAME_SIZE */
		return value >= 1 << 14 && value < 1 << 24;
	default:
		return id == 1 || id == 3 || id == 6;
	}
}

/* The first field of a response or a request, by its number in HPACK's table (RFC 7541). */
static bool is_pseudo_field(const struct view *view)
{
	return view->count > H2_HEADER && view->bytes[H2_HEADER] >= 0x82 &&
	       view->bytes[H2_HEADER] <= 0x8e;
}

/*
 * Nine bytes, most of them zero, are soon like something else (a length of four bytes and a small
 * number): only what its type binds to a length and a stream, and has content to check or nothing
 * behind it.
 */
static bool is_http2_frame(const struct view *view)
{
	if (view->count < H2_HEADER) {
		return false;
	}
	uint32_t length = number_at(view, 0, 3);
	unsigned char flags = view->bytes[4];
	uint32_t stream = number_at(view, 5, 4);
	bool is_alone = view->total_bytes == H2_HEADER + (uint64_t)length;
	bool is_from_client = stream % 2 == 1 && stream < 1 << 24;
	switch (view->bytes[3]) {
	case H2_HEADERS:
		return length > 0 && length <= 1 << 14 && (flags == H2_END_HEADERS || flags == 5) &&
		       is_from_client && is_pseudo_field(view);
	case H2_RST_STREAM:
		return length == 4 && flags == 0 && is_from_client && view->count >= 13 &&
		       number_at(view, H2_HEADER, 4) <= H2_ERROR_MAX;
	case H2_SETTINGS:
		return length > 0 && length % 6 == 0 && length <= H2_SETTINGS_MAX && flags == 0 &&
		       stream == 0 && is_setting(view);
	case H2_PING:
		return length == 8 && flags <= 1 && stream == 0 && is_alone;
	case H2_GOAWAY:
		return length >= 8 && length <= H2_DEBUG_MAX && flags == 0 && stream == 0 &&
		       is_alone && view->count >= H2_HEADER + 4 &&
		       number_at(view, H2_HEADER, 4) <= INT32_MAX;
	case H2_WINDOW_UPDATE:
		return length == 4 && flags == 0 && (stream == 0 || is_from_client) && is_alone;
	default:
		return false;
	}
}

/* ---- all ------------------------------------------------------------------------------------ */

/* RFC 4253 section 4.2 */
static bool is_ssh_banner(const struct view *view)
{
	size_t length = begins_with(view, "SSH-2.0-")    ? 8
			: begins_with(view, "SSH-1.99-") ? 9
							 : SC_GUESS_BYTES;
	return view->count > length && is_visible(view->bytes[length]);
}

enum sc_guess sc_guess_bytes(const unsigned char *bytes, size_t count, uint64_t total_bytes)
{
	struct view view = {bytes, count < SC_GUESS_BYTES ? count : SC_GUESS_BYTES, total_bytes};
	if (is_http_request(&view)) {
		return SC_GUESS_HTTP_REQUEST;
	}
	if (is_http_response(&view)) {
		return SC_GUESS_HTTP_RESPONSE;
	}
	if (begins_with(&view, "PRI * HTTP/2.0\r\n")) {
		return SC_GUESS_HTTP2_PREFACE;
	}
	if (is_ssh_banner(&view)) {
		return SC_GUESS_SSH_BANNER;
	}
	if (is_http2_frame(&view)) {
		return SC_GUESS_HTTP2_FRAME;
	}
	return guess_tls(&view);
}
