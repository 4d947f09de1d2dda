// SPDX-License-Identifier: MIT
// HARNESS
/*
 * No close at all: the program becomes another one. What is close-on-exec ends with it, properly;
 * what is not goes over untouched; and an exec that fails leaves everything as it was.
 */
#include "harness/deadline.h"
#include "harness/rows.h"
#include "harness/sharing.h"
#include "harness/stage.h"
#include "harness/text.h"
#include "harness/verdict.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define FOLDER SC_BUILD_DIR "/tests/programs"
#define ACTOR FOLDER "/actor"

/* ---- what is close-on-exec ----------------------------------------------------------------- */

static const struct way {
	const char *name;
	const char *words;
	const char *via;
} ways[] = {
	{"execve", "exec-by execve " ACTOR, "]: execve("},
	{"execv", "exec-by execv " ACTOR, "]: execv("},
	{"execvp", "exec-by execvp " ACTOR, "]: execvp("},
	{"execvp_in_path", "setenv PATH /nowhere:" FOLDER " exec-by execvp actor", "]: execvp("},
	{"execvpe", "setenv PATH /etc/passwd:" FOLDER ":/bin exec-by execvpe actor", "]: execvpe("},
	{"execl", "exec-by execl " ACTOR, "]: execl("},
	{"execlp", "setenv PATH " FOLDER " exec-by execlp actor", "]: execlp("},
	{"execle", "exec-by execle " ACTOR, "]: execle("},
	{"fexecve", "exec-by fexecve " ACTOR, "]: fexecve("},
	{"execveat", "exec-by execveat " ACTOR, "]: execveat("},
	{"execveat_empty_path", "exec-by execveat-empty " ACTOR, "]: execveat("},
	{"syscall", "exec-by syscall " ACTOR, "]: execve("},
	{"syscall_execveat", "exec-by syscall-at " ACTOR, "]: execveat("},
	{"two_descriptors", "dupfd-cloexec 3 60 exec-by execve " ACTOR, "]: execve("},
	{"execveat_where_execve_is_forbidden", "deny execve exec-by execveat-empty " ACTOR,
		"]: execveat("},
	{"with_a_thread", "thread sleep end exec-by execve " ACTOR, "]: execve("},
	{"after_a_child", "fork end wait exec-by execve " ACTOR, "]: execve("},
	{"script", "exec-by execve FILES/script", "]: execve("},
	{"script_in_path", "setenv PATH FILES:/bin exec-by execlp script", "]: execlp("},
	{"script_for_the_shell", "exec-by execvp FILES/headless", "]: execvp("},
};

static char files[] = "/tmp/safeclose-test-XXXXXX"; /* the folder FILES, see make_files() */

/* The new program has nothing at 3, and the runner's "go" finds it. */
static struct stage_end exec_away(const struct way *way, const char *mode)
{
	struct stage *stage = stage_open(PEER_IPV4);
	char *words = text_replaced(way->words, "FILES", files);
	struct stage_end end;

	program_start(&stage->program, &(struct program_options){.mode = mode, .is_alone = true},
		"connect-cloexec 3 %s await-unread 3 1000 %s is-open 3 say ran hear go",
		stage->peer.target, words);
	free(words);
	peer_accept(&stage->peer);
	peer_send(&stage->peer, SHARING_UNREAD_BYTES);
	end = stage_finish(stage, true);
	if (!strstr(end.output, "is-open 3 -> 0\nran\n")) {
		fail_msg("it did not run: %s", end.output);
	}
	assert_int_equal(end.status, 0);
	return end;
}

static void test_exec_control_resets(void **state)
{
	struct stage_end end = exec_away(*state, NULL);

	assert_was_reset(&end);
}

static void test_exec_off_resets_silently(void **state)
{
	struct stage_end end = exec_away(*state, "off");

	assert_was_reset(&end);
	assert_not_reported(&end);
}

