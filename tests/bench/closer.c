// SPDX-License-Identifier: MIT
/*
 * closer COUNT OTHERS sole|elder GAP_US: a server whose clients send a byte each that it never
 * reads. It closes COUNT connections, GAP_US microseconds apart (0: as fast as it can), and tells
 * what each call cost.
 *
 * OTHERS: descriptors besides. elder: after the connections were accepted the process starts a
 * child, so that what it knows of them is no longer proof that nobody else holds them.
 *
 * It tells "port N", "ready", hears "close", tells "closed ..." (nanoseconds), hears "rest", does
 * nothing for a second, tells "rested ..." and hears "end".
 */
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { COUNT_MAX = 20000, WAIT_MS = 60000, REST_MS = 1000, SETTLE_MS = 300 };

static int connections[COUNT_MAX];
static uint32_t lasted_ns[COUNT_MAX];

static void must(bool is_done, const char *what)
{
	if (!is_done) {
		printf("closer: %s: %s\n", what, strerror(errno));
		exit(1);
	}
}

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static uint64_t now_ns(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}

static void hear(const char *wanted)
{
	char line[16];

	must(fgets(line, sizeof(line), stdin) && strncmp(line, wanted, strlen(wanted)) == 0,
		wanted);
}

static int listen_anywhere(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	socklen_t size = sizeof(address);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	must(bind(listener, (struct sockaddr *)&address, size) == 0, "bind");
	must(listen(listener, 4096) == 0, "listen");
	must(getsockname(listener, (struct sockaddr *)&address, &size) == 0, "getsockname");
	printf("port %u\n", ntohs(address.sin_port));
	return listener;
}

static void accept_all(int listener, int count)
{
	for (int i = 0; i < count; i++) {
		struct pollfd polled = {.fd = listener, .events = POLLIN};

		must(poll(&polled, 1, WAIT_MS) == 1, "nobody came");
		connections[i] = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
		must(connections[i] >= 0, "accept");
	}
	for (int i = 0; i < count; i++) {
		struct pollfd polled = {.fd = connections[i], .events = POLLIN};

		must(poll(&polled, 1, WAIT_MS) == 1, "no byte came");
	}
}

static void start_a_child(void)
{
	char name[] = "true";
	char *const arguments[] = {name, NULL};
	pid_t pid;

	must(posix_spawnp(&pid, name, NULL, NULL, arguments, environ) == 0, "posix_spawn");
	must(waitpid(pid, NULL, 0) == pid, "waitpid");
}

static int compare(const void *a, const void *b)
{
	uint32_t first = *(const uint32_t *)a;
	uint32_t second = *(const uint32_t *)b;

	return (first > second) - (first < second);
}

static void close_all(int count, int gap_us)
{
	uint64_t begun_ns = now_ns();
	uint64_t processor_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID);
	uint64_t total_ns = 0;

	for (int i = 0; i < count; i++) {
		uint64_t start_ns = now_ns();

		close(connections[i]);
		lasted_ns[i] = (uint32_t)(now_ns() - start_ns);
		total_ns += lasted_ns[i];
		while (now_ns() - start_ns < (uint64_t)gap_us * 1000) {
		}
	}
	processor_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID) - processor_ns;
	qsort(lasted_ns, (size_t)count, sizeof(lasted_ns[0]), compare);
	printf("closed begun %llu mean %llu processor %llu p50 %u p99 %u max %u\n",
		(unsigned long long)begun_ns, (unsigned long long)total_ns / (unsigned int)count,
		(unsigned long long)processor_ns / (unsigned int)count, lasted_ns[count / 2],
		lasted_ns[count - 1 - count / 100], lasted_ns[count - 1]);
}

/* Of the process: what /proc/self/smaps_rollup says behind this label. */
static long memory_kb(const char *label)
{
	char line[256];
	long kb = -1;
	FILE *file = fopen("/proc/self/smaps_rollup", "re");

	must(file != NULL, "smaps_rollup");
	while (fgets(line, sizeof(line), file)) {
		if (strncmp(line, label, strlen(label)) == 0) {
			kb = strtol(line + strlen(label), NULL, 10);
		}
	}
	fclose(file);
	must(kb >= 0, label);
	return kb;
}

/* What the library's thread holds. */
static int count_lingering(void)
{
	DIR *tasks = opendir("/proc/self/task");
	struct dirent *entry;
	int count = 0;

	while (tasks && (entry = readdir(tasks))) {
		char path[64];
		DIR *table;

		snprintf(path, sizeof(path), "/proc/self/task/%.16s/fd", entry->d_name);
		table = *entry->d_name != '.' && atoi(entry->d_name) != getpid() ? opendir(path)
										 : NULL;
		while (table && readdir(table)) {
			count++;
		}
		if (table) {
			closedir(table);
		}
	}
	if (tasks) {
		closedir(tasks);
	}
	return count;
}

static void rest(long rss_before_kb, long pss_before_kb)
{
	const struct timespec moment = {.tv_nsec = SETTLE_MS * 1000000};
	const struct timespec second = {.tv_sec = REST_MS / 1000};
	uint64_t before_ns;
	uint64_t spent_ns;

	nanosleep(&moment, NULL);
	before_ns = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
	nanosleep(&second, NULL);
	spent_ns = clock_ns(CLOCK_PROCESS_CPUTIME_ID) - before_ns;
	printf("rested spent %llu rss %ld pss %ld lingering %d\n", (unsigned long long)spent_ns,
		memory_kb("Rss:") - rss_before_kb, memory_kb("Pss:") - pss_before_kb,
		count_lingering());
}

/* What this program needs itself is not to count. */
static void warm_up(int count)
{
	qsort(lasted_ns, (size_t)count, sizeof(lasted_ns[0]), compare);
	memory_kb("Rss:");
	count_lingering();
}

int main(int argc, char **argv)
{
	int count;
	long rss_kb;
	long pss_kb;

	must(argc == 5, "four arguments");
	count = atoi(argv[1]);
	must(count > 0 && count <= COUNT_MAX, "COUNT");
	setvbuf(stdout, NULL, _IOLBF, 0);
	memset(lasted_ns, 1, sizeof(lasted_ns));
	for (int left = atoi(argv[2]); left > 0; left--) {
		must(open("/dev/null", O_RDONLY | O_CLOEXEC) >= 0, "open");
	}
	accept_all(listen_anywhere(), count);
	if (strcmp(argv[3], "elder") == 0) {
		start_a_child();
	}
	warm_up(count);
	rss_kb = memory_kb("Rss:");
	pss_kb = memory_kb("Pss:");
	printf("ready\n");
	hear("close");
	close_all(count, atoi(argv[4]));
	hear("rest");
	rest(rss_kb, pss_kb);
	hear("end");
	_exit(0);
}
