// SPDX-License-Identifier: MIT
/* What the library was built with (make SANITIZE=...), for tests that cannot be as they are then. */
#ifndef HARNESS_SANITIZER_H
#define HARNESS_SANITIZER_H

#include <stdbool.h>

bool sanitizer_is_any(void);

/* ThreadSanitizer: it has a thread of its own in every program. */
bool sanitizer_is_for_threads(void);

/* Skip the test if condition holds, and say why. */
void sanitizer_skip_if(bool condition, const char *why);

#endif
