// SPDX-License-Identifier: MIT
/*
 * handler PORT malloc|library THREADS: in each thread two timers whose signals may interrupt one
 * another close connections with unread bytes, while the thread's own flow allocates and frees, or
 * closes connections itself: then handlers close within these closes only, and what is left behind
 * the last. The handlers do not save errno: a close that succeeds leaves it alone. Tells how many
 * closes of handlers fell into one of the own flow.
 */
#include "dial.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/syscall.h>

enum { POOL = 100, THREADS_MAX = 4, TIMERS = 2, PERIOD_NS = 50000 };

struct worker {
	pthread_t thread;
	int handler_fds[POOL];
	int own_fds[POOL];
	_Atomic int next; /* of handler_fds */
	_Atomic bool is_closing;
	_Atomic bool has_closed; /* all of its own */
	_Atomic int nested;
	_Atomic int failed;
};

static struct worker workers[THREADS_MAX];
static pthread_barrier_t all_dialled;
static bool is_malloc;
static __thread struct worker *self;

static void close_next(int signal_number)
{
	int errno_before = errno;
	int i;

	(void)signal_number;
	if (!atomic_load(&self->is_closing) && !atomic_load(&self->has_closed)) {
		return;
	}
	i = atomic_fetch_add(&self->next, 1);
	if (i >= POOL) {
		return;
	}
	atomic_fetch_add(&self->nested, atomic_load(&self->is_closing));
	if (close(self->handler_fds[i]) != 0 || errno != errno_before) {
		atomic_fetch_add(&self->failed, 1);
	}
}

static void start_timers(timer_t *timers)
{
	const struct timespec period = {.tv_nsec = PERIOD_NS};
	const struct itimerspec every = {.it_interval = period, .it_value = period};

	for (int i = 0; i < TIMERS; i++) {
		struct sigevent event = {
			.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGRTMIN + i};

		event._sigev_un._tid = (int)syscall(SYS_gettid);
		must(timer_create(CLOCK_MONOTONIC, &event, &timers[i]) == 0, "timer_create");
		must(timer_settime(timers[i], 0, &every, NULL) == 0, "timer_settime");
	}
}

static void allocate_and_free(void)
{
	static const size_t sizes[] = {16, 200000, 24, 1000, 70000, 100};

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		char *volatile memory = malloc(sizes[i]);

		must(memory != NULL, "malloc");
		memory[sizes[i] - 1] = 1;
		free(memory);
	}
}

static void work(struct worker *worker)
{
	for (int i = 0; i < POOL && !is_malloc; i++) {
		atomic_store(&worker->is_closing, true);
		close_well(worker->own_fds[i]);
		atomic_store(&worker->is_closing, false);
	}
	atomic_store(&worker->has_closed, true);
	while (atomic_load(&worker->next) < POOL) {
		allocate_and_free();
		must(errno == ERRNO_BEFORE, "a handler touched errno");
	}
}

static void *run(void *argument)
{
	timer_t timers[TIMERS];

	self = argument;
	pthread_barrier_wait(&all_dialled);
	errno = ERRNO_BEFORE;
	start_timers(timers);
	work(self);
	for (int i = 0; i < TIMERS; i++) {
		timer_delete(timers[i]);
	}
	must(self->failed == 0, "a handler's close");
	return NULL;
}

int main(int argc, char **argv)
{
	struct sigaction action = {.sa_handler = close_next, .sa_flags = SA_RESTART};
	int nested = 0;

	must(argc == 4, "arguments");
	is_malloc = strcmp(argv[2], "malloc") == 0;
	int threads = number(argv[3]);
	must(threads <= THREADS_MAX, "too many threads");
	pthread_barrier_init(&all_dialled, NULL, (unsigned int)threads);
	for (int i = 0; i < TIMERS; i++) {
		sigaction(SIGRTMIN + i, &action, NULL);
	}
	for (int i = 0; i < threads; i++) {
		dial_many(workers[i].handler_fds, POOL, number(argv[1]));
		dial_many(workers[i].own_fds, is_malloc ? 0 : POOL, number(argv[1]));
	}
	for (int i = 1; i < threads; i++) {
		must(!pthread_create(&workers[i].thread, NULL, run, &workers[i]), "thread");
	}
	run(&workers[0]);
	for (int i = 1; i < threads; i++) {
		pthread_join(workers[i].thread, NULL);
	}
	for (int i = 0; i < threads; i++) {
		nested += workers[i].nested;
	}
	tell("nested %d", nested);
	return 0;
}
