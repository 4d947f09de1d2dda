// SPDX-License-Identifier: MIT
#include "program.h"
#include "sys.h"
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/auxv.h>

static char path[PATH_MAX]; /* empty: unknown */

void sc_program_init(void)
{
	long length = SC_SYS4(SYS_readlinkat, AT_FDCWD, "/proc/self/exe", path, sizeof(path) - 1);
	const char *name = (const char *)getauxval(AT_EXECFN); /* what exec was given */
	if (length <= 0 && name != NULL) {
		strncpy(path, name, sizeof(path) - 1);
	}
}

const char *sc_program_path(void)
{
	return path[0] != '\0' ? path : NULL;
}
