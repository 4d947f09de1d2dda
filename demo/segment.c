// SPDX-License-Identifier: MIT
/* TCP segments: a captured frame in; its fields, or a line as `tcpdump -n` prints it, out. */
#include "segment.h"

#include <string.h>

static uint32_t get16(const uint8_t *at)
{
	return (uint32_t)at[0] << 8 | at[1];
}

static uint32_t get32(const uint8_t *at)
{
	return get16(at) << 16 | get16(at + 2);
}

bool segment_parse(const struct frame *frame, struct segment *segment)
{
	enum { ETHERNET_BYTES = 14, IP_BYTES_MIN = 20, TCP_BYTES_MIN = 20, IP_TCP = 6 };
	const uint8_t *ip = frame->bytes + ETHERNET_BYTES;
	const uint8_t *tcp;
	uint32_t left = frame->kept_bytes;
	uint32_t ip_bytes, tcp_bytes, all_bytes;

	if (left < ETHERNET_BYTES + IP_BYTES_MIN || get16(frame->bytes + 12) != 0x0800 ||
		ip[0] >> 4 != 4 || ip[9] != IP_TCP) {
		return false;
	}
	left -= ETHERNET_BYTES;
	ip_bytes = (ip[0] & 15u) * 4;
	all_bytes = get16(ip + 2);
	tcp = ip + ip_bytes;
	if (ip_bytes < IP_BYTES_MIN || left < ip_bytes + TCP_BYTES_MIN) {
		return false;
	}
	tcp_bytes = (tcp[12] >> 4) * 4u;
	if (tcp_bytes < TCP_BYTES_MIN || left < ip_bytes + tcp_bytes ||
		all_bytes < ip_bytes + tcp_bytes) {
		return false;
	}
	memset(segment, 0, sizeof(*segment));
	memcpy(segment->source.address, ip + 12, 4);
	memcpy(segment->target.address, ip + 16, 4);
	segment->source.port = get16(tcp);
	segment->target.port = get16(tcp + 2);
	segment->seq = get32(tcp + 4);
	segment->ack = get32(tcp + 8);
	segment->flags = tcp[13];
	segment->window = get16(tcp + 14);
	segment->urgent = get16(tcp + 18);
	segment->data_bytes = all_bytes - ip_bytes - tcp_bytes;
	segment->options = tcp + TCP_BYTES_MIN;
	segment->options_bytes = tcp_bytes - TCP_BYTES_MIN;
	return true;
}

static void print_time(FILE *out, const struct timespec *at)
{
	struct tm day;
	char text[16];

	localtime_r(&at->tv_sec, &day);
	strftime(text, sizeof(text), "%H:%M:%S", &day);
	fprintf(out, "%s.%06ld", text, at->tv_nsec / 1000);
}

static void print_end(FILE *out, const struct segment_end *end)
{
	const uint8_t *a = end->address;

	fprintf(out, "%u.%u.%u.%u.%u", a[0], a[1], a[2], a[3], end->port);
}

static void print_flags(FILE *out, unsigned flags)
{
	static const char letters[] = "FSRP.UEW"; /* by bit, the lowest first */

	for (int i = 0; i < 8; i++) {
		if (flags & 1u << i) {
			fputc(letters[i], out);
		}
	}
	if (flags == 0) {
		fputs("none", out);
	}
}

/* One option of `bytes` bytes, its kind and length included. */
static void print_option(FILE *out, const uint8_t *option, uint32_t bytes)
{
	if (option[0] == 2 && bytes == 4) {
		fprintf(out, "mss %u", get16(option + 2));
	} else if (option[0] == 3 && bytes == 3) {
		fprintf(out, "wscale %u", option[2]);
	} else if (option[0] == 4 && bytes == 2) {
		fputs("sackOK", out);
	} else if (option[0] == 8 && bytes == 10) {
		fprintf(out, "TS val %u ecr %u", get32(option + 2), get32(option + 6));
	} else {
		fprintf(out, "kind %u", option[0]);
	}
}

static void print_options(FILE *out, const uint8_t *at, uint32_t left)
{
	const char *between = "";

	while (left > 0) {
		uint32_t bytes = at[0] <= 1 ? 1 : left > 1 ? at[1] : 0;

		fputs(between, out);
		between = ",";
		if (bytes == 0 || bytes > left || (bytes == 1 && at[0] > 1)) {
			fputs("[bad opt]", out);
			return;
		}
		if (at[0] == 0) {
			fputs("eol", out);
			return;
		}
		if (at[0] == 1) {
			fputs("nop", out);
		} else {
			print_option(out, at, bytes);
		}
		at += bytes;
		left -= bytes;
	}
}

/* Print what follows "Flags [...]", the numbers counted from the two bases. */
static void print_numbers(FILE *out, const struct segment *s, uint32_t seq_base, uint32_t ack_base)
{
	if (s->data_bytes > 0 || s->flags & (SEGMENT_SYN | SEGMENT_FIN | SEGMENT_RST)) {
		fprintf(out, ", seq %u", s->seq - seq_base);
		if (s->data_bytes > 0) {
			fprintf(out, ":%u", s->seq - seq_base + s->data_bytes);
		}
	}
	if (s->flags & SEGMENT_ACK) {
		fprintf(out, ", ack %u", s->ack - ack_base);
	}
	fprintf(out, ", win %u", s->window);
	if (s->flags & SEGMENT_URG) {
		fprintf(out, ", urg %u", s->urgent);
	}
}

static void print_one(
	FILE *out, const struct segment *s, uint32_t seq_base, uint32_t ack_base, bool with_options)
{
	fputs(" IP ", out);
	print_end(out, &s->source);
	fputs(" > ", out);
	print_end(out, &s->target);
	fputs(": Flags [", out);
	print_flags(out, s->flags);
	fputc(']', out);
	print_numbers(out, s, seq_base, ack_base);
	if (with_options && s->options_bytes > 0) {
		fputs(", options [", out);
		print_options(out, s->options, s->options_bytes);
		fputc(']', out);
	}
	fprintf(out, ", length %u\n", s->data_bytes);
}

void segment_print_all(FILE *out, const struct capture *capture, bool with_options)
{
	uint32_t client_isn = 0, server_isn = 0; /* initial sequence numbers, from the SYNs */
	unsigned client_port = 0;
	struct segment s;

	for (size_t i = 0; i < capture->count; i++) {
		if (!segment_parse(&capture->frames[i], &s)) {
			continue;
		}
		print_time(out, &capture->frames[i].at);
		if (s.flags & SEGMENT_SYN && !(s.flags & SEGMENT_ACK)) {
			client_isn = s.seq;
			client_port = s.source.port;
		} else if (s.flags & SEGMENT_SYN) {
			server_isn = s.seq;
		}
		/* As tcpdump: absolute in the SYNs, and in a reset without ACK. */
		if (s.flags & SEGMENT_SYN || !(s.flags & SEGMENT_ACK)) {
			print_one(out, &s, 0, 0, with_options);
		} else if (s.source.port == client_port) {
			print_one(out, &s, client_isn, server_isn, with_options);
		} else {
			print_one(out, &s, server_isn, client_isn, with_options);
		}
	}
}
