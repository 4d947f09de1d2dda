// SPDX-License-Identifier: MIT
/*
 * chain PORT FOLDER WAY: close a connection with unread bytes by the two libraries in FOLDER: in main,
 * in a thread of 64 KiB, in a signal handler on a stack of 16 KiB, or on a coroutine's stack that ends
 * in what is no address of code.
 */
#include "dial.h"

#include <dlfcn.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>

enum { THREAD_STACK = 64 * 1024, SIGNAL_STACK = 16 * 1024, ROOM = 64 * 1024 };

static int (*outer_call)(int (*close_by)(int fd), int fd);
static int (*inner_close)(int fd);
static int connection;

static void *load(const char *folder, const char *name, const char *function)
{
	char path[512];
	void *library;
	void *found;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	library = dlopen(path, RTLD_NOW);
	must(library, "dlopen");
	found = dlsym(library, function);
	must(found, "dlsym");
	return found;
}

static __attribute__((noinline)) void close_by_libraries(void)
{
	errno = ERRNO_BEFORE;
	must(outer_call(inner_close, connection) == 0, "close");
	must(errno == ERRNO_BEFORE, "close touched errno");
}

static __attribute__((noinline)) void handle(int signal_number)
{
	close_by_libraries();
	must(signal_number == SIGUSR1, "signal");
}

static __attribute__((noinline)) void interrupt(void)
{
	must(raise(SIGUSR1) == 0, "raise");
	must(connection >= 0, "connection");
}

static void close_in_handler(void)
{
	stack_t stack = {.ss_size = SIGNAL_STACK};
	struct sigaction action = {.sa_handler = handle, .sa_flags = SA_ONSTACK};

	stack.ss_sp = malloc(SIGNAL_STACK);
	must(stack.ss_sp && sigaltstack(&stack, NULL) == 0, "sigaltstack");
	must(sigaction(SIGUSR1, &action, NULL) == 0, "sigaction");
	interrupt();
}

static void *run_thread(void *unused)
{
	close_by_libraries();
	return unused;
}

static void close_in_thread(void)
{
	pthread_attr_t attributes;
	pthread_t thread;

	must(pthread_attr_init(&attributes) == 0 &&
			pthread_attr_setstacksize(&attributes, THREAD_STACK) == 0 &&
			pthread_create(&thread, &attributes, run_thread, NULL) == 0 &&
			pthread_join(thread, NULL) == 0,
		"thread");
}

static __attribute__((noreturn, used)) void run_coroutine(void)
{
	close_by_libraries();
	tell("alive");
	_exit(0);
}

/* It begins with a jump: where it would return to, and all above, is whatever lay there. */
static void close_in_coroutine(uintptr_t garbage)
{
	char *room = mmap(NULL, ROOM, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uintptr_t *top = (uintptr_t *)(void *)(room + ROOM);

	must(room != MAP_FAILED, "mmap");
	for (int i = 1; i <= 8; i++) {
		top[-i] = garbage;
	}
#if defined(__x86_64__)
	__asm__ volatile("movq %0, %%rbp\n\tmovq %1, %%rsp\n\tjmp *%2"
			 :
			 : "r"(garbage), "r"(top - 1), "r"(run_coroutine)
			 : "memory");
#elif defined(__i386__)
	__asm__ volatile("movl %0, %%ebp\n\tmovl %1, %%esp\n\tjmp *%2"
			 :
			 : "a"(garbage), "c"(top - 1), "d"(run_coroutine)
			 : "memory");
#else
	__asm__ volatile("mov x30, %0\n\tmov sp, %1\n\tbr %2"
			 :
			 : "r"(garbage), "r"(top - 2), "r"(run_coroutine)
			 : "memory");
#endif
	__builtin_unreachable();
}

int main(int argc, char **argv)
{
	must(argc == 4, "usage");
	outer_call = (int (*)(int (*)(int), int))load(argv[2], "outer.so", "outer_call");
	inner_close = (int (*)(int))load(argv[2], "inner.so", "inner_close");
	connection = dial(number(argv[1]));
	if (strcmp(argv[3], "main") == 0) {
		close_by_libraries();
	} else if (strcmp(argv[3], "thread") == 0) {
		close_in_thread();
	} else if (strcmp(argv[3], "handler") == 0) {
		close_in_handler();
	} else {
		close_in_coroutine((uintptr_t)strtoull(argv[3], NULL, 0));
	}
	return 0;
}
