// SPDX-License-Identifier: MIT
/*
 * The program under test with many connections at once: a server that performs the words of its
 * command line in order and ends with status 0. The words are the rows of the table at the end of
 * this file.
 *
 *     server listen accept 100 await-unread 1 close 100 say closed hear go
 *
 * Connections form a queue: accept appends to it, close takes the oldest. A word that cannot be
 * performed ends the program with STATUS_FAILED; waits end after WAIT_MS.
 */
#include "../harness/pattern.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
	STATUS_FAILED = 125,
	WAIT_MS = 20000,
	CONNECTIONS_MAX = 16384,
	LINE_MAX_BYTES = 256,
	ERRNO_BEFORE = 4242,
};

static char **next_word;
static const char *running_word = "start";
static int input_fd = 0;
static int output_fd = 1;
static int listener = -1;
static int connections[CONNECTIONS_MAX];
static int oldest;
static int end; /* behind the newest */
static volatile sig_atomic_t signals_seen;

static void __attribute__((format(printf, 1, 2))) tell(const char *format, ...)
{
	char line[LINE_MAX_BYTES];
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = vsnprintf(line, sizeof(line) - 1, format, arguments);
	va_end(arguments);
	line[length++] = '\n';
	if (write(output_fd, line, (size_t)length) != length) {
		_exit(STATUS_FAILED);
	}
}

static void must(bool is_done, const char *what)
{
	if (!is_done) {
		tell("server: %s: %s: errno %d", running_word, what, errno);
		_exit(STATUS_FAILED);
	}
}

static int number(const char *text)
{
	char *rest;
	long value = strtol(text, &rest, 0);

	must(*text && !*rest, "not a number");
	return (int)value;
}

static int64_t now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* A signal does not end it. */
static void await_events(int fd, short events)
{
	struct pollfd polled = {.fd = fd, .events = events};
	int ready;

	do {
		ready = poll(&polled, 1, WAIT_MS);
	} while (ready < 0 && errno == EINTR);
	must(ready == 1, "waited in vain");
}

/* ---- talk ---------------------------------------------------------------------------------- */

static void do_say(char **words)
{
	tell("%s", words[0]);
}

static void do_hear(char **words)
{
	char line[LINE_MAX_BYTES];
	size_t length = 0;

	while (length < sizeof(line) - 1) {
		await_events(input_fd, POLLIN);
		must(read(input_fd, &line[length], 1) == 1, "the runner has gone");
		if (line[length] == '\n') {
			break;
		}
		length++;
	}
	line[length] = '\0';
	must(strcmp(line, words[0]) == 0, "heard something else");
}

/* ---- connections --------------------------------------------------------------------------- */

static void do_listen(char **words)
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	socklen_t size = sizeof(address);

	(void)words;
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	listener = socket(AF_INET, SOCK_STREAM, 0);
	must(bind(listener, (struct sockaddr *)&address, size) == 0, "bind");
	must(listen(listener, 4096) == 0, "listen");
	must(getsockname(listener, (struct sockaddr *)&address, &size) == 0, "getsockname");
	tell("port %u", ntohs(address.sin_port));
}

static int accept_one(void)
{
	int fd;

	await_events(listener, POLLIN);
	fd = accept(listener, NULL, NULL);
	must(fd >= 0, "accept");
	return fd;
}

static void do_accept(char **words)
{
	for (int left = number(words[0]); left > 0; left--) {
		must(end < CONNECTIONS_MAX, "too many");
		connections[end++] = accept_one();
	}
	tell("accepted");
}

static void do_await_unread(char **words)
{
	const struct timespec moment = {.tv_nsec = 1000000};
	int64_t deadline = now_us() + WAIT_MS * 1000LL;

	for (int i = oldest; i < end; i++) {
		int unread_bytes = 0;

		while (ioctl(connections[i], FIONREAD, &unread_bytes) == 0 &&
			unread_bytes < number(words[0])) {
			must(now_us() < deadline, "waited in vain");
			nanosleep(&moment, NULL);
		}
	}
}

