// SPDX-License-Identifier: MIT
#include "sockets.h"
#include "deadline.h"
#include "unit.h"

#include <stdbool.h>
#include <stdio.h>

/* A line of the table: "SLOT: ADDRESS:PORT ADDRESS:PORT STATE SENDQUEUE:RECEIVEQUEUE ...", hex. */
static unsigned int read_unread_bytes(uint16_t local_port)
{
	char line[512];
	unsigned int unread_bytes = 0;
	FILE *table = fopen("/proc/thread-self/net/tcp", "re");

	assert_non_null(table);
	while (fgets(line, sizeof(line), table)) {
		unsigned int port;
		unsigned int state;
		unsigned int received;
		const unsigned int listening = 10;

		if (sscanf(line, "%*d: %*x:%x %*x:%*x %x %*x:%x", &port, &state, &received) == 3 &&
			port == local_port && state != listening) {
			unread_bytes += received;
		}
	}
	fclose(table);
	return unread_bytes;
}

void sockets_await_drained(uint16_t local_port)
{
	int64_t deadline = deadline_in(DEADLINE_MS);

	while (read_unread_bytes(local_port) > 0) {
		if (!deadline_pause(deadline)) {
			fail_msg("bytes stay unread at port %u", local_port);
		}
	}
}
