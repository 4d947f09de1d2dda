// SPDX-License-Identifier: MIT
// HARNESS
/*
 * SAFECLOSE_STACK: the frames of a close through two libraries, none of which keeps a frame pointer,
 * are the functions that addr2line finds there; what cannot be followed ends the list, and never the
 * program. The call site is the instruction after the call.
 */
#include "harness/crowd.h"
#include "harness/folder.h"
#include "harness/rows.h"
#include "harness/sanitizer.h"
#include "harness/text.h"
#include "harness/verdict.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define VALGRIND "/usr/bin/valgrind"

enum { FRAMES_MAX = 32 };

/* Of what was built for elsewhere, where that is to be run (elsewhere.h). */
static const char *folder(void)
{
	const char *other = getenv("HARNESS_FOLDER");

	return other ? other : PROGRAM_FOLDER;
}

/* The first line that a command of the shell's prints. The caller frees it. */
static char *first_line_of(const char *command)
{
	char line[256] = "";
	FILE *stream = popen(command, "r");

	assert_non_null(stream);
	if (!fgets(line, sizeof(line), stream)) {
		line[0] = '\0';
	}
	assert_int_equal(pclose(stream), 0);
	line[strcspn(line, "\n")] = '\0';
	return strdup(line);
}

/* "MODULE+0xOFFSET" -> the name of the function that called, as addr2line has it: the byte before belongs
 * to the call. The caller frees it. */
static char *function_at(const char *frame)
{
	char command[512];
	const char *plus = strchr(frame, '+');

	assert_non_null(plus);
	snprintf(command, sizeof(command), "addr2line -f -e '%s%.*s' 0x%lx", folder(),
		(int)(plus - frame), frame, strtoul(plus + 1, NULL, 16) - 1);
	return first_line_of(command);
}

static void require_addr2line(void)
{
	if (system("addr2line --version >/dev/null 2>&1") != 0) {
		print_message("there is no addr2line here\n");
		skip();
	}
}

/* Functions of the frames behind the last "; ", as far as they lie in what the tests have built, else
 * "-": "inner_close outer_call main - -". */
static const char *functions_of(const char *line)
{
	static char names[2048];
	const char *frame = line;

	names[0] = '\0';
	for (const char *next = line; (next = strstr(next, "; ")); next += 2) {
		frame = next + 2;
	}
	for (; frame; frame = strstr(frame, " < ") ? strstr(frame, " < ") + 3 : NULL) {
		bool is_own = strncmp(frame, "chain+", 6) == 0 ||
			      strncmp(frame, "inner.so+", 9) == 0 ||
			      strncmp(frame, "outer.so+", 9) == 0;
		char *name = is_own ? function_at(frame) : strdup("-");

		strncat(names, name, sizeof(names) - strlen(names) - 2);
		strcat(names, " ");
		free(name);
	}
	return names;
}

static struct crowd_end run(const char *way, const char *frames, const char *under)
{
	char variable[64];
	struct crowd_end end;

	require_addr2line();
	snprintf(variable, sizeof(variable), "SAFECLOSE_STACK=%s", frames);
	end = crowd_run(
		&(struct crowd_options){
			.program = {.executable = "chain",
				.under = under,
				.mode = "warn",
				.environment = {variable,
					"VALGRIND_OPTS=-q --vgdb=no --error-exitcode=99"}}},
		"%s %s", folder(), way);
	assert_int_equal(end.status, 0);
	assert_int_equal(end.grown.aborts_on_close, 1);
	if (text_lines(end.report) != 1) {
		fail_msg("more than a report:\n%s", end.report);
	}
	return end;
}

static void assert_begins(const char *text, const char *beginning)
{
	if (strncmp(text, beginning, strlen(beginning)) != 0) {
		fail_msg("\"%s\" does not begin with \"%s\"", text, beginning);
	}
}

/* As many frames as that, and not one more. */
static void assert_frames(const char *report, size_t count)
{
	size_t found = 1;

	for (const char *at = report; (at = strstr(at, " < ")); at += 3) {
		found++;
	}
	assert_int_equal(found, count);
}

#define LIBRARIES "close_here inner_close call_on_room outer_call close_by_libraries "

static const struct row {
	const char *name;
	const char *way;
	const char *functions;
} rows[] = {
	{"in_main", "main", LIBRARIES "main "},
	{"in_a_thread_of_64_KiB", "thread", LIBRARIES "run_thread "},
	/* ... and in the code that the signal interrupted. */
	{"in_a_handler_on_16_KiB", "handler", LIBRARIES "handle - - - "},
};

