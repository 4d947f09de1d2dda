// SPDX-License-Identifier: MIT
#include "program.h"
#include "deadline.h"
#include "pids.h"
#include "reports.h"
#include "sanitizer.h"
#include "text.h"
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	NOBODY = 65534,
	ENVIRONMENT_ROOM = PROGRAM_ENVIRONMENT_MAX + 12,
};

/* The child's environment. Owns mode. */
struct environment {
	const char *names[ENVIRONMENT_ROOM];
	size_t count;
	char mode[64];
	char preload[4096];
};

static void add_name(struct environment *environment, const char *name)
{
	assert_true(environment->count < ENVIRONMENT_ROOM - 1);
	environment->names[environment->count++] = name;
}

static const char *find_inherited(const char *name)
{
	size_t length = strlen(name);

	for (char **entry = environ; *entry; entry++) {
		if (strncmp(*entry, name, length) == 0 && (*entry)[length] == '=') {
			return *entry;
		}
	}
	return NULL;
}

/*
 * What a sanitizer is told from outside holds for the program too. Else: a signal's status stays as
 * it was, forked children of threads go on, nobody waits at the end, and the program may leak memory
 * and threads (the library allocates nothing; what is said of leaks is a line too many).
 */
static void add_inherited(struct environment *environment)
{
	static const struct {
		const char *name;
		const char *otherwise;
	} inherited[] = {
		{"PATH", NULL}, {"ASAN_OPTIONS", "ASAN_OPTIONS=detect_leaks=0:handle_segv=0"},
		{"TSAN_OPTIONS", "TSAN_OPTIONS=handle_segv=0:die_after_fork=0:atexit_sleep_ms=0:"
				 "report_thread_leaks=0"},
		{"UBSAN_OPTIONS", NULL}, {"LSAN_OPTIONS", NULL},
		{"QEMU_LD_PREFIX", NULL}, /* the other machine's root folder */
	};

	for (size_t i = 0; i < sizeof(inherited) / sizeof(inherited[0]); i++) {
		const char *entry = find_inherited(inherited[i].name);

		if (!entry && sanitizer_is_any()) {
			entry = inherited[i].otherwise;
		}
		if (entry) {
			add_name(environment, entry);
		}
	}
}

static const char *library(void)
{
	const char *other = getenv("HARNESS_LIBRARY");

	return other ? other : PROGRAM_LIBRARY;
}

static const char *folder(void)
{
	const char *other = getenv("HARNESS_FOLDER");

	return other ? other : PROGRAM_FOLDER;
}

static void preload(struct environment *environment, const char *name)
{
	size_t length = strlen(environment->preload);

	if (name && *name) {
		snprintf(environment->preload + length, sizeof(environment->preload) - length,
			"%s%s", environment->preload[length - 1] == '=' ? "" : ":", name);
	}
}

/* The library's sanitizer, if it has one, goes first. */
static void add_preload(struct environment *environment, const struct program_options *options)
{
	strcpy(environment->preload, "LD_PRELOAD=");
	preload(environment, options->mode ? SC_PRELOAD_FIRST : NULL);
	preload(environment, options->preloaded_before);
	preload(environment, options->mode ? library() : NULL);
	preload(environment, options->preloaded_behind);
	add_name(environment, environment->preload);
}

static void fill_environment(struct environment *environment, const struct program_options *options)
{
	memset(environment, 0, sizeof(*environment));
	add_inherited(environment);
	add_name(environment, "LC_ALL=C");
	if (options->mode || options->preloaded_before || options->preloaded_behind) {
		add_preload(environment, options);
	}
	if (options->mode && *options->mode) {
		snprintf(environment->mode, sizeof(environment->mode), "SAFECLOSE_MODE=%s",
			options->mode);
		add_name(environment, environment->mode);
	}
	if (options->wants_all_reports) {
		add_name(environment, "SAFECLOSE_FORMAT=json");
	}
	for (size_t i = 0; i < PROGRAM_ENVIRONMENT_MAX && options->environment[i]; i++) {
		add_name(environment, options->environment[i]);
	}
}

/* The command line: script is cut up, under may be NULL. NULL-terminated, to be freed. */
static char **split_words(const char *under, char *executable, char *script)
{
	size_t count = 0;
	char **words = calloc(strlen(script) / 2 + 4, sizeof(*words));
	char *rest;

	assert_non_null(words);
	if (under) {
		words[count++] = (char *)(uintptr_t)under;
	}
	words[count++] = executable;
	for (char *word = strtok_r(script, " \n", &rest); word;
		word = strtok_r(NULL, " \n", &rest)) {
		words[count++] = word;
	}
	return words;
}

