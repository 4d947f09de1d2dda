// SPDX-License-Identifier: MIT
// HARNESS
/*
 * safeclose run --fail-on-reset between the command and those who send it signals: a program, a shell
 * with job control, a terminal.
 */
#include "harness/deadline.h"
#include "harness/program.h"
#include "harness/runner.h"
#include "harness/text.h"
#include "harness/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#define SIGNALLED PROGRAM_FOLDER "signalled"

/* ---- signals ------------------------------------------------------------------------------- */

static pid_t await_ready(struct command *command)
{
	const char *line = command_await_output(command, "ready ");

	while (!strchr(line, '\n')) {
		line = command_await_output(command, "ready ");
	}
	return (pid_t)atoi(line + strlen("ready "));
}

/* Starts one that tells of its signals. Returns its number. */
static pid_t start_signalled(struct command *command)
{
	runner_skip_for_sanitizer();
	command_start(command, RUN("--fail-on-reset", SIGNALLED), NULL);
	return await_ready(command);
}

static void test_cli_run_passes_signals_on_once(void **state)
{
	static const int numbers[] = {
		SIGINT, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGALRM, SIGWINCH, SIGPIPE, SIGTERM};
	struct command command;
	struct command_end end;
	char wanted[512] = "";

	(void)state;
	start_signalled(&command);
	snprintf(wanted, sizeof(wanted), "%s", command_await_output(&command, "ready "));
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		char line[32];

		assert_int_equal(kill(command.pid, numbers[i]), 0);
		snprintf(line, sizeof(line), "got %d\n", numbers[i]);
		command_await_output(&command, line);
		strncat(wanted, line, sizeof(wanted) - strlen(wanted) - 1);
	}
	end = command_finish(&command);
	assert_int_equal(end.status, 15);
	assert_string_equal(end.output, wanted);
	assert_string_equal(end.errors, "");
}

/* Without counting there is nobody in between. */
static void test_cli_run_without_counting_is_the_command(void **state)
{
	struct command command;
	struct command_end end;

	(void)state;
	runner_skip_for_sanitizer();
	command_start(&command, RUN(SIGNALLED), NULL);
	assert_int_equal(await_ready(&command), command.pid);
	end = command_finish(&command);
	assert_int_equal(end.status, 0);
}

/* kill(0, SIGUSR1) by the command reaches the runner too, who does not return it. */
static void test_cli_run_does_not_return_the_commands_own(void **state)
{
	struct command command;
	struct command_end end;
	char wanted[128];
	pid_t pid;

	(void)state;
	runner_skip_for_sanitizer();
	command_start(&command, RUN("--fail-on-reset", SIGNALLED, "group"), NULL);
	pid = await_ready(&command);
	command_await_output(&command, "got 10\n");
	kill(command.pid, SIGUSR2); /* behind the other, if that came */
	command_await_output(&command, "got 12\n");
	end = command_finish(&command);
	snprintf(wanted, sizeof(wanted), "ready %d\ngot 10\ngot 12\n", pid);
	assert_string_equal(end.output, wanted);
	assert_int_equal(end.status, 0);
}

/* A SIGCHLD that whoever started it ignores would take the status away. */
static void test_cli_run_status_where_children_are_ignored(void **state)
{
	struct command_end end;

	(void)state;
	runner_skip_for_sanitizer();
	signal(SIGCHLD, SIG_IGN);
	end = command_run(RUN("--fail-on-reset", "true"), NULL);
	signal(SIGCHLD, SIG_DFL);
	/* This process's own wait was ignored as well: only that it has ended is known. */
	assert_string_equal(end.errors, "");
	end = command_run(
		(const char *const[]){"sh", "-c",
			"trap '' CHLD; \"$0\" run --fail-on-reset sh -c 'exit 5'", SAFECLOSE, NULL},
		NULL);
	assert_int_equal(end.status, 5);
}

static void await_gone(pid_t pid)
{
	int64_t deadline = deadline_in(DEADLINE_MS);

	while (kill(pid, 0) == 0) {
		if (!deadline_pause(deadline)) {
			kill(pid, SIGKILL);
			fail_msg("the command goes on");
		}
	}
}

static void test_cli_run_killed_ends_the_command(void **state)
{
	struct command command;
	struct command_end end;
	pid_t pid;

	(void)state;
	pid = start_signalled(&command);
	kill(command.pid, SIGKILL);
	await_gone(pid);
	end = command_finish(&command);
	assert_int_equal(end.status, 128 + SIGKILL);
}

/* Where the files lie; another run on this machine would clean up in the common one. */
static void enter_own_shared_memory(void)
{
	if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
		mount("none", "/dev/shm", "tmpfs", 0, NULL) != 0) {
		print_message("in the common /dev/shm: %s\n", strerror(errno));
	}
}