/* To each connection, which has to take it without the peer's reading. */
static void do_write(char **words)
{
	static uint8_t chunk[65536];
	int bytes = number(words[0]);

	for (int place = 0; place < bytes; place += (int)sizeof(chunk)) {
		int left = bytes - place;
		size_t size = left < (int)sizeof(chunk) ? (size_t)left : sizeof(chunk);

		pattern_fill(chunk, size, (uint64_t)place);
		for (int i = oldest; i < end; i++) {
			must(send(connections[i], chunk, size, MSG_DONTWAIT) == (ssize_t)size,
				"send");
		}
	}
}

static int take_oldest(void)
{
	must(oldest < end, "no connection is left");
	return connections[oldest++];
}

/* What this thread has waited for a processor so far, in microseconds; 0 where that is not told. */
static int64_t kept_waiting_us(void)
{
	long long ran_ns;
	long long waited_ns = 0;
	FILE *file = fopen("/proc/thread-self/schedstat", "re");

	if (file) {
		must(fscanf(file, "%lld %lld", &ran_ns, &waited_ns) == 2, "schedstat");
		fclose(file);
	}
	return waited_ns / 1000;
}

/* Tells the time of the slowest call, in microseconds; that others had the processor is none of it. */
static void do_close(char **words)
{
	int64_t slowest_us = 0;

	for (int left = number(words[0]); left > 0; left--) {
		int fd = take_oldest();
		int64_t waited_us = kept_waiting_us();
		int64_t start_us = now_us();
		int64_t lasted_us;

		errno = ERRNO_BEFORE;
		must(close(fd) == 0 && errno == ERRNO_BEFORE, "close");
		lasted_us = now_us() - start_us;
		lasted_us -= kept_waiting_us() - waited_us;
		slowest_us = lasted_us > slowest_us ? lasted_us : slowest_us;
	}
	tell("slowest-us %lld", (long long)slowest_us);
}

/* Close all; each number must be free at once for the program's next descriptor. */
static void do_close_and_reuse(char **words)
{
	int count = 0;

	(void)words;
	while (oldest < end) {
		int fd = take_oldest();

		must(close(fd) == 0, "close");
		must(open("/dev/null", O_RDONLY) == fd, "another number");
		count++;
	}
	tell("reused %d", count);
}

/* Answer clients, a byte each, until that line comes. */
static void do_serve_until(char **words)
{
	struct pollfd polled[] = {
		{.fd = input_fd, .events = POLLIN}, {.fd = listener, .events = POLLIN}};

	for (;;) {
		must(poll(polled, 2, WAIT_MS) > 0, "waited in vain");
		if (polled[1].revents) {
			int fd = accept_one();
			char byte;

			must(read(fd, &byte, 1) == 1 && write(fd, &byte, 1) == 1, "serve");
			must(read(fd, &byte, 1) == 0, "end of service");
			close(fd);
		} else {
			do_hear(words);
			return;
		}
	}
}

static void note_signal(int signal_number)
{
	(void)signal_number;
	signals_seen++;
}

/* From now on the connections send this process SIGIO and SIGURG. */
static void do_ask_for_signals(char **words)
{
	struct sigaction action = {.sa_handler = note_signal, .sa_flags = SA_RESTART};

	(void)words;
	sigaction(SIGIO, &action, NULL);
	sigaction(SIGURG, &action, NULL);
	for (int i = oldest; i < end; i++) {
		must(fcntl(connections[i], F_SETOWN, getpid()) == 0, "F_SETOWN");
		must(fcntl(connections[i], F_SETFL, O_RDWR | O_ASYNC) == 0, "O_ASYNC");
	}
}

static void do_signals(char **words)
{
	(void)words;
	tell("signals %d", (int)signals_seen);
}

/* ---- descriptors --------------------------------------------------------------------------- */

