// SPDX-License-Identifier: MIT
/*
 * calls WHAT COUNT [PROGRAM]: performs COUNT rounds of something that the library follows, in PARTS
 * parts, and tells "took NS" of a round: the mean of a part, and of those the median, as other programs
 * take the processor now and then. WHAT:
 *     file     dup and close of /dev/null
 *     file-asked  the same, and the program itself asks before the close what the library asks
 *     pipe     pipe and two closes
 *     dup2     dup2 of /dev/null over another copy of it
 *     fclose   fopen and fclose of /dev/null
 *     syscall  syscall(SYS_getppid)
 *     tcp      connect, accept, close of the accepted end with nothing unread; the other end is closed
 *              by an instruction, as by somebody else
 *     tcp-asked   the same, asked by the program itself
 *     tcp-both    connect, accept, close of both ends
 *     serve    the same between two processes, with a request read and an answer written
 *     start    PROGRAM is started and waited for
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { COUNT_MAX = 1000000, PARTS = 50, REQUEST_BYTES = 64, ANSWER_BYTES = 256 };

static int null_fd;
static int over_fd;
static int listener;
static struct sockaddr_in address;
static char *program;
static pid_t visitor;

static void must(bool is_done, const char *what)
{
	if (!is_done) {
		printf("calls: %s: %s\n", what, strerror(errno));
		exit(1);
	}
}

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static void run_file(int count)
{
	while (count-- > 0) {
		must(close(dup(null_fd)) == 0, "close");
	}
}

static void run_file_asked(int count)
{
	while (count-- > 0) {
		int fd = dup(null_fd);
		int protocol;
		socklen_t size = sizeof(protocol);

		must(getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &size) != 0, "getsockopt");
		must(close(fd) == 0, "close");
	}
}

static void run_pipe(int count)
{
	int ends[2];

	while (count-- > 0) {
		must(pipe(ends) == 0, "pipe");
		must(close(ends[0]) == 0 && close(ends[1]) == 0, "close");
	}
}

static void run_dup2(int count)
{
	while (count-- > 0) {
		must(dup2(null_fd, over_fd) == over_fd, "dup2");
	}
}

static void run_fclose(int count)
{
	while (count-- > 0) {
		FILE *file = fopen("/dev/null", "re");

		must(file && fclose(file) == 0, "fclose");
	}
}

static void run_syscall(int count)
{
	while (count-- > 0) {
		must(syscall(SYS_getppid) >= 0, "getppid");
	}
}

static int dial(void)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	must(fd >= 0, "socket");
	must(connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0, "connect");
	return fd;
}

static int answer_call(void)
{
	int fd = accept(listener, NULL, NULL);

	must(fd >= 0, "accept");
	return fd;
}

static void close_unseen(int fd)
{
#ifdef __x86_64__
	long result = SYS_close;

	__asm__ volatile("syscall" : "+a"(result) : "D"((long)fd) : "rcx", "r11", "memory");
	must(result == 0, "close");
#else
	must(close(fd) == 0, "close");
#endif
}

static void run_tcp(int count)
{
	while (count-- > 0) {
		int here = dial();
		int there = answer_call();

		must(close(there) == 0, "close");
		close_unseen(here);
	}
}

static void run_tcp_both(int count)
{
	while (count-- > 0) {
		int here = dial();
		int there = answer_call();

		must(close(there) == 0 && close(here) == 0, "close");
	}
}

static void ask(int fd)
{
	int answer;

	must(ioctl(fd, FIONREAD, &answer) == 0 && answer == 0, "FIONREAD");
	must(ioctl(fd, SIOCATMARK, &answer) == 0 && answer == 0, "SIOCATMARK");
}

static void run_tcp_asked(int count)
{
	while (count-- > 0) {
		int here = dial();
		int there = answer_call();

		ask(there);
		must(close(there) == 0, "close");
		close_unseen(here);
	}
}

static void read_whole(int fd, size_t bytes)
{
	char buffer[ANSWER_BYTES];

	must(recv(fd, buffer, bytes, MSG_WAITALL) == (ssize_t)bytes, "recv");
}

/* Asks, reads the answer, and waits for the other end to close first: nothing is unread anywhere. */
static void visit(int count)
{
	static const char request[REQUEST_BYTES];
	char nothing;

	while (count-- > 0) {
		int fd = dial();

		must(send(fd, request, sizeof(request), 0) == sizeof(request), "send");
		read_whole(fd, ANSWER_BYTES);
		must(recv(fd, &nothing, 1, 0) == 0, "recv");
		close(fd);
	}
}

