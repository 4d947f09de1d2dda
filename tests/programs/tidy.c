// SPDX-License-Identifier: MIT
/*
 * tidy PORT WHAT: what a program can see of itself. WHAT:
 *     numbers     some 200 calls that open, duplicate and close; tells each number
 *     leftovers   closes 100 connections, looks at itself before and after
 *     loop        close() of every number up to 4200
 *     closefrom   of 3
 *     range       close_range(3, ~0U, 0)
 *     walk        close() of every number in /proc/self/fd
 *     take        dup2() onto every number up to 4200, then the loop
 * The last five close a connection with unread bytes before it and another one behind it, and tell
 * how many descriptors they have closed.
 */
#include "dial.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <sys/resource.h>

enum {
	HIGHEST = 4200,
	OWN_FROM = 500, /* the library's descriptors lie above */
	OWN_MAX = 16,
	CONNECTIONS = 50,
	SIGNALS = 64,
	CALLS = 200,
	OPEN_MAX_COUNT = 60,
};

static int port;

/* ---- numbers ------------------------------------------------------------------------------- */

static int open_fds[OPEN_MAX_COUNT + 2];
static int open_count;

static void opened(int fd)
{
	must(fd >= 0, "open");
	open_fds[open_count++] = fd;
	tell("%d", fd);
}

static void open_one(unsigned int choice, int listener)
{
	struct sockaddr_in address;
	socklen_t size = sizeof(address);
	int any = open_count > 0 ? open_fds[choice % (unsigned int)open_count] : 0;
	int ends[2];

	switch (choice % 7) {
	case 0:
		opened(dial(port));
		break;
	case 1:
		opened(open("/dev/null", O_RDWR));
		break;
	case 2:
		opened(dup(any));
		break;
	case 3:
		opened(fcntl(any, F_DUPFD, 10));
		break;
	case 4:
		must(pipe(ends) == 0, "pipe");
		opened(ends[0]);
		opened(ends[1]);
		break;
	default:
		must(getsockname(listener, (struct sockaddr *)&address, &size) == 0, "listener");
		opened(socket(AF_INET, SOCK_STREAM, 0));
		must(connect(open_fds[open_count - 1], (struct sockaddr *)&address, size) == 0,
			"connect");
		opened(accept(listener, NULL, NULL));
		must(write(open_fds[open_count - 2], "unread", 6) == 6, "write");
	}
}

static void numbers(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	int listener = socket(AF_INET, SOCK_STREAM, 0);
	uint32_t random = 4711;

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	must(!bind(listener, (struct sockaddr *)&address, sizeof(address)), "bind");
	must(!listen(listener, 8), "listen");
	for (int i = 0; i < CALLS; i++) {
		random = random * 1664525 + 1013904223;
		unsigned int choice = random >> 8;

		if (open_count > 0 && (choice % 5 < 2 || open_count >= OPEN_MAX_COUNT)) {
			int *closed = &open_fds[choice / 5 % (unsigned int)open_count];

			close_well(*closed);
			*closed = open_fds[--open_count];
		} else {
			open_one(choice / 5, listener);
		}
	}
	while (open_count > 0) {
		close_well(open_fds[--open_count]);
	}
}

/* ---- leftovers ------------------------------------------------------------------------------ */

struct self {
	uint8_t is_open[HIGHEST];
	int own_count; /* descriptors of the library */
	struct {
		void (*handler)(int);
		int flags;
		bool is_blocked;
	} signals[SIGNALS + 1];
	char **environment;
	char *names[64];
};

static volatile sig_atomic_t signals;

static void count_signal(int signal_number)
{
	(void)signal_number;
	signals++;
}

static int count_entries(const char *path, void (*each)(struct self *, int), struct self *self)
{
	DIR *folder = opendir(path);
	int count = 0;

	must(folder != NULL, path);
	for (struct dirent *entry; (entry = readdir(folder));) {
		if (entry->d_name[0] != '.') {
			count++;
			each(self, atoi(entry->d_name));
		}
	}
	closedir(folder);
	return count;
}

static void note_descriptor(struct self *self, int fd)
{
	must(fd < HIGHEST, "a descriptor that high");
	self->is_open[fd] = fd < OWN_FROM;
	self->own_count += fd >= OWN_FROM;
}

static void note_nothing(struct self *self, int fd)
{
	(void)self;
	(void)fd;
}

static void look(struct self *self)
{
	sigset_t mask;

	memset(self, 0, sizeof(*self));
	count_entries("/proc/self/fd", note_descriptor, self);
	sigprocmask(SIG_BLOCK, NULL, &mask);
	for (int i = 1; i <= SIGNALS; i++) {
		struct sigaction action = {.sa_handler = SIG_DFL};

		sigaction(i, NULL, &action);
		self->signals[i].handler = action.sa_handler;
		self->signals[i].flags = action.sa_flags;
		self->signals[i].is_blocked = sigismember(&mask, i) == 1;
	}
	self->environment = environ;
	for (size_t i = 0; i < 64 && environ[i]; i++) {
		self->names[i] = environ[i];
	}
}

