// SPDX-License-Identifier: MIT
/*
 * The environment variables SAFECLOSE_*: one table with name, default, parser and help (config.c).
 * Nobody else knows a variable's name. Pure: no system call, no allocation, no global that changes.
 */
#ifndef SC_CONFIG_H
#define SC_CONFIG_H

#include "compiler.h"
#include "only.h"
#include <stddef.h>
#include <stdint.h>

enum sc_mode { SC_MODE_OFF, SC_MODE_WARN, SC_MODE_DRAIN, SC_MODE_FIN };
enum sc_when { SC_WHEN_UNREAD, SC_WHEN_ALWAYS };
enum sc_shutdown { SC_SHUTDOWN_KEEP, SC_SHUTDOWN_HALF };
enum sc_deepbind { SC_DEEPBIND_KEEP, SC_DEEPBIND_STRIP };
enum sc_report_level { SC_REPORT_ACTED, SC_REPORT_ALL };
enum sc_format { SC_FORMAT_TEXT, SC_FORMAT_JSON };
enum sc_summary { SC_SUMMARY_NONE, SC_SUMMARY_AT_EXIT };

#define SC_LINGER_MAX_AUTO UINT64_MAX /* a quarter of the soft RLIMIT_NOFILE */

enum {
	SC_LOG_MAX = 1024,    /* bytes of SAFECLOSE_LOG, terminator included */
	SC_PREVIEW_MAX = 256, /* the highest SAFECLOSE_PREVIEW */
	SC_STACK_MAX = 32,    /* the highest SAFECLOSE_STACK */
};

/* Defaults: DESIGN of the table in config.c. Durations in milliseconds, sizes in bytes. */
struct sc_config {
	enum sc_mode mode;
	enum sc_when when;
	enum sc_report_level report;
	enum sc_shutdown shutdown;
	enum sc_deepbind deepbind;
	enum sc_format format;
	enum sc_summary summary;
	uint64_t linger_time_ms;    /* all that one connection may linger */
	uint64_t linger_timeout_ms; /* longest silence of the peer while lingering */
	uint64_t exit_timeout_ms;   /* longest that process exit waits for lingering connections */
	uint64_t drain_max_bytes;   /* most bytes discarded for one connection */
	uint64_t linger_max;        /* connections that linger at once, or SC_LINGER_MAX_AUTO */
	uint64_t preview_bytes;     /* unread bytes shown in a report */
	uint64_t stack_frames;      /* of the closing call stack in a report; 1: the call site */
	char log[SC_LOG_MAX];       /* "stderr", "syslog" or a path; %p stands for the pid */
	const char *tally;          /* of SC_CONFIG_TALLY, in the environment itself; NULL: none */
	struct sc_only only;        /* connections to look at */
};

/* Not an option, not in the table: what `safeclose run` hands to the library (tally.h). */
#define SC_CONFIG_TALLY "SAFECLOSE_TALLY"

/* One row of the option table, for help texts and tests. */
struct sc_option {
	char name[sizeof("SAFECLOSE_LINGER_TIMEOUT")]; /* whole name of the variable */
	char default_text[sizeof("unread")];           /* as a user would type it */
};

/* The rows in order; index from 0; NULL past the last. */
const struct sc_option *sc_config_option(size_t index);

/* What that row accepts, for the complaint and for help; its one sentence of help (not in the
 * library: SC_CONFIG_HAS_HELP). The strings live for ever. */
const char *sc_config_accepts(size_t index);
const char *sc_config_help(size_t index);

/* As a user types it. */
const char *sc_config_mode_name(enum sc_mode mode);

/* Receives one line about a variable that cannot be used: no newline at its end, control
 * characters of the value already escaped. The line is only valid during the call. */
typedef void sc_config_complain(void *context, const char *line);

/*
 * Fill *config from an environment ("NAME=value" strings, NULL-terminated; may be NULL).
 * A value that does not parse whole: one complaint that names variable, value and what is accepted,
 * then the default of that variable; where the bad one is SAFECLOSE_MODE, warn. An unknown
 * SAFECLOSE_* name: one complaint with the nearest known name. Async-signal-safe if complain is.
 */
void sc_config_load(struct sc_config *config, char *const *environment,
	sc_config_complain *complain, void *context);

/* This process's own, of the library: start.c fills it in, once; then it is only read. */
extern SC_HIDDEN struct sc_config sc_config;

#endif
