// SPDX-License-Identifier: MIT
/* Did a run end as it must? in: what must be and what was seen; out: every difference, in words. */
#ifndef DEMO_JUDGE_H
#define DEMO_JUDGE_H

#include <stddef.h>

#include "scene.h"

/* The number of differences; complaints gets a line for each, and the empty string for none. */
int judge_run(
	const struct scene *scene, const struct sighting *seen, char *complaints, size_t size);

#endif
