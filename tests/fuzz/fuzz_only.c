// SPDX-License-Identifier: MIT
/*
 * SAFECLOSE_ONLY: any text. It is accepted if and only if a plain reading here accepts it, and then both
 * choose the same connections: those that the items name, and those that are one bit beside them.
 */
#include "must.h"

#include "only.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

enum { V4, V6, NO_ADDRESS };

/* An item, its network as 128 bits; of IPv4 behind ::ffff:. */
struct item {
	bool is_local;
	int kind;
	unsigned char network[16];
	unsigned bits;
	unsigned port; /* 0: any */
};

struct list {
	struct item items[SC_ONLY_MAX + 1];
	size_t count;
};

static bool read_number(const char *text, unsigned long max, unsigned *value)
{
	size_t digits = strspn(text, "0123456789");

	if (digits == 0 || text[digits] != '\0') {
		return false;
	}
	text += strspn(text, "0");
	if (strlen(text) > 9) {
		return false;
	}
	*value = (unsigned)strtoul(*text ? text : "0", NULL, 10);
	return *value <= max;
}

static bool read_port(const char *text, struct item *item)
{
	return read_number(text, 65535, &item->port) && item->port > 0;
}

static void map(unsigned char *to, const unsigned char *from)
{
	memset(to, 0, 10);
	memset(to + 10, 0xff, 2);
	memcpy(to + 12, from, 4);
}

static bool is_mapped(const unsigned char *address)
{
	unsigned char other[16];

	map(other, address + 12);
	return memcmp(other, address, 16) == 0;
}

/* "10.0.0.0", "[fe80::1]": text is cut up. *rest is what follows it, from a '/' or a ':' on. */
static bool read_address(char *text, struct item *item, char **rest)
{
	unsigned char four[4];
	char *end = *text == '[' ? strchr(text, ']') : text + strcspn(text, "/:");
	char name[64];

	if (!end || (size_t)(end - text) >= sizeof(name)) {
		return false;
	}
	snprintf(name, sizeof(name), "%.*s", (int)(end - text), text);
	*rest = *text == '[' ? end + 1 : end;
	if (*text == '[') {
		item->kind = V6;
		item->bits = 128;
		return inet_pton(AF_INET6, name + 1, item->network) == 1;
	}
	item->kind = V4;
	item->bits = 128;
	if (inet_pton(AF_INET, name, four) != 1) {
		return false;
	}
	map(item->network, four);
	return true;
}

static bool read_peer(char *text, struct item *item)
{
	char *rest;

	if (read_port(text, item)) {
		return true;
	}
	item->port = 0;
	if (!read_address(text, item, &rest)) {
		return false;
	}
	if (*rest == '/') {
		char *colon = strchr(rest, ':');
		unsigned length;

		if (colon) {
			*colon = '\0';
		}
		if (!read_number(rest + 1, item->kind == V4 ? 32 : 128, &length)) {
			return false;
		}
		item->bits = item->kind == V4 ? 96 + length : length;
		rest = colon;
		if (rest) {
			*rest = ':';
		}
	}
	/* What is written as ::ffff:10.0.0.1 is meant as 10.0.0.1. */
	if (item->kind == V6 && item->bits >= 96 && is_mapped(item->network)) {
		item->kind = V4;
	}
	return !rest || *rest == '\0' || (*rest == ':' && read_port(rest + 1, item));
}

static bool read_item(char *text, struct item *item)
{
	*item = (struct item){.kind = NO_ADDRESS};
	if (strncmp(text, "local:", 6) == 0) {
		item->is_local = true;
		return read_port(text + 6, item);
	}
	return strncmp(text, "peer:", 5) == 0 && read_peer(text + 5, item);
}

static bool read_list(const char *text, struct list *list)
{
	char *copy = strdup(text);
	char *rest;
	bool is_good = true;

	list->count = 0;
	if (strcmp(text, "all") == 0) {
		free(copy);
		return true;
	}
	for (char *word = strtok_r(copy, ", \t", &rest); word && is_good;
		word = strtok_r(NULL, ", \t", &rest)) {
		is_good = list->count < SC_ONLY_MAX && read_item(word, &list->items[list->count]);
		list->count++;
	}
	free(copy);
	return is_good && list->count > 0;
}