static void do_rlimit(char **words)
{
	struct rlimit limit;

	must(getrlimit(RLIMIT_NOFILE, &limit) == 0, "getrlimit");
	limit.rlim_cur = (rlim_t)number(words[0]);
	must(setrlimit(RLIMIT_NOFILE, &limit) == 0, "setrlimit");
}

/* Open descriptors until there are no more to be had. */
static void do_hoard(char **words)
{
	int count = 0;

	(void)words;
	while (open("/dev/null", O_RDONLY) >= 0) {
		count++;
	}
	must(errno == EMFILE, "not EMFILE");
	tell("hoarded %d", count);
}

/* What all-closers do closes the connections of the queue too. */
static void forget_connections(void)
{
	oldest = end;
}

/* How many of the numbers were open, as the calls say. */
static void do_close_loop(char **words)
{
	int count = 0;

	for (int fd = 3; fd <= number(words[0]); fd++) {
		count += close(fd) == 0;
	}
	forget_connections();
	tell("closed-by-loop %d", count);
}

static void do_syscall_close_loop(char **words)
{
	int count = 0;

	for (int fd = 3; fd <= number(words[0]); fd++) {
		count += syscall(SYS_close, fd) == 0;
	}
	forget_connections();
	tell("closed-by-loop %d", count);
}

static void do_closefrom(char **words)
{
	closefrom(number(words[0]));
	forget_connections();
}

static void do_close_range(char **words)
{
	must(close_range((unsigned int)number(words[0]), ~0U, 0) == 0, "close_range");
	forget_connections();
}

/* Close whatever the folder lists. */
static void do_close_walk(char **words)
{
	DIR *folder = opendir("/proc/self/fd");
	struct dirent *entry;
	int count = 0;

	(void)words;
	must(folder != NULL, "opendir");
	while ((entry = readdir(folder))) {
		int fd = atoi(entry->d_name);

		if (fd > 2 && fd != dirfd(folder)) {
			count += close(fd) == 0;
		}
	}
	closedir(folder);
	forget_connections();
	tell("closed-by-walk %d", count);
}

/* Talk at two high numbers, so that 0 to 2 are free to be used. */
static void do_control(char **words)
{
	int base = number(words[0]);

	must(dup2(0, base) == base && dup2(1, base + 1) == base + 1, "dup2");
	input_fd = base;
	output_fd = base + 1;
}

/* A daemon's habit. The listener goes too: it had the next number. */
static void do_close_standard(char **words)
{
	(void)words;
	must(close(0) == 0 && close(1) == 0 && close(2) == 0, "close");
}

/* The next to be accepted, by its number. */
static void do_accept_as(char **words)
{
	int fd = accept_one();

	must(fd == number(words[0]), "another number");
	tell("accepted");
}

static void do_write_to(char **words)
{
	int bytes = number(words[1]);

	for (int place = 0; place < bytes; place++) {
		uint8_t byte = pattern_byte((uint64_t)place);

		must(write(number(words[0]), &byte, 1) == 1, "write");
	}
}

static void do_close_fd(char **words)
{
	must(close(number(words[0])) == 0, "close");
}

/* ---- processes ----------------------------------------------------------------------------- */

/* The child waits for ever; it shares stdout with this process, and is killed with it. */
static void live_on(void)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;) {
		pause();
	}
}

static void do_fork(char **words)
{
	pid_t pid = fork();

	(void)words;
	must(pid >= 0, "fork");
	if (pid == 0) {
		live_on();
	}
	tell("child %d", pid);
}

/* A fork that the C library does not see. */
static void do_fork_raw(char **words)
{
	long pid = syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);

	(void)words;
	must(pid >= 0, "clone");
	if (pid == 0) {
		live_on();
	}
	tell("child %ld", pid);
}

/* A child that ends at once, waited for. */
static void do_fork_and_wait(char **words)
{
	int status;
	pid_t pid = fork();

	(void)words;
	if (pid == 0) {
		_exit(0);
	}
	must(pid > 0 && waitpid(pid, &status, 0) == pid && status == 0, "fork");
}