static void test_exec_warn_resets_and_reports(void **state)
{
	const struct way *way = *state;
	struct stage_end end = exec_away(way, "warn");

	assert_was_reset(&end);
	assert_reported(&end, way->via, ": 1000 unread, ");
	assert_reported(&end, "rst (unread) in ", NULL);
}

static void test_exec_ends_with_fin(void **state)
{
	static const char *const modes[] = {"drain", "fin"};
	const struct way *way = *state;

	for (size_t i = 0; i < 2; i++) {
		struct stage_end end = exec_away(way, modes[i]);

		assert_was_fin(&end);
		assert_reported(&end, way->via, ": 1000 unread, ");
		assert_reported(&end, "; drained 1000, fin in ", NULL);
	}
}

/* ---- what somebody keeps ------------------------------------------------------------------- */

#define RUN "exec-by execve " ACTOR " "

static const struct sharing_row left_alone[] = {
	{"not_close_on_exec", CONNECT AWAIT_UNREAD RUN "say closed " USE("3")},
	{"over_fexecve", CONNECT AWAIT_UNREAD "exec-by fexecve " ACTOR " say closed " USE("3")},
	{"over_syscall", CONNECT AWAIT_UNREAD "exec-by syscall " ACTOR " say closed " USE("3")},
	{"one_descriptor_of_two",
		CONNECT_CLOEXEC "dup 3 4 " AWAIT_UNREAD RUN "say closed " USE("4")},
	{"child_execs", CONNECT_CLOEXEC "fork " AWAIT_UNREAD RUN "say closed end wait " USE("3")},
	{"raw_child_execs",
		CONNECT_CLOEXEC "fork-by clone " AWAIT_UNREAD RUN "say closed end wait " USE("3")},
	{"vfork_child_execs",
		CONNECT_CLOEXEC "vfork " AWAIT_UNREAD RUN "say closed end wait " USE("3")},
	{"clone_vm_child_execs",
		CONNECT_CLOEXEC "clone-vm " AWAIT_UNREAD RUN "say closed end wait " USE("3")},
	{"spawned_program",
		CONNECT_CLOEXEC AWAIT_UNREAD "spawn posix_spawn say closed end wait " USE("3")},
	{"parent_execs",
		CONNECT_CLOEXEC "fork " USE("3") "end " AWAIT_UNREAD RUN "say closed wait"},
};

/* ---- one who is about to ------------------------------------------------------------------- */

/* Beyond which a child that holds something counts as meaning to. */
static void await_age(int age_ms)
{
	int64_t deadline = deadline_in(age_ms);

	while (deadline_pause(deadline)) {
	}
}

/*
 * A child executes another program, and waits before that for a connection of its own to end. Its
 * parent closes another one meanwhile, which the child does not mean to keep.
 */
static struct stage_end close_while_a_child_waits(const char *mode)
{
	struct stage *stage = stage_open(PEER_IPV4);

	peer_listen(&stage->other_peer, PEER_IPV4);
	program_start(&stage->program, &(struct program_options){.mode = mode, .is_alone = true},
		"connect-cloexec 3 %s pipe 4 5 fork close 5 connect-cloexec 5 %s "
		"await-unread 5 1 read-end 4 exec-by execve " ACTOR " end "
		"close 4 await-unread 3 1000 say ready hear exec close 5 hear close close 3 "
		"say closed wait hear go",
		stage->peer.target, stage->other_peer.target);
	peer_accept(&stage->peer);
	peer_send(&stage->peer, 1000);
	peer_accept(&stage->other_peer);
	peer_send(&stage->other_peer, 1);
	program_hear(&stage->program, "ready");
	await_age(300);
	program_say(&stage->program, "exec");
	peer_receive_end(&stage->other_peer);
	program_say(&stage->program, "close");
	return stage_finish(stage, true);
}

