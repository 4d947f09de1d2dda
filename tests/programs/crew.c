// SPDX-License-Identifier: MIT
/*
 * crew PORT SEED: threads that connect, read, duplicate and close what all of them have, by chance.
 * Whoever closes has taken the number first, so that nobody closes what another has opened; any
 * other call may meet the close, or another connection.
 */
#include "chance.h"
#include "dial.h"

#include <linux/tcp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/syscall.h>

enum { THREADS = 4, ACTS = 60, PLACES = 6, NONE = -1 };

static int port;
static uint64_t seed;
static _Atomic int places[PLACES];

static void put(_Atomic int *place, int fd)
{
	int none = NONE;

	if (!atomic_compare_exchange_strong(place, &none, fd)) {
		close_well(fd);
	}
}

/* DIAL_BYTES have come. Another thread, whose descriptor of that number was closed, may have
 * read some since. */
static int dial_among_others(void)
{
	int fd = dial_early(port);
	struct tcp_info info = {0};
	socklen_t size = sizeof(info);
	long start_ms = now_ms();

	while (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) == 0 &&
		info.tcpi_bytes_received < DIAL_BYTES) {
		pause_within(start_ms);
	}
	return fd;
}

static void act(_Atomic int *place)
{
	char bytes[DIAL_BYTES];
	int fd = atomic_load(place);
	int what = by_chance(10);
	int copy;

	if (what < 4) {
		put(place, dial_among_others());
	} else if (fd == NONE) {
		return;
	} else if (what < 6) {
		recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT);
	} else if (what == 6) {
		recv(fd, bytes, 3, MSG_DONTWAIT);
	} else if (what == 7) {
		copy = dup(fd);
		if (copy >= 0) {
			put(&places[by_chance(PLACES)], copy);
		}
	} else if (atomic_compare_exchange_strong(place, &fd, NONE)) {
		must((what == 8 ? close(fd) : (int)syscall(SYS_close, fd)) == 0, "close");
	}
}

static void *work(void *number)
{
	chance = seed * 1000003 + (uintptr_t)number;
	for (int i = 0; i < ACTS; i++) {
		act(&places[by_chance(PLACES)]);
	}
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t threads[THREADS];

	must(argc == 3, "arguments");
	port = number(argv[1]);
	seed = (uint64_t)number(argv[2]);
	for (int i = 0; i < PLACES; i++) {
		atomic_init(&places[i], NONE);
	}
	for (uintptr_t i = 0; i < THREADS; i++) {
		must(pthread_create(&threads[i], NULL, work, (void *)i) == 0, "pthread_create");
	}
	for (int i = 0; i < THREADS; i++) {
		must(pthread_join(threads[i], NULL) == 0, "pthread_join");
	}
	return 0;
}