/* Nobody but our own children may be there to be waited for. */
static void do_wait_for_none(char **words)
{
	(void)words;
	must(waitpid(-1, NULL, WNOHANG | __WALL) == -1 && errno == ECHILD, "somebody is there");
}

/* The rest of the words, in a new image of this program. */
static void do_exec(char **words)
{
	char path[] = "/proc/self/exe";

	(void)words;
	next_word[-1] = path;
	execv(path, next_word - 1);
	must(false, "execv");
}

/* The same, without the library. */
static void do_exec_alone(char **words)
{
	must(unsetenv("LD_PRELOAD") == 0, "unsetenv");
	do_exec(words);
}

static void do_exit(char **words)
{
	exit(number(words[0]));
}

static void do_exit_now(char **words)
{
	_exit(number(words[0]));
}

static const struct word {
	const char *name;
	int arguments;
	void (*perform)(char **words);
} vocabulary[] = {
	/* connections */
	{"listen", 0, do_listen},                   /* on loopback, any port: tells "port N" */
	{"accept", 1, do_accept},                   /* COUNT: tells "accepted" */
	{"await-unread", 1, do_await_unread},       /* BYTES: in every connection */
	{"write", 1, do_write},                     /* BYTES: of the pattern, to every connection */
	{"close", 1, do_close},                     /* COUNT: tells "slowest-us N" */
	{"close-and-reuse", 0, do_close_and_reuse}, /* all: tells "reused N" */
	{"serve-until", 1, do_serve_until},         /* LINE */
	{"ask-for-signals", 0, do_ask_for_signals},
	{"signals", 0, do_signals}, /* tells "signals N" */
	/* descriptors */
	{"rlimit", 1, do_rlimit},                         /* COUNT */
	{"hoard", 0, do_hoard},                           /* tells "hoarded N" */
	{"close-loop", 1, do_close_loop},                 /* LAST: tells "closed-by-loop N" */
	{"syscall-close-loop", 1, do_syscall_close_loop}, /* LAST: tells the same */
	{"closefrom", 1, do_closefrom},                   /* FIRST */
	{"close-range", 1, do_close_range},               /* FIRST */
	{"close-walk", 0, do_close_walk},                 /* tells "closed-by-walk N" */
	{"control", 1, do_control},                       /* FD: talk there and at FD + 1 */
	{"close-standard", 0, do_close_standard}, {"accept-as", 1, do_accept_as}, /* FD */
	{"write-to", 2, do_write_to}, /* FD BYTES: of the pattern */
	{"close-fd", 1, do_close_fd}, /* FD */
	/* processes and talk */
	{"fork", 0, do_fork},         /* a child that stays: tells "child PID" */
	{"fork-raw", 0, do_fork_raw}, /* the same */
	{"fork-and-wait", 0, do_fork_and_wait}, {"wait-for-none", 0, do_wait_for_none},
	{"exec", 0, do_exec},             /* WORD...: to the last */
	{"exec-alone", 0, do_exec_alone}, /* WORD...: the same, without the library */
	{"exit", 1, do_exit},             /* STATUS */
	{"exit-now", 1, do_exit_now},     /* STATUS: _exit */
	{"say", 1, do_say},               /* LINE */
	{"hear", 1, do_hear},             /* LINE */
};

static const struct word *find_word(const char *name)
{
	for (size_t i = 0; i < sizeof(vocabulary) / sizeof(vocabulary[0]); i++) {
		if (strcmp(vocabulary[i].name, name) == 0) {
			return &vocabulary[i];
		}
	}
	return NULL;
}

int main(int argc, char **argv)
{
	(void)argc;
	next_word = argv + 1;
	while (*next_word) {
		const struct word *word = find_word(*next_word);
		char **arguments = next_word + 1;

		running_word = *next_word;
		must(word != NULL, "no such word");
		for (int i = 0; i < word->arguments; i++) {
			must(arguments[i] != NULL, "arguments are missing");
		}
		next_word = arguments + word->arguments;
		word->perform(arguments);
	}
	return 0;
}
