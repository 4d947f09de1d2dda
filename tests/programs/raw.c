// SPDX-License-Identifier: MIT
/*
 * raw: system calls by syscall(), and clone(), whose arguments, results and stack the library must
 * not touch. Tells what came of each, a line each; the lines are the same with the library and
 * without.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ERRNO_BEFORE = 4242, STATUS_FAILED = 125, PAGE = 4096, STACK_BYTES = 64 * 1024 };

static void must(bool is_done, const char *what)
{
	if (!is_done) {
		dprintf(1, "raw: %s: errno %d\n", what, errno);
		_exit(STATUS_FAILED);
	}
}

static void tell(const char *what, long result)
{
	int error = errno;

	dprintf(1, "%s -> %ld errno %d\n", what, result, error);
	errno = ERRNO_BEFORE;
}

/* ---- arguments and results ------------------------------------------------------------------ */

/* A result of more than 32 bits; each of the six arguments matters. */
static void map_by_six_arguments(void)
{
	int fd = memfd_create("six", 0);
	char *room = mmap(NULL, 4 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *wanted = room + PAGE;
	long result;

	must(fd >= 0 && room != MAP_FAILED && munmap(wanted, 2 * PAGE) == 0, "room");
	must(pwrite(fd, "first", 5, 0) == 5 && pwrite(fd, "second", 6, PAGE) == 6, "pwrite");
	errno = ERRNO_BEFORE;
	result = syscall(SYS_mmap, wanted, (size_t)PAGE, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_FIXED_NOREPLACE, fd, (off_t)PAGE);
	tell("mmap where wanted", result == (long)(intptr_t)wanted);
	tell("mmap of the second page", memcmp(wanted, "second", 6) == 0);
	wanted[0] = 'S'; /* private, and may be written */
	tell("mmap is private", pread(fd, room + PAGE, 1, PAGE) == 1 && wanted[0] == 's');
	close(fd);
}

static void fail_as_the_kernel_says(void)
{
	errno = ERRNO_BEFORE;
	tell("no such number", syscall(100000L));
	tell("a negative number", syscall(-1L));
	tell("read from nothing", syscall(SYS_read, -1, NULL, 0));
	tell("getpid", syscall(SYS_getpid) == getpid());
	tell("close of nothing", syscall(SYS_close, -1));
	tell("close of a number that is no int", syscall(SYS_close, 1L << 40));
	tell("dup3 onto itself", syscall(SYS_dup3, 1, 1, 0));
	tell("fcntl of nothing", syscall(SYS_fcntl, 99, F_GETFD));
	tell("close_range the wrong way round", syscall(SYS_close_range, 9, 8, 0));
	tell("execve of nothing", syscall(SYS_execve, NULL, NULL, NULL));
	tell("execveat of nothing", syscall(SYS_execveat, -1, NULL, NULL, NULL, 0));
	tell("unshare of nothing", syscall(SYS_unshare, 0));
	tell("sendmsg of nothing", syscall(SYS_sendmsg, 1, NULL, 0));
	tell("sendmsg from nowhere", syscall(SYS_sendmsg, 1, (void *)8, 0));
	tell("sendmmsg from nowhere", syscall(SYS_sendmmsg, 1, (void *)8, 1, 0));
	tell("recvmsg to nowhere", syscall(SYS_recvmsg, 1, (void *)8, 0));
	tell("clone3 from nowhere", syscall(SYS_clone3, (void *)8, 64));
	tell("clone3 of no size", syscall(SYS_clone3, NULL, 0));
}

/* ---- calls that block ----------------------------------------------------------------------- */

static _Atomic int word;

static void *wait_for_word(void *unused)
{
	(void)unused;
	errno = ERRNO_BEFORE;
	while (syscall(SYS_futex, &word, FUTEX_WAIT, 0, NULL, NULL, 0) != 0 && errno == EINTR) {
	}
	return (void *)(intptr_t)(atomic_load(&word) == 1);
}

static void block_and_wake(void)
{
	pthread_t thread;
	void *is_woken;

	must(pthread_create(&thread, NULL, wait_for_word, NULL) == 0, "pthread_create");
	atomic_store(&word, 1);
	while (syscall(SYS_futex, &word, FUTEX_WAKE, 1, NULL, NULL, 0) == 0 &&
		pthread_tryjoin_np(thread, &is_woken) == EBUSY) {
		sched_yield();
	}
	pthread_join(thread, &is_woken);
	tell("futex", (long)(intptr_t)is_woken);
}

/* ---- calls that return twice ---------------------------------------------------------------- */

static char *new_stack(void)
{
	char *low = mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);

	must(low != MAP_FAILED, "stack");
	return low + STACK_BYTES;
}

static void await(pid_t pid)
{
	int status = 0;

	must(waitpid(pid, &status, 0) == pid, "waitpid");
	tell("child", WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status));
}

#if defined(__x86_64__)
static uintptr_t begun_at; /* the child's stack pointer when it came out of syscall() */

__attribute__((noreturn, used)) static void run_on_new_stack(uintptr_t stack_pointer)
{
	_exit(stack_pointer == begun_at ? 7 : 8);
}

/* syscall() returns into this in the child, with what lies on top of its stack gone. */
__asm__(".text\n"
	"come_out:\n"
	"	movq %rsp, %rdi\n"
	"	andq $-16, %rsp\n"
	"	call run_on_new_stack\n");
extern const char come_out[];

/* The child has another stack, on which there is but the address to return to: whoever leaves a
 * frame of its own there, or takes one off, sends it astray. */
static void clone_onto_another_stack(void)
{
	uintptr_t *top = (uintptr_t *)(void *)new_stack() - 32;
	long pid;

	*top = (uintptr_t)come_out;
	begun_at = (uintptr_t)(top + 1);
	errno = ERRNO_BEFORE;
	pid = syscall(SYS_clone, SIGCHLD, top, NULL, NULL, NULL);
	must(pid > 0, "clone");
	await((pid_t)pid);
}
#else
static void clone_onto_another_stack(void)
{
	errno = ERRNO_BEFORE;
	tell("child", 7);
}
#endif

static pid_t parent_tid;
static pid_t child_tid;

static int run_cloned(void *argument)
{
	/* The one of the child's own memory. */
	return child_tid == getpid() && strcmp(argument, "argument") == 0 ? 9 : 10;
}

/* All seven arguments. */
static void clone_by_libc(void)
{
	char argument[] = "argument";
	pid_t pid;

	errno = ERRNO_BEFORE;
	pid = clone(run_cloned, new_stack(), CLONE_PARENT_SETTID | CLONE_CHILD_SETTID | SIGCHLD,
		argument, &parent_tid, NULL, &child_tid);
	must(pid > 0, "clone");
	tell("parent's word", parent_tid == pid);
	await(pid);
}

int main(void)
{
	map_by_six_arguments();
	fail_as_the_kernel_says();
	block_and_wake();
	clone_onto_another_stack();
	clone_by_libc();
	return 0;
}
