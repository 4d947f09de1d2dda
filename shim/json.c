// SPDX-License-Identifier: MIT
#include "json.h"
#include "timestamp.h"
#include <stdbool.h>
#include <string.h>

enum {
	VERSION = 1,
	PIECE_MAX = 6, /* of one character: \u00XX */
	NAME_MAX_LENGTH = 300,
	EXE_MAX_LENGTH = 600,
};

static const char dots[] = "...";

/* What the parts that give way may take, in characters as written. */
struct room {
	size_t module;
	size_t symbol;
	size_t exe;
	size_t preview;
	size_t stack;
};

/* ---- characters ----------------------------------------------------------------------------- */

static bool is_continued(unsigned char c)
{
	return (c & 0xc0) == 0x80;
}

/* Bytes of the well-formed UTF-8 character at text (RFC 3629: the shortest form, no surrogates); 0: it
 * is none. */
static size_t utf8_length(const unsigned char *text)
{
	unsigned char first = text[0];
	if (first < 0x80) {
		return 1;
	}
	if (first < 0xc2 || first > 0xf4 || !is_continued(text[1])) {
		return 0;
	}
	if (first < 0xe0) {
		return 2;
	}
	bool is_overlong = (first == 0xe0 && text[1] < 0xa0) || (first == 0xf0 && text[1] < 0x90);
	bool is_beyond = (first == 0xed && text[1] > 0x9f) || (first == 0xf4 && text[1] > 0x8f);
	if (is_overlong || is_beyond || !is_continued(text[2])) {
		return 0;
	}
	if (first < 0xf0) {
		return 3;
	}
	return is_continued(text[3]) ? 4 : 0;
}

static size_t write_escape(char *piece, unsigned code)
{
	static const char digits[] = "0123456789abcdef";
	piece[0] = '\\';
	piece[1] = 'u';
	piece[2] = digits[code >> 12 & 15];
	piece[3] = digits[code >> 8 & 15];
	piece[4] = digits[code >> 4 & 15];
	piece[5] = digits[code & 15];
	return PIECE_MAX;
}

/* A byte as the character of that number. Returns the piece's length. */
static size_t write_byte(char *piece, unsigned char byte)
{
	if (byte == '"' || byte == '\\') {
		piece[0] = '\\';
		piece[1] = (char)byte;
		return 2;
	}
	if (byte < 0x20 || byte > 0x7e) {
		return write_escape(piece, byte);
	}
	piece[0] = (char)byte;
	return 1;
}

/* The character at *text, which goes on behind it. Returns the piece's length. */
static size_t write_character(char *piece, const unsigned char **text)
{
	const unsigned char *at = *text;
	size_t taken = utf8_length(at);
	*text += taken > 0 ? taken : 1;
	if (taken == 0) {
		return write_escape(piece, 0xfffd);
	}
	if (taken == 1) {
		return write_byte(piece, at[0]);
	}
	if (at[0] == 0xc2 && at[1] < 0xa0) {
		return write_escape(piece, at[1]); /* C1: control characters too */
	}
	memcpy(piece, at, taken);
	return taken;
}

/* ---- values --------------------------------------------------------------------------------- */

static size_t written_length(const char *text)
{
	const unsigned char *at = (const unsigned char *)text;
	char piece[PIECE_MAX];
	size_t length = 0;
	while (text != NULL && *at != '\0') {
		length += write_character(piece, &at);
	}
	return length;
}

static size_t preview_length(const struct sc_event *event)
{
	char piece[PIECE_MAX];
	size_t length = 0;
	for (size_t i = 0; event->preview != NULL && i < event->preview_bytes; i++) {
		length += write_byte(piece, event->preview[i]);
	}
	return length;
}

static void add_piece(struct sc_line *line, const char *piece, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		sc_line_add_char(line, piece[i]);
	}
}

/* In at most max characters: all of it, or as much of its beginning as leaves room for the dots. */
static void add_text(struct sc_line *line, const char *text, size_t max)
{
	const unsigned char *at = (const unsigned char *)text;
	char piece[PIECE_MAX];
	bool is_whole = written_length(text) <= max;
	size_t left = is_whole ? max : max > strlen(dots) ? max - strlen(dots) : 0;
	while (*at != '\0') {
		size_t length = write_character(piece, &at);
		if (length > left) {
			break;
		}
		add_piece(line, piece, length);
		left -= length;
	}
	sc_line_add(line, !is_whole && max >= strlen(dots) ? dots : "");
}

