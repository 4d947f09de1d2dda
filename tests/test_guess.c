// SPDX-License-Identifier: MIT
// LINK: guess.o
/*
 * sc_guess_bytes(): what each kind of unread bytes is called, and above all what is not called so.
 */
#include "../shim/guess.h"
#include "harness/unit.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* total: unread in all, where that is more than the bytes. */
struct row {
	const char *what;
	const char *bytes;
	size_t count;
	uint64_t total;
};

#define BYTES(text) text, sizeof(text) - 1
#define ROW(what, text)               \
	{                             \
		what, BYTES(text), 0, \
	}
#define ROW_OF(what, total, text)         \
	{                                 \
		what, BYTES(text), total, \
	}

/* From the last bytes before memory that may not be read: one byte too many ends the test. */
static const char *guess(const char *bytes, size_t count, uint64_t total)
{
	static unsigned char *end;

	if (!end) {
		size_t page = (size_t)sysconf(_SC_PAGESIZE);
		unsigned char *pages = mmap(
			NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		assert_ptr_not_equal(pages, MAP_FAILED);
		end = pages + page;
		assert_return_code(mprotect(end, page, PROT_NONE), errno);
	}
	unsigned char *place = end - count;

	memcpy(place, bytes, count);
	return sc_guess_name(sc_guess_bytes(place, count, total > 0 ? total : count));
}

static void check_rows(const struct row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct row *row = &rows[i];
		const char *answer = guess(row->bytes, row->count, row->total);
		bool is_right = row->what ? answer && strcmp(answer, row->what) == 0 : !answer;

		/* As many of them as a look may get, whatever there is. */
		for (size_t cut = 0; cut < row->count; cut++) {
			guess(row->bytes, cut, row->total);
		}
		if (!is_right) {
			fail_msg("row %zu: %s instead of %s", i, answer ? answer : "nothing",
				row->what ? row->what : "nothing");
		}
	}
}

#define CHECK(rows) check_rows(rows, sizeof(rows) / sizeof((rows)[0]))

/* ---- TLS ------------------------------------------------------------------------------------ */

static void test_guess_tls_records_by_their_type(void **state)
{
	static const struct row rows[] = {
		/* alerts: close_notify, handshake_failure; sealed by GCM, ChaCha20, CBC */
		ROW("TLS alert", "\x15\x03\x03\x00\x02\x01\x00"),
		ROW("TLS alert", "\x15\x03\x01\x00\x02\x02\x28"),
		ROW("TLS alert",
			"\x15\x03\x03\x00\x1a\x00\x00\x00\x00\x00\x00\x00\x01\x99\x98\x97"),
		ROW("TLS alert", "\x15\x03\x03\x00\x12\x77\x12\xaa"),
		ROW("TLS alert", "\x15\x03\x02\x00\x30\x00\x00"),
		/* a client's and a server's hello, a certificate, TLS 1.2's ticket */
		ROW("TLS handshake",
			"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\x01\x02\x03\x04\x05"),
		ROW("TLS handshake",
			"\x16\x03\x03\x00\x7a\x02\x00\x00\x76\x03\x03\x01\x02\x03\x04\x05"),
		ROW("TLS handshake", "\x16\x03\x03\x0b\xb8\x0b\x00\x0b\xb4\x00\x0b\xb1"),
		ROW("TLS handshake", "\x14\x03\x03\x00\x01\x01\x17\x03\x03\x00\x20"),
		ROW("TLS session ticket",
			"\x16\x03\x03\x00\xca\x04\x00\x00\xc6\x00\x00\x1c\x20\x00\xc0\x11"),
		/* sealed */
		ROW("TLS application data or session ticket",
			"\x17\x03\x03\x00\xff\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b"),
		ROW("TLS application data or session ticket", "\x17\x03\x03\x41\x00"),
		ROW("TLS application data or session ticket", "\x17\x03\x03\x48\x00"),
		ROW("TLS application data or session ticket", "\x17\x03\x03\x00\x11\x55"),
		ROW("TLS application data or alert", "\x17\x03\x03\x00\x13\x55\x66"),
		ROW("TLS application data", "\x17\x03\x03\x00\x16\x55\x66"),
		ROW("TLS application data", "\x17\x03\x01\x00\x20\x55\x66"),
		ROW("TLS application data", "\x17\x03\x02\x00\x20\x55\x66"),
	};

	(void)state;
	CHECK(rows);
}

