// SPDX-License-Identifier: MIT
/*
 * threads PORT WHAT: threads that close connections with unread bytes.
 *     churn          others open, read all and close meanwhile: numbers are used again at once
 *     same           all close the same descriptor: one does, the others are told EBADF
 *     read           another reads all of it in the moment in which it is closed: either may come first
 *     taken          another takes all high numbers, one after the other; nobody else writes there
 *     polled MS      another waits for it with poll(2), so long, when it is closed
 *     cancel-pending cancelled before the close: closed, cancelled behind it
 *     cancel-during  cancelled at any moment: tells how many closes that began have not closed
 *     stack HOW      one with 64 KiB of stack; HOW: sole, dup (duplicated), fork (forked since),
 *                    exit (the connection is left to the end of the process)
 *     forks HOW      all fork meanwhile; HOW, what children do with what they inherit: leave (to
 *                    their exit), close (and live on until all connections have ended), vanish
 *                    (killed: nobody acts in them)
 * Descriptors must be the same behind it as before.
 */
#include "../harness/pattern.h"
#include "dial.h"

#include <dirent.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/wait.h>

enum {
	CLOSERS = 4,
	READERS = 2,
	TURNS = 60,
	STACK_BYTES = 64 * 1024,
	PAINT = 0x5a,
	PAUSE_MAX = 20000,
	OWN_FROM = 500, /* the library's descriptors lie above */
};

static int port;
static pthread_barrier_t barrier;

static int count_descriptors(void)
{
	DIR *folder = opendir("/proc/self/fd");
	int count = 0;

	must(folder != NULL, "/proc/self/fd");
	for (struct dirent *entry; (entry = readdir(folder));) {
		count += entry->d_name[0] != '.' && atoi(entry->d_name) < OWN_FROM;
	}
	closedir(folder);
	return count;
}

static pthread_t start(void *(*run)(void *), void *argument)
{
	pthread_t thread;

	must(pthread_create(&thread, NULL, run, argument) == 0, "pthread_create");
	return thread;
}

/* ---- churn --------------------------------------------------------------------------------- */

static void *close_unread(void *unused)
{
	(void)unused;
	for (int i = 0; i < TURNS; i++) {
		close_well(dial(port));
	}
	return NULL;
}

/* Nobody else may have read from it or ended it. */
static void *read_and_close(void *unused)
{
	(void)unused;
	for (int i = 0; i < TURNS; i++) {
		uint8_t bytes[DIAL_BYTES + 1];
		int fd = dial(port);

		must(recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT) == DIAL_BYTES, "bytes are lost");
		must(pattern_matches(bytes, DIAL_BYTES, 0), "not the bytes");
		must(recv(fd, bytes, 1, MSG_DONTWAIT) < 0 && errno == EAGAIN, "ended");
		must(send(fd, "x", 1, MSG_NOSIGNAL) == 1, "shut down");
		close_well(fd);
	}
	return NULL;
}

static void churn(char **words)
{
	pthread_t threads[CLOSERS + READERS];

	(void)words;
	for (int i = 0; i < CLOSERS + READERS; i++) {
		threads[i] = start(i < CLOSERS ? close_unread : read_and_close, NULL);
	}
	for (int i = 0; i < CLOSERS + READERS; i++) {
		pthread_join(threads[i], NULL);
	}
}

/* ---- forks --------------------------------------------------------------------------------- */

/* A fork waits until nobody has a connection whose bytes have not all come: what a child saw of
 * that one would not be what it closes. */
static pthread_rwlock_t dialling = PTHREAD_RWLOCK_INITIALIZER;
static bool children_close;
static bool children_vanish;
static int until_end[2];

static void __attribute__((noreturn)) live_and_end(void)
{
	char byte;

	must(!children_vanish || kill(getpid(), SIGKILL) == 0, "kill");
	for (int fd = 3; children_close && fd < OWN_FROM; fd++) {
		must(fd == until_end[0] || close(fd) == 0 || errno == EBADF, "close");
	}
	must(!children_close || read(until_end[0], &byte, 1) == 0, "read");
	_exit(0);
}

static void *close_and_fork(void *unused)
{
	(void)unused;
	for (int i = 0; i < TURNS; i++) {
		int fd;
		int copy;

		pthread_rwlock_rdlock(&dialling);
		fd = dial(port);
		pthread_rwlock_unlock(&dialling);
		copy = i % 3 == 0 ? dup(fd) : -1;
		close_well(fd);
		if (copy >= 0) {
			close_well(copy);
		}
		if (i % 3 == 1) {
			pid_t pid;

			pthread_rwlock_wrlock(&dialling);
			pid = fork();
			if (pid == 0) {
				live_and_end();
			}
			pthread_rwlock_unlock(&dialling);
			must(pid > 0, "fork");
		}
	}
	return NULL;
}

