// SPDX-License-Identifier: MIT
/* Stands for report*.c where yajl was not there when this was built. */
#include "cli.h"

int cli_report(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	cli_complain("report: built without yajl, which reads JSON; install libyajl-dev "
		     "(yajl-devel, yajl-dev, yajl) and build it again");
	return CLI_USAGE;
}
