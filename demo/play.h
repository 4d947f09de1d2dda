// SPDX-License-Identifier: MIT
/*
 * Play one scene: server and client in a private network namespace with a capture on lo.
 * in: the scene, where the programs lie; out: a sighting. Nothing is printed, nothing judged.
 */
#ifndef DEMO_PLAY_H
#define DEMO_PLAY_H

#include <limits.h>
#include <stdbool.h>

#include "scene.h"

struct theatre {
	/* Absolute paths. */
	char server[PATH_MAX + 16], client[PATH_MAX + 16], library[PATH_MAX];
	bool with_netns; /* else in the namespace where we are */
};

/*
 * Play the scene in a process of its own, 3 s at most. *seen lies in memory that processes share.
 * Where a namespace was asked for and refused, nothing is played: seen->netns_error tells.
 */
void play_scene(const struct theatre *theatre, const struct scene *scene, struct sighting *seen);

#endif
