// SPDX-License-Identifier: MIT
// HARNESS
/*
 * safeclose check: the verdict on every kind of program, and that it is true: where it says reachable
 * the library is loaded, and where it says that it is not, it is not.
 */
#include "harness/command.h"
#include "harness/folder.h"
#include "harness/program.h"
#include "harness/sanitizer.h"
#include "harness/text.h"
#include "harness/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#define CHECK(...)                                            \
	(const char *const[])                                 \
	{                                                     \
		COMMAND_SAFECLOSE, "check", __VA_ARGS__, NULL \
	}

enum { REACHABLE, UNREACHABLE, TROUBLE };

static int make_folder(void **state)
{
	return folder_make(state) == 0 && chmod(folder_name(), 0755) == 0 ? 0 : -1;
}

/* A path in the folder. Two at a time. */
static const char *place(const char *name)
{
	static char paths[2][128];
	static size_t next;
	char *path = paths[next++ % 2];

	snprintf(path, sizeof(paths[0]), "%s/%s", folder_name(), name);
	return path;
}

static const char *write_script(const char *name, const char *text)
{
	const char *path = place(name);
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
	assert_int_equal(chmod(path, 0755), 0);
	return path;
}

/* A program of one line, built into the folder. NULL: that cannot be built here. */
static const char *build(const char *name, const char *flags)
{
	char script[512];
	struct command_end end;

	snprintf(script, sizeof(script),
		"echo 'int main(void) { return 0; }' >%s/main.c && cc -o %s/%s %s/main.c %s",
		folder_name(), folder_name(), name, folder_name(), flags);
	end = command_run((const char *const[]){"sh", "-c", script, NULL}, NULL);
	return end.status == 0 ? place(name) : NULL;
}

static const char *must_build(const char *name, const char *flags)
{
	const char *path = build(name, flags);

	if (!path) {
		print_message("cannot be built here: cc %s\n", flags);
		skip();
	}
	return path;
}

/* The first line of stdout is the verdict, and one further line has each text. */
static void assert_verdict(const char *program, int verdict, const char *text)
{
	static const char *const verdicts[] = {"reachable", "not reachable", "cannot be told"};
	struct command_end end = command_run(CHECK(program), NULL);
	char line[256];

	snprintf(line, sizeof(line), "%s: %s\n", program, verdicts[verdict]);
	assert_int_equal(strncmp(end.output, line, strlen(line)), 0);
	assert_contains(end.output, text);
	assert_string_equal(end.errors, "");
	assert_int_equal(end.status, verdict);
}

/* ---- what is reached ----------------------------------------------------------------------- */

static void test_cli_check_dynamic_program_is_reachable(void **state)
{
	struct command_end end = command_run(CHECK(PROGRAM_FOLDER "actor"), NULL);

	(void)state;
	assert_int_equal(end.status, REACHABLE);
	assert_contains(end.output, PROGRAM_FOLDER "actor: reachable\n");
	assert_contains(end.output, "-bit ");
	assert_contains(end.output, "loaded by /lib");
}

/* Whether a name stands among those that are called. */
static bool is_called(const struct command_end *end, const char *name)
{
	const char *calls = strstr(end->output, "  calls ");
	size_t length = strlen(name);

	while (calls && (calls = strstr(calls, name))) {
		if (calls[-1] == ' ' && strchr(" \n", calls[length])) {
			return true;
		}
		calls += length;
	}
	return false;
}

/* By nm, in another way. */
static void test_cli_check_lists_what_is_imported_of_ours(void **state)
{
	struct command_end names = command_run(
		(const char *const[]){"sh", "-c",
			"nm -D --undefined-only " PROGRAM_FOLDER "actor | sed 's/.* //; s/@.*//'",
			NULL},
		NULL);
	char *imported = strdup(names.output);
	char *map = text_of_file(SC_SOURCE_DIR "/shim/libsafeclose.map");
	struct command_end end;
	size_t count = 0;
	char *rest;

	(void)state;
	if (!*imported) {
		print_message("there is no nm here\n");
		skip();
	}
	end = command_run(CHECK(PROGRAM_FOLDER "actor"), NULL);
	*strstr(map, "local:") = '\0';
	for (char *name = strtok_r(strstr(map, "global:") + 7, " \t\n;", &rest); name;
		name = strtok_r(NULL, " \t\n;", &rest)) {
		char line[64];
		char *found = imported;

		snprintf(line, sizeof(line), "%s\n", name);
		while ((found = strstr(found, line)) && found > imported && found[-1] != '\n') {
			found++;
		}
		if (is_called(&end, name) != (found != NULL)) {
			fail_msg("%s is%s imported:\n%s", name, found ? "" : " not", end.output);
		}
		count += found != NULL;
	}
	assert_true(count > 10);
	free(imported);
	free(map);
}

