// SPDX-License-Identifier: MIT
// LINK: only.o
// HARNESS
/*
 * sc_only_*: which lists are understood, and which connections are on them.
 */
#include "harness/rows.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../shim/only.h"

/* "ADDRESS PORT"; "" is an end that is not known. */
static union sc_addr end_of(const char *text)
{
	union sc_addr addr;
	char address[64];
	unsigned int port;

	memset(&addr, 0, sizeof(addr));
	if (*text == '\0') {
		return addr;
	}
	assert_int_equal(sscanf(text, "%63s %u", address, &port), 2);
	if (strchr(address, ':')) {
		addr.v6.sin6_family = AF_INET6;
		addr.v6.sin6_port = htons((uint16_t)port);
		assert_int_equal(inet_pton(AF_INET6, address, &addr.v6.sin6_addr), 1);
	} else {
		addr.v4.sin_family = AF_INET;
		addr.v4.sin_port = htons((uint16_t)port);
		assert_int_equal(inet_pton(AF_INET, address, &addr.v4.sin_addr), 1);
	}
	return addr;
}

/* ---- matches -------------------------------------------------------------------------------- */

static const struct match {
	const char *name; /* the list */
	const char *local;
	const char *peer;
	bool is_on_it;
} matches[] = {
	{"all", "10.0.0.5 80", "10.0.0.9 4000", true},
	{"all", "", "", true},
	{"local:80", "10.0.0.5 80", "10.0.0.9 4000", true},
	{"local:80", "2001:db8::1 80", "2001:db8::2 4000", true},
	{"local:80", "10.0.0.5 81", "10.0.0.9 80", false},
	{"local:80", "10.0.0.5 80", "", true}, /* a listener */
	{"local:80", "", "", false},
	{"local:0080", "10.0.0.5 80", "10.0.0.9 1", true},
	{"local:65535", "10.0.0.5 65535", "10.0.0.9 1", true},
	{"peer:80", "10.0.0.5 4000", "10.0.0.9 80", true},
	{"peer:80", "10.0.0.5 80", "10.0.0.9 4000", false},
	{"peer:80", "10.0.0.5 80", "", false},
	{"peer:10.0.0.9", "10.0.0.5 1", "10.0.0.9 80", true},
	{"peer:10.0.0.9", "10.0.0.9 1", "10.0.0.8 80", false},
	{"peer:10.0.0.9", "10.0.0.5 1", "::ffff:10.0.0.9 80", true},
	{"peer:10.0.0.9", "10.0.0.5 1", "::10.0.0.9 80", false},
	{"peer:10.0.0.9", "10.0.0.5 1", "", false},
	{"peer:10.0.0.9:80", "10.0.0.5 1", "10.0.0.9 80", true},
	{"peer:10.0.0.9:80", "10.0.0.5 1", "10.0.0.9 81", false},
	{"peer:10.0.0.9:80", "10.0.0.5 1", "10.0.0.8 80", false},
	{"peer:10.0.0.0/8", "10.0.0.5 1", "10.255.255.255 80", true},
	{"peer:10.0.0.0/8", "10.0.0.5 1", "11.0.0.0 80", false},
	{"peer:10.1.2.3/8", "10.0.0.5 1", "10.9.9.9 80", true}, /* what is behind LEN is nothing */
	{"peer:10.0.0.0/8:80", "10.0.0.5 1", "10.0.0.1 80", true},
	{"peer:10.0.0.0/8:80", "10.0.0.5 1", "10.0.0.1 81", false},
	{"peer:0.0.0.0/0", "10.0.0.5 1", "192.168.1.1 80", true},
	{"peer:0.0.0.0/0", "10.0.0.5 1", "::ffff:192.168.1.1 80", true},
	{"peer:0.0.0.0/0", "::1 1", "::1 80", false},
	{"peer:192.168.0.0/17", "10.0.0.5 1", "192.168.127.255 80", true},
	{"peer:192.168.0.0/17", "10.0.0.5 1", "192.168.128.0 80", false},
	{"peer:192.168.1.2/31", "10.0.0.5 1", "192.168.1.3 80", true},
	{"peer:192.168.1.2/31", "10.0.0.5 1", "192.168.1.4 80", false},
	{"peer:192.168.1.2/32", "10.0.0.5 1", "192.168.1.2 80", true},
	{"peer:192.168.1.2/32", "10.0.0.5 1", "192.168.1.3 80", false},
	{"peer:[::1]", "::1 1", "::1 80", true},
	{"peer:[::1]", "::1 1", "::2 80", false},
	{"peer:[::1]:80", "::1 1", "::1 80", true},
	{"peer:[::1]:80", "::1 1", "::1 81", false},
	{"peer:[2001:db8::]/32", "::1 1", "2001:db8:ffff::1 80", true},
	{"peer:[2001:db8::]/32", "::1 1", "2001:db9::1 80", false},
	{"peer:[2001:db8::]/32:443", "::1 1", "2001:db8::1 443", true},
	{"peer:[2001:db8::]/32:443", "::1 1", "2001:db8::1 80", false},
	{"peer:[2001:db8::]/127", "::1 1", "2001:db8::1 80", true},
	{"peer:[2001:db8::]/127", "::1 1", "2001:db8::2 80", false},
	{"peer:[2001:db8::1]/128", "::1 1", "2001:db8::1 80", true},
	{"peer:[::]/0", "::1 1", "2001:db8::1 80", true},
	{"peer:[::]/0", "::1 1", "::ffff:10.0.0.1 80", false}, /* that is IPv4 */
	{"peer:[::ffff:10.0.0.9]", "10.0.0.5 1", "10.0.0.9 80", true},
	{"peer:[::ffff:10.0.0.9]", "::1 1", "::ffff:10.0.0.9 80", true},
	{"peer:[::ffff:10.0.0.0]/104", "::1 1", "10.200.0.1 80", true},
	{"peer:[::ffff:10.0.0.0]/104", "::1 1", "11.0.0.1 80", false},
	{"peer:[::ffff:a00:9]:80", "::1 1", "10.0.0.9 80", true},
	/* One of several is enough. */
	{"local:80,peer:10.0.0.9", "10.0.0.5 81", "10.0.0.9 4", true},
	{"local:80 peer:10.0.0.9", "10.0.0.5 80", "10.0.0.8 4", true},
	{"local:80, peer:10.0.0.9", "10.0.0.5 81", "10.0.0.8 4", false},
	{"\tlocal:80 ,, local:81 ,", "10.0.0.5 81", "10.0.0.8 4", true},
};

