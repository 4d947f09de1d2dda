// SPDX-License-Identifier: MIT
/* safeclose check: does preloading reach a program, and if not, why? */
#include "check.h"
#include "cli.h"
#include "elf.h"
#include "library.h"
#include "line.h"
#include "script.h"
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <linux/capability.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>
#include <unistd.h>

enum { REACHABLE, UNREACHABLE, TROUBLE };
enum {
	SCRIPTS_MAX = 5, /* as the kernel: a script run by a script ... */
	WIDTH = 96,
	SHOWN_MAX = 4096,
	NOTES_SIZE = 64 << 10,
};

/* The library, as far as it matters here. */
struct subject {
	struct cli_library library;
	struct cli_elf elf;
	struct cli_elf other; /* of the other class, where there is one */
};

/* What is found out of one program; the notes are told below the verdict. */
struct finding {
	int verdict;
	size_t note_bytes;
	char notes[NOTES_SIZE];
};

static int tell_help(void)
{
	puts("usage: safeclose check [OPTION]... PROGRAM...\n"
	     "\n"
	     "Says whether libsafeclose.so can be preloaded into each PROGRAM, a path or a name to "
	     "be\n"
	     "looked up in PATH, and if not, why: it is read, not run.\n"
	     "\n"
	     "  -l, --library FILE   the library, where it is not beside this command or "
	     "installed\n"
	     "  -h, --help\n"
	     "\n"
	     "What cannot be reached\n"
	     "  static programs             no loader runs that could preload anything\n"
	     "  setuid, setgid and          the loader ignores LD_PRELOAD in them, unless who "
	     "runs\n"
	     "  programs with capabilities  them has the rights already\n"
	     "  another machine or class    the library is for one of each\n"
	     "  Go programs                 they make their system calls themselves\n"
	     "Scripts are followed to what runs them, through env too. What a program calls of "
	     "what\n"
	     "the library intercepts is listed; the libraries that it uses may call more.\n"
	     "\n"
	     "Exit status: 0 if all can be reached, 1 if one cannot, 2 if one cannot be looked "
	     "at.");
	return cli_end_output(0, TROUBLE);
}

/* ---- notes --------------------------------------------------------------------------------- */

/* One indented line; what is foreign in it is escaped. */
static void __attribute__((format(printf, 2, 3)))
note(struct finding *finding, const char *format, ...)
{
	char text[SHOWN_MAX];
	struct sc_line line = {finding->notes, sizeof(finding->notes) - 1, finding->note_bytes};
	va_list values;
	va_start(values, format);
	vsnprintf(text, sizeof(text), format, values);
	va_end(values);
	sc_line_add(&line, "  ");
	sc_line_add_escaped(&line, text, sizeof(text));
	sc_line_end(&line);
	finding->note_bytes = line.length;
}

static void judge(struct finding *finding, int verdict)
{
	finding->verdict = verdict > finding->verdict ? verdict : finding->verdict;
}

/* ---- rights -------------------------------------------------------------------------------- */

static uint32_t little_endian(const unsigned char *bytes)
{
	return bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 |
	       (uint32_t)bytes[3] << 24;
}

/* Does the file give capabilities to who runs it? */
static bool has_capabilities(const char *path)
{
	unsigned char value[XATTR_CAPS_SZ_3];
	ssize_t bytes = getxattr(path, "security.capability", value, sizeof(value));
	uint32_t permitted = bytes >= (ssize_t)XATTR_CAPS_SZ_1 ? little_endian(value + 4) : 0;
	if (bytes >= (ssize_t)XATTR_CAPS_SZ_2) {
		permitted |= little_endian(value + 12);
	}
	return permitted != 0;
}

static void check_rights(struct finding *finding, const char *path, const struct stat *status)
{
	struct statvfs mount;
	if (statvfs(path, &mount) == 0 && (mount.f_flag & ST_NOSUID)) {
		return; /* nothing is given there */
	}
	if (status->st_mode & S_ISUID) {
		const struct passwd *user = getpwuid(status->st_uid);
		judge(finding, UNREACHABLE);
		note(finding, "setuid %s: the loader ignores LD_PRELOAD for all other users",
			user != NULL ? user->pw_name : "(a user without a name)");
	}
	/* Without the right to execute it is a mark of mandatory locking. */
	if ((status->st_mode & S_ISGID) && (status->st_mode & S_IXGRP)) {
		judge(finding, UNREACHABLE);
		note(finding, "setgid: the loader ignores LD_PRELOAD for who is not of its group");
	}
	if (has_capabilities(path)) {
		judge(finding, UNREACHABLE);
		note(finding, "file capabilities: the loader ignores LD_PRELOAD for all but root");
	}
}

/* ---- programs ------------------------------------------------------------------------------ */

static int compare_symbols(const void *left, const void *right)
{
	const struct cli_elf_symbol *one = left;
	const struct cli_elf_symbol *other = right;
	return strcmp(one->name, other->name);
}

