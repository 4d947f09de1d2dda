// SPDX-License-Identifier: MIT
#include "sanitizer.h"
#include "unit.h"

#include <string.h>

bool sanitizer_is_any(void)
{
	return *SC_PRELOAD_FIRST != '\0';
}

bool sanitizer_is_for_threads(void)
{
	return strstr(SC_PRELOAD_FIRST, "tsan") != NULL;
}

void sanitizer_skip_if(bool condition, const char *why)
{
	if (condition) {
		print_message("not with this sanitizer: %s\n", why);
		skip();
	}
}
