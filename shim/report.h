// SPDX-License-Identifier: MIT
/*
 * One closed connection as one line of text (json.h: as JSON). Pure: no system call, no allocation,
 * no stdio; the caller owns all. Async-signal-safe.
 */
#ifndef SC_REPORT_H
#define SC_REPORT_H

#include "conn.h"
#include "floods.h"
#include "line.h"
#include "policy.h"
#include <stddef.h>
#include <stdint.h>

/* Bytes of the longest line, newline included: what a pipe takes in one piece (PIPE_BUF). */
enum { SC_REPORT_LINE_MAX = 4096 };

/* The call that closed. The names a report uses: sc_report_via_name(). */
enum sc_via {
	SC_VIA_CLOSE,
	SC_VIA_UNDERSCORES_CLOSE, /* __close */
	SC_VIA_CLOSE_RANGE,
	SC_VIA_CLOSEFROM,
	SC_VIA_DUP2,
	SC_VIA_DUP3,
	SC_VIA_FCLOSE,
	SC_VIA_FREOPEN,
	SC_VIA_FREOPEN64,
	SC_VIA_EXIT,            /* return from main and the last pthread_exit too */
	SC_VIA_UNDERSCORE_EXIT, /* _exit; the system calls exit and exit_group */
	SC_VIA_CAPITAL_EXIT,    /* _Exit */
	SC_VIA_QUICK_EXIT,
	SC_VIA_ABORT,
	SC_VIA_DAEMON, /* its parent's end, and what was on 0, 1 and 2 */
	SC_VIA_EXECVE,
	SC_VIA_EXECV,
	SC_VIA_EXECVP,
	SC_VIA_EXECVPE,
	SC_VIA_EXECL,
	SC_VIA_EXECLP,
	SC_VIA_EXECLE,
	SC_VIA_FEXECVE,
	SC_VIA_EXECVEAT,
	SC_VIA_COUNT
};

/* Where a return address lies. Strings are not owned: they live as long as the module. */
struct sc_site {
	const char *module; /* file name without its folder; NULL: unknown */
	uint64_t module_offset;
	const char *symbol; /* NULL: no symbol is known to cover it */
	uint64_t symbol_offset;
	uint64_t address; /* as the program saw it; 0: unknown */
};

/* Strings are not owned. */
struct sc_event {
	int32_t pid;
	int32_t tid; /* of the thread that closed; 0: unknown */
	int32_t fd;
	uint64_t closed_us; /* CLOCK_REALTIME */
	const char *comm;   /* name of that thread; NULL: unknown */
	const char *exe;    /* path of the program; NULL: unknown */
	enum sc_via via;
	enum sc_mode mode;
	enum sc_outcome outcome;
	const char *why; /* or NULL */
	struct sc_conn conn;
	uint64_t drained_bytes;
	uint64_t elapsed_us;
	struct sc_site site;
	const struct sc_site *stack; /* the call site first */
	size_t stack_count;
	const char *guess;            /* what the unread bytes are, or NULL */
	const unsigned char *preview; /* unread bytes, to be shown; NULL: none */
	size_t preview_bytes;
};

const char *sc_report_via_name(enum sc_via via);
const char *sc_report_outcome_name(enum sc_outcome outcome);

/* "10.0.0.5:8080", "[::1]:80", "?" */
void sc_report_add_address(struct sc_line *line, const union sc_addr *addr);

/* "app+0x1a2b (reply_and_close+0x3c)", "0x55e4c0de1a2b", "?" */
void sc_report_add_site(struct sc_line *line, const struct sc_site *site);

/*
 * Write the line, with its newline, into buf of size bytes (at least SC_REPORT_LINE_MAX for a line
 * that is never cut). Returns its length. No terminating zero. A line that does not fit is cut and
 * still ends in a newline.
 *
 *   safeclose[4242]: close(7) 10.0.0.5:8080 -> 10.0.0.9:51544: 312 unread, 8192 unacknowledged;
 *   drained 312, fin in 0.3 ms; app+0x1a2b (reply_and_close+0x3c)
 *
 * all on one line. "drained N" stands only where bytes were discarded; "urgent" follows unread where
 * the unread bytes begin with an urgent one; a why follows the outcome in brackets; a listener says
 * "listener 0.0.0.0:80: 3 not accepted". The other frames of a stack follow the site, each behind
 * " < "; " < ..." stands for those that do not fit. With a preview, behind the stack: "; "GET
 * /\x0d\x0a" (HTTP request)".
 */
size_t sc_report_format(const struct sc_event *event, char *buf, size_t size);

/* The line that stands for those held back:
 *   safeclose[4242]: ... and 123 more like this in 1.0 s; rst (unread); app+0x1a2b (reply_and_close+0x3c) */
size_t sc_report_format_rest(const struct sc_flood_rest *rest, const struct sc_site *site, int pid,
	char *buf, size_t size);

#endif