static void test_cli_check_looks_names_up(void **state)
{
	(void)state;
	assert_verdict("sh", REACHABLE, "/sh\n");
	assert_verdict("no-such-program", TROUBLE, "there is no program no-such-program");
}

/* Sections are not needed to run, so not to be read. */
static void test_cli_check_program_without_sections_is_read(void **state)
{
	static const unsigned char nothing[8];
	const char *path;
	struct command_end end;
	int fd;

	(void)state;
	sanitizer_skip_if(sizeof(void *) != 8, "the header's layout is that of 64 bits");
	path = place("actor");
	command_run((const char *const[]){"cp", PROGRAM_FOLDER "actor", path, NULL}, NULL);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, nothing, 8, 40), 8); /* e_shoff */
	assert_int_equal(pwrite(fd, nothing, 4, 60), 4); /* e_shnum, e_shstrndx */
	close(fd);
	end = command_run(CHECK(path), NULL);
	assert_int_equal(end.status, REACHABLE);
	assert_true(is_called(&end, "close"));
	assert_true(is_called(&end, "execve"));
}

/* ---- what is not --------------------------------------------------------------------------- */

static void test_cli_check_static_program_is_not(void **state)
{
	(void)state;
	assert_verdict(must_build("static", "-static"), UNREACHABLE, "static");
}

static void test_cli_check_static_pie_is_not(void **state)
{
	(void)state;
	assert_verdict(must_build("pie", "-static-pie"), UNREACHABLE, "static");
}

static void test_cli_check_shared_library_is_no_program(void **state)
{
	(void)state;
	command_run((const char *const[]){"cp", PROGRAM_LIBRARY, place("library"), NULL}, NULL);
	chmod(place("library"), 0755);
	assert_verdict(place("library"), TROUBLE, "a shared library");
}

static void test_cli_check_object_is_no_program(void **state)
{
	(void)state;
	assert_verdict(must_build("object", "-c"), TROUBLE, "cannot be executed");
	chmod(place("object"), 0755);
	assert_verdict(place("object"), TROUBLE, "not a program");
}

/* The same program, when its mode gives it another user's rights. */
static void test_cli_check_setuid_and_setgid_programs_are_not(void **state)
{
	static const struct {
		mode_t mode;
		int verdict;
		const char *text;
	} rows[] = {
		{04755, UNREACHABLE, "setuid "},
		{02755, UNREACHABLE, "setgid"},
		{06755, UNREACHABLE, "setuid "},
		{02745, REACHABLE, "loaded by"}, /* nobody of the group executes it: another mark */
		{01755, REACHABLE, "loaded by"},
	};
	const char *path;

	(void)state;
	path = must_build("program", "");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(chmod(path, rows[i].mode), 0);
		assert_verdict(path, rows[i].verdict, rows[i].text);
	}
}

static void test_cli_check_program_with_capabilities_is_not(void **state)
{
	/* Version 2: CAP_NET_BIND_SERVICE permitted. */
	static const unsigned char given[20] = {1, 0, 0, 2, 0, 4};
	static const unsigned char none[20] = {0, 0, 0, 2};
	static const unsigned char high[20] = {0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 1};
	const char *path;

	(void)state;
	path = must_build("program", "");
	if (setxattr(path, "security.capability", given, sizeof(given), 0) != 0) {
		print_message("capabilities cannot be set here: %s\n", strerror(errno));
		skip();
	}
	assert_verdict(path, UNREACHABLE, "file capabilities");
	assert_int_equal(setxattr(path, "security.capability", none, sizeof(none), 0), 0);
	assert_verdict(path, REACHABLE, "loaded by");
	assert_int_equal(setxattr(path, "security.capability", high, sizeof(high), 0), 0);
	assert_verdict(path, UNREACHABLE, "file capabilities");
}