static void sort_symbols(struct cli_elf *elf)
{
	if (elf->symbol_count > 0) {
		qsort(elf->symbols, elf->symbol_count, sizeof(elf->symbols[0]), compare_symbols);
	}
}

static bool is_exported(const struct cli_elf *library, const struct cli_elf_symbol *symbol)
{
	const struct cli_elf_symbol *found = bsearch(symbol, library->symbols,
		library->symbol_count, sizeof(library->symbols[0]), compare_symbols);
	return found != NULL && found->is_defined;
}

/* The names that the program takes from others and that are ours, in lines of WIDTH. */
static void note_calls(struct finding *finding, struct cli_elf *elf, const struct cli_elf *library)
{
	char text[WIDTH];
	struct sc_line line = {text, sizeof(text), 0};
	const char *last = "";
	sort_symbols(elf);
	for (size_t i = 0; i < elf->symbol_count; i++) {
		const struct cli_elf_symbol *symbol = &elf->symbols[i];
		if (symbol->is_defined || strcmp(symbol->name, last) == 0 ||
			!is_exported(library, symbol)) {
			continue;
		}
		if (line.length + strlen(symbol->name) + 1 > line.size) {
			note(finding, "%.*s", (int)line.length, text);
			line.length = 0;
		}
		sc_line_add(&line, line.length > 0 ? " " : *last != '\0' ? "      " : "calls ");
		sc_line_add(&line, symbol->name);
		last = symbol->name;
	}
	if (line.length > 0) {
		note(finding, "%.*s", (int)line.length, text);
	} else {
		note(finding, "calls nothing itself that the library intercepts");
	}
}

static void check_loader(struct finding *finding, const struct cli_elf *elf)
{
	char kind[64];
	if (!elf->has_interpreter) {
		judge(finding, UNREACHABLE);
		note(finding, "static: no loader runs that could preload anything");
	} else if (access(elf->interpreter, X_OK) != 0) {
		judge(finding, TROUBLE);
		note(finding, "its loader is %s, which is not there: it cannot be run",
			elf->interpreter);
	} else {
		note(finding, "%s, loaded by %s", cli_elf_kind(elf, kind, sizeof(kind)),
			elf->interpreter);
	}
}

static void check_elf(struct finding *finding, struct cli_elf *elf, const struct subject *subject)
{
	char kind[64];
	char ours[64];
	const struct cli_elf *library = cli_elf_is_same_kind(elf, &subject->elf) ? &subject->elf
					: cli_elf_is_same_kind(elf, &subject->other)
						? &subject->other
						: NULL;
	bool is_library = elf->type == ET_DYN && !elf->has_interpreter &&
			  !elf->is_position_independent_program;
	if (is_library || (elf->type != ET_EXEC && elf->type != ET_DYN)) {
		judge(finding, TROUBLE);
		note(finding, is_library ? "a shared library" : "an ELF file, but not a program");
		return;
	}
	if (library == NULL) {
		judge(finding, UNREACHABLE);
		note(finding, "%s: the library is %s", cli_elf_kind(elf, kind, sizeof(kind)),
			cli_elf_kind(&subject->elf, ours, sizeof(ours)));
		return;
	}
	check_loader(finding, elf);
	if (elf->is_go) {
		judge(finding, UNREACHABLE);
		note(finding, "a Go program: it makes its system calls itself");
	}
	if (finding->verdict == REACHABLE) {
		note_calls(finding, elf, library);
	}
}

static void check_file(
	struct finding *finding, const char *name, const struct subject *subject, int depth);

static void follow(struct finding *finding, const struct cli_script *script,
	const struct subject *subject, int depth)
{
	const char *next = *script->program != '\0' ? script->program : script->interpreter;
	if (script->is_stripped) {
		judge(finding, UNREACHABLE);
		note(finding, "a script: %s takes LD_PRELOAD away", script->interpreter);
	} else if (depth == SCRIPTS_MAX) {
		judge(finding, TROUBLE);
		note(finding, "too many scripts run one another");
	} else {
		note(finding, "a script of %s%s%s", script->interpreter,
			*script->program != '\0' ? " " : "", script->program);
		check_file(finding, next, subject, depth + 1);
	}
}

/* Neither ELF nor "#!": a shell, and execvp(), have it run by sh, if it is text. */
static bool is_shell_text(const char *head, size_t bytes)
{
	bool is_elf = bytes >= SELFMAG && memcmp(head, ELFMAG, SELFMAG) == 0;
	return bytes > 0 && !is_elf && memchr(head, '\0', bytes) == NULL;
}

