// SPDX-License-Identifier: MIT
#include "report.h"
#include <arpa/inet.h>
#include <string.h>

enum { NAME_SHOWN_MAX = 160 };

const char *sc_report_via_name(enum sc_via via)
{
	/* Not pointers: each would be a relocation in every program that loads the library. */
	static const char names[SC_VIA_COUNT][sizeof("close_range")] = {
		[SC_VIA_CLOSE] = "close",
		[SC_VIA_UNDERSCORES_CLOSE] = "__close",
		[SC_VIA_CLOSE_RANGE] = "close_range",
		[SC_VIA_CLOSEFROM] = "closefrom",
		[SC_VIA_DUP2] = "dup2",
		[SC_VIA_DUP3] = "dup3",
		[SC_VIA_FCLOSE] = "fclose",
		[SC_VIA_FREOPEN] = "freopen",
		[SC_VIA_FREOPEN64] = "freopen64",
		[SC_VIA_EXIT] = "exit",
		[SC_VIA_UNDERSCORE_EXIT] = "_exit",
		[SC_VIA_CAPITAL_EXIT] = "_Exit",
		[SC_VIA_QUICK_EXIT] = "quick_exit",
		[SC_VIA_ABORT] = "abort",
		[SC_VIA_DAEMON] = "daemon",
		[SC_VIA_EXECVE] = "execve",
		[SC_VIA_EXECV] = "execv",
		[SC_VIA_EXECVP] = "execvp",
		[SC_VIA_EXECVPE] = "execvpe",
		[SC_VIA_EXECL] = "execl",
		[SC_VIA_EXECLP] = "execlp",
		[SC_VIA_EXECLE] = "execle",
		[SC_VIA_FEXECVE] = "fexecve",
		[SC_VIA_EXECVEAT] = "execveat",
	};
	return (unsigned)via < SC_VIA_COUNT ? names[via] : "?";
}

const char *sc_report_outcome_name(enum sc_outcome outcome)
{
	static const char names[][sizeof("abortive")] = {
		[SC_OUTCOME_NONE] = "none",
		[SC_OUTCOME_RST] = "rst",
		[SC_OUTCOME_FIN] = "fin",
		[SC_OUTCOME_SHARED] = "shared",
		[SC_OUTCOME_ABORTIVE] = "abortive",
		[SC_OUTCOME_TIMEOUT] = "timeout",
		[SC_OUTCOME_LIMIT] = "limit",
	};
	return (unsigned)outcome < sizeof(names) / sizeof(names[0]) ? names[outcome] : "?";
}

static void add_ipv4(struct sc_line *line, const unsigned char *bytes)
{
	for (int i = 0; i < 4; i++) {
		if (i > 0) {
			sc_line_add_char(line, '.');
		}
		sc_line_add_number(line, bytes[i]);
	}
}

/* The longest run of two or more zero groups, which RFC 5952 writes as "::". */
static int longest_zero_run(const uint16_t *groups, int *start)
{
	int best = 0;
	for (int i = 0; i < 8; i++) {
		int length = 0;
		while (i + length < 8 && groups[i + length] == 0) {
			length++;
		}
		if (length > best) {
			best = length;
			*start = i;
		}
	}
	return best >= 2 ? best : 0;
}

static void add_ipv6(struct sc_line *line, const unsigned char *bytes)
{
	uint16_t groups[8];
	for (int i = 0; i < 8; i++) {
		groups[i] = (uint16_t)(bytes[2 * i] << 8 | bytes[2 * i + 1]);
	}
	int start = -1;
	int zeros = longest_zero_run(groups, &start);
	for (int i = 0; i < 8; i++) {
		if (zeros > 0 && i == start) {
			sc_line_add(line, "::");
			i += zeros - 1;
			continue;
		}
		if (i > 0 && !(zeros > 0 && i == start + zeros)) {
			sc_line_add_char(line, ':');
		}
		sc_line_add_hex(line, groups[i]);
	}
}

static void add_port(struct sc_line *line, in_port_t port)
{
	sc_line_add_char(line, ':');
	sc_line_add_number(line, ntohs(port));
}

void sc_report_add_address(struct sc_line *line, const union sc_addr *addr)
{
	if (addr->any.sa_family == AF_INET) {
		add_ipv4(line, (const unsigned char *)&addr->v4.sin_addr);
		add_port(line, addr->v4.sin_port);
	} else if (addr->any.sa_family != AF_INET6) {
		sc_line_add_char(line, '?');
	} else if (IN6_IS_ADDR_V4MAPPED(&addr->v6.sin6_addr)) {
		add_ipv4(line, &addr->v6.sin6_addr.s6_addr[12]);
		add_port(line, addr->v6.sin6_port);
	} else {
		sc_line_add_char(line, '[');
		add_ipv6(line, addr->v6.sin6_addr.s6_addr);
		sc_line_add_char(line, ']');
		add_port(line, addr->v6.sin6_port);
	}
}