/* Is a connection to the peers there that this end has not ended? */
static bool is_connected(void)
{
	FILE *list = fopen("/proc/self/net/tcp", "r");
	unsigned int peer_port;
	unsigned int state;
	bool is_found = false;
	char line[256];

	must(list != NULL, "/proc/self/net/tcp");
	while (!is_found && fgets(line, sizeof(line), list)) {
		is_found = sscanf(line, "%*d: %*x:%*x %*x:%x %x", &peer_port, &state) == 2 &&
			   (int)peer_port == port &&
			   (state == TCP_ESTABLISHED || state == TCP_CLOSE_WAIT);
	}
	fclose(list);
	return is_found;
}

static void forks(char **words)
{
	pthread_t threads[CLOSERS];
	long start_ms;

	must(words[0] != NULL, "how");
	children_close = strcmp(words[0], "close") == 0;
	children_vanish = strcmp(words[0], "vanish") == 0;
	must(pipe(until_end) == 0, "pipe");
	for (int i = 0; i < CLOSERS; i++) {
		threads[i] = start(close_and_fork, NULL);
	}
	for (int i = 0; i < CLOSERS; i++) {
		pthread_join(threads[i], NULL);
	}
	start_ms = now_ms();
	while (is_connected()) {
		pause_within(start_ms);
	}
	close_well(until_end[1]);
	close_well(until_end[0]);
	for (int i = 0; i < CLOSERS * TURNS / 3; i++) {
		int status;

		must(wait(&status) > 0, "wait");
		if (status != (children_vanish ? SIGKILL : 0)) {
			tell("a child's status is %#x", status);
			_exit(STATUS_FAILED);
		}
	}
}

/* ---- the same descriptor ------------------------------------------------------------------- */

static int same_fd;
static _Atomic int closed_count;

static void *close_same(void *unused)
{
	(void)unused;
	for (int i = 0; i < TURNS; i++) {
		pthread_barrier_wait(&barrier);
		errno = ERRNO_BEFORE;
		if (close(same_fd) == 0) {
			atomic_fetch_add(&closed_count, 1);
			must(errno == ERRNO_BEFORE, "close touched errno");
		} else {
			must(errno == EBADF, "neither closed nor EBADF");
		}
		pthread_barrier_wait(&barrier);
	}
	return NULL;
}

static void same(char **words)
{
	pthread_t threads[CLOSERS];

	(void)words;
	pthread_barrier_init(&barrier, NULL, CLOSERS + 1);
	for (int i = 0; i < CLOSERS; i++) {
		threads[i] = start(close_same, NULL);
	}
	for (int i = 0; i < TURNS; i++) {
		same_fd = dial(port);
		pthread_barrier_wait(&barrier);
		pthread_barrier_wait(&barrier);
		must(closed_count == i + 1, "closed not once");
	}
	for (int i = 0; i < CLOSERS; i++) {
		pthread_join(threads[i], NULL);
	}
}

/* ---- beside another thread's call ----------------------------------------------------------- */

static _Atomic int ready[2];

/* Both at once, as far as that can be had, and then one of them a little later. */
static void meet(int mine, int turn)
{
	atomic_store(&ready[mine], turn);
	while (atomic_load(&ready[!mine]) < turn) {
		sched_yield();
	}
	for (volatile int pause = rand() % PAUSE_MAX; pause > 0; pause--) {
	}
}

static void *read_same(void *unused)
{
	char bytes[1000];

	(void)unused;
	for (int i = 1; i <= TURNS; i++) {
		meet(0, 2 * i);
		/* The library opens a file for a moment too, to find a function's name. */
		must(recv(same_fd, bytes, sizeof(bytes), MSG_DONTWAIT) > 0 || errno == EBADF ||
				errno == ENOTSOCK,
			"recv");
		meet(0, 2 * i + 1);
	}
	return NULL;
}

static void read_meanwhile(char **words)
{
	pthread_t reader = start(read_same, NULL);

	(void)words;
	for (int i = 1; i <= TURNS; i++) {
		same_fd = dial(port);
		meet(1, 2 * i);
		close_well(same_fd);
		meet(1, 2 * i + 1);
	}
	pthread_join(reader, NULL);
}

enum { TAKEN_FROM = 940, TAKEN_TO = 1024 };

static _Atomic bool is_over;

static void *take_numbers(void *end)
{
	while (!is_over) {
		for (int fd = TAKEN_FROM; fd < TAKEN_TO; fd++) {
			int taken = dup2((int)(intptr_t)end, fd);

			must(taken == fd || errno == EBUSY, "dup2");
			must(taken != fd || close(fd) == 0, "close of a number taken");
		}
	}
	return NULL;
}

static void taken(char **words)
{
	pthread_t threads[CLOSERS + 1];
	int ends[2];
	char byte;

	(void)words;
	must(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends) == 0, "socketpair");
	threads[CLOSERS] = start(take_numbers, (void *)(intptr_t)ends[0]);
	for (int i = 0; i < CLOSERS; i++) {
		threads[i] = start(close_unread, NULL);
	}
	for (int i = 0; i < CLOSERS; i++) {
		pthread_join(threads[i], NULL);
	}
	is_over = true;
	pthread_join(threads[CLOSERS], NULL);
	must(recv(ends[1], &byte, 1, MSG_DONTWAIT) < 0 && errno == EAGAIN, "something was written");
	close_well(ends[0]);
	close_well(ends[1]);
}

