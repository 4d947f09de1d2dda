// SPDX-License-Identifier: MIT
/*
 * One line of a log in JSON -> what the table needs of it. The line is not trusted: whatever it
 * holds, the answer is a record or a sentence that says what is wrong with it.
 */
#ifndef CLI_REPORT_RECORD_H
#define CLI_REPORT_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum cli_outcome {
	CLI_OUTCOME_RST,
	CLI_OUTCOME_FIN,
	CLI_OUTCOME_SHARED,
	CLI_OUTCOME_ABORTIVE,
	CLI_OUTCOME_TIMEOUT,
	CLI_OUTCOME_LIMIT,
	CLI_OUTCOME_COUNT
};

/* Longest strings that are taken, in bytes; a longer one makes the line a broken one. */
enum {
	CLI_RECORD_PATH_MAX = 4096 + 32, /* a path and an offset */
	CLI_RECORD_WORD_MAX = 255,
};

struct cli_record {
	int64_t time_us; /* since 1970, UTC */
	enum cli_outcome outcome;
	uint64_t unread_bytes;
	uint64_t unacked_bytes;
	bool is_listener;                   /* its unread are connections, not bytes */
	char site[CLI_RECORD_PATH_MAX + 1]; /* empty where the report has null, as all below */
	char exe[CLI_RECORD_PATH_MAX + 1];
	char via[CLI_RECORD_WORD_MAX + 1];
	char symbol[CLI_RECORD_PATH_MAX + 1];
	char peer[CLI_RECORD_WORD_MAX + 1]; /* as in the report: addr:port */
	char local[CLI_RECORD_WORD_MAX + 1];
	char guess[CLI_RECORD_WORD_MAX + 1];
};

enum { CLI_RECORD_WHAT_SIZE = 512 }; /* bytes for what is wrong with a line, its zero included */

const char *cli_report_outcome_name(enum cli_outcome outcome);

/*
 * Read one line, of length bytes, without its newline. False: record is not to be used and what
 * (CLI_RECORD_WHAT_SIZE bytes) says why, in printable ASCII.
 */
bool cli_report_record_read(const char *line, size_t length, struct cli_record *record, char *what);

/* RFC 3339 with an offset or Z -> microseconds since 1970. False: not a time. */
bool cli_report_record_time(const char *text, int64_t *time_us);

/* Of a site "module+0xoffset": how long the module's name is; all of it where there is no offset. */
size_t cli_report_module_length(const char *site);

/* The call site by which reports are counted; "(exit)" where there is none, but the call is known. */
void cli_report_record_site(const struct cli_record *record, char *name, size_t size);

/*
 * The peer by which reports are counted: its address, and its port where that is a service's: below
 * 32768, where Linux begins to hand out ports, and below the local one. name has size bytes.
 */
void cli_report_record_peer(const struct cli_record *record, char *name, size_t size);

#endif
