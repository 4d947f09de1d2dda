// SPDX-License-Identifier: MIT
#include "child.h"
#include "cli.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { NOT_EXECUTABLE = 126, NOT_FOUND = 127, SIGNAL_STATUS = 128, KEPT = 3 };

/* The command, and what is known of it. */
struct child {
	pid_t pid;
	bool is_stopped;
	int stop_signal;     /* that stopped it */
	bool is_stop_wanted; /* this process was asked to stop too */
	bool has_ended;
	int status; /* of waitpid() */
};

void cli_child_keep_standard_numbers(void)
{
	int fd;
	do {
		fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	} while (fd >= 0 && fd <= 2);
	if (fd > 2) {
		close(fd);
	}
}

int cli_child_exec(char **command)
{
	execvp(command[0], command);
	int error = errno;
	cli_complain(
		"run: cannot run %s: %s", *command[0] != '\0' ? command[0] : "''", strerror(error));
	return error == ENOENT ? NOT_FOUND : NOT_EXECUTABLE;
}

/* ---- the child's side ---------------------------------------------------------------------- */

/* What this process changed of what a program inherits. */
struct inherited {
	sigset_t mask;
	struct sigaction on_child;
};

static void await_start(int starter)
{
	char byte;
	while (read(starter, &byte, 1) < 0 && errno == EINTR) {
	}
	close(starter);
}

static int begin_command(char **command, const struct inherited *inherited, pid_t parent)
{
	/* Who kills the runner with SIGKILL means the command. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent) {
		return SIGNAL_STATUS + SIGKILL;
	}
	sigaction(SIGCHLD, &inherited->on_child, NULL);
	sigprocmask(SIG_SETMASK, &inherited->mask, NULL);
	return cli_child_exec(command);
}

/* ---- the runner's side --------------------------------------------------------------------- */

static bool is_connection(int fd)
{
	int domain = 0;
	socklen_t size = sizeof(domain);
	return getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) == 0 &&
	       (domain == AF_INET || domain == AF_INET6);
}

/*
 * A copy of the command's connection, kept here, would be its last holder; one of its pipe would keep
 * the reader from the end. stderr is kept for the summary, unless it is a connection (inetd).
 */
static void let_go_of_descriptors(int kept)
{
	int nothing = open("/dev/null", O_RDWR);
	if (nothing >= 0) {
		dup2(nothing, 0);
		dup2(nothing, 1);
		if (is_connection(2)) {
			dup2(nothing, 2);
		}
	}
	if (kept != KEPT) {
		dup2(kept, KEPT);
	}
	syscall(SYS_close_range, KEPT + 1, ~0U, 0);
}

/*
 * The terminal sends its signals to the whole foreground group, the command among it: those the
 * command has already. Others come to this process alone, as a rule from kill(2); a timer that was
 * set before this program began (`alarm 5; exec`) is the kernel's, too.
 */
static bool is_terminals(const siginfo_t *info)
{
	switch (info->si_signo) {
	case SIGINT:
	case SIGQUIT:
	case SIGHUP:
	case SIGTSTP:
	case SIGTTIN:
	case SIGTTOU:
	case SIGWINCH:
		return info->si_code > 0;
	default:
		return false;
	}
}

static bool is_stop(int signal_number)
{
	return signal_number == SIGTSTP || signal_number == SIGTTIN || signal_number == SIGTTOU;
}

/* Stop this process as the command was stopped; returns when it is continued. */
static void stop_too(int signal_number)
{
	sigset_t set;
	sigset_t before;
	if (!is_stop(signal_number)) {
		kill(getpid(), SIGSTOP);
		return;
	}
	sigemptyset(&set);
	sigaddset(&set, signal_number);
	kill(getpid(), signal_number);
	sigprocmask(SIG_UNBLOCK, &set, &before);
	sigprocmask(SIG_SETMASK, &before, NULL);
}

static void look(struct child *child)
{
	int status;
	pid_t answer;
	while ((answer = waitpid(child->pid, &status, WNOHANG | WUNTRACED | WCONTINUED)) != 0) {
		if (answer < 0) {
			if (errno == EINTR) {
				continue;
			}
			return;
		}
		child->is_stopped = WIFSTOPPED(status);
		if (WIFSTOPPED(status)) {
			child->stop_signal = WSTOPSIG(status);
		} else if (!WIFCONTINUED(status)) {
			child->has_ended = true;
			child->status = status;
			return;
		}
	}
}

/* A shell's fg continues the whole group, `kill -CONT` this process alone. */
static void continue_too(struct child *child)
{
	look(child);
	if (child->is_stopped && !child->has_ended) {
		kill(child->pid, SIGCONT);
		child->is_stopped = false;
	}
	child->is_stop_wanted = false;
}

static void pass_on(struct child *child, const siginfo_t *info)
{
	int number = info->si_signo;
	if (number == SIGCONT) {
		continue_too(child);
		return;
	}
	child->is_stop_wanted = child->is_stop_wanted || is_stop(number);
	/* From the command itself: kill(0, ...), which it has had too. */
	bool is_commands_own = info->si_code <= 0 && info->si_pid == child->pid;
	if (!is_terminals(info) && !is_commands_own) {
		kill(child->pid, number);
	}
}

static void await_end(struct child *child)
{
	sigset_t all;
	sigfillset(&all);
	look(child);
	while (!child->has_ended) {
		siginfo_t info;
		if (sigwaitinfo(&all, &info) < 0) {
			continue;
		}
		if (info.si_signo != SIGCHLD) {
			pass_on(child, &info);
		}
		look(child);
		if (child->is_stopped && child->is_stop_wanted && !child->has_ended) {
			stop_too(child->stop_signal);
			continue_too(child);
		}
	}
}

int cli_child_run(char **command, int kept)
{
	struct inherited inherited;
	struct child child = {.pid = 0};
	sigset_t all;
	int starter[2];
	pid_t parent = getpid();
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &inherited.mask);
	/* Ignored, it would take the status with it. */
	sigaction(SIGCHLD, &(struct sigaction){.sa_handler = SIG_DFL}, &inherited.on_child);
	if (pipe2(starter, O_CLOEXEC) != 0 || (child.pid = fork()) < 0) {
		cli_complain("run: cannot start a process: %s", strerror(errno));
		return NOT_EXECUTABLE;
	}
	if (child.pid == 0) {
		close(starter[1]);
		close(kept);
		await_start(starter[0]);
		_exit(begin_command(command, &inherited, parent));
	}
	let_go_of_descriptors(kept); /* and so of the starter */
	await_end(&child);
	return WIFSIGNALED(child.status) ? SIGNAL_STATUS + WTERMSIG(child.status)
					 : WEXITSTATUS(child.status);
}