/* An end of a connection. */
struct end {
	unsigned char address[16];
	unsigned port;
};

static unsigned bit_of(const unsigned char *address, unsigned bit)
{
	return address[bit / 8] >> (7 - bit % 8) & 1;
}

static bool is_chosen(const struct list *list, const struct end *local, const struct end *peer)
{
	for (size_t i = 0; i < list->count; i++) {
		const struct item *item = &list->items[i];
		const struct end *end = item->is_local ? local : peer;
		bool fits = item->port == 0 || item->port == end->port;

		if (item->kind != NO_ADDRESS) {
			fits = fits && (item->kind == V4) == is_mapped(end->address);
			for (unsigned bit = 0; bit < item->bits; bit++) {
				fits = fits &&
				       bit_of(item->network, bit) == bit_of(end->address, bit);
			}
		}
		if (fits) {
			return true;
		}
	}
	return list->count == 0;
}

/* As the kernel tells it; an IPv4 end also as an IPv6 socket sees it. */
static union sc_addr kernel_form(const struct end *end, bool wants_four)
{
	union sc_addr addr;

	memset(&addr, 0, sizeof(addr));
	if (wants_four && is_mapped(end->address)) {
		addr.v4.sin_family = AF_INET;
		addr.v4.sin_port = htons((uint16_t)end->port);
		memcpy(&addr.v4.sin_addr, end->address + 12, 4);
	} else {
		addr.v6.sin6_family = AF_INET6;
		addr.v6.sin6_port = htons((uint16_t)end->port);
		memcpy(&addr.v6.sin6_addr, end->address, 16);
	}
	return addr;
}

static void compare(const struct sc_only *only, const struct list *list, const struct end *local,
	const struct end *peer)
{
	for (int wants_four = 0; wants_four < 2; wants_four++) {
		union sc_addr local_addr = kernel_form(local, wants_four);
		union sc_addr peer_addr = kernel_form(peer, wants_four);

		must(sc_only_matches(only, &local_addr, &peer_addr) ==
			is_chosen(list, local, peer));
	}
}

/* The item's own network and port, and one bit beside each end of its prefix. */
static void compare_around(
	const struct sc_only *only, const struct list *list, const struct item *item)
{
	static const struct end elsewhere = {{[15] = 1}, 7};
	struct end end = {.port = item->port ? item->port : 7};

	memcpy(end.address, item->network, 16);
	compare(only, list, &elsewhere, &end);
	compare(only, list, &end, &elsewhere);
	end.port ^= 1;
	compare(only, list, &elsewhere, &end);
	compare(only, list, &end, &elsewhere);
	end.port ^= 1;
	for (unsigned bit = item->bits ? item->bits - 1 : 0; bit <= item->bits && bit < 128;
		bit++) {
		end.address[bit / 8] ^= 0x80 >> bit % 8;
		compare(only, list, &elsewhere, &end);
		end.address[bit / 8] ^= 0x80 >> bit % 8;
	}
}

int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t size)
{
	static const struct end ends[] = {
		{{[10] = 0xff, [11] = 0xff, 10, 0, 0, 1}, 80}, {{0xfe, 0x80, [15] = 1}, 65535}};
	struct sc_only only;
	struct sc_only before;
	struct list list;
	char *text = strndup((const char *)bytes, size);

	memset(&only, 0xa5, sizeof(only));
	before = only;
	bool is_accepted = sc_only_parse(text, &only);
	must(is_accepted == read_list(text, &list));
	free(text);
	if (!is_accepted) {
		must(memcmp(&before, &only, sizeof(only)) == 0);
		return 0;
	}
	must(only.count == list.count);
	compare(&only, &list, &ends[0], &ends[1]);
	compare(&only, &list, &ends[1], &ends[0]);
	for (size_t i = 0; i < list.count; i++) {
		compare_around(&only, &list, &list.items[i]);
	}
	return 0;
}
