// SPDX-License-Identifier: MIT
/* What has to hold for every input. */
#ifndef FUZZ_MUST_H
#define FUZZ_MUST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t size);

static inline void must(bool is_true)
{
	if (!is_true) {
		abort();
	}
}

#endif
