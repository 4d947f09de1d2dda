// SPDX-License-Identifier: MIT
/*
 * bothends: executes true(1) while it has both ends of a connection, each with an unread byte and
 * close-on-exec. The one that is closed first resets the other, which then has nothing to reset.
 */
#include "dial.h"

#include <fcntl.h>

int main(void)
{
	int listener = listen_here();
	int ends[2];
	struct pollfd polled = {.events = POLLIN};

	connect_pair(listener, ends);
	must(send(ends[1], "x", 1, 0) == 1, "send");
	polled.fd = ends[0];
	must(poll(&polled, 1, WAIT_MS) == 1, "no byte came");
	for (int i = 0; i < 2; i++) {
		must(fcntl(ends[i], F_SETFD, FD_CLOEXEC) == 0, "fcntl");
	}
	execl("/bin/true", "true", (char *)NULL);
	must(false, "exec");
}