static void test_cli_check_program_of_another_machine_is_not(void **state)
{
	unsigned char header[64] = {0x7f, 'E', 'L', 'F', 2, 1, 1};
	static const struct {
		unsigned char file_class;
		unsigned char order;
		unsigned char machine;
		const char *text;
	} rows[] = {
		{2, 1, 183, "64-bit aarch64"},
		{1, 1, 3, "32-bit x86"},
		{1, 1, 62, "32-bit x86-64"}, /* x32 */
		{2, 2, 22, "64-bit s390"},
		{2, 1, 255, "64-bit machine 255"},
	};

	(void)state;
#ifndef __x86_64__
	print_message("the table is x86-64's\n");
	skip();
#endif
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *path = place("foreign");
		int fd = open(path, O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0755);

		header[4] = rows[i].file_class;
		header[5] = rows[i].order;
		header[rows[i].order == 1 ? 16 : 17] = 2; /* ET_EXEC */
		header[rows[i].order == 1 ? 17 : 16] = 0;
		header[rows[i].order == 1 ? 18 : 19] = rows[i].machine;
		header[rows[i].order == 1 ? 19 : 18] = 0;
		assert_int_equal(write(fd, header, sizeof(header)), sizeof(header));
		close(fd);
		assert_verdict(path, UNREACHABLE, rows[i].text);
	}
}

