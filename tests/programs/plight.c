// SPDX-License-Identifier: MIT
/*
 * plight PORT WORD...: connections with unread bytes, closed in a plight. The words are the rows of
 * the table at the end. What a word denies, later ones do not need.
 */
#include "dial.h"

#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

enum { FDS_MAX = 64, FILTER_MAX = 256, FILLED_MAX = 70000 };

static char **program_argv;
static char **next_word;
static int port;
static int fds[FDS_MAX]; /* connections, in order */
static int fd_count;
static int filled[FILLED_MAX];
static int filled_count;

/* ---- connections --------------------------------------------------------------------------- */

static void append(int fd)
{
	must(fd >= 0 && fd_count < FDS_MAX, "a descriptor");
	fds[fd_count++] = fd;
}

static void do_dial(char **words)
{
	(void)words;
	append(dial(port));
}

static void do_dup(char **words)
{
	(void)words;
	append(dup(fds[fd_count - 1]));
}

static void do_fork(char **words)
{
	pid_t pid = fork();

	(void)words;
	if (pid == 0) {
		_exit(0);
	}
	must(waitpid(pid, NULL, 0) == pid, "fork");
}

/* By an instruction of its own: no library sees it. */
static pid_t fork_unseen(void)
{
#if defined(__x86_64__)
	long result;

	__asm__ volatile("syscall" : "=a"(result) : "0"(SYS_fork) : "rcx", "r11", "memory");
	return (pid_t)result;
#elif defined(__i386__)
	int result;

	__asm__ volatile("int $0x80" : "=a"(result) : "0"(SYS_fork) : "memory");
	return result;
#else
	register long x8 __asm__("x8") = SYS_clone;
	register long x0 __asm__("x0") = SIGCHLD;
	register long x1 __asm__("x1") = 0;
	register long x2 __asm__("x2") = 0;
	register long x3 __asm__("x3") = 0;
	register long x4 __asm__("x4") = 0;

	__asm__ volatile("svc 0"
			 : "+r"(x0)
			 : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4)
			 : "memory");
	return (pid_t)x0;
#endif
}

static void do_unseen_child(char **words)
{
	pid_t pid = fork_unseen();
	int status;

	(void)words;
	if (pid == 0) {
		close_well(fds[0]);
		_exit(0);
	}
	must(pid > 0 && waitpid(pid, &status, 0) == pid && status == 0, "unseen child");
}

/* Who parts goes on twice. */
static void do_part(char **words)
{
	(void)words;
	must(fork() >= 0, "fork");
}

static void do_reap(char **words)
{
	int status;

	(void)words;
	while (wait(&status) > 0) {
		must(status == 0, "a child");
	}
}

static void do_close(char **words)
{
	(void)words;
	must(fd_count > 0, "nothing to close");
	close_well(fds[0]);
	memmove(&fds[0], &fds[1], (size_t)--fd_count * sizeof(fds[0]));
}

static void do_close_all(char **words)
{
	while (fd_count > 0) {
		do_close(words);
	}
}

static void do_close_fd(char **words)
{
	close_well(number(words[0]));
}

/* All its bytes are there, and it can be written to. */
static void do_read(char **words)
{
	char bytes[DIAL_BYTES];

	(void)words;
	must(read(fds[0], bytes, sizeof(bytes)) == DIAL_BYTES, "bytes are lost");
	must(write(fds[0], "x", 1) == 1, "shut down");
}

/* ---- plights ------------------------------------------------------------------------------- */

static void limit(int resource, rlim_t soft, rlim_t hard)
{
	const struct rlimit limits = {soft, hard};

	must(setrlimit((__rlimit_resource_t)resource, &limits) == 0, "setrlimit");
}

static void do_nofile(char **words)
{
	limit(RLIMIT_NOFILE, (rlim_t)number(words[0]), (rlim_t)number(words[1]));
}