/* The same with its end. */
static void add_text_end(struct sc_line *line, const char *text, size_t max)
{
	const unsigned char *at = (const unsigned char *)text;
	char piece[PIECE_MAX];
	size_t length = written_length(text);
	size_t left = max > strlen(dots) ? max - strlen(dots) : 0;
	bool is_whole = length <= max;
	while (!is_whole && length > left) {
		length -= write_character(piece, &at);
	}
	sc_line_add(line, !is_whole && max >= strlen(dots) ? dots : "");
	add_text(line, (const char *)at, max);
}

static void add_key(struct sc_line *line, const char *key)
{
	sc_line_add(line, line->length == 0 ? "{\"" : ",\"");
	sc_line_add(line, key);
	sc_line_add(line, "\":");
}

static void add_number(struct sc_line *line, const char *key, uint64_t value)
{
	add_key(line, key);
	sc_line_add_number(line, value);
}

/* text: or NULL */
static void add_string(struct sc_line *line, const char *key, const char *text, size_t max)
{
	add_key(line, key);
	if (text == NULL) {
		sc_line_add(line, "null");
		return;
	}
	sc_line_add_char(line, '"');
	add_text(line, text, max);
	sc_line_add_char(line, '"');
}

static void add_address(struct sc_line *line, const char *key, const union sc_addr *addr)
{
	add_key(line, key);
	if (addr->any.sa_family != AF_INET && addr->any.sa_family != AF_INET6) {
		sc_line_add(line, "null");
		return;
	}
	sc_line_add_char(line, '"');
	sc_report_add_address(line, addr);
	sc_line_add_char(line, '"');
}

/* "app+0x1a2b"; without a module its address. */
static void add_frame(struct sc_line *line, const struct sc_site *site, size_t name_max)
{
	sc_line_add_char(line, '"');
	if (site->module != NULL) {
		add_text(line, site->module, name_max);
		sc_line_add_char(line, '+');
	}
	sc_line_add(line, "0x");
	sc_line_add_hex(line, site->module != NULL ? site->module_offset : site->address);
	sc_line_add_char(line, '"');
}

static bool is_known(const struct sc_site *site)
{
	return site->module != NULL || site->address != 0;
}

static void add_site(struct sc_line *line, const struct sc_site *site, const struct room *room)
{
	add_key(line, "site");
	if (is_known(site)) {
		add_frame(line, site, room->module);
	} else {
		sc_line_add(line, "null");
	}
	add_key(line, "symbol");
	if (site->symbol == NULL) {
		sc_line_add(line, "null");
		return;
	}
	sc_line_add_char(line, '"');
	add_text(line, site->symbol, room->symbol);
	sc_line_add(line, "+0x");
	sc_line_add_hex(line, site->symbol_offset);
	sc_line_add_char(line, '"');
}

/* As many frames as there is room for, and where that is not all, for the dots. */
static void add_stack(struct sc_line *line, const struct sc_event *event, size_t max)
{
	static const char more[] = ",\"...\"";
	size_t begin = line->length;
	for (size_t i = 0; i < event->stack_count; i++) {
		size_t before = line->length;
		sc_line_add(line, i > 0 ? "," : "");
		add_frame(line, &event->stack[i], NAME_MAX_LENGTH);
		size_t reserve = i + 1 < event->stack_count ? strlen(more) : 0;
		if (line->length - begin + reserve > max) {
			line->length = before;
			if (before - begin + strlen(more) <= max) {
				sc_line_add(line, i > 0 ? more : more + 1);
			}
			return;
		}
	}
}

/* Lossless: fewer bytes rather than dots, which may be bytes too. */
static void add_preview(struct sc_line *line, const struct sc_event *event, size_t max)
{
	add_key(line, "preview");
	if (event->preview == NULL) {
		sc_line_add(line, "null");
		return;
	}
	sc_line_add_char(line, '"');
	for (size_t i = 0; i < event->preview_bytes; i++) {
		char piece[PIECE_MAX];
		size_t length = write_byte(piece, event->preview[i]);
		if (length > max) {
			break;
		}
		add_piece(line, piece, length);
		max -= length;
	}
	sc_line_add_char(line, '"');
}