static void test_exec_control_of_a_child_that_waits_resets(void **state)
{
	struct stage_end end = close_while_a_child_waits(NULL);

	(void)state;
	assert_int_equal(end.status, 0);
	assert_int_equal(end.grown.aborts_on_close, 2);
	assert_int_equal(end.peer_error, ECONNRESET);
}

static void test_exec_of_a_child_that_waits_keeps_nothing(void **state)
{
	struct stage_end end = close_while_a_child_waits("fin");

	(void)state;
	assert_int_equal(end.status, 0);
	assert_was_fin(&end);
	assert_int_equal(text_lines_with(end.errors, "drained 1000, fin in ", NULL), 1);
}

/* ---- between a spawn and its program ------------------------------------------------------- */

/*
 * posix_spawn() in one thread, while another closes the connection: with actions that open two
 * files of the kind which waits for the other end, the child is there, and its program not yet
 * begun.
 */
#define HELD_SPAWN(connect, closing, actions, words)                               \
	connect AWAIT_UNREAD "thread open-read 4 FILES/begun close 3 " closing     \
			     "open 3 FILES/go end spawn-with write:8:FILES/begun," \
			     "read:9:FILES/go" actions " " words "end wait join "

/* How the child lets go of it before its program begins: no library can see that. */
static const struct sharing_row spawns[] = {
	{"close", HELD_SPAWN(CONNECT, "", ",close:3", "")},
	{"closefrom", HELD_SPAWN(CONNECT, "", ",closefrom:3", "")},
	{"dup2_over_it", HELD_SPAWN(CONNECT, "", ",dup2:9:3", "")},
	{"open_over_it", HELD_SPAWN(CONNECT, "", ",read:3:/dev/null", "")},
	{"close_on_exec", HELD_SPAWN(CONNECT_CLOEXEC, "", "", "")},
	{"close_late", HELD_SPAWN(CONNECT, "grow-old 1000 ", ",close:3", "")},
	{"close_on_exec_late", HELD_SPAWN(CONNECT_CLOEXEC, "grow-old 1000 ", "", "")},
};

static struct stage_end close_during_a_spawn(const struct sharing_row *row, const char *mode)
{
	struct stage *stage = stage_open(PEER_IPV4);
	char *filled = text_replaced(row->words, "FILES", files);
	char *words = text_replaced(filled, "TARGET", stage->peer.target);
	struct stage_end end;

	program_start(&stage->program, &(struct program_options){.mode = mode, .is_alone = true},
		"%s hear go", words);
	free(filled);
	free(words);
	peer_accept(&stage->peer);
	peer_send(&stage->peer, SHARING_UNREAD_BYTES);
	end = stage_finish(stage, true);
	assert_int_equal(end.status, 0);
	return end;
}

static void test_spawn_control_of_a_close_meanwhile_resets(void **state)
{
	struct stage_end end = close_during_a_spawn(*state, NULL);

	assert_was_reset(&end);
}

/* The close that the program made was not the one which reset it. */
static void test_spawn_warn_does_not_see_what_it_resets(void **state)
{
	struct stage_end end = close_during_a_spawn(*state, "warn");

	assert_was_reset(&end);
	assert_not_reported(&end);
}

static void test_spawn_is_waited_for_by_a_close_meanwhile(void **state)
{
	static const char *const modes[] = {"drain", "fin"};

	for (size_t i = 0; i < 2; i++) {
		struct stage_end end = close_during_a_spawn(*state, modes[i]);

		assert_was_fin(&end);
		assert_reported(&end, "]: close(3) ", "; drained 1000, fin in ");
	}
}

/* The program that begins then is the one who has it. */
static void test_spawn_leaves_it_to_its_program(void **state)
{
	char *words =
		text_replaced(HELD_SPAWN(CONNECT, "say closed ", "", USE("3")), "FILES", files);

	(void)state;
	for (size_t i = 0; i < SHARING_MODES; i++) {
		struct stage_end end =
			sharing_run(words, &(struct sharing_options){.mode = sharing_modes[i]});

		assert_was_untouched(&end);
		assert_not_reported(&end);
	}
	free(words);
}