static void test_guess_near_tls_is_nothing(void **state)
{
	static const struct row rows[] = {
		/* no such version */
		ROW(NULL, "\x17\x02\x03\x00\xff\x01\x02"),
		ROW(NULL, "\x17\x03\x00\x00\xff\x01\x02"), /* SSL 3.0 */
		ROW(NULL, "\x17\x03\x05\x00\xff\x01\x02"),
		ROW(NULL, "\x17\xfe\xfd\x00\xff\x01\x02"), /* DTLS */
		/* no such length */
		ROW(NULL, "\x17\x03\x03\x48\x01\x01\x02"),
		ROW(NULL, "\x17\x03\x03\xff\xff\x01\x02"),
		ROW(NULL, "\x17\x03\x03\x00\x00\x01\x02"),
		ROW(NULL, "\x17\x03\x03\x00\x10\x01\x02"),
		ROW(NULL, "\x15\x03\x03\x00\x03\x01\x00\x00"),
		ROW(NULL, "\x15\x03\x03\x01\x1a\x01\x00\x00"),
		ROW(NULL, "\x15\x03\x03\x00\x00\x01\x00"),
		ROW(NULL, "\x14\x03\x03\x00\x02\x01\x01"),
		ROW(NULL, "\x14\x03\x03\x00\x01\x02"),
		ROW(NULL, "\x16\x03\x03\x00\x03\x01\x00\x00\x00"),
		/* no such level, type, message */
		ROW(NULL, "\x15\x03\x03\x00\x02\x03\x00"),
		ROW(NULL, "\x15\x03\x03\x00\x02\x00\x00"),
		ROW(NULL, "\x16\x03\x03\x00\x40\x99\x00\x00\x3c"),
		ROW(NULL, "\x16\x03\x03\x00\x40\x01\xff\x00\x3c"),
		ROW(NULL, "\x18\x03\x03\x00\x40\x01\x00\x00\x3c"), /* heartbeat */
		ROW(NULL, "\x13\x03\x03\x00\x40\x01\x00\x00\x3c"),
		/* not all there */
		ROW(NULL, "\x17\x03\x03\x00"),
		ROW(NULL, "\x15\x03\x03\x00\x02"),
		ROW(NULL, "\x15\x03\x03\x00\x02\x01"),
		ROW(NULL, "\x16\x03\x03\x00\x40\x01\x00\x00"),
		ROW(NULL, "\x14\x03\x03\x00\x01"),
		/* an alert as TLS 1.2's sealed one would not be: the middle of something */
		ROW(NULL, "\x03\x03\x00\x02\x01\x00"),
	};

	(void)state;
	CHECK(rows);
}

/* ---- HTTP/1 --------------------------------------------------------------------------------- */

static void test_guess_http_requests_by_their_method_and_target(void **state)
{
	static const struct row rows[] = {
		ROW("HTTP request", "GET / HTTP/1.1\r\n"),
		ROW("HTTP request", "GET /"),
		ROW("HTTP request", "GET / "),
		ROW("HTTP request", "GET / HT"),
		ROW("HTTP request", "GET /index.html?"),
		ROW("HTTP request", "GET http://exam"),
		ROW("HTTP request", "GET https://exa"),
		ROW("HTTP request", "HEAD /x HTTP/1.0"),
		ROW("HTTP request", "POST /upload HTT"),
		ROW("HTTP request", "PUT /a%20b HTTP/"),
		ROW("HTTP request", "DELETE /thing/12"),
		ROW("HTTP request", "CONNECT example."),
		ROW("HTTP request", "CONNECT [::1]:44"),
		ROW("HTTP request", "OPTIONS * HTTP/1"),
		ROW("HTTP request", "OPTIONS /a HTTP/"),
		ROW("HTTP request", "TRACE / HTTP/1.1"),
		ROW("HTTP request", "PATCH /a HTTP/1."),
		ROW("HTTP request", "PROPFIND /dav/ H"),
		ROW("HTTP request", "MKCOL /dav/new H"),
		ROW("HTTP request", "UNLOCK /dav/a HT"),
	};

	(void)state;
	CHECK(rows);
}