static void test_stack_names_each_function(void **state)
{
	const struct row *row = *state;
	struct crowd_end end = run(row->way, "32", NULL);

	assert_begins(functions_of(end.report), row->functions);
}

/* Between the two are the signal's frame, and those of libc and of the vDSO in raise(). */
static void test_stack_goes_on_behind_a_handler(void **state)
{
	struct crowd_end end = run("handler", "32", NULL);
	const char *frame = strstr(functions_of(end.report), "handle ");

	(void)state;
	assert_non_null(frame);
	frame += strlen("handle ");
	assert_begins(frame, "- - - ");
	while (strncmp(frame, "- ", 2) == 0) {
		frame += 2;
	}
	assert_begins(frame, "interrupt ");
}

static void test_stack_is_as_long_as_asked_for(void **state)
{
	static const char *const wanted[] = {"1", "2", "5"};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct crowd_end end = run("main", wanted[i], NULL);

		assert_begins(LIBRARIES, functions_of(end.report));
		assert_frames(end.report, (size_t)atoi(wanted[i]));
	}
}

static void test_stack_site_is_the_instruction_after_the_call(void **state)
{
	struct crowd_end end = run("main", "1", NULL);
	const char *site = strstr(end.report, "; inner.so+0x");
	char command[512];
	char *before;

	(void)state;
	assert_non_null(site);
	if (getenv("HARNESS_FOLDER") || system("objdump --version >/dev/null 2>&1") != 0) {
		print_message("there is no objdump here for that\n");
		skip();
	}
	snprintf(command, sizeof(command),
		"objdump -d --no-show-raw-insn '%sinner.so' | sed -n '/^ *%.*s:/{x;p;q};h'",
		folder(), (int)strspn(site + 13, "0123456789abcdef"), site + 13);
	before = first_line_of(command);
	if (!strstr(before, "\tcall ")) {
		fail_msg("before %.40s is \"%s\"", site, before);
	}
	free(before);
}

static void test_stack_of_none_has_no_site(void **state)
{
	struct crowd_end end = run("main", "0", NULL);

	(void)state;
	assert_non_null(strstr(end.report, " ms; ?\n"));
}

static void test_stack_that_cannot_be_followed_ends(void **state)
{
	/* Nothing, what is no address, and one that is but of no code. */
	static const char *const garbage[] = {"0", "1", "0xdeaddeaddeaddead", "0x7fffffffe000"};

	(void)state;
	sanitizer_skip_if(sanitizer_is_any(), "it follows stacks itself");
	for (size_t i = 0; i < sizeof(garbage) / sizeof(garbage[0]); i++) {
		struct crowd_end end = run(garbage[i], "32", NULL);

		assert_string_equal(end.output, "alive\n");
		assert_string_equal(functions_of(end.report), LIBRARIES "run_coroutine ");
	}
}

static void test_stack_under_valgrind_is_the_same(void **state)
{
	const struct row *row = *state;
	struct crowd_end end;

	sanitizer_skip_if(sanitizer_is_any(), "it is not for valgrind");
	if (getenv("HARNESS_FOLDER")) {
		print_message("programs for elsewhere are not for valgrind\n");
		skip();
	}
	if (access(VALGRIND, X_OK) < 0) {
		print_message("there is no valgrind here\n");
		skip();
	}
	end = run(row->way, "32", VALGRIND);
	assert_begins(functions_of(end.report), row->functions);
}

static const struct rows_subject subjects[] = {
	ROWS_SUBJECT(test_stack_names_each_function, rows),
	ROWS_PLAIN(test_stack_goes_on_behind_a_handler),
	ROWS_PLAIN(test_stack_is_as_long_as_asked_for),
	ROWS_PLAIN(test_stack_site_is_the_instruction_after_the_call),
	ROWS_PLAIN(test_stack_of_none_has_no_site),
	ROWS_PLAIN(test_stack_that_cannot_be_followed_ends),
	ROWS_SUBJECT(test_stack_under_valgrind_is_the_same, rows),
};

int main(void)
{
	int failed = rows_run_between(subjects, sizeof(subjects) / sizeof(subjects[0]),
		folder_make_for_temporaries, folder_remove);

	crowd_teardown(NULL);
	return failed;
}