/* ---- what fails ---------------------------------------------------------------------------- */

static const struct failure {
	const char *name;
	const char *words;
	int error;
} failures[] = {
	{"absent", "try-exec execve FILES/absent", ENOENT},
	{"absent_in_path", "setenv PATH FILES try-exec execvp absent", ENOENT},
	{"absent_execlp", "setenv PATH FILES try-exec execlp absent", ENOENT},
	{"not_executable", "try-exec execve FILES/plain", EACCES},
	{"not_executable_execl", "try-exec execl FILES/plain", EACCES},
	{"not_executable_execle", "try-exec execle FILES/plain", EACCES},
	{"not_executable_fexecve", "try-exec fexecve FILES/plain", EACCES},
	{"not_executable_execveat", "try-exec execveat-empty FILES/plain", EACCES},
	{"not_executable_in_path", "setenv PATH FILES try-exec execvpe plain", EACCES},
	{"folder", "try-exec execv FILES", EACCES},
	{"folder_syscall", "try-exec syscall FILES", EACCES},
	{"unknown_format", "try-exec execve FILES/nonsense", ENOEXEC},
	{"unknown_format_fexecve", "try-exec fexecve FILES/nonsense", ENOEXEC},
	{"empty_file", "try-exec execve FILES/empty", ENOEXEC},
	{"no_shell_for_a_script", "try-exec execv FILES/headless", ENOEXEC},
	{"script_without_interpreter", "try-exec execve FILES/lost", ENOENT},
	{"script_with_a_folder", "try-exec execve FILES/strange", EACCES},
	{"script_loop", "try-exec execve FILES/loop", ELOOP},
	{"program_cut_off", "try-exec execve FILES/head", ENOEXEC},
	{"program_without_interpreter", "try-exec execve FILES/orphan", ENOENT},
	{"busy", "try-exec execve FILES/busy", ETXTBSY},
	{"file_as_folder", "try-exec execve FILES/plain/x", ENOTDIR},
	{"arguments_from_nowhere", "try-exec-astray", EFAULT},
	{"forbidden_by_a_filter", "deny execve try-exec execve " ACTOR, EPERM},
	{"forbidden_by_a_filter_execlp", "deny execve try-exec execlp " ACTOR, EPERM},
	{"forbidden_by_a_filter_syscall", "deny execve try-exec syscall " ACTOR, EPERM},
	{"long_argument", "try-exec-big execve 200000", E2BIG},
	{"long_argument_execvp", "try-exec-big execvp 200000", E2BIG},
	{"many_arguments", "try-exec-big execve 1000", E2BIG},
};

/* Only the kernel knows of these, and from Linux 6.14 on it can be asked. */
static bool can_be_known(const struct failure *failure)
{
	char *arguments[] = {NULL};
	bool is_special = failure->error == ETXTBSY || failure->error == EFAULT;

	return !is_special || syscall(SYS_execveat, AT_FDCWD, "/proc/self/exe", arguments, environ,
				      0x10000 /* AT_EXECVE_CHECK */) == 0;
}

static void test_exec_that_fails_leaves_all(void **state)
{
	const struct failure *failure = *state;
	char *filled = text_replaced(failure->words, "FILES", files);
	char *words;
	char result[64];

	if (!can_be_known(failure)) {
		print_message("not before Linux 6.14\n");
		skip();
	}
	assert_true(asprintf(&words, CONNECT_CLOEXEC AWAIT_UNREAD "%s say closed " USE("3"),
			    filled) > 0);
	free(filled);
	snprintf(result, sizeof(result), " -> -1 errno %d\n", failure->error);
	for (size_t i = 0; i < SHARING_MODES; i++) {
		struct stage_end end =
			sharing_run(words, &(struct sharing_options){.mode = sharing_modes[i]});

		assert_was_untouched(&end);
		assert_not_reported(&end);
		if (!strstr(end.output, result)) {
			fail_msg("not \"%s\" but %s", result, end.output);
		}
	}
	free(words);
}

