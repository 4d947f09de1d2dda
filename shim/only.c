// SPDX-License-Identifier: MIT
#include "only.h"
#include <arpa/inet.h>
#include <string.h>

enum { PORT_MAX = 65535, MAPPED_BITS = 96, IPV4_BITS = 32, IPV6_BITS = 128 };

static const unsigned char mapped_prefix[12] = {[10] = 0xff, [11] = 0xff};

static bool is_separator(char c)
{
	return c == ',' || c == ' ' || c == '\t';
}

static bool is_end(const char *text)
{
	return *text == '\0' || is_separator(*text);
}

/* A number up to max at *text, which is moved behind it. */
static bool take_number(const char **text, unsigned max, unsigned *value)
{
	const char *at = *text;
	*value = 0;
	for (; *at >= '0' && *at <= '9'; at++) {
		*value = *value * 10 + (unsigned)(*at - '0');
		if (*value > max) {
			return false;
		}
	}
	bool is_number = at != *text;
	*text = at;
	return is_number;
}

/* Port 0 is no connection's. */
static bool take_port(const char **text, struct sc_only_item *item)
{
	unsigned port;
	if (!take_number(text, PORT_MAX, &port) || port == 0) {
		return false;
	}
	item->port = (uint16_t)port;
	return true;
}

/* The address is text[0..length): a foreign text, so it is copied to have an end. */
static bool parse_address(const char *text, size_t length, int family, unsigned char *address)
{
	char copy[INET6_ADDRSTRLEN];
	if (length >= sizeof(copy)) {
		return false;
	}
	memcpy(copy, text, length);
	copy[length] = '\0';
	return inet_pton(family, copy, address) == 1;
}

static bool take_address(const char **text, struct sc_only_item *item)
{
	const char *at = *text;
	size_t length;
	if (*at == '[') {
		at++;
		length = strcspn(at, "]");
		if (at[length] != ']' || !parse_address(at, length, AF_INET6, item->network)) {
			return false;
		}
		item->family = AF_INET6;
		item->prefix_bits = IPV6_BITS;
		*text = at + length + 1;
		return true;
	}
	length = strspn(at, "0123456789.");
	if (!parse_address(at, length, AF_INET, item->network)) {
		return false;
	}
	item->family = AF_INET;
	item->prefix_bits = IPV4_BITS;
	*text = at + length;
	return true;
}

static void unmap(struct sc_only_item *item)
{
	if (item->family == AF_INET6 && item->prefix_bits >= MAPPED_BITS &&
		memcmp(item->network, mapped_prefix, sizeof(mapped_prefix)) == 0) {
		memmove(item->network, item->network + sizeof(mapped_prefix), 4);
		item->family = AF_INET;
		item->prefix_bits -= MAPPED_BITS;
	}
}

/* PORT, or ADDR[/LEN][:PORT]. */
static bool take_peer(const char **text, struct sc_only_item *item)
{
	const char *behind_digits = *text + strspn(*text, "0123456789");
	if (is_end(behind_digits)) {
		return take_port(text, item);
	}
	if (!take_address(text, item)) {
		return false;
	}
	if (**text == '/') {
		unsigned bits;
		++*text;
		if (!take_number(text, item->prefix_bits, &bits)) {
			return false;
		}
		item->prefix_bits = (uint8_t)bits;
	}
	unmap(item);
	if (**text != ':') {
		return true;
	}
	++*text;
	return take_port(text, item);
}

static bool skip(const char **text, const char *word)
{
	size_t length = strlen(word);
	if (strncmp(*text, word, length) != 0) {
		return false;
	}
	*text += length;
	return true;
}

static bool take_item(const char **text, struct sc_only_item *item)
{
	memset(item, 0, sizeof(*item));
	item->is_local = skip(text, "local:");
	bool is_whole = item->is_local        ? take_port(text, item)
			: skip(text, "peer:") ? take_peer(text, item)
					      : false;
	return is_whole && is_end(*text);
}

static const char *skip_separators(const char *text)
{
	while (is_separator(*text)) {
		text++;
	}
	return text;
}

static uint32_t count_items(const char *text)
{
	struct sc_only_item item;
	uint32_t count = 0;
	for (text = skip_separators(text); *text != '\0'; text = skip_separators(text)) {
		if (!take_item(&text, &item) || ++count > SC_ONLY_MAX) {
			return 0;
		}
	}
	return count;
}

/* Twice over the text, so that one that is wrong at its end has changed nothing, without a second
 * list on the stack. */
bool sc_only_parse(const char *text, struct sc_only *only)
{
	if (strcmp(text, "all") == 0) {
		only->count = 0;
		return true;
	}
	uint32_t count = count_items(text);
	if (count == 0) {
		return false;
	}
	for (uint32_t i = 0; i < count; i++) {
		text = skip_separators(text);
		take_item(&text, &only->items[i]);
	}
	only->count = count;
	return true;
}

/* An end as items keep it. */
struct end {
	const unsigned char *address;
	int family;
	uint16_t port;
};

static struct end end_of(const union sc_addr *addr)
{
	if (addr->any.sa_family == AF_INET) {
		return (struct end){(const unsigned char *)&addr->v4.sin_addr, AF_INET,
			ntohs(addr->v4.sin_port)};
	}
	if (addr->any.sa_family != AF_INET6) {
		return (struct end){NULL, AF_UNSPEC, 0};
	}
	const unsigned char *bytes = addr->v6.sin6_addr.s6_addr;
	uint16_t port = ntohs(addr->v6.sin6_port);
	if (memcmp(bytes, mapped_prefix, sizeof(mapped_prefix)) == 0) {
		return (struct end){bytes + sizeof(mapped_prefix), AF_INET, port};
	}
	return (struct end){bytes, AF_INET6, port};
}

static bool has_prefix(const unsigned char *address, const unsigned char *network, unsigned bits)
{
	unsigned char mask = (unsigned char)(0xff00u >> bits % 8);
	return memcmp(address, network, bits / 8) == 0 &&
	       (mask == 0 || ((address[bits / 8] ^ network[bits / 8]) & mask) == 0);
}

static bool fits(const struct sc_only_item *item, const struct end *end)
{
	if (item->port != 0 && item->port != end->port) {
		return false;
	}
	if (item->family == AF_UNSPEC) {
		return true;
	}
	return item->family == end->family &&
	       has_prefix(end->address, item->network, item->prefix_bits);
}

bool sc_only_matches(
	const struct sc_only *only, const union sc_addr *local, const union sc_addr *peer)
{
	struct end ends[] = {end_of(local), end_of(peer)};
	for (uint32_t i = 0; i < only->count; i++) {
		const struct sc_only_item *item = &only->items[i];
		if (fits(item, &ends[item->is_local ? 0 : 1])) {
			return true;
		}
	}
	return only->count == 0;
}