static void test_only_matches_what_its_list_says(void **state)
{
	const struct match *row = *state;
	union sc_addr local = end_of(row->local), peer = end_of(row->peer);
	struct sc_only only;

	memset(&only, 0xa5, sizeof(only));
	assert_true(sc_only_parse(row->name, &only));
	assert_int_equal(sc_only_matches(&only, &local, &peer), row->is_on_it);
}

/* ---- what is not understood ----------------------------------------------------------------- */

static const struct refusal {
	const char *name;
} refusals[] = {
	{""},
	{" "},
	{","},
	{" , "},
	{"ALL"},
	{"all "},
	{"all,local:80"},
	{"80"},
	{":80"},
	{"local"},
	{"local:"},
	{"local:0"},
	{"local:65536"},
	{"local:99999999999999999999"},
	{"local:+80"},
	{"local:-1"},
	{"local: 80"},
	{"local:80x"},
	{"local:0x50"},
	{"local:http"},
	{"local:10.0.0.1"},
	{"local:10.0.0.1:80"},
	{"Local:80"},
	{"local:80;local:81"},
	{"local:80\nlocal:81"},
	{"peer"},
	{"peer:"},
	{"peer:0"},
	{"peer:65536"},
	{"peer::80"},
	{"peer:example.org"},
	{"peer:10.0.0"},
	{"peer:10.0.0.256"},
	{"peer:10.0.0.1."},
	{"peer:10.0.0.010"},
	{"peer:10.0.0.1:"},
	{"peer:10.0.0.1:0"},
	{"peer:10.0.0.1:65536"},
	{"peer:10.0.0.1/"},
	{"peer:10.0.0.1/33"},
	{"peer:10.0.0.1/-1"},
	{"peer:10.0.0.1/8/8"},
	{"peer:10.0.0.1/8:"},
	{"peer:10.0.0.1:80/8"},
	{"peer:10.0.0.1/255.0.0.0"},
	{"peer:/8"},
	{"peer:8/8"},
	{"peer:::1"},
	{"peer:2001:db8::1"},
	{"peer:["},
	{"peer:[]"},
	{"peer:[::1"},
	{"peer:::1]"},
	{"peer:[::1]x"},
	{"peer:[::1]]"},
	{"peer:[[::1]]"},
	{"peer:[::1]/"},
	{"peer:[::1]/129"},
	{"peer:[::/32]"},
	{"peer:[fe80::1%lo]"},
	{"peer:[10.0.0.1]"},
	{"peer:[::1]:"},
	{"peer:[:::1]"},
	{"peer:[1:2:3:4:5:6:7:8:9]"},
	{"peer:[::1 ]"},
	{"peer:[2001:0db8:0000:0000:0000:0000:0000:0000:0000:0000:0000:0001]"},
	{"peer:\xd9\xa5"},
	{"local:80,peer"},
	{"local:80,x"},
	{"x,local:80"},
	{"any:80"},
	{"peer:*:80"},
	{"!local:80"},
	{"local:80\x01"},
};

