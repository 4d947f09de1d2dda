// SPDX-License-Identifier: MIT
/* What the kernel tells of the program's sockets, from outside the program. */
#ifndef HARNESS_SOCKETS_H
#define HARNESS_SOCKETS_H

#include <stdint.h>

/* Wait until the IPv4 connection with this local port has nothing unread, or is no more. Its
 * absence from the start counts as that. A deadline fails the test. */
void sockets_await_drained(uint16_t local_port);

#endif