/* ---- the object ----------------------------------------------------------------------------- */

static void add_closer(struct sc_line *line, const struct sc_event *event, const struct room *room)
{
	add_number(line, "v", VERSION);
	add_key(line, "ts");
	sc_line_add_char(line, '"');
	sc_timestamp_add(line, event->closed_us);
	sc_line_add_char(line, '"');
	add_number(line, "pid", (uint64_t)event->pid);
	if (event->tid != 0) {
		add_number(line, "tid", (uint64_t)event->tid);
	} else {
		add_key(line, "tid");
		sc_line_add(line, "null");
	}
	add_string(line, "comm", event->comm, 15 * PIECE_MAX);
	add_key(line, "exe");
	sc_line_add(line, event->exe != NULL ? "\"" : "null");
	if (event->exe != NULL) {
		add_text_end(line, event->exe, room->exe);
		sc_line_add_char(line, '"');
	}
	add_string(line, "via", sc_report_via_name(event->via), PIECE_MAX * PIECE_MAX);
	add_number(line, "fd", (uint64_t)event->fd);
}

static void add_connection(struct sc_line *line, const struct sc_conn *conn)
{
	static const union sc_addr nobody;
	add_string(line, "proto", conn->proto == SC_PROTO_MPTCP ? "mptcp" : "tcp", PIECE_MAX);
	add_address(line, "local", &conn->local);
	add_address(line, "peer", conn->is_listener ? &nobody : &conn->peer);
	add_number(line, "unread", conn->is_listener ? conn->backlog : conn->unread_bytes);
	add_key(line, "urgent");
	sc_line_add(line, conn->is_urgent ? "true" : "false");
	add_number(line, "unacked", conn->unacked_bytes);
}

static void add_result(struct sc_line *line, const struct sc_event *event)
{
	uint64_t us = event->elapsed_us % 1000;
	add_string(line, "mode", sc_config_mode_name(event->mode), PIECE_MAX);
	add_string(line, "outcome", sc_report_outcome_name(event->outcome), 2 * PIECE_MAX);
	add_string(line, "why", event->why, NAME_MAX_LENGTH / 2);
	add_number(line, "drained", event->drained_bytes);
	add_number(line, "elapsed_ms", event->elapsed_us / 1000);
	sc_line_add_char(line, '.');
	sc_line_add(line, us < 10 ? "00" : us < 100 ? "0" : "");
	sc_line_add_number(line, us);
}

static void add_object(struct sc_line *line, const struct sc_event *event, const struct room *room)
{
	line->length = 0;
	add_closer(line, event, room);
	add_connection(line, &event->conn);
	add_result(line, event);
	add_site(line, &event->site, room);
	add_key(line, "stack");
	sc_line_add_char(line, '[');
	add_stack(line, event, room->stack);
	sc_line_add_char(line, ']');
	add_string(line, "guess", event->guess, NAME_MAX_LENGTH);
	add_preview(line, event, room->preview);
	sc_line_add(line, "}\n");
}

/* Of what is left, as much as is wanted and allowed. */
static size_t share(size_t *left, size_t wanted, size_t max)
{
	size_t got = wanted < max ? wanted : max;
	got = got < *left ? got : *left;
	*left -= got;
	return got;
}

size_t sc_json_format(const struct sc_event *event, char *buf, size_t size)
{
	struct sc_line line = {buf, size, 0};
	struct room room = {0, 0, 0, 0, 0};
	add_object(&line, event, &room);
	if (line.length == size) {
		return 0;
	}
	size_t left = size - line.length;
	room.module = share(&left, written_length(event->site.module), NAME_MAX_LENGTH);
	room.symbol = share(&left, written_length(event->site.symbol), NAME_MAX_LENGTH);
	room.exe = share(&left, written_length(event->exe), EXE_MAX_LENGTH);
	room.preview = share(&left, preview_length(event), size);
	room.stack = left;
	add_object(&line, event, &room);
	return line.length;
}