static void do_fill(char **words)
{
	(void)words;
	for (int fd; (fd = open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0;) {
		must(filled_count < FILLED_MAX, "no limit of descriptors");
		filled[filled_count++] = fd;
	}
	must(errno == EMFILE, "fill");
}

static void do_unfill(char **words)
{
	(void)words;
	while (filled_count > 0) {
		close_well(filled[--filled_count]);
	}
}

static long virtual_bytes(void)
{
	char text[64];
	int fd = open("/proc/self/statm", O_RDONLY);
	ssize_t bytes = read(fd, text, sizeof(text) - 1);

	must(bytes > 0, "statm");
	text[bytes] = '\0';
	close(fd);
	return atol(text) * sysconf(_SC_PAGESIZE);
}

static void do_as(char **words)
{
	rlim_t bytes = (rlim_t)virtual_bytes() + (rlim_t)number(words[0]) * 1024;

	limit(RLIMIT_AS, bytes, bytes);
}

static void do_fsize(char **words)
{
	limit(RLIMIT_FSIZE, (rlim_t)number(words[0]), (rlim_t)number(words[0]));
}

/* "-1": as many bytes as the hard limit allows. */
static void do_soft_fsize(char **words)
{
	struct rlimit limits;

	must(getrlimit(RLIMIT_FSIZE, &limits) == 0, "getrlimit");
	limit(RLIMIT_FSIZE, *words[0] == '-' ? limits.rlim_max : (rlim_t)number(words[0]),
		limits.rlim_max);
}

static void do_chroot(char **words)
{
	must(chroot(words[0]) == 0 && chdir("/") == 0, "chroot");
}

static void do_fifo(char **words)
{
	must(open(words[0], O_RDWR | O_NONBLOCK) >= 0, "fifo");
}

/* Until not one byte more fits. */
static void do_fill_pipe(char **words)
{
	static const char bytes[4096];
	int fd = number(words[0]);
	int flags = fcntl(fd, F_GETFL);

	must(fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0, "F_SETFL");
	for (size_t size = sizeof(bytes); size > 0; size /= 2) {
		while (write(fd, bytes, size) > 0) {
		}
		must(errno == EAGAIN, "fill-pipe");
	}
	must(fcntl(fd, F_SETFL, flags) == 0, "F_SETFL");
}

/* For the program that is begun anew. */
static void do_log(char **words)
{
	must(setenv("SAFECLOSE_LOG", words[0], 1) == 0, "setenv");
}

/* stderr becomes a pipe; its reader has the next free number. */
static void do_pipe_on_stderr(char **words)
{
	int ends[2];

	(void)words;
	must(pipe(ends) == 0 && dup2(ends[1], 2) == 2 && close(ends[1]) == 0, "pipe");
}

static void do_exec(char **words)
{
	(void)words;
	next_word[-1] = program_argv[1];
	next_word[-2] = program_argv[0];
	execv("/proc/self/exe", next_word - 2);
	must(false, "exec");
}

/* ---- seccomp ------------------------------------------------------------------------------- */

#define CALL(name)                 \
	{                          \
#name, __NR_##name \
	}

static const struct {
	const char *name;
	int number;
} calls[] = {
	CALL(getsockopt),
	CALL(setsockopt),
	CALL(ioctl),
	CALL(kill),
	CALL(recvfrom),
	CALL(shutdown),
	CALL(epoll_create1),
	CALL(epoll_ctl),
	CALL(epoll_pwait),
	CALL(socketpair),
	CALL(sendmsg),
	CALL(recvmsg),
	CALL(sendto),
	CALL(clone),
	CALL(clone3),
	CALL(clock_gettime),
	CALL(close_range),
	CALL(unshare),
	CALL(mmap),
	CALL(mremap),
	CALL(munmap),
	CALL(mprotect),
	CALL(madvise),
	CALL(openat),
	CALL(readlinkat),
	CALL(getdents64),
	CALL(newfstatat),
	CALL(futex),
	CALL(fcntl),
	CALL(flock),
	CALL(dup3),
	CALL(prctl),
	CALL(prlimit64),
	CALL(ppoll),
	CALL(fstat),
	CALL(getsockname),
	CALL(getpeername),
	CALL(getpid),
	CALL(capget),
	CALL(sched_yield),
	CALL(rt_sigaction),
	CALL(rt_sigprocmask),
	CALL(rt_sigpending),
	CALL(rt_sigtimedwait),
	CALL(getcwd),
	CALL(connect),
	CALL(execve),
	CALL(execveat),
	CALL(faccessat),
	CALL(faccessat2),
	CALL(fstatfs),
	CALL(getgroups),
	CALL(getppid),
	CALL(getresgid),
	CALL(getresuid),
	CALL(gettid),
	CALL(nanosleep),
	CALL(pread64),
	CALL(process_vm_readv),
	CALL(pselect6),
	CALL(pwritev2),
	CALL(read),
	CALL(setgroups),
	CALL(setresgid),
	CALL(setresuid),
	CALL(socket),
	CALL(waitid),
	CALL(write),
};

enum { CALL_COUNT = sizeof(calls) / sizeof(calls[0]) };

static void filter_calls(struct sock_filter *filter, size_t count)
{
	const struct sock_fprog program = {.len = (unsigned short)count, .filter = filter};

	must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0, "no_new_privs");
	must(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0, "seccomp");
}