static void add_connection(struct sc_line *line, const struct sc_conn *conn)
{
	if (conn->is_listener) {
		sc_line_add(line, "listener ");
		sc_report_add_address(line, &conn->local);
		sc_line_add(line, ": ");
		sc_line_add_number(line, conn->backlog);
		sc_line_add(line, " not accepted; ");
		return;
	}
	sc_report_add_address(line, &conn->local);
	sc_line_add(line, " -> ");
	sc_report_add_address(line, &conn->peer);
	sc_line_add(line, ": ");
	sc_line_add_number(line, conn->unread_bytes);
	sc_line_add(line, conn->is_urgent ? " unread urgent, " : " unread, ");
	sc_line_add_number(line, conn->unacked_bytes);
	sc_line_add(line, " unacknowledged; ");
}

static void add_outcome(struct sc_line *line, enum sc_outcome outcome, const char *why)
{
	sc_line_add(line, sc_report_outcome_name(outcome));
	if (why != NULL) {
		sc_line_add(line, " (");
		sc_line_add(line, why);
		sc_line_add_char(line, ')');
	}
}

static void add_result(struct sc_line *line, const struct sc_event *event)
{
	if (event->drained_bytes > 0) {
		sc_line_add(line, "drained ");
		sc_line_add_number(line, event->drained_bytes);
		sc_line_add(line, ", ");
	}
	add_outcome(line, event->outcome, event->why);
	sc_line_add(line, " in ");
	sc_line_add_number(line, event->elapsed_us / 1000);
	sc_line_add_char(line, '.');
	sc_line_add_number(line, event->elapsed_us / 100 % 10);
	sc_line_add(line, " ms; ");
}

void sc_report_add_site(struct sc_line *line, const struct sc_site *site)
{
	if (site->module != NULL) {
		sc_line_add_escaped(line, site->module, NAME_SHOWN_MAX);
		sc_line_add(line, "+0x");
		sc_line_add_hex(line, site->module_offset);
	} else if (site->address != 0) {
		sc_line_add(line, "0x");
		sc_line_add_hex(line, site->address);
	} else {
		sc_line_add_char(line, '?');
	}
	if (site->symbol != NULL) {
		sc_line_add(line, " (");
		sc_line_add_escaped(line, site->symbol, NAME_SHOWN_MAX);
		sc_line_add(line, "+0x");
		sc_line_add_hex(line, site->symbol_offset);
		sc_line_add_char(line, ')');
	}
}

/* A quotation mark is escaped too: the next one ends it. */
static void add_preview(struct sc_line *line, const struct sc_event *event)
{
	sc_line_add(line, "; \"");
	for (size_t i = 0; i < event->preview_bytes; i++) {
		char piece[] = {(char)event->preview[i], '\0'};
		if (piece[0] == '\0' || piece[0] == '"') {
			sc_line_add(line, piece[0] == '"' ? "\\x22" : "\\x00");
		} else {
			sc_line_add_escaped(line, piece, 4);
		}
	}
	sc_line_add_char(line, '"');
	if (event->guess != NULL) {
		sc_line_add(line, " (");
		sc_line_add(line, event->guess);
		sc_line_add_char(line, ')');
	}
}

/* At most how long what follows the stack is, newline included. */
static size_t preview_length_max(const struct sc_event *event)
{
	size_t guess_length = event->guess != NULL ? strlen(event->guess) : 0;
	return event->preview != NULL ? 4 * event->preview_bytes + guess_length + 8 : 1;
}

/* The frames around the call site, whole ones only. */
static void add_callers(struct sc_line *line, const struct sc_event *event)
{
	static const char more[] = " < ...";
	size_t reserve = sizeof(more) - 1 + preview_length_max(event);
	for (size_t i = 1; i < event->stack_count; i++) {
		size_t before = line->length;
		sc_line_add(line, " < ");
		sc_report_add_site(line, &event->stack[i]);
		if (line->length + reserve > line->size) {
			line->length = before;
			sc_line_add(line, more);
			return;
		}
	}
}

size_t sc_report_format(const struct sc_event *event, char *buf, size_t size)
{
	struct sc_line line = {buf, size, 0};
	sc_line_add(&line, "safeclose[");
	sc_line_add_number(&line, (uint64_t)event->pid);
	sc_line_add(&line, "]: ");
	sc_line_add(&line, sc_report_via_name(event->via));
	sc_line_add_char(&line, '(');
	sc_line_add_number(&line, (uint64_t)event->fd);
	sc_line_add(&line, ") ");
	add_connection(&line, &event->conn);
	add_result(&line, event);
	sc_report_add_site(&line, &event->site);
	add_callers(&line, event);
	if (event->preview != NULL) {
		add_preview(&line, event);
	}
	sc_line_end(&line);
	return line.length;
}

size_t sc_report_format_rest(const struct sc_flood_rest *rest, const struct sc_site *site, int pid,
	char *buf, size_t size)
{
	struct sc_line line = {buf, size, 0};
	sc_line_add(&line, "safeclose[");
	sc_line_add_number(&line, (uint64_t)pid);
	sc_line_add(&line, "]: ... and ");
	sc_line_add_number(&line, rest->count);
	sc_line_add(&line, " more like this in ");
	sc_line_add_number(&line, rest->ms / 1000);
	sc_line_add_char(&line, '.');
	sc_line_add_number(&line, rest->ms / 100 % 10);
	sc_line_add(&line, " s; ");
	add_outcome(&line, rest->kind.outcome, rest->kind.why);
	sc_line_add(&line, "; ");
	sc_report_add_site(&line, site);
	sc_line_end(&line);
	return line.length;
}
