// SPDX-License-Identifier: MIT
/*
 * returning PORT: a thread is in poll(2) with each connection when it is closed. Behind the close
 * poll ends and lets go of the connection as the last; but on its way back to the program, where
 * the kernel would release the connection, the thread is held up for a third of a second: what poll
 * has to write to is a page that another thread has yet to bring (userfaultfd(2)). Without the
 * permission for that, "no userfaultfd" is all that it tells.
 */
#include "dial.h"

#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>

enum { TURNS = 5, HELD_UP_MS = 300, PAGE = 4096 };

static int faults = -1;
static struct pollfd *polled; /* the connection, and what ends the call */
static int ends[2];
static _Atomic int closing;
static _Atomic pid_t tid;

/* Memory that is not there until somebody has asked for it, and then not at once. */
static bool make_memory(void)
{
	struct uffdio_api api = {.api = UFFD_API};
	struct uffdio_register range = {.mode = UFFDIO_REGISTER_MODE_MISSING};

	polled = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	must(polled != MAP_FAILED, "mmap");
	range.range.start = (uintptr_t)polled;
	range.range.len = PAGE;
	faults = (int)syscall(SYS_userfaultfd, O_CLOEXEC);
	return faults >= 0 && ioctl(faults, UFFDIO_API, &api) == 0 &&
	       ioctl(faults, UFFDIO_REGISTER, &range) == 0;
}

static void *bring_memory(void *unused)
{
	struct uffd_msg message;

	(void)unused;
	while (read(faults, &message, sizeof(message)) == sizeof(message)) {
		struct uffdio_zeropage page = {.range = {(uintptr_t)polled, PAGE}};
		const struct timespec held_up = {.tv_nsec = HELD_UP_MS * 1000000L};

		if (closing != 0) {
			nanosleep(&held_up, NULL);
		}
		must(ioctl(faults, UFFDIO_ZEROPAGE, &page) == 0, "UFFDIO_ZEROPAGE");
	}
	return NULL;
}

static void *poll_it(void *unused)
{
	(void)unused;
	atomic_store(&tid, gettid());
	must(poll(polled, 2, WAIT_MS) >= 0, "poll");
	return NULL;
}

/* The library's descriptors may be there for an instant. */
static bool is_socket(int fd)
{
	int type;
	socklen_t size = sizeof(type);

	return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0;
}

static void *end_poll(void *unused)
{
	(void)unused;
	while (is_socket(closing)) {
	}
	must(write(ends[1], "", 1) == 1, "write");
	return NULL;
}

static bool is_asleep(pid_t thread)
{
	char path[64];
	char state = '?';
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", (int)thread);
	file = fopen(path, "r");
	must(file != NULL && fscanf(file, "%*d (%*[^)]) %c", &state) == 1, "stat");
	fclose(file);
	return state == 'S';
}

static pthread_t start(void *(*run)(void *))
{
	pthread_t thread;

	must(pthread_create(&thread, NULL, run, NULL) == 0, "pthread_create");
	return thread;
}

static void turn(int port)
{
	int fd = dial(port);
	long start_ms = now_ms();
	pthread_t poller;
	pthread_t ender;

	polled[0] = (struct pollfd){.fd = fd};
	polled[1] = (struct pollfd){.fd = ends[0], .events = POLLIN};
	tid = 0;
	poller = start(poll_it);
	while (tid == 0 || !is_asleep(tid)) {
		pause_within(start_ms);
	}
	must(madvise(polled, PAGE, MADV_DONTNEED) == 0, "madvise");
	closing = fd;
	ender = start(end_poll);
	close_well(fd);
	pthread_join(ender, NULL);
	pthread_join(poller, NULL);
	closing = 0;
	must(read(ends[0], &(char){0}, 1) == 1, "read");
}

int main(int argc, char **argv)
{
	must(argc == 2, "arguments");
	if (!make_memory()) {
		tell("no userfaultfd");
		return 0;
	}
	must(pipe(ends) == 0, "pipe");
	start(bring_memory);
	for (int i = 0; i < TURNS; i++) {
		turn(number(argv[1]));
	}
	return 0;
}
