// SPDX-License-Identifier: MIT
/*
 * The `safeclose` command. Each subcommand gets its own name as argv[0] and returns the exit status;
 * CLI_USAGE for a command line that is not understood.
 */
#ifndef SC_CLI_H
#define SC_CLI_H

enum { CLI_USAGE = 2 };

/* The long options that have a letter too answer these, and not the letter: so it is known which was met. */
enum { CLI_OPTION_HELP = 1 << 16, CLI_OPTION_LIBRARY };

int cli_run(int argc, char **argv);
int cli_report(int argc, char **argv);
int cli_check(int argc, char **argv);

/* "safeclose: ..." on stderr, and a newline. What stands in it of others is escaped. */
void cli_complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* After getopt_long() with a leading ':' in its letters has answered '?' or ':': complain of the word
 * that it met. No long option answers a number below 256. Returns CLI_USAGE. */
int cli_complain_of_option(const char *command, int answer, char **argv);

/* All that was written to stdout is there: status; else complain, and return failure. */
int cli_end_output(int status, int failure);

#endif