/* ---- files --------------------------------------------------------------------------------- */

static int busy_fd = -1; /* of a program that is being written */

static bool run(const char *command)
{
	char *line;
	bool is_done = asprintf(&line, "cd %s && { %s; }", files, command) > 0 && system(line) == 0;

	free(line);
	return is_done;
}

static bool make_files(void)
{
	if (!mkdtemp(files) ||
		!run("chmod 755 .; echo true >plain; printf '\\177nonsense' >nonsense; : >empty;"
		     "echo '#!/nowhere/sh' >lost; echo '#!/etc' >strange;"
		     "echo \"#!$PWD/loop\" >loop; head -c 100 " ACTOR " >head; cp " ACTOR " busy;"
		     "sed 's,/ld-linux,/no-linux,' " ACTOR " >orphan;"
		     "echo 'exec " ACTOR " \"$@\"' >headless;"
		     "{ echo '#!/bin/sh'; cat headless; } >script;"
		     "chmod 755 *; chmod 644 plain; mkfifo begun go")) {
		return false;
	}
	char *busy = text_replaced("FILES/busy", "FILES", files);
	busy_fd = open(busy, O_WRONLY | O_CLOEXEC);
	free(busy);
	return busy_fd >= 0;
}

/* The kernel's count, and the reports. */
static void test_exec_with_both_ends_resets_once(void **state)
{
	static const char *const modes[] = {NULL, "warn", "drain", "fin"};

	(void)state;
	if (getenv("HARNESS_FOLDER")) {
		print_message("the program is not among those for elsewhere\n");
		skip();
	}
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		struct stage *stage = stage_open(PEER_IPV4);
		bool is_cured = i >= 2;
		struct stage_end end;

		program_start(&stage->program,
			&(struct program_options){.executable = "bothends", .mode = modes[i]}, "%s",
			"");
		end = stage_judge(stage, program_await_exit(&stage->program));
		assert_int_equal(end.status, 0);
		assert_int_equal(end.grown.aborts_on_close, is_cured ? 0 : 1);
		assert_int_equal(text_lines_with(end.errors, ": 1 unread", "; rst (unread) in "),
			i == 1 ? 1 : 0);
		assert_int_equal(text_lines_with(end.errors, ": 1 unread", "; drained 1, fin in "),
			is_cured ? 2 : 0);
	}
}

static const struct rows_subject subjects[] = {
	ROWS_SUBJECT(test_exec_control_resets, ways),
	ROWS_SUBJECT(test_exec_off_resets_silently, ways),
	ROWS_SUBJECT(test_exec_warn_resets_and_reports, ways),
	ROWS_SUBJECT(test_exec_ends_with_fin, ways),
	ROWS_NAMED("test_exec_leaves_alone", sharing_test_left_alone, left_alone),
	ROWS_PLAIN(test_exec_control_of_a_child_that_waits_resets),
	ROWS_PLAIN(test_exec_of_a_child_that_waits_keeps_nothing),
	ROWS_SUBJECT(test_spawn_control_of_a_close_meanwhile_resets, spawns),
	ROWS_SUBJECT(test_spawn_warn_does_not_see_what_it_resets, spawns),
	ROWS_SUBJECT(test_spawn_is_waited_for_by_a_close_meanwhile, spawns),
	ROWS_PLAIN(test_spawn_leaves_it_to_its_program),
	ROWS_PLAIN(test_exec_with_both_ends_resets_once),
	ROWS_SUBJECT(test_exec_that_fails_leaves_all, failures),
};

int main(void)
{
	int status = 1;

	if (make_files()) {
		status = ROWS_RUN(subjects);
	} else {
		perror(files);
	}
	run("rm -rf \"$PWD\"");
	close(busy_fd);
	return status;
}