static void begin_serve(int total)
{
	visitor = fork();
	must(visitor >= 0, "fork");
	if (visitor == 0) {
		visit(total);
		_exit(0);
	}
}

static void end_serve(void)
{
	int status;

	must(waitpid(visitor, &status, 0) == visitor && status == 0, "the visitor");
}

static void run_serve(int count)
{
	static const char answer[ANSWER_BYTES];

	while (count-- > 0) {
		int fd = answer_call();

		read_whole(fd, REQUEST_BYTES);
		must(send(fd, answer, sizeof(answer), 0) == sizeof(answer), "send");
		must(close(fd) == 0, "close");
	}
}

static void run_start(int count)
{
	char *arguments[] = {program, NULL};
	int status;
	pid_t pid;

	while (count-- > 0) {
		must(posix_spawn(&pid, program, NULL, NULL, arguments, environ) == 0, program);
		must(waitpid(pid, &status, 0) == pid && status == 0, program);
	}
}

static const struct what {
	const char *name;
	void (*run)(int count);
	void (*begin)(int total);
	void (*end)(void);
} whats[] = {{"file", run_file, NULL, NULL}, {"file-asked", run_file_asked, NULL, NULL},
	{"tcp-asked", run_tcp_asked, NULL, NULL}, {"tcp-both", run_tcp_both, NULL, NULL},
	{"pipe", run_pipe, NULL, NULL}, {"dup2", run_dup2, NULL, NULL},
	{"fclose", run_fclose, NULL, NULL}, {"syscall", run_syscall, NULL, NULL},
	{"tcp", run_tcp, NULL, NULL}, {"serve", run_serve, begin_serve, end_serve},
	{"start", run_start, NULL, NULL}};

enum { WHAT_COUNT = sizeof(whats) / sizeof(whats[0]) };

static void prepare(void)
{
	socklen_t size = sizeof(address);

	null_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	over_fd = dup(null_fd);
	listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	address.sin_family = AF_INET;
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	must(bind(listener, (struct sockaddr *)&address, size) == 0, "bind");
	must(listen(listener, 64) == 0, "listen");
	must(getsockname(listener, (struct sockaddr *)&address, &size) == 0, "getsockname");
}

static int compare(const void *one, const void *other)
{
	double a = *(const double *)one;
	double b = *(const double *)other;

	return (a > b) - (a < b);
}

/* Nanoseconds of a round; total is a multiple of PARTS, or less. */
static double measure(const struct what *what, int total)
{
	int parts = total < PARTS ? 1 : PARTS;
	double took_ns[PARTS];

	for (int i = 0; i < parts; i++) {
		uint64_t begun_ns = now_ns();

		what->run(total / parts);
		took_ns[i] = (double)(now_ns() - begun_ns) / (total / parts);
	}
	qsort(took_ns, (size_t)parts, sizeof(took_ns[0]), compare);
	return took_ns[parts / 2];
}

int main(int argc, char **argv)
{
	const struct what *what = NULL;
	int count;

	must(argc >= 3, "two arguments");
	for (size_t i = 0; i < WHAT_COUNT; i++) {
		what = strcmp(whats[i].name, argv[1]) == 0 ? &whats[i] : what;
	}
	count = atoi(argv[2]);
	must(what && count > 0 && count <= COUNT_MAX && (count < PARTS || count % PARTS == 0),
		"WHAT and COUNT");
	must(what->run != run_start || argc == 4, "PROGRAM");
	program = argv[3];
	prepare();
	if (what->begin) {
		what->begin(count);
	}
	printf("took %.1f\n", measure(what, count));
	if (what->end) {
		what->end();
	}
	return 0;
}