static void check_content(struct finding *finding, int fd, const struct subject *subject, int depth)
{
	char head[CLI_SCRIPT_HEAD_BYTES];
	struct cli_script script;
	ssize_t bytes = pread(fd, head, sizeof(head), 0);
	cli_script_parse(&script, head, bytes > 0 ? (size_t)bytes : 0);
	if (*script.interpreter == '\0' && bytes > 0 && is_shell_text(head, (size_t)bytes)) {
		snprintf(script.interpreter, sizeof(script.interpreter), "/bin/sh");
	}
	if (*script.interpreter != '\0') {
		follow(finding, &script, subject, depth);
		return;
	}
	struct cli_elf elf;
	const char *trouble = cli_elf_read(&elf, fd);
	if (trouble != NULL) {
		judge(finding, TROUBLE);
		note(finding, "%s", trouble);
	} else {
		check_elf(finding, &elf, subject);
	}
	cli_elf_free(&elf);
}

static bool is_script(int fd)
{
	char head[2];
	return pread(fd, head, sizeof(head), 0) == 2 && head[0] == '#' && head[1] == '!';
}

static void check_file(
	struct finding *finding, const char *name, const struct subject *subject, int depth)
{
	char path[PATH_MAX];
	struct stat status;
	if (!cli_script_find_program(name, path) || stat(path, &status) != 0) {
		judge(finding, TROUBLE);
		note(finding, "there is no program %s", name);
		return;
	}
	if (!S_ISREG(status.st_mode) || access(path, X_OK) != 0) {
		judge(finding, TROUBLE);
		note(finding, "%s cannot be executed", path);
		return;
	}
	if (strcmp(path, name) != 0) {
		note(finding, "%s", path);
	}
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || !is_script(fd)) { /* the kernel gives a script nothing */
		check_rights(finding, path, &status);
	}
	if (fd >= 0) {
		check_content(finding, fd, subject, depth);
		close(fd);
	} else if (finding->verdict == REACHABLE) {
		judge(finding, TROUBLE);
		note(finding, "%s cannot be read: %s", path, strerror(errno));
	}
}

static int check_program(const char *name, const struct subject *subject)
{
	static const char *const verdicts[] = {"reachable", "not reachable", "cannot be told"};
	static struct finding finding;
	char shown[SHOWN_MAX];
	struct sc_line line = {shown, sizeof(shown) - 1, 0};
	finding = (struct finding){.verdict = REACHABLE};
	check_file(&finding, name, subject, 0);
	sc_line_add_escaped(&line, name, sizeof(shown));
	printf("%.*s: %s\n%.*s", (int)line.length, shown, verdicts[finding.verdict],
		(int)finding.note_bytes, finding.notes);
	return finding.verdict;
}

/* ---- the whole ----------------------------------------------------------------------------- */

static bool read_library(struct cli_elf *elf, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	const char *trouble = fd >= 0 ? cli_elf_read(elf, fd) : strerror(errno);
	if (fd >= 0) {
		close(fd);
	}
	if (trouble != NULL) {
		cli_complain("%s: %s", path, trouble);
	}
	sort_symbols(elf);
	return trouble == NULL;
}

static bool read_libraries(struct subject *subject)
{
	return read_library(&subject->elf, subject->library.path) &&
	       (subject->library.other[0] == '\0' ||
		       read_library(&subject->other, subject->library.other));
}

static void forget_libraries(struct subject *subject)
{
	cli_elf_free(&subject->elf);
	cli_elf_free(&subject->other);
}

bool cli_check_is_out_of_reach(const struct cli_library *library, const char *name)
{
	static struct subject subject;
	static struct finding finding;
	subject.library = *library;
	if (read_libraries(&subject)) {
		check_file(&finding, name, &subject, 0);
	}
	forget_libraries(&subject);
	return finding.verdict == UNREACHABLE;
}

static int check_all(char **names, const char *wanted)
{
	static struct subject subject;
	int worst = REACHABLE;
	if (!cli_library_find(&subject.library, wanted)) {
		return TROUBLE;
	}
	bool is_ready = read_libraries(&subject);
	for (; is_ready && *names != NULL; names++) {
		int verdict = check_program(*names, &subject);
		worst = verdict > worst ? verdict : worst;
	}
	forget_libraries(&subject);
	worst = is_ready ? worst : TROUBLE;
	return cli_end_output(worst, TROUBLE);
}

int cli_check(int argc, char **argv)
{
	static const struct option options[] = {
		{"library", required_argument, NULL, CLI_OPTION_LIBRARY},
		{"help", no_argument, NULL, CLI_OPTION_HELP},
		{NULL, 0, NULL, 0},
	};
	const char *library = NULL;
	for (int answer; (answer = getopt_long(argc, argv, ":l:h", options, NULL)) != -1;) {
		if (answer == 'h' || answer == CLI_OPTION_HELP) {
			return tell_help();
		}
		if (answer != 'l' && answer != CLI_OPTION_LIBRARY) {
			return cli_complain_of_option("check", answer, argv);
		}
		library = optarg;
	}
	if (optind == argc) {
		cli_complain("check: no program given; see safeclose check --help");
		return CLI_USAGE;
	}
	return check_all(argv + optind, library);
}
