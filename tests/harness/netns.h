// SPDX-License-Identifier: MIT
/*
 * A private network namespace: its counters start at zero and nobody else's segments pass through
 * it. The runner enters one itself, so that its sockets and its children live there.
 */
#ifndef HARNESS_NETNS_H
#define HARNESS_NETNS_H

/*
 * Leave the present network namespace for a new one with lo up. As root, or in a user namespace of
 * its own where that is allowed; else the running test is skipped with the reason.
 */
void netns_enter(void);

/*
 * Return when every packet sent on lo before the call, and what it made the kernel send in turn,
 * has been handled. Timers (retransmission, delayed acknowledgement) are not waited for.
 */
void netns_settle(void);

#endif