static const struct sock_filter load_number =
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));

static int call_number(const char *name)
{
	for (size_t i = 0; i < CALL_COUNT; i++) {
		if (strcmp(calls[i].name, name) == 0) {
			return calls[i].number;
		}
	}
	must(false, name);
	return -1;
}

/* "ioctl,fcntl": each is answered so. */
static size_t make_filter(struct sock_filter *filter, unsigned int answer, char *names)
{
	size_t count = 0;
	char *rest;

	filter[count++] = load_number;
	for (char *name = strtok_r(names, ",", &rest); name; name = strtok_r(NULL, ",", &rest)) {
		filter[count++] = (struct sock_filter)BPF_JUMP(
			BPF_JMP | BPF_JEQ | BPF_K, (unsigned int)call_number(name), 0, 1);
		filter[count++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, answer);
	}
	filter[count++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	return count;
}

static void answer_with(unsigned int answer, char *names)
{
	struct sock_filter filter[FILTER_MAX];

	filter_calls(filter, make_filter(filter, answer, names));
}

static void do_deny(char **words)
{
	answer_with(SECCOMP_RET_ERRNO | EPERM, words[0]);
}

static void do_put_off(char **words)
{
	answer_with(SECCOMP_RET_ERRNO | EAGAIN, words[0]);
}

static void do_lack(char **words)
{
	answer_with(SECCOMP_RET_ERRNO | ENOSYS, words[0]);
}

static void do_reject(char **words)
{
	answer_with(SECCOMP_RET_ERRNO | EINVAL, words[0]);
}

static void do_ignore(char **words)
{
	answer_with(SECCOMP_RET_ERRNO | 0, words[0]);
}

static void do_forbid(char **words)
{
	answer_with(SECCOMP_RET_KILL_PROCESS, words[0]);
}

static void do_trap(char **words)
{
	struct sock_filter filter[FILTER_MAX];
	const struct sock_fprog program = {
		.len = (unsigned short)make_filter(filter, SECCOMP_RET_TRAP, words[0]),
		.filter = filter};

	must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0, "no_new_privs");
	must(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) == 0, "seccomp");
}

/* For all threads, the library's too. */
static void do_deny_threads(char **words)
{
	struct sock_filter filter[FILTER_MAX];
	const struct sock_fprog program = {
		.len = (unsigned short)make_filter(filter, SECCOMP_RET_ERRNO | EPERM, words[0]),
		.filter = filter};

	must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0, "no_new_privs");
	must(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program) ==
			0,
		"seccomp");
}

/* As libraries ask what there is: these fail, and must not be followed. */
static void do_probe(char **words)
{
	(void)words;
	must(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, NULL) != 0 && errno == EFAULT, "prctl");
	must(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, 1) != 0 && errno == EFAULT, "prctl");
	must(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, NULL) != 0 && errno == EFAULT,
		"seccomp");
	must(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, ~0U, NULL) != 0 && errno == EINVAL,
		"seccomp");
}

