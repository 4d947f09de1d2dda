// SPDX-License-Identifier: MIT
/*
 * signalled: says "ready PID", then "got N" for each signal N that it gets, once each time, and
 * "group ..." where its first argument is "group": it then sends SIGUSR1 to its whole group. SIGTERM
 * ends it with status 15 when it has been told, the end of stdin with status 0. Signals that stop it
 * do so.
 */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

static void tell(const char *what, int number)
{
	char line[64];
	int bytes = snprintf(line, sizeof(line), "%s %d\n", what, number);

	if (write(1, line, (size_t)bytes) != bytes) {
		_exit(1);
	}
}

static int open_signals(void)
{
	static const int stops[] = {SIGTSTP, SIGTTIN, SIGTTOU, SIGCONT};
	sigset_t set;

	sigfillset(&set);
	for (size_t i = 0; i < sizeof(stops) / sizeof(stops[0]); i++) {
		sigdelset(&set, stops[i]);
	}
	sigprocmask(SIG_SETMASK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC);
}

static void take_signal(int fd)
{
	struct signalfd_siginfo info;

	if (read(fd, &info, sizeof(info)) != sizeof(info)) {
		_exit(1);
	}
	tell("got", (int)info.ssi_signo);
	if (info.ssi_signo == SIGTERM) {
		exit(15);
	}
}

int main(int argc, char **argv)
{
	struct pollfd ready[] = {{open_signals(), POLLIN, 0}, {0, POLLIN, 0}};

	tell("ready", getpid());
	if (argc > 1 && strcmp(argv[1], "group") == 0) {
		kill(0, SIGUSR1);
	}
	for (;;) {
		char byte;

		poll(ready, 2, -1);
		if (ready[0].revents) {
			take_signal(ready[0].fd);
		} else if (ready[1].revents && read(0, &byte, 1) <= 0) {
			return 0;
		}
	}
}