struct wait {
	int fd;
	int timeout_ms;
	_Atomic pid_t tid;
};

static void *wait_for_nothing(void *context)
{
	struct wait *wait = context;
	struct pollfd nothing = {.fd = wait->fd};

	atomic_store(&wait->tid, gettid());
	must(poll(&nothing, 1, wait->timeout_ms) >= 0, "poll");
	return NULL;
}

/* "running" is said of one that is in no call. */
static bool is_in_a_call(pid_t tid)
{
	char path[64];
	FILE *file;
	long number = -1;

	snprintf(path, sizeof(path), "/proc/self/task/%d/syscall", (int)tid);
	file = fopen(path, "r");
	if (file) {
		number = fscanf(file, "%ld", &number) == 1 ? number : -1;
		fclose(file);
	}
	return number >= 0;
}

static void polled(char **words)
{
	struct wait wait = {.fd = dial(port), .timeout_ms = words[0] ? atoi(words[0]) : 0};
	pthread_t thread = start(wait_for_nothing, &wait);
	int ended = EBUSY;

	while (atomic_load(&wait.tid) == 0) {
		sched_yield();
	}
	while (!is_in_a_call(wait.tid) && ended == EBUSY) {
		ended = pthread_tryjoin_np(thread, NULL);
	}
	close_well(wait.fd);
	must(ended == 0 || pthread_join(thread, NULL) == 0, "pthread_join");
}

/* ---- cancellation -------------------------------------------------------------------------- */

static int pool[TURNS];
static _Atomic int begun;
static _Atomic bool is_cancelled;

static bool is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

static void *close_cancelled(void *unused)
{
	long start_ms = now_ms();

	(void)unused;
	while (!is_cancelled) {
		must(now_ms() - start_ms < WAIT_MS, "not cancelled");
	}
	close(pool[0]);
	begun = 1;
	pthread_testcancel();
	return NULL;
}

static void cancel_pending(char **words)
{
	pthread_t thread;
	void *result;

	(void)words;
	dial_many(pool, 1, port);
	thread = start(close_cancelled, NULL);
	pthread_cancel(thread);
	is_cancelled = true;
	pthread_join(thread, &result);
	must(result == PTHREAD_CANCELED, "went on");
	tell("closed %d open %d", begun, is_open(pool[0]));
}

static void *close_pool(void *unused)
{
	(void)unused;
	for (int i = 0; i < TURNS; i++) {
		begun = i + 1;
		close(pool[i]);
		pthread_testcancel();
	}
	return NULL;
}

/* Rounds in which the cancellation comes after ever more closes. */
static void cancel_during(char **words)
{
	int left_open = 0;

	(void)words;
	for (int round = 0; round < 12; round++) {
		pthread_t thread;

		dial_many(pool, TURNS, port);
		begun = 0;
		thread = start(close_pool, NULL);
		while (begun < round * 4) {
		}
		pthread_cancel(thread);
		pthread_join(thread, NULL);
		for (int i = 0; i < TURNS; i++) {
			left_open += i < begun && is_open(pool[i]);
			if (is_open(pool[i])) {
				close_well(pool[i]);
			}
		}
	}
	tell("left open %d", left_open);
}

/* ---- small stacks -------------------------------------------------------------------------- */

static void *close_on_small_stack(void *how)
{
	int fd = dial(port);

	if (strcmp(how, "dup") == 0) {
		close_well(dup(fd));
	} else if (strcmp(how, "fork") == 0) {
		pid_t pid = fork();

		if (pid == 0) {
			_exit(0);
		}
		must(waitpid(pid, NULL, 0) == pid, "waitpid");
	}
	if (strcmp(how, "exit") == 0) {
		_exit(0);
	}
	close_well(fd);
	return NULL;
}

/* Tells how much of it was used. */
static void small_stack(char **words)
{
	uint8_t *low =
		mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	pthread_attr_t attributes;
	pthread_t thread;
	int untouched = 0;

	must(low != MAP_FAILED, "mmap");
	memset(low, PAINT, STACK_BYTES);
	pthread_attr_init(&attributes);
	must(pthread_attr_setstack(&attributes, low, STACK_BYTES) == 0, "setstack");
	must(!pthread_create(&thread, &attributes, close_on_small_stack, words[0]), "thread");
	pthread_join(thread, NULL);
	while (low[untouched] == PAINT) {
		untouched++;
	}
	tell("stack %d", STACK_BYTES - untouched);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*run)(char **words);
	} whats[] = {{"churn", churn}, {"same", same}, {"read", read_meanwhile}, {"taken", taken},
		{"polled", polled}, {"cancel-pending", cancel_pending},
		{"cancel-during", cancel_during}, {"stack", small_stack}, {"forks", forks}};
	int before = count_descriptors();

	must(argc >= 3, "arguments");
	port = number(argv[1]);
	for (size_t i = 0; i < sizeof(whats) / sizeof(whats[0]); i++) {
		if (strcmp(argv[2], whats[i].name) == 0) {
			whats[i].run(argv + 3);
		}
	}
	tell("descriptors %+d", count_descriptors() - before);
	return 0;
}