/* All but what the program itself needs to close, to tell and to end. */
static void answer_all_with(unsigned int answer)
{
	static const int allowed[] = {SYS_read, SYS_write, SYS_close, SYS_exit, SYS_exit_group,
		SYS_rt_sigreturn, SYS_clock_gettime};
	struct sock_filter filter[FILTER_MAX] = {load_number};
	size_t count = 1;

	for (size_t i = 0; i < sizeof(allowed) / sizeof(allowed[0]); i++) {
		filter[count++] = (struct sock_filter)BPF_JUMP(
			BPF_JMP | BPF_JEQ | BPF_K, (unsigned int)allowed[i], 0, 1);
		filter[count++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	}
	filter[count++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, answer);
	filter_calls(filter, count);
}

static void do_deny_all(char **words)
{
	(void)words;
	answer_all_with(SECCOMP_RET_ERRNO | EPERM);
}

static void do_forbid_all(char **words)
{
	(void)words;
	answer_all_with(SECCOMP_RET_KILL_PROCESS);
}

/* ---- words --------------------------------------------------------------------------------- */

static void do_grow_old(char **words)
{
	struct timespec time = {number(words[0]) / 1000, number(words[0]) % 1000 * 1000000L};

	while (nanosleep(&time, &time) != 0) {
	}
}

static void do_say(char **words)
{
	tell("%s", words[0]);
}

static const struct {
	const char *name;
	int arguments;
	void (*perform)(char **words);
} vocabulary[] = {
	{"dial", 0, do_dial},                 /* one more connection */
	{"dup", 0, do_dup},                   /* of the last, which is one more */
	{"fork", 0, do_fork},                 /* a child that ends at once */
	{"unseen-child", 0, do_unseen_child}, /* which closes the first; forked by no function */
	{"part", 0, do_part},                 /* parent and child both go on */
	{"reap", 0, do_reap},                 /* wait for all children */
	{"close", 0, do_close},               /* the first */
	{"close-all", 0, do_close_all},       /* in order */
	{"close-fd", 1, do_close_fd}, {"read", 0, do_read}, /* all from the first; writes a byte */
	{"nofile", 2, do_nofile},                           /* SOFT HARD */
	{"fill", 0, do_fill},                               /* use up all descriptors */
	{"unfill", 0, do_unfill},                           /* give them back */
	{"as", 1, do_as},                                   /* KIB more than are in use */
	{"fsize", 1, do_fsize},                             /* BYTES */
	{"soft-fsize", 1, do_soft_fsize},                   /* BYTES|-1 */
	{"log", 1, do_log},                                 /* VALUE: of SAFECLOSE_LOG */
	{"chroot", 1, do_chroot},                           /* FOLDER */
	{"fifo", 1, do_fifo},                               /* PATH: opened to read and write */
	{"fill-pipe", 1, do_fill_pipe},                     /* FD */
	{"pipe-on-stderr", 0, do_pipe_on_stderr},           /* its reader under the lowest number */
	{"exec", 0, do_exec},       /* begin anew with the words that follow */
	{"deny", 1, do_deny},       /* CALL[,CALL]...: answered with EPERM */
	{"put-off", 1, do_put_off}, /* CALL[,CALL]...: answered with EAGAIN */
	{"lack", 1, do_lack},     /* CALL[,CALL]...: answered with ENOSYS, as by an older kernel */
	{"reject", 1, do_reject}, /* CALL[,CALL]...: answered with EINVAL, as of a newer flag */
	{"ignore", 1, do_ignore}, /* CALL[,CALL]...: answered with 0, as by emulators */
	{"forbid", 1, do_forbid}, /* CALL[,CALL]...: they kill */
	{"trap", 1, do_trap},     /* the same by seccomp(2), and by SIGSYS */
	{"deny-threads", 1, do_deny_threads}, /* CALL[,CALL]...: EPERM, in all threads */
	{"probe", 0, do_probe},               /* whether there are filters: none is put on */
	{"forbid-all", 0, do_forbid_all},
	{"deny-all", 0, do_deny_all}, /* what the words close and say do not need */
	{"grow-old", 1, do_grow_old}, /* MS */
	{"say", 1, do_say},           /* LINE */
};

int main(int argc, char **argv)
{
	must(argc > 1, "arguments");
	program_argv = argv;
	port = number(argv[1]);
	next_word = argv + 2;
	while (*next_word) {
		char **words = next_word;
		size_t i = 0;

		while (i < sizeof(vocabulary) / sizeof(vocabulary[0]) &&
			strcmp(vocabulary[i].name, words[0]) != 0) {
			i++;
		}
		must(i < sizeof(vocabulary) / sizeof(vocabulary[0]), words[0]);
		next_word += 1 + vocabulary[i].arguments;
		vocabulary[i].perform(words + 1);
	}
	return 0;
}