/* In a child. Returns false where it may not, or could not reach the program then. */
static bool become_nobody(const char *path)
{
	return setresgid(NOBODY, NOBODY, NOBODY) == 0 && setresuid(NOBODY, NOBODY, NOBODY) == 0 &&
	       access(path, X_OK) == 0 && access(library(), R_OK) == 0;
}

/* Try it out in a child, and skip the test where it cannot be. */
static void require_nobody(const char *path)
{
	int status = -1;
	pid_t pid = fork();

	if (pid == 0) {
		_exit(!become_nobody(path));
	}
	waitpid(pid, &status, 0);
	if (status != 0) {
		print_message("the program cannot be run as an unprivileged user here\n");
		skip();
	}
}

void program_require_other_user(void)
{
	int status = -1;
	pid_t pid = fork();

	if (pid == 0) {
		_exit(setresgid(NOBODY, NOBODY, NOBODY) != 0 ||
			setresuid(NOBODY, NOBODY, NOBODY) != 0);
	}
	waitpid(pid, &status, 0);
	if (status != 0) {
		print_message("no other user to become here\n");
		skip();
	}
}

void program_require_strace(void)
{
	sanitizer_skip_if(sanitizer_is_any(), "it makes calls of its own");
	if (access(PROGRAM_STRACE, X_OK) < 0) {
		print_message("no " PROGRAM_STRACE "\n");
		skip();
	}
}

void program_require_traced(int status, const char *errors)
{
	if (status == 1 && strstr(errors, "strace: ")) {
		print_message("strace cannot be used here: %s\n", errors);
		skip();
	}
}

/* In the child, between fork and exec. */
static void __attribute__((noreturn)) become_program(const struct program_options *options,
	char **words, const struct environment *environment, const int ends[3])
{
	const struct rlimit no_core = {0, 0};

	setpgid(0, 0);
	setrlimit(RLIMIT_CORE, &no_core);
	if (options->is_alone) {
		pids_mount();
	}
	if (options->is_unprivileged && !become_nobody(words[0])) {
		_exit(126);
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGPIPE, SIG_DFL);
	for (int fd = 0; fd < 3; fd++) {
		dup2(ends[fd], fd);
	}
	execve(words[0], words, (char **)(uintptr_t)environment->names);
	dprintf(2, "%s: %s\n", words[0], strerror(errno));
	_exit(127);
}

static void open_pipes(struct program *program, int ends[3])
{
	int input[2];
	int output[2];

	assert_return_code(pipe2(input, O_CLOEXEC), errno);
	assert_return_code(pipe2(output, O_CLOEXEC), errno);
	/* A file in memory: nobody has to read for the writer not to block. */
	program->errors = memfd_create("stderr", MFD_CLOEXEC);
	assert_true(program->errors > 2);
	fcntl(program->errors, F_SETFL, O_APPEND);
	fcntl(output[0], F_SETFL, O_NONBLOCK);
	program->input = input[1];
	program->output = output[0];
	ends[0] = input[0];
	ends[1] = output[1];
	ends[2] = program->errors;
}

static void spawn(struct program *program, const struct program_options *options, char *script)
{
	const char *name = options->executable ? options->executable : "actor";
	struct environment environment;
	char path[4096];
	char **words;
	int ends[3];

	snprintf(path, sizeof(path), "%s%s", *name == '/' ? "" : folder(), name);
	if (options->mode && access(library(), R_OK) < 0) {
		fail_msg("%s: %s", library(), strerror(errno));
	}
	if (options->is_unprivileged) {
		require_nobody(path);
	}
	fill_environment(&environment, options);
	words = split_words(
		options->under ? options->under : getenv("HARNESS_UNDER"), path, script);
	open_pipes(program, ends);
	if (options->is_alone) {
		pids_enter();
	}
	program->pid = fork();
	if (program->pid == 0) {
		become_program(options, words, &environment, ends);
	}
	assert_true(program->pid > 0);
	setpgid(program->pid, program->pid);
	close(ends[0]);
	close(ends[1]);
	free(words);
}

void program_start(
	struct program *program, const struct program_options *options, const char *format, ...)
{
	va_list arguments;
	char *script;
	char *words;

	memset(program, 0, sizeof(*program));
	program->wants_all_reports = options->wants_all_reports;
	signal(SIGPIPE, SIG_IGN); /* a program that has ended is told so by write() */
	va_start(arguments, format);
	assert_true(vasprintf(&words, format, arguments) >= 0);
	va_end(arguments);
	script = text_replaced(words, PROGRAM_FOLDER, folder()); /* programs that it is to start */
	free(words);
	program->script = strdup(script);
	program->output_text = strdup("");
	assert_non_null(program->output_text);
	spawn(program, options, script);
	free(script);
}

static void __attribute__((noreturn)) fail_program(struct program *program, const char *what)
{
	print_message("script: %s\nstdout:\n%s\nstderr:\n%s\n", program->script,
		program->output_text, program_errors(program));
	fail_msg("the program %s", what);
	abort();
}