/* What the Go linker leaves: a note with the build's id, or the head of .go.buildinfo. */
static void test_cli_check_go_program_is_not(void **state)
{
	static const struct {
		const char *text; /* assembler */
		const char *flags;
	} rows[] = {
		{".section .note.go.buildid,\"a\",@note\n.long 4,8,4\n.asciz \"Go\\0\"\n.ascii "
		 "\"abcdefgh\"\n",
			""},
		{".data\n.balign 16\n.ascii \"\\377 Go buildinf:\"\n.byte 8,2\n.zero 16\n", ""},
		{".section .note.go.buildid,\"a\",@note\n.long 4,8,4\n.asciz \"Go\\0\"\n.ascii "
		 "\"abcdefgh\"\n",
			"-static"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char flags[256];
		FILE *file = fopen(place("go.s"), "w");

		assert_non_null(file);
		fprintf(file, "%s.section .note.GNU-stack,\"\",@progbits\n", rows[i].text);
		fclose(file);
		snprintf(flags, sizeof(flags), "%s/go.s %s", folder_name(), rows[i].flags);
		assert_verdict(must_build("go", flags), UNREACHABLE, "a Go program");
	}
	/* A note that is somebody else's is none of Go's. */
	FILE *file = fopen(place("go.s"), "w");
	assert_non_null(file);
	fputs(".section .note.other,\"a\",@note\n.long 4,8,5\n.asciz \"Go\\0\"\n.ascii "
	      "\"abcdefgh\"\n.section .note.GNU-stack,\"\",@progbits\n",
		file);
	fclose(file);
	char flags[256];
	snprintf(flags, sizeof(flags), "%s/go.s", folder_name());
	assert_verdict(must_build("go", flags), REACHABLE, "loaded by");
}

static void test_cli_check_program_without_its_loader_cannot_be_run(void **state)
{
	(void)state;
	assert_verdict(must_build("lost", "-Wl,--dynamic-linker=/nowhere/ld.so"), TROUBLE,
		"its loader is /nowhere/ld.so");
}

/* ---- scripts ------------------------------------------------------------------------------- */

static void test_cli_check_follows_scripts(void **state)
{
	static const struct {
		const char *text;
		int verdict;
		const char *told;
	} rows[] = {
		{"#!/bin/sh\n", REACHABLE, "a script of /bin/sh\n"},
		{"#! /bin/sh -e\n", REACHABLE, "a script of /bin/sh\n"},
		{"#!/bin/sh", REACHABLE, "a script of /bin/sh\n"},
		{"#!/usr/bin/env sh\n", REACHABLE, "a script of /usr/bin/env sh\n"},
		{"#!/usr/bin/env -S sh -e\n", REACHABLE, "a script of /usr/bin/env sh\n"},
		{"#!/usr/bin/env -S X=1 sh -e\n", REACHABLE, "a script of /usr/bin/env sh\n"},
		{"#!/usr/bin/env -S -u PATHS sh\n", REACHABLE, "a script of /usr/bin/env sh\n"},
		{"#!/usr/bin/env -i\n", UNREACHABLE, "/usr/bin/env takes LD_PRELOAD away"},
		{"#!/usr/bin/env -S -i sh\n", UNREACHABLE, "/usr/bin/env takes LD_PRELOAD away"},
		{"#!/usr/bin/env -S -u LD_PRELOAD sh\n", UNREACHABLE, "takes LD_PRELOAD away"},
		{"#!/usr/bin/env -S LD_PRELOAD= sh\n", UNREACHABLE, "takes LD_PRELOAD away"},
		{"#!/usr/bin/env no-such-program\n", TROUBLE, "no program no-such-program"},
		{"#!/usr/bin/env -iS sh\n", UNREACHABLE, "takes LD_PRELOAD away"},
		{"#!/usr/bin/env -vS sh -i\n", REACHABLE, "a script of /usr/bin/env sh\n"},
		{"#!/usr/bin/env -S -uLD_PRELOAD sh\n", UNREACHABLE, "takes LD_PRELOAD away"},
		{"#!/usr/bin/env -S --unset LD_PRELOAD sh\n", UNREACHABLE, "LD_PRELOAD away"},
		{"#!/usr/bin/env -S --uns=LD_PRELOAD sh\n", UNREACHABLE, "LD_PRELOAD away"},
		{"#!/usr/bin/env -S --ignore-env sh\n", UNREACHABLE, "takes LD_PRELOAD away"},
		{"#!/usr/bin/env -S - sh\n", UNREACHABLE, "takes LD_PRELOAD away"},
		{"#!/usr/bin/env --split-string=sh -e\n", REACHABLE, "of /usr/bin/env sh\n"},
		{"#!/usr/bin/env --split-string=no-such\n", TROUBLE, "no program no-such"},
		{"#!/usr/bin/env -S X=\"a -i b\" 'sh' -e\n", REACHABLE, "of /usr/bin/env sh\n"},
		{"#!/usr/bin/env -S -C / -- sh -i\n", REACHABLE, "of /usr/bin/env sh\n"},
		{"#!/usr/bin/env -S --chdir / sh\n", REACHABLE, "of /usr/bin/env sh\n"},
		{"#!/bin/sh\r\n", TROUBLE, "no program /bin/sh\\x0d"},
		{"#!/nowhere/x\n", TROUBLE, "no program /nowhere/x"},
		{"echo hello\n", REACHABLE, "a script of /bin/sh\n"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_verdict(write_script("script", rows[i].text), rows[i].verdict, rows[i].told);
	}
}

static void test_cli_check_follows_scripts_of_scripts(void **state)
{
	char text[256];

	(void)state;
	write_script("s0", "#!/bin/sh\n");
	for (int i = 1; i <= 6; i++) {
		char name[8];

		snprintf(name, sizeof(name), "s%d", i);
		snprintf(text, sizeof(text), "#!%s/s%d\n", folder_name(), i - 1);
		write_script(name, text);
	}
	assert_verdict(place("s3"), REACHABLE, "/s2\n");
	assert_verdict(place("s6"), TROUBLE, "too many scripts");
	snprintf(text, sizeof(text), "#!%s/self\n", folder_name());
	assert_verdict(write_script("self", text), TROUBLE, "too many scripts");
}

static void test_cli_check_script_of_a_static_program_is_not(void **state)
{
	char text[256];
	const char *path;

	(void)state;
	path = must_build("static", "-static");
	snprintf(text, sizeof(text), "#!%s\n", path);
	assert_verdict(write_script("script", text), UNREACHABLE, "static");
}

/* ---- files that are something else --------------------------------------------------------- */

static void test_cli_check_what_is_no_program(void **state)
{
	(void)state;
	assert_verdict("/", TROUBLE, "cannot be executed");
	assert_verdict("/dev/null", TROUBLE, "cannot be executed");
	assert_verdict("/etc/passwd", TROUBLE, "cannot be executed");
	assert_verdict("/nowhere/x", TROUBLE, "there is no program");
	assert_verdict(write_script("empty", ""), TROUBLE, "not an ELF file");
	assert_verdict(write_script("short", "\177ELF\002\001"), TROUBLE, "not an ELF file");
}

/* Cut off anywhere, it is judged or called cut off, and nothing crashes. */
static void test_cli_check_program_cut_off(void **state)
{
	char *content = NULL;
	size_t size = 0;
	FILE *file = fopen(PROGRAM_FOLDER "signalled", "r");
	FILE *copy = open_memstream(&content, &size);

	(void)state;
	for (int c; (c = getc(file)) != EOF;) {
		putc(c, copy);
	}
	fclose(file);
	fclose(copy);
	for (size_t cut = 7; cut < size; cut += 1 + size / 60) {
		const char *path = place("cut");
		struct command_end end;
		int fd = open(path, O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0755);

		assert_int_equal(write(fd, content, cut), cut);
		close(fd);
		end = command_run(CHECK(path), NULL);
		assert_in_range(end.status, 0, 2);
		assert_string_equal(end.errors, "");
		assert_true(text_lines(end.output) >= 2);
	}
	free(content);
}

static void test_cli_check_foreign_names_are_escaped(void **state)
{
	struct command_end end = command_run(CHECK("\033[2J\nx: reachable"), NULL);

	(void)state;
	assert_int_equal(end.status, TROUBLE);
	assert_null(strchr(end.output, '\033'));
	assert_int_equal(text_lines(end.output), 2);
}

/* ---- the command line ---------------------------------------------------------------------- */

static void test_cli_check_several_are_as_bad_as_the_worst(void **state)
{
	const char *static_one;
	struct command_end end;

	(void)state;
	static_one = must_build("static", "-static");
	end = command_run(CHECK("sh", static_one, "sh"), NULL);
	assert_int_equal(end.status, UNREACHABLE);
	assert_int_equal(text_lines_with(end.output, ": reachable", NULL), 2);
	end = command_run(CHECK(static_one, "no-such-program", "sh"), NULL);
	assert_int_equal(end.status, TROUBLE);
	assert_int_equal(text_lines_with(end.output, "sh: reachable", NULL), 1);
	end = command_run(CHECK("sh", "sh"), NULL);
	assert_int_equal(end.status, REACHABLE);
}

static void test_cli_check_refuses_and_names_the_word(void **state)
{
	static const struct {
		const char *words[3];
		const char *named;
	} rows[] = {
		{{NULL}, "no program given"},
		{{"--frobnicate", "sh"}, "--frobnicate"},
		{{"-l"}, "-l needs a value"},
		{{"-l", "/nowhere/x.so", "sh"}, "/nowhere/x.so"},
		{{"--library=/etc/passwd", "sh"}, "/etc/passwd is not a shared library"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *words[] = {COMMAND_SAFECLOSE, "check", rows[i].words[0],
			rows[i].words[1], rows[i].words[2], NULL};
		struct command_end end = command_run(words, NULL);

		assert_int_equal(end.status, 2);
		assert_string_equal(end.output, "");
		assert_int_equal(text_lines(end.errors), 1);
		assert_int_equal(strncmp(end.errors, "safeclose: ", 11), 0);
		assert_contains(end.errors, rows[i].named);
	}
}

static void test_cli_check_help_is_told(void **state)
{
	struct command_end end = command_run(CHECK("--help"), NULL);

	(void)state;
	assert_int_equal(end.status, 0);
	assert_in_range(text_lines(end.output), 15, 50);
	assert_contains(end.output, "setuid");
}

/* ---- the truth ----------------------------------------------------------------------------- */

/* Is the library in the memory of what was run? It shows it by its own. */
static bool is_loaded(const char *path)
{
	struct command_end end = command_run(
		(const char *const[]){COMMAND_SAFECLOSE, "run", path, "/proc/self/maps", NULL},
		NULL);

	assert_int_equal(end.status, 0);
	return strstr(end.output, "libsafeclose.so") != NULL;
}

static void test_cli_check_tells_the_truth(void **state)
{
	char text[256];
	const char *shell;
	const char *cat = place("cat");

	(void)state;
	sanitizer_skip_if(sanitizer_is_any(), "the sanitizer's library has to be the first");
	assert_int_equal(command_run((const char *const[]){"sh", "-c",
					     "cp \"$(command -v cat)\" $0", cat, NULL},
				 NULL)
				 .status,
		0);
	assert_true(is_loaded(cat));
	assert_verdict(cat, REACHABLE, "loaded by");
	snprintf(text, sizeof(text), "#!/usr/bin/env -S -u LD_PRELOAD %s\n", cat);
	shell = write_script("stripped", text);
	assert_false(is_loaded(shell));
	assert_verdict(shell, UNREACHABLE, "takes LD_PRELOAD away");
	cat = place("cat");
	if (chown(cat, 65534, 65534) == 0) {
		assert_int_equal(chmod(cat, 04755), 0);
		assert_false(is_loaded(cat));
		assert_verdict(cat, UNREACHABLE, "setuid ");
	}
}

/* What is counted is nothing then, and success would be a lie. */
static void test_cli_check_is_asked_where_resets_are_counted(void **state)
{
	const char *const words[] = {
		COMMAND_SAFECLOSE, "run", "--fail-on-reset", must_build("static", "-static"), NULL};
	struct command_end end;

	(void)state;
	sanitizer_skip_if(sanitizer_is_any(), "the sanitizer's library has to be the first");
	end = command_run(words, NULL);
	assert_int_equal(end.status, 0);
	assert_int_equal(text_lines(end.errors), 1);
	assert_contains(end.errors, "safeclose: run: no reset by ");
	end = command_run((const char *const[]){COMMAND_SAFECLOSE, "run", "--fail-on-reset",
				  must_build("dynamic", ""), NULL},
		NULL);
	assert_string_equal(end.errors, "");
}

#define WITH_FOLDER(test) cmocka_unit_test_setup_teardown(test, make_folder, folder_remove)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_FOLDER(test_cli_check_dynamic_program_is_reachable),
		WITH_FOLDER(test_cli_check_lists_what_is_imported_of_ours),
		WITH_FOLDER(test_cli_check_looks_names_up),
		WITH_FOLDER(test_cli_check_program_without_sections_is_read),
		WITH_FOLDER(test_cli_check_static_program_is_not),
		WITH_FOLDER(test_cli_check_static_pie_is_not),
		WITH_FOLDER(test_cli_check_shared_library_is_no_program),
		WITH_FOLDER(test_cli_check_object_is_no_program),
		WITH_FOLDER(test_cli_check_setuid_and_setgid_programs_are_not),
		WITH_FOLDER(test_cli_check_program_with_capabilities_is_not),
		WITH_FOLDER(test_cli_check_program_of_another_machine_is_not),
		WITH_FOLDER(test_cli_check_go_program_is_not),
		WITH_FOLDER(test_cli_check_program_without_its_loader_cannot_be_run),
		WITH_FOLDER(test_cli_check_follows_scripts),
		WITH_FOLDER(test_cli_check_follows_scripts_of_scripts),
		WITH_FOLDER(test_cli_check_script_of_a_static_program_is_not),
		WITH_FOLDER(test_cli_check_what_is_no_program),
		WITH_FOLDER(test_cli_check_program_cut_off),
		WITH_FOLDER(test_cli_check_foreign_names_are_escaped),
		WITH_FOLDER(test_cli_check_several_are_as_bad_as_the_worst),
		WITH_FOLDER(test_cli_check_refuses_and_names_the_word),
		WITH_FOLDER(test_cli_check_help_is_told),
		WITH_FOLDER(test_cli_check_tells_the_truth),
		WITH_FOLDER(test_cli_check_is_asked_where_resets_are_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