static void test_only_refuses_and_changes_nothing(void **state)
{
	const struct refusal *row = *state;
	struct sc_only only, before;

	memset(&only, 0xa5, sizeof(only));
	before = only;
	if (sc_only_parse(row->name, &only)) {
		fail_msg("taken: '%s'", row->name);
	}
	assert_memory_equal(&only, &before, sizeof(only));
}

/* ---- bounds --------------------------------------------------------------------------------- */

static char *list_of(size_t count)
{
	char *text = calloc(count + 1, sizeof("local:65535,"));

	assert_non_null(text);
	for (size_t i = 0; i < count; i++) {
		sprintf(text + strlen(text), "local:%zu,", i + 1);
	}
	return text;
}

static void test_only_takes_so_many_and_not_one_more(void **state)
{
	struct sc_only only = {.count = 7};
	union sc_addr none = end_of("");
	char *text = list_of(SC_ONLY_MAX);

	(void)state;
	assert_true(sc_only_parse(text, &only));
	assert_int_equal(only.count, SC_ONLY_MAX);
	for (unsigned int port = 1; port <= SC_ONLY_MAX + 1; port++) {
		union sc_addr local = end_of("10.0.0.1 1");

		local.v4.sin_port = htons((uint16_t)port);
		assert_int_equal(sc_only_matches(&only, &local, &none), port <= SC_ONLY_MAX);
	}
	free(text);
	text = list_of(SC_ONLY_MAX + 1);
	assert_false(sc_only_parse(text, &only));
	assert_int_equal(only.count, SC_ONLY_MAX);
	free(text);
}

/* Every beginning of a good list, and each byte of it replaced by each other: neither read nor written
 * out of bounds (the text has no byte to spare), and what is taken says the same a second time. */
static void test_only_survives_every_cut_and_every_byte(void **state)
{
	static const char good[] = "local:80,peer:10.0.0.0/8:443 peer:[2001:db8::]/32:5";
	size_t taken = 0;

	(void)state;
	for (size_t length = 0; length <= strlen(good); length++) {
		for (int c = 0; c < 256; c++) {
			char *text = strndup(good, length);
			struct sc_only once = {.count = 0}, twice = {.count = 0};

			assert_non_null(text);
			if (length > 0) {
				text[length - 1] = (char)c;
			}
			if (sc_only_parse(text, &once)) {
				assert_true(sc_only_parse(text, &twice));
				assert_memory_equal(&once, &twice, sizeof(once));
				assert_in_range(once.count, 0, 4);
				taken++;
			}
			free(text);
		}
	}
	assert_true(taken > 100);
}

static const struct rows_subject subjects[] = {
	ROWS_SUBJECT(test_only_matches_what_its_list_says, matches),
	ROWS_SUBJECT(test_only_refuses_and_changes_nothing, refusals),
	ROWS_PLAIN(test_only_takes_so_many_and_not_one_more),
	ROWS_PLAIN(test_only_survives_every_cut_and_every_byte),
};

int main(void)
{
	return ROWS_RUN(subjects);
}