static void test_guess_near_http_requests_is_nothing(void **state)
{
	static const struct row rows[] = {
		ROW(NULL, ""),
		ROW(NULL, "G"),
		ROW(NULL, "GET"),
		ROW(NULL, "GET "),
		ROW(NULL, "GET\t/ HTTP/1.1\r\n"),
		ROW(NULL, "get / HTTP/1.1\r\n"),
		ROW(NULL, "get key\r\n"), /* memcached */
		ROW(NULL, "GET key\r\n"),
		ROW(NULL, "GET /\r\n"), /* HTTP/0.9, or somebody's own */
		ROW(NULL, "GET / FTP/1.1\r\n"),
		ROW(NULL, "GET /a b HTTP/1."),
		ROW(NULL, "GET /\x01"),
		ROW(NULL, "GET  / HTTP/1.1\r"),
		ROW(NULL, "GETS / HTTP/1.1\r"),
		ROW(NULL, "XGET / HTTP/1.1\r"),
		ROW(NULL, " GET / HTTP/1.1\r"),
		ROW(NULL, "POST-IT notes are"),
		ROW(NULL, "PUT down the pen"),
		ROW(NULL, "HEAD over heels"),
		ROW(NULL, "COPY that, over"),
		ROW(NULL, "SEARCH and rescue"),
		ROW(NULL, "TRACE the line"),
		ROW(NULL, "OPTIONS rtsp://a"), /* RTSP */
		ROW(NULL, "OPTIONS * RTSP/1"),
		ROW(NULL, "OPTIONS sip:a@b "),
		ROW(NULL, "CONNECT / HTTP/1"),
		ROW(NULL, "CONNECT * HTTP/1"),
		ROW(NULL, "BREW /pot HTTP/1"),
		ROW(NULL, "GET * HTTP/2.0\r\n"),
		ROW(NULL, "*1\r\n$4\r\nPING\r\n"), /* redis */
		ROW(NULL, "EHLO example.org"),
	};

	(void)state;
	CHECK(rows);
}

static void test_guess_http_responses_by_version_and_status(void **state)
{
	static const struct row rows[] = {
		ROW("HTTP response", "HTTP/1.1 200 OK\r"),
		ROW("HTTP response", "HTTP/1.0 404 Not"),
		ROW("HTTP response", "HTTP/1.1 100 Con"),
		ROW("HTTP response", "HTTP/1.1 599 \r\n"),
		ROW("HTTP response", "HTTP/1.1 200\r\n"),
		ROW("HTTP response", "HTTP/1.1 200"),
		/* no response */
		ROW(NULL, "HTTP/1.1 20"),
		ROW(NULL, "HTTP/1.1 2000 OK"),
		ROW(NULL, "HTTP/1.1 600 OK\r"),
		ROW(NULL, "HTTP/1.1 000 OK\r"),
		ROW(NULL, "HTTP/1.1 2x0 OK\r"),
		ROW(NULL, "HTTP/1.1  200 OK"),
		ROW(NULL, "HTTP/1.2 200 OK\r"),
		ROW(NULL, "HTTP/2 200 OK\r\n"),
		ROW(NULL, "http/1.1 200 OK\r"),
		ROW(NULL, "HTTPS/1.1 200 OK"),
		ROW(NULL, "RTSP/1.0 200 OK\r"),
		ROW(NULL, "ICY 200 OK\r\n"),
		ROW(NULL, "SIP/2.0 200 OK\r\n"),
		ROW(NULL, "XHTTP/1.1 200 OK"),
	};

	(void)state;
	CHECK(rows);
}

/* ---- HTTP/2 --------------------------------------------------------------------------------- */

