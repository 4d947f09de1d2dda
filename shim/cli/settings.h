// SPDX-License-Identifier: MIT
/*
 * Options of `safeclose run` that stand for the library's variables. There is one for each row of the
 * library's option table, and no other place knows them: SAFECLOSE_LINGER_TIME is --linger-time.
 */
#ifndef SC_CLI_SETTINGS_H
#define SC_CLI_SETTINGS_H

#include "config.h"
#include <getopt.h>
#include <stdbool.h>
#include <stddef.h>

enum { CLI_SETTINGS_MAX = 64, CLI_SETTING_NAME_SIZE = 64 };

/* What was given on the command line, by the table's index. */
struct cli_settings {
	const char *values[CLI_SETTINGS_MAX]; /* NULL: not given */
};

size_t cli_settings_count(void);

/* "linger-time"; in name, of CLI_SETTING_NAME_SIZE bytes, which is returned. */
const char *cli_settings_option(size_t index, char *name);

/* The library's parser takes the value; else complain of the word. */
bool cli_settings_take(struct cli_settings *settings, size_t index, const char *value);

/* The row of a variable; complains and returns false where this library has none. */
bool cli_settings_find(const char *variable, size_t *index);

/* Put them into the environment, and let the library's parser read all that is there then, what was
 * inherited too: complains of what it would complain of. */
bool cli_settings_apply(const struct cli_settings *settings, struct sc_config *config);

/* For --help: two lines a variable. */
void cli_settings_tell(void);

#endif