/* The file that it counted in stays then; the next one removes it, and no other's. */
static void test_cli_run_killed_is_cleaned_up_after(void **state)
{
	struct command killed;
	struct command living;
	char *path;
	const char *const words[] = {SAFECLOSE, "run", "--fail-on-reset", "sh", "-c",
		"echo file=$SAFECLOSE_TALLY=; read word", NULL};

	(void)state;
	runner_skip_for_sanitizer();
	enter_own_shared_memory();
	command_start(&living, words, NULL);
	command_await_output(&living, "=\n");
	command_start(&killed, words, NULL);
	path = strdup(command_await_output(&killed, "/"));
	command_await_output(&killed, "=\n");
	path[strcspn(path, "=")] = '\0';
	kill(killed.pid, SIGKILL);
	assert_int_equal(command_finish(&killed).status, 128 + SIGKILL);
	assert_int_equal(access(path, F_OK), 0);
	assert_int_equal(command_run(RUN("--fail-on-reset", "true"), NULL).status, 0);
	assert_int_equal(access(path, F_OK), -1);
	free(path);
	path = strdup(command_await_output(&living, "/"));
	path[strcspn(path, "=")] = '\0';
	assert_int_equal(access(path, F_OK), 0);
	free(path);
	assert_int_equal(command_finish(&living).status, 1);
}

/* 'T' in /proc/PID/stat. */
static char state_of(pid_t pid)
{
	char path[64];
	char *text;
	char *end;
	char answer;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	text = text_of_file(path);
	end = strrchr(text, ')');
	answer = end ? end[2] : '?';
	free(text);
	return answer;
}

static void await_state(pid_t pid, bool is_stopped)
{
	int64_t deadline = deadline_in(DEADLINE_MS);

	while ((state_of(pid) == 'T') != is_stopped) {
		if (!deadline_pause(deadline)) {
			fail_msg("process %d is in state %c", pid, state_of(pid));
		}
	}
}

/* A debugger's or a test's stop of the command alone is not the runner's. */
static void test_cli_run_command_stopped_alone_goes_on(void **state)
{
	struct command command;
	struct command_end end;
	pid_t pid;

	(void)state;
	pid = start_signalled(&command);
	kill(pid, SIGSTOP);
	await_state(pid, true);
	kill(command.pid, SIGUSR1); /* it listens */
	kill(pid, SIGCONT);
	command_await_output(&command, "got 10\n");
	end = command_finish(&command);
	assert_int_equal(end.status, 0);
}

/* `kill -TSTP` and `kill -CONT` of the runner alone. */
static void test_cli_run_stops_and_continues_with_the_command(void **state)
{
	struct command command;
	struct command_end end;
	pid_t pid;

	(void)state;
	pid = start_signalled(&command);
	for (int i = 0; i < 3; i++) {
		kill(command.pid, SIGTSTP);
		await_state(pid, true);
		await_state(command.pid, true);
		kill(command.pid, SIGCONT);
		await_state(pid, false);
		await_state(command.pid, false);
	}
	end = command_finish(&command);
	assert_int_equal(end.status, 0);
}

/* ---- under a terminal ---------------------------------------------------------------------- */

/* What a shell does with one job: it is told what became of it on the descriptor. */
static void __attribute__((noreturn)) lead_session(const char *terminal, int told)
{
	const char *const words[] = {SAFECLOSE, "run", "--fail-on-reset", SIGNALLED, NULL};
	int status;
	int fd;
	pid_t pid;

	setsid();
	fd = open(terminal, O_RDWR); /* is its terminal from now on */
	signal(SIGTTOU, SIG_IGN);
	pid = fork();
	if (pid == 0) {
		setpgid(0, 0);
		tcsetpgrp(fd, getpid());
		signal(SIGTTOU, SIG_DFL);
		dup2(fd, 0);
		dup2(fd, 1);
		dup2(fd, 2);
		execv(words[0], (char **)(uintptr_t)words);
		_exit(127);
	}
	setpgid(pid, pid);
	while (waitpid(pid, &status, WUNTRACED) == pid && WIFSTOPPED(status)) {
		dprintf(told, "stopped %d\n", WSTOPSIG(status));
		tcsetpgrp(fd, pid);
		kill(-pid, SIGCONT);
	}
	dprintf(told, "ended %d\n", WIFEXITED(status) ? WEXITSTATUS(status) : -1);
	_exit(0);
}

/* Both ends' texts so far. */
struct session {
	int terminal;
	int told;
	pid_t pid;
	char seen[4096];
	char heard[256];
};

static void append(int fd, char *text, size_t size)
{
	size_t length = strlen(text);
	ssize_t bytes = read(fd, text + length, size - 1 - length);

	text[length + (bytes > 0 ? (size_t)bytes : 0)] = '\0';
}

