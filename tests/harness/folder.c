// SPDX-License-Identifier: MIT
#include "folder.h"
#include "command.h"
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>

static char folder[64];

int folder_make(void **state)
{
	(void)state;
	snprintf(folder, sizeof(folder), "/tmp/safeclose-test-XXXXXX");
	return mkdtemp(folder) ? 0 : -1;
}

int folder_make_for_temporaries(void **state)
{
	return folder_make(state) == 0 ? setenv("TMPDIR", folder, 1) : -1;
}

int folder_remove(void **state)
{
	(void)state;
	return command_run((const char *const[]){"rm", "-rf", folder, NULL}, NULL).status;
}

const char *folder_name(void)
{
	return folder;
}

char *folder_path(const char *name)
{
	char *path;

	assert_true(asprintf(&path, "%s/%s", folder, name) > 0);
	return path;
}