static void append_output(struct program *program, const char *bytes, size_t size)
{
	char *grown = realloc(program->output_text, program->output_bytes + size + 1);

	assert_non_null(grown);
	memcpy(grown + program->output_bytes, bytes, size);
	program->output_bytes += size;
	grown[program->output_bytes] = '\0';
	program->output_text = grown;
}

bool program_pump(struct program *program, int wait_ms)
{
	char chunk[4096];
	ssize_t bytes;

	if (!deadline_poll(program->output, POLLIN, deadline_in(wait_ms))) {
		return true;
	}
	while ((bytes = read(program->output, chunk, sizeof(chunk))) > 0) {
		append_output(program, chunk, (size_t)bytes);
	}
	return bytes < 0;
}

void program_say(struct program *program, const char *line)
{
	size_t length = strlen(line);
	char text[256];

	assert_true(length + 2 < sizeof(text));
	snprintf(text, sizeof(text), "%s\n", line);
	if (write(program->input, text, length + 1) != (ssize_t)length + 1) {
		fail_program(program, "no longer listens");
	}
}

/* The next whole line of stdout, which it cuts off; NULL at the deadline or at the end. */
static char *next_line(struct program *program, int64_t deadline)
{
	bool is_more = true;

	for (;;) {
		char *line = program->output_text + program->heard_bytes;
		char *end = strchr(line, '\n');

		if (end) {
			program->heard_bytes += (size_t)(end - line) + 1;
			return strndup(line, (size_t)(end - line));
		}
		if (!is_more || deadline_left_ms(deadline) == 0) {
			return NULL;
		}
		/* The last line may come together with the end. */
		is_more = program_pump(program, deadline_left_ms(deadline));
	}
}

/* Wait for a line that begins with wanted, and, where is_whole, is no longer. */
static char *await_line(struct program *program, const char *wanted, bool is_whole)
{
	int64_t deadline = deadline_in(DEADLINE_MS);
	char *line;

	while ((line = next_line(program, deadline))) {
		if (strncmp(line, wanted, strlen(wanted)) == 0 &&
			(!is_whole || strlen(line) == strlen(wanted))) {
			return line;
		}
		free(line);
	}
	print_message("waited for: %s\n", wanted);
	fail_program(program, "did not say what was waited for");
}

void program_hear(struct program *program, const char *line)
{
	free(await_line(program, line, true));
}

long program_hear_number(struct program *program, const char *prefix)
{
	char *line = await_line(program, prefix, false);
	long number = strtol(line + strlen(prefix), NULL, 10);

	free(line);
	return number;
}

void program_await_errors(struct program *program, const char *text)
{
	int64_t deadline = deadline_in(DEADLINE_MS);

	while (!strstr(program_errors(program), text)) {
		if (!deadline_pause(deadline)) {
			print_message("waited for: %s\n", text);
			fail_program(program, "did not write what was waited for");
		}
	}
}

/* Close its stdin, so that nobody waits for more of it. */
static void stop_talking(struct program *program)
{
	if (program->input > 0) {
		close(program->input);
		program->input = 0;
	}
}

int program_await_exit(struct program *program)
{
	int64_t deadline = deadline_in(DEADLINE_MS);
	int status = 0;
	pid_t ended;

	stop_talking(program);
	while ((ended = waitpid(program->pid, &status, WNOHANG)) == 0) {
		program_pump(program, 0);
		if (!deadline_pause(deadline)) {
			fail_program(program, "did not end");
		}
	}
	assert_int_equal(ended, program->pid);
	program->pid = 0;
	program_pump(program, 0);
	status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
	return status;
}

const char *program_output(struct program *program)
{
	program_pump(program, 0);
	return program->output_text;
}

const char *program_errors(struct program *program)
{
	off_t size = lseek(program->errors, 0, SEEK_END);
	ssize_t bytes;

	free(program->errors_text);
	program->errors_text = calloc(1, (size_t)size + 1);
	assert_non_null(program->errors_text);
	bytes = pread(program->errors, program->errors_text, (size_t)size, 0);
	assert_int_equal(bytes, size);
	if (program->wants_all_reports) {
		char *json = program->errors_text;

		program->errors_text = reports_as_text(json);
		free(json);
	}
	return program->errors_text;
}

void program_end(struct program *program)
{
	if (program->pid > 0) {
		kill(-program->pid, SIGKILL);
		kill(program->pid, SIGKILL);
		waitpid(program->pid, NULL, 0);
	}
	if (program->output > 0) {
		stop_talking(program);
		close(program->output);
		close(program->errors);
	}
	free(program->script);
	free(program->output_text);
	free(program->errors_text);
	memset(program, 0, sizeof(*program));
}