static void test_guess_http2_by_preface_and_frames(void **state)
{
	static const struct row rows[] = {
		ROW("HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
		ROW("HTTP/2 preface", "PRI * HTTP/2.0\r\n"),
		/* SETTINGS of three servers, with more behind them */
		ROW_OF("HTTP/2 frame", 40,
			"\x00\x00\x12\x04\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\x80\x00"),
		ROW_OF("HTTP/2 frame", 46,
			"\x00\x00\x18\x04\x00\x00\x00\x00\x00\x00\x05\x00\x10\x00\x00\x00"),
		ROW_OF("HTTP/2 frame", 15,
			"\x00\x00\x06\x04\x00\x00\x00\x00\x00\x00\x04\x7f\xff\xff\xff"),
		/* GOAWAY, RST_STREAM, PING, WINDOW_UPDATE, a response's HEADERS */
		ROW_OF("HTTP/2 frame", 17,
			"\x00\x00\x08\x07\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00"),
		ROW_OF("HTTP/2 frame", 13, "\x00\x00\x04\x03\x00\x00\x00\x00\x01\x00\x00\x00\x08"),
		ROW_OF("HTTP/2 frame", 17,
			"\x00\x00\x08\x06\x00\x00\x00\x00\x00\x41\x42\x43\x44\x45\x46\x47"),
		ROW_OF("HTTP/2 frame", 13, "\x00\x00\x04\x08\x00\x00\x00\x00\x00\x3f\xff\x00\x01"),
		ROW_OF("HTTP/2 frame", 900,
			"\x00\x00\x7b\x01\x04\x00\x00\x00\x01\x88\x5f\x8b\x1d\x75\xd0\x62"),
	};

	(void)state;
	CHECK(rows);
}

static void test_guess_near_http2_is_nothing(void **state)
{
	static const struct row rows[] = {
		ROW(NULL, "PRI * HTTP/2.0\r"),
		ROW(NULL, "PRI * HTTP/1.1\r\n"),
		ROW(NULL, "PRI / HTTP/2.0\r\n"),
		/* four bytes of length and a number: 4 and 0, 4 and 1; first answers of Kafka's */
		ROW_OF(NULL, 8, "\x00\x00\x00\x04\x00\x00\x00\x00"),
		ROW_OF(NULL, 9, "\x00\x00\x00\x04\x00\x00\x00\x00\x00"),
		ROW_OF(NULL, 9, "\x00\x00\x00\x04\x01\x00\x00\x00\x00"),
		ROW_OF(NULL, 1544,
			"\x00\x00\x06\x04\x00\x00\x00\x00\x00\x00\x00\x00\x00\x3c\x00\x00"),
		ROW_OF(NULL, 2059,
			"\x00\x00\x08\x07\x00\x00\x00\x00\x00\x00\x00\x00\x00\x3c\x00\x00"),
		ROW_OF(NULL, 1036,
			"\x00\x00\x04\x08\x00\x00\x00\x00\x00\x00\x00\x00\x00\x3c\x00\x00"),
		ROW_OF(NULL, 2058,
			"\x00\x00\x08\x06\x00\x00\x00\x00\x00\x00\x00\x00\x00\x3c\x00\x00"),
		/* lengths, streams, flags, settings, errors that there are not */
		ROW_OF(NULL, 16,
			"\x00\x00\x07\x04\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\x80\x00"),
		ROW_OF(NULL, 15, "\x00\x00\x06\x04\x00\x00\x00\x00\x01\x00\x03\x00\x00\x00\x80"),
		ROW_OF(NULL, 15, "\x00\x00\x06\x04\x01\x00\x00\x00\x00\x00\x03\x00\x00\x00\x80"),
		ROW_OF(NULL, 15, "\x00\x00\x06\x04\x00\x00\x00\x00\x00\x00\x0a\x00\x00\x00\x80"),
		ROW_OF(NULL, 15, "\x00\x00\x06\x04\x00\x00\x00\x00\x00\x00\x02\x00\x00\x00\x80"),
		ROW_OF(NULL, 15, "\x00\x00\x06\x04\x00\x00\x00\x00\x00\x00\x05\x00\x00\x00\x80"),
		ROW_OF(NULL, 14, "\x00\x00\x06\x04\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00"),
		ROW_OF(NULL, 13, "\x00\x00\x04\x03\x00\x00\x00\x00\x00\x00\x00\x00\x08"),
		ROW_OF(NULL, 13, "\x00\x00\x04\x03\x00\x00\x00\x00\x02\x00\x00\x00\x08"),
		ROW_OF(NULL, 13, "\x00\x00\x04\x03\x00\x00\x00\x00\x01\x00\x00\x00\x0e"),
		ROW_OF(NULL, 12, "\x00\x00\x04\x03\x00\x00\x00\x00\x01\x00\x00\x00"),
		ROW_OF(NULL, 17,
			"\x00\x00\x08\x06\x02\x00\x00\x00\x00\x41\x42\x43\x44\x45\x46\x47"),
		ROW_OF(NULL, 17,
			"\x00\x00\x08\x07\x00\x00\x00\x00\x00\x80\x00\x00\x01\x00\x00\x00"),
		/* its header alone was to be had */
		ROW_OF(NULL, 31, "\x00\x00\x16\x07\x00\x00\x00\x00\x00"),
		ROW_OF(NULL, 900,
			"\x00\x00\x7b\x01\x04\x00\x00\x00\x02\x88\x5f\x8b\x1d\x75\xd0\x62"),
		ROW_OF(NULL, 900,
			"\x00\x00\x7b\x01\x04\x00\x00\x00\x01\x41\x5f\x8b\x1d\x75\xd0\x62"),
		ROW_OF(NULL, 900,
			"\x00\x00\x7b\x01\xff\x00\x00\x00\x01\x88\x5f\x8b\x1d\x75\xd0\x62"),
		ROW_OF(NULL, 16,
			"\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"),
		ROW_OF(NULL, 16,
			"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"),
	};

	(void)state;
	CHECK(rows);
}

/* ---- SSH ------------------------------------------------------------------------------------ */

static void test_guess_ssh_banners_by_their_version(void **state)
{
	static const struct row rows[] = {
		ROW("SSH banner", "SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n"),
		ROW("SSH banner", "SSH-2.0-d"),
		ROW("SSH banner", "SSH-1.99-Cisco-1"),
		ROW(NULL, "SSH-2.0-"),
		ROW(NULL, "SSH-1.99-"),
		ROW(NULL, "SSH-2.0-\r\n"),
		ROW(NULL, "SSH-3.0-OpenSSH_"),
		ROW(NULL, "SSH-2.0 OpenSSH"),
		ROW(NULL, "ssh-2.0-OpenSSH_"),
		ROW(NULL, "SSH is a protocol"),
		ROW(NULL, "XSH-2.0-OpenSSH_"),
	};

	(void)state;
	CHECK(rows);
}

/* ---- anything ------------------------------------------------------------------------------- */

static void test_guess_only_the_first_bytes_matter(void **state)
{
	char bytes[64] = "GET / HTTP/1.1\r\n";

	(void)state;
	assert_string_equal(guess(bytes, sizeof(bytes), 0), "HTTP request");
	memset(bytes + SC_GUESS_BYTES, 0xff, sizeof(bytes) - SC_GUESS_BYTES);
	assert_string_equal(guess(bytes, sizeof(bytes), 0), "HTTP request");
}

/* Random bytes of every length: rarely anything at all, and no byte too far. */
static void test_guess_of_random_bytes_is_nothing(void **state)
{
	unsigned int seed = 1;
	unsigned int named = 0;

	(void)state;
	for (int i = 0; i < 200000; i++) {
		char bytes[20];
		size_t count = (size_t)i % sizeof(bytes);

		for (size_t j = 0; j < count; j++) {
			seed = seed * 1103515245u + 12345u;
			bytes[j] = (char)(seed >> 16);
		}
		named += guess(bytes, count, 0) != NULL;
	}
	assert_int_equal(named, 0);
}

static void test_guess_every_kind_has_its_own_name(void **state)
{
	(void)state;
	assert_null(sc_guess_name(SC_GUESS_NONE));
	assert_null(sc_guess_name(SC_GUESS_COUNT));
	assert_null(sc_guess_name((enum sc_guess)255));
	for (int i = SC_GUESS_NONE + 1; i < SC_GUESS_COUNT; i++) {
		assert_non_null(sc_guess_name((enum sc_guess)i));
		for (int j = i + 1; j < SC_GUESS_COUNT; j++) {
			assert_string_not_equal(
				sc_guess_name((enum sc_guess)i), sc_guess_name((enum sc_guess)j));
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_guess_tls_records_by_their_type),
		cmocka_unit_test(test_guess_near_tls_is_nothing),
		cmocka_unit_test(test_guess_http_requests_by_their_method_and_target),
		cmocka_unit_test(test_guess_near_http_requests_is_nothing),
		cmocka_unit_test(test_guess_http_responses_by_version_and_status),
		cmocka_unit_test(test_guess_http2_by_preface_and_frames),
		cmocka_unit_test(test_guess_near_http2_is_nothing),
		cmocka_unit_test(test_guess_ssh_banners_by_their_version),
		cmocka_unit_test(test_guess_only_the_first_bytes_matter),
		cmocka_unit_test(test_guess_of_random_bytes_is_nothing),
		cmocka_unit_test(test_guess_every_kind_has_its_own_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