/* Wait for a text on the terminal, or from the session's leader. */
static void await_text(struct session *session, const char *seen, const char *heard)
{
	int64_t deadline = deadline_in(DEADLINE_MS);

	for (;;) {
		append(session->terminal, session->seen, sizeof(session->seen));
		append(session->told, session->heard, sizeof(session->heard));
		if ((!seen || strstr(session->seen, seen)) &&
			(!heard || strstr(session->heard, heard))) {
			return;
		}
		if (!deadline_pause(deadline)) {
			kill(session->pid, SIGKILL);
			fail_msg("waited for \"%s\" and \"%s\":\n%s\n%s", seen ? seen : "",
				heard ? heard : "", session->seen, session->heard);
		}
	}
}

static void open_session(struct session *session)
{
	int ends[2];

	runner_skip_for_sanitizer();
	memset(session, 0, sizeof(*session));
	session->terminal = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	assert_true(session->terminal >= 0);
	assert_int_equal(grantpt(session->terminal), 0);
	assert_int_equal(unlockpt(session->terminal), 0);
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	fcntl(session->terminal, F_SETFL, O_NONBLOCK);
	fcntl(ends[0], F_SETFL, O_NONBLOCK);
	session->told = ends[0];
	session->pid = fork();
	if (session->pid == 0) {
		const char *name = ptsname(session->terminal);

		close(session->terminal);
		lead_session(name, ends[1]);
	}
	close(ends[1]);
	await_text(session, "ready ", NULL);
}

/* To who has the terminal, which is the runner: it passes it on behind what it has passed on before. */
static void signal_runner(const struct session *session)
{
	pid_t runner = 0;

	assert_int_equal(ioctl(session->terminal, TIOCGPGRP, &runner), 0);
	kill(runner, SIGUSR1);
}

static void type(const struct session *session, const char *key)
{
	assert_int_equal(write(session->terminal, key, 1), 1);
}

static void close_session(struct session *session)
{
	int status;

	assert_int_equal(waitpid(session->pid, &status, 0), session->pid);
	close(session->terminal);
	close(session->told);
}

static void test_cli_run_terminals_signals_come_once(void **state)
{
	struct session session;

	(void)state;
	open_session(&session);
	type(&session, "\003");
	await_text(&session, "got 2\r\n", NULL);
	type(&session, "\034");
	await_text(&session, "got 3\r\n", NULL);
	signal_runner(&session);
	await_text(&session, "got 10\r\n", NULL);
	type(&session, "\004");
	await_text(&session, NULL, "ended 0\n");
	assert_int_equal(text_lines_with(session.seen, "got 2\r", NULL), 1);
	assert_int_equal(text_lines_with(session.seen, "got 3\r", NULL), 1);
	assert_string_equal(session.heard, "ended 0\n");
	close_session(&session);
}

static void test_cli_run_job_control_stops_and_goes_on(void **state)
{
	struct session session;

	(void)state;
	open_session(&session);
	type(&session, "\032");
	await_text(&session, NULL, "stopped 20\n"); /* and is continued */
	signal_runner(&session);
	await_text(&session, "got 10\r\n", NULL);
	type(&session, "\032");
	await_text(&session, NULL, "stopped 20\nstopped 20\n");
	type(&session, "\004");
	await_text(&session, NULL, "ended 0\n");
	assert_string_equal(session.heard, "stopped 20\nstopped 20\nended 0\n");
	close_session(&session);
}

static void test_cli_run_terminal_that_hangs_up_ends_it(void **state)
{
	struct session session;
	pid_t pid;
	int status;

	(void)state;
	open_session(&session);
	pid = (pid_t)atoi(strstr(session.seen, "ready ") + 6);
	close(session.terminal);
	await_gone(pid);
	kill(session.pid, SIGKILL);
	assert_int_equal(waitpid(session.pid, &status, 0), session.pid);
	close(session.told);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cli_run_passes_signals_on_once),
		cmocka_unit_test(test_cli_run_without_counting_is_the_command),
		cmocka_unit_test(test_cli_run_does_not_return_the_commands_own),
		cmocka_unit_test(test_cli_run_status_where_children_are_ignored),
		cmocka_unit_test(test_cli_run_killed_ends_the_command),
		cmocka_unit_test(test_cli_run_killed_is_cleaned_up_after),
		cmocka_unit_test(test_cli_run_command_stopped_alone_goes_on),
		cmocka_unit_test(test_cli_run_stops_and_continues_with_the_command),
		cmocka_unit_test(test_cli_run_terminals_signals_come_once),
		cmocka_unit_test(test_cli_run_job_control_stops_and_goes_on),
		cmocka_unit_test(test_cli_run_terminal_that_hangs_up_ends_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