static void close_connections(int threads)
{
	int fds[CONNECTIONS];
	long start_ms = now_ms();

	dial_many(fds, CONNECTIONS, port);
	for (int i = 0; i < CONNECTIONS; i++) {
		/* What comes from now on raises SIGIO, and SIGURG where it is urgent. */
		must(fcntl(fds[i], F_SETOWN, getpid()) == 0, "F_SETOWN");
		must(fcntl(fds[i], F_SETFL, O_ASYNC) == 0, "O_ASYNC");
	}
	for (int i = 0; i < CONNECTIONS; i++) {
		close_well(fds[i]);
	}
	while (count_entries("/proc/self/task", note_nothing, NULL) > threads) {
		pause_within(start_ms);
	}
}

static void leftovers(void)
{
	static struct self before;
	static struct self between;
	static struct self after;
	const struct sigaction action = {.sa_handler = count_signal};
	const int caught[] = {SIGPIPE, SIGURG, SIGCHLD, SIGIO, SIGXFSZ};
	int threads = count_entries("/proc/self/task", note_nothing, NULL);

	for (size_t i = 0; i < sizeof(caught) / sizeof(caught[0]); i++) {
		sigaction(caught[i], &action, NULL);
	}
	look(&before);
	close_connections(threads);
	look(&between);
	close_connections(threads);
	look(&after);
	must(memcmp(before.is_open, after.is_open, sizeof(after.is_open)) == 0, "descriptors");
	must(between.own_count == after.own_count && after.own_count <= OWN_MAX, "own ones");
	must(memcmp(before.signals, after.signals, sizeof(after.signals)) == 0, "handlers");
	must(before.environment == after.environment, "environment");
	must(memcmp(before.names, after.names, sizeof(after.names)) == 0, "environment");
	must(signals == 0, "signals came");
	tell("tidy");
}

/* ---- closing all --------------------------------------------------------------------------- */

static int highest(void)
{
	struct rlimit limit;

	must(getrlimit(RLIMIT_NOFILE, &limit) == 0, "RLIMIT_NOFILE");
	return limit.rlim_cur < HIGHEST ? (int)limit.rlim_cur : HIGHEST;
}

static bool is_closed(int fd)
{
	errno = ERRNO_BEFORE;
	if (close(fd) == 0) {
		must(errno == ERRNO_BEFORE, "close touched errno");
		return true;
	}
	must(errno == EBADF, "neither closed nor EBADF");
	return false;
}

static int close_loop(void)
{
	int count = 0;

	for (int fd = 3, end = highest(); fd < end; fd++) {
		count += is_closed(fd);
	}
	return count;
}

static int close_walk(void)
{
	DIR *folder = opendir("/proc/self/fd");
	int count = 0;

	must(folder != NULL, "/proc/self/fd");
	for (struct dirent *entry; (entry = readdir(folder));) {
		int fd = atoi(entry->d_name);

		count += fd > 2 && fd != dirfd(folder) && is_closed(fd);
	}
	closedir(folder);
	return count;
}

static int close_by_closefrom(void)
{
	closefrom(3);
	return close_loop();
}

static int close_by_range(void)
{
	must(close_range(3, ~0U, 0) == 0, "close_range");
	return close_loop();
}

/* What lies on a number is closed by it. */
static int take_and_close(void)
{
	for (int fd = 3, end = highest(); fd < end; fd++) {
		errno = ERRNO_BEFORE;
		must(dup2(0, fd) == fd, "dup2");
		must(errno == ERRNO_BEFORE, "dup2 touched errno");
	}
	return close_loop();
}

static void close_all(int (*close_them)(void))
{
	int ends[2];

	close_well(dial(port));
	must(pipe(ends) == 0 && dup2(ends[0], 100) == 100, "pipe");
	tell("closed %d", close_them());
	close_well(dial(port));
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int (*run)(void);
	} ways[] = {{"loop", close_loop}, {"walk", close_walk}, {"closefrom", close_by_closefrom},
		{"range", close_by_range}, {"take", take_and_close}};

	must(argc == 3, "arguments");
	port = number(argv[1]);
	if (strcmp(argv[2], "numbers") == 0) {
		numbers();
	} else if (strcmp(argv[2], "leftovers") == 0) {
		leftovers();
	}
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		if (strcmp(argv[2], ways[i].name) == 0) {
			close_all(ways[i].run);
		}
	}
	return 0;
}
