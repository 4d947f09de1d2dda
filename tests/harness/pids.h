// SPDX-License-Identifier: MIT
/*
 * A private process namespace for the children of the runner: nobody else's processes show in their
 * /proc. Where it may not be had (no root, no user namespace), nothing happens.
 */
#ifndef HARNESS_PIDS_H
#define HARNESS_PIDS_H

/* In the runner: whatever it forks from now on lives there. Once is enough. */
void pids_enter(void);

/* In such a child: a /proc that shows them. */
void pids_mount(void);

#endif
