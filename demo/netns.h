// SPDX-License-Identifier: MIT
/* A network namespace of one's own, and its counters. */
#ifndef DEMO_NETNS_H
#define DEMO_NETNS_H

#include <stddef.h>
#include <stdint.h>

/*
 * Move this process into a fresh network namespace with lo up: as one who may, else through a user
 * namespace in which every id stays what it is. 0, or a negative errno with *step naming what was
 * refused; the process may then be in a namespace where nothing works and should end.
 */
int netns_enter(const char **step);

/*
 * A counter of this process's network namespace: file "netstat" or "snmp", the group with its
 * colon ("TcpExt:", "Tcp:") and the name. -1: not known.
 */
int64_t netns_counter(const char *file, const char *group, const char *name);

#endif
