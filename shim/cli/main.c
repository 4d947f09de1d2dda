// SPDX-License-Identifier: MIT
/* safeclose SUBCOMMAND ...: the table of subcommands is below. */
#include "cli.h"
#include <stdio.h>
#include <string.h>

struct command {
	const char *name;
	const char *help; /* one line */
	int (*function)(int argc, char **argv);
};

static const struct command commands[] = {
	{"run", "run a program with the library", cli_run},
	{"check", "say whether preloading reaches a program", cli_check},
	{"report", "count the reports in logs, by call site or peer", cli_report},
	{NULL, NULL, NULL},
};

static int tell_help(void)
{
	puts("usage: safeclose COMMAND [OPTION]... [ARG]...\n"
	     "\n"
	     "Finds TCP connections that a program resets by closing them over unread bytes.\n");
	for (const struct command *command = commands; command->name != NULL; command++) {
		printf("  %-9s %s\n", command->name, command->help);
	}
	puts("\n"
	     "  safeclose COMMAND --help    says more of one\n"
	     "  safeclose --version         says which version this is");
	return cli_end_output(0, 1);
}

static const struct command *find_command(const char *name)
{
	const struct command *command = commands;
	while (command->name != NULL && strcmp(command->name, name) != 0) {
		command++;
	}
	return command->name != NULL ? command : NULL;
}

int main(int argc, char **argv)
{
	const char *word = argc > 1 ? argv[1] : NULL;
	if (word == NULL) {
		cli_complain("no command given; see safeclose --help");
		return CLI_USAGE;
	}
	if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) {
		return tell_help();
	}
	if (strcmp(word, "--version") == 0) {
		puts("safeclose " SC_VERSION);
		return cli_end_output(0, 1);
	}
	const struct command *command = find_command(word);
	if (command == NULL) {
		cli_complain("unknown %s %s; see safeclose --help",
			word[0] == '-' ? "option" : "command", *word != '\0' ? word : "''");
		return CLI_USAGE;
	}
	return command->function(argc - 1, argv + 1);
}
