// SPDX-License-Identifier: MIT
#include "cli.h"
#include "line.h"
#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { COMPLAINT_MAX = 2048 };

void cli_complain(const char *format, ...)
{
	char text[COMPLAINT_MAX];
	char shown[COMPLAINT_MAX + 64];
	va_list values;
	va_start(values, format);
	vsnprintf(text, sizeof(text), format, values);
	va_end(values);
	struct sc_line line = {shown, sizeof(shown) - 1, 0};
	sc_line_add(&line, "safeclose: ");
	sc_line_add_escaped(&line, text, sizeof(text));
	shown[line.length] = '\0';
	fprintf(stderr, "%s\n", shown);
}

int cli_complain_of_option(const char *command, int answer, char **argv)
{
	const char *word = argv[optind - 1];
	char letter[] = {'-', (char)optopt, '\0'};
	bool is_letter = optopt != 0 && optopt < 256; /* negative: not ASCII */
	/* A bad letter may be in the middle of a word, which getopt has not left then. */
	const char *met = is_letter ? letter : word;
	if (answer == ':') {
		cli_complain("%s: option %s needs a value", command, met);
	} else if (optopt >= 256) {
		cli_complain("%s: option %s takes no value", command, met);
	} else {
		cli_complain(
			"%s: unknown option %s; see safeclose %s --help", command, met, command);
	}
	return CLI_USAGE;
}

int cli_end_output(int status, int failure)
{
	if (fflush(stdout) == 0 && !ferror(stdout)) {
		return status;
	}
	cli_complain("cannot write to stdout: %s", strerror(errno));
	return failure;
}
