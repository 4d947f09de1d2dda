// SPDX-License-Identifier: MIT
// LINK: config.o line.o only.o
// HARNESS
/*
 * safeclose run: what it sets, what it refuses, how it ends, and what it counts. That the library is
 * really there is judged by what becomes of connections.
 */
#include "config.h"
#include "harness/command.h"
#include "harness/deadline.h"
#include "harness/sanitizer.h"
#include "harness/stage.h"
#include "harness/text.h"
#include "harness/unit.h"
#include "harness/verdict.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define SAFECLOSE COMMAND_SAFECLOSE
#define ACTOR PROGRAM_FOLDER "actor"
#define SIGNALLED PROGRAM_FOLDER "signalled"
#define RUN(...)                                    \
	(const char *const[])                       \
	{                                           \
		SAFECLOSE, "run", __VA_ARGS__, NULL \
	}
#define ENVIRONMENT(...)          \
	(const char *const[])     \
	{                         \
		__VA_ARGS__, NULL \
	}

enum { FAILED_ON_RESET = 86, HELP_COLUMNS_MAX = 100 };

/* A sanitizer's library has to be the first one, and this command puts ours there. */
static void skip_for_sanitizer(void)
{
	sanitizer_skip_if(sanitizer_is_any(), "the sanitizer's library has to be the first");
}

static void assert_contains(const char *text, const char *wanted)
{
	if (!strstr(text, wanted)) {
		fail_msg("no \"%s\" in:\n%s", wanted, text);
	}
}

/* One line of stderr, which begins as all do and names the word. */
static void assert_refused(const struct command_end *end, const char *word)
{
	assert_int_equal(end->status, 2);
	assert_string_equal(end->output, "");
	assert_int_equal(text_lines(end->errors), 1);
	assert_int_equal(strncmp(end->errors, "safeclose: ", 11), 0);
	assert_contains(end->errors, word);
}

/* ---- what is refused ----------------------------------------------------------------------- */

static void test_cli_run_refuses_and_names_the_word(void **state)
{
	static const struct {
		const char *words[6];
		const char *named;
	} rows[] = {
		{{"--mode=nonsense", "true"}, "--mode: nonsense"},
		{{"--mode", "fin!", "true"}, "--mode: fin!"},
		{{"--linger-time", "5 parsecs", "true"}, "--linger-time: 5 parsecs"},
		{{"--drain-max=many", "true"}, "--drain-max: many"},
		{{"--log=", "true"}, "--log: an empty value"},
		{{"--moed", "fin", "true"}, "--moed"},
		{{"-x", "true"}, "-x"},
		{{"-zh", "true"}, "-z"},
		{{"--json", "-zh", "true"}, "unknown option -z;"},
		{{"--mode=warn", "-zh", "true"}, "unknown option -z;"},
		{{"--json", "-\303\251", "true"}, "unknown option -\\xc3;"},
		{{"--mode"}, "--mode needs a value"},
		{{"-l"}, "-l needs a value"},
		{{"--dry-run=yes", "true"}, "--dry-run=yes takes no value"},
		{{"--help=yes", "true"}, "--help=yes takes no value"},
		{{"--fail-on-reset=0", "true"}, "0 is not a status"},
		{{"--fail-on-reset=256", "true"}, "256 is not a status"},
		{{"--fail-on-reset=", "true"}, "an empty value"},
		{{"--fail-on-reset=8x", "true"}, "8x is not a status"},
		{{"--fail-on-reset", "--mode", "off", "true"}, "mode off"},
		{{"--mode", "warn"}, "no command"},
		{{"--"}, "no command"},
		{{"-l", "/nowhere/x.so", "true"}, "/nowhere/x.so"},
		{{"-l", "/etc/passwd", "true"}, "/etc/passwd is not a shared library"},
		{{"--mode", "\033[2Jx", "true"}, "\\x1b[2Jx"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *words[10] = {SAFECLOSE, "run"};

		memcpy(&words[2], rows[i].words, sizeof(rows[i].words));
		struct command_end end = command_run(words, NULL);

		assert_refused(&end, rows[i].named);
	}
}

static void test_cli_run_refuses_what_it_inherits(void **state)
{
	struct command_end end;

	(void)state;
	end = command_run(RUN("true"), ENVIRONMENT("SAFECLOSE_DRAIN_MAX=lots"));
	assert_refused(&end, "SAFECLOSE_DRAIN_MAX=lots");
	end = command_run(RUN("true"), ENVIRONMENT("SAFECLOSE_MOED=fin"));
	assert_refused(&end, "SAFECLOSE_MODE");
	/* What the option says is what counts. */
	end = command_run(
		RUN("--mode=fin", "--dry-run", "true"), ENVIRONMENT("SAFECLOSE_MODE=nonsense"));
	assert_int_equal(end.status, 0);
}

static void test_cli_main_refuses_and_names_the_word(void **state)
{
	struct command_end end;

	(void)state;
	end = command_run((const char *const[]){SAFECLOSE, NULL}, NULL);
	assert_refused(&end, "no command");
	end = command_run((const char *const[]){SAFECLOSE, "rum", NULL}, NULL);
	assert_refused(&end, "command rum");
	end = command_run((const char *const[]){SAFECLOSE, "--hepl", NULL}, NULL);
	assert_refused(&end, "option --hepl");
}

/* ---- help ---------------------------------------------------------------------------------- */

static void test_cli_help_is_one_screen_with_every_variable(void **state)
{
	struct command_end end = command_run(RUN("--help"), NULL);
	size_t lines = text_lines(end.output);

	(void)state;
	assert_int_equal(end.status, 0);
	assert_string_equal(end.errors, "");
	if (lines < 24 || lines > 50) {
		fail_msg("%zu lines", lines);
	}
	for (const char *line = end.output; *line; line += strcspn(line, "\n") + 1) {
		if (strcspn(line, "\n") > HELP_COLUMNS_MAX) {
			fail_msg("wider than %d columns: %s", HELP_COLUMNS_MAX, line);
		}
	}
	/* What may stand there, where it is too long for the line of the option. */
	assert_contains(end.output, "stderr, syslog or a path");
	assert_contains(end.output, "peer:ADDR[/LEN][:PORT]");
	for (size_t i = 0; sc_config_option(i); i++) {
		char variable[128];

		snprintf(variable, sizeof(variable), " %s=", sc_config_option(i)->name);
		assert_int_equal(text_lines_with(end.output, "  --", variable), 1);
	}
	assert_contains(end.output, "--fail-on-reset");
	assert_contains(end.output, "--json");
	assert_contains(end.output, "--dry-run");
	assert_contains(end.output, "--library");
}

static void test_cli_main_tells_its_commands_and_version(void **state)
{
	struct command_end end =
		command_run((const char *const[]){SAFECLOSE, "--help", NULL}, NULL);

	(void)state;
	assert_int_equal(end.status, 0);
	assert_int_equal(text_lines_with(end.output, "  run ", NULL), 1);
	assert_int_equal(text_lines_with(end.output, "  check ", NULL), 1);
	end = command_run((const char *const[]){SAFECLOSE, "--version", NULL}, NULL);
	assert_int_equal(end.status, 0);
	assert_int_equal(text_lines(end.output), 1);
	assert_int_equal(strncmp(end.output, "safeclose 0.", 12), 0);
}

static void test_cli_output_that_cannot_be_written_fails(void **state)
{
	struct command_end end = command_run(
		(const char *const[]){"sh", "-c", "\"$0\" --help >/dev/full", SAFECLOSE, NULL},
		NULL);

	(void)state;
	assert_int_equal(end.status, 1);
	assert_contains(end.errors, "safeclose: cannot write to stdout");
}

/* ---- the environment ----------------------------------------------------------------------- */

/* SAFECLOSE_LINGER_TIME -> --linger-time= */
static void option_of(const char *variable, char *option, size_t size, const char *value)
{
	snprintf(option, size, "--%s=%s", variable + strlen("SAFECLOSE_"), value);
	for (char *at = option + 2; *at && *at != '='; at++) {
		*at = *at == '_' ? '-' : (char)(*at | 0x20);
	}
}

static void test_cli_run_has_an_option_for_every_variable(void **state)
{
	size_t count = 0;

	(void)state;
	for (; sc_config_option(count); count++) {
		const struct sc_option *row = sc_config_option(count);
		struct command_end end;
		char option[128];
		char entry[128];

		option_of(row->name, option, sizeof(option), row->default_text);
		snprintf(entry, sizeof(entry), "\n%s=%s\n", row->name, row->default_text);
		end = command_run(RUN("--dry-run", option, "env"), NULL);
		assert_int_equal(end.status, 0);
		assert_contains(end.output, row->name);
		if (!sanitizer_is_any()) {
			end = command_run(RUN(option, "env"), NULL);
			assert_int_equal(end.status, 0);
			assert_contains(end.output, entry);
		}
	}
	assert_true(count > 10);
}

/* The line of `env` that begins so, without its newline. The caller frees it. */
static char *variable_of(const struct command_end *end, const char *begin)
{
	const char *place = strstr(end->output, begin);

	if (!place) {
		fail_msg("no %s in:\n%s", begin, end->output);
		return NULL;
	}
	place += strlen(begin);
	return strndup(place, strcspn(place, "\n"));
}

static void assert_preload(const char *present, const char *wanted)
{
	struct command_end end = command_run(RUN("env"), ENVIRONMENT(present));
	char *value;

	assert_int_equal(end.status, 0);
	value = variable_of(&end, "LD_PRELOAD=");
	assert_string_equal(value, wanted);
	free(value);
}

static void test_cli_run_keeps_what_is_preloaded(void **state)
{
	(void)state;
	skip_for_sanitizer();
	assert_preload("X=1", PROGRAM_LIBRARY);
	assert_preload("LD_PRELOAD=", PROGRAM_LIBRARY);
	assert_preload("LD_PRELOAD=libm.so.6", PROGRAM_LIBRARY ":libm.so.6");
	assert_preload(
		"LD_PRELOAD= libm.so.6  libdl.so.2:", PROGRAM_LIBRARY ":libm.so.6:libdl.so.2");
	assert_preload("LD_PRELOAD=libm.so.6:" PROGRAM_LIBRARY " libdl.so.2",
		PROGRAM_LIBRARY ":libm.so.6:libdl.so.2");
}

static void test_cli_run_log_is_where_the_user_is(void **state)
{
	struct command_end end;

	(void)state;
	end = command_run(
		(const char *const[]){"sh", "-c",
			"cd /tmp && \"$0\" run --dry-run --log 'a b' true", SAFECLOSE, NULL},
		NULL);
	assert_contains(end.output, "SAFECLOSE_LOG='/tmp/a b'");
	end = command_run(RUN("--dry-run", "--log", "syslog", "true"), NULL);
	assert_contains(end.output, "SAFECLOSE_LOG=syslog ");
	end = command_run(RUN("--dry-run", "true"), ENVIRONMENT("SAFECLOSE_LOG=its/own"));
	assert_contains(end.output, "SAFECLOSE_LOG=its/own ");
}

static void test_cli_run_json_is_a_format(void **state)
{
	struct command_end end = command_run(RUN("--json", "--dry-run", "true"), NULL);

	(void)state;
	for (size_t i = 0; sc_config_option(i); i++) {
		if (strcmp(sc_config_option(i)->name, "SAFECLOSE_FORMAT") == 0) {
			assert_int_equal(end.status, 0);
			assert_contains(end.output, "SAFECLOSE_FORMAT=json ");
			return;
		}
	}
	assert_refused(&end, "SAFECLOSE_FORMAT");
}

/* Pasted into a shell, it does what it would have done. */
static void test_cli_run_dry_run_can_be_pasted(void **state)
{
	const char *argument = "it's $HOME `x` \"\\ \t*\n;&|";
	struct command_end end;
	char *line;

	(void)state;
	end = command_run(RUN("--dry-run", "--mode", "fin", "--drain-max=5M", "printf", "%s[%s]",
				  argument, ""),
		NULL);
	assert_int_equal(end.status, 0);
	line = strdup(end.output);
	assert_contains(line, "SAFECLOSE_MODE=fin ");
	assert_contains(line, "SAFECLOSE_DRAIN_MAX=5M ");
	assert_contains(line, "LD_PRELOAD=" PROGRAM_LIBRARY " ");
	if (!sanitizer_is_any()) {
		char wanted[128];

		snprintf(wanted, sizeof(wanted), "%s[]", argument);
		end = command_run((const char *const[]){"sh", "-c", line, NULL}, NULL);
		assert_int_equal(end.status, 0);
		assert_string_equal(end.output, wanted);
	}
	free(line);
}

static void test_cli_run_dry_run_of_counting_counts(void **state)
{
	struct command_end end = command_run(
		RUN("--dry-run", "--fail-on-reset=9", "--mode=fin", "sh", "-c", "exit 3"), NULL);
	char *line = strdup(end.output);

	(void)state;
	assert_contains(line, "SAFECLOSE_MODE=fin ");
	assert_contains(line, " run --fail-on-reset=9 --library=" PROGRAM_LIBRARY " -- sh -c ");
	end = command_run((const char *const[]){"sh", "-c", line, NULL}, NULL);
	free(line);
	if (!sanitizer_is_any()) {
		assert_int_equal(end.status, 3);
	}
}

/* ---- the library --------------------------------------------------------------------------- */

static char folder[64];

static int make_folder(void **state)
{
	(void)state;
	snprintf(folder, sizeof(folder), "/tmp/safeclose-test-XXXXXX");
	return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
	(void)state;
	command_run((const char *const[]){"rm", "-rf", folder, NULL}, NULL);
	return stage_teardown(state);
}

/* In the folder, with the command's and the library's file as $1 and $2. */
static struct command_end in_folder(const char *script)
{
	char whole[2048];

	snprintf(whole, sizeof(whole), "set -e; cd %s; %s", folder, script);
	return command_run((const char *const[]){"sh", "-c", whole, "sh", SAFECLOSE,
				   PROGRAM_LIBRARY, ACTOR, NULL},
		NULL);
}

static void test_cli_run_library_with_a_blank_or_colon_is_refused(void **state)
{
	static const char *const names[] = {"a b", "a:b", "a$LIB"};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char script[256];
		struct command_end end;

		snprintf(script, sizeof(script),
			"mkdir '%s'; cp $2 '%s/'; exec $1 run -l '%s/libsafeclose.so' true",
			names[i], names[i], names[i]);
		end = in_folder(script);
		assert_refused(&end, names[i]);
		assert_contains(end.errors, "cannot be preloaded");
	}
}

static void test_cli_run_finds_the_library(void **state)
{
	static const struct {
		const char *script;
		const char *library; /* in the folder */
	} rows[] = {
		{"mkdir bin lib; cp $1 bin; cp $2 lib; bin/safeclose run --dry-run true",
			"lib/libsafeclose.so"},
		{"cp $1 $2 .; ./safeclose run --dry-run true", "libsafeclose.so"},
		{"mkdir b; cp $2 b; cd b; $1 run -l libsafeclose.so --dry-run true",
			"b/libsafeclose.so"},
		{"mkdir b; cp $2 b; $1 run --library b/libsafeclose.so --dry-run true",
			"b/libsafeclose.so"},
		/* The command is a link to where it lies. */
		{"mkdir b; cp $1 $2 b; ln -s b/safeclose s; ./s run --dry-run true",
			"b/libsafeclose.so"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char wanted[128];
		struct command_end end;

		assert_int_equal(make_folder(state), 0);
		end = in_folder(rows[i].script);
		snprintf(wanted, sizeof(wanted), "LD_PRELOAD=%s/%s ", folder, rows[i].library);
		assert_int_equal(end.status, 0);
		assert_contains(end.output, wanted);
		if (i + 1 < sizeof(rows) / sizeof(rows[0])) {
			remove_folder(state);
		}
	}
}

static void test_cli_run_without_a_library_says_so(void **state)
{
	struct command_end end = in_folder("cp $1 .; exec ./safeclose run --dry-run true");

	(void)state;
	if (end.status == 0) {
		print_message("a library is installed here\n");
		skip();
	}
	assert_refused(&end, "cannot find libsafeclose.so");
}

#define LIB32 SC_BUILD_DIR "/lib32/"

/* 32-bit ELF, as much of it as is looked at. */
#define FAKE_32_BIT                                                                           \
	"printf "                                                                             \
	"'\\177ELF\\001\\001\\001\\0\\0\\0\\0\\0\\0\\0\\0\\0\\003\\0\\003\\0\\001\\0\\0\\0' " \
	">libsafeclose.so; head -c 28 /dev/zero >>libsafeclose.so; "

/* What $LIB is for the i386 loader here, which Debian has in two packages; NULL: there is none. */
static const char *lib_of_i386(void)
{
	static const char *const places[] = {"lib32", "lib/i386-linux-gnu"};
	char path[4096];

	for (size_t i = 0; i < 2 && realpath("/lib/ld-linux.so.2", path); i++) {
		if (strstr(path, places[i])) {
			return places[i];
		}
	}
	return NULL;
}

/* The loaders know what is meant. */
static void assert_both_are_loaded(void)
{
	struct command_end end = in_folder("exec bin/safeclose run cat /proc/self/maps");

	assert_int_equal(end.status, 0);
	assert_string_equal(end.errors, "");
	assert_contains(end.output, "/lib/x86_64-linux-gnu/libsafeclose.so");
	if (access(LIB32 "libsafeclose.so", F_OK) != 0 ||
		access(LIB32 "tests/programs/actor", X_OK) != 0) {
		return;
	}
	end = in_folder("cp " LIB32 "libsafeclose.so \"$(find . -path './lib*32*/libsafeclose.so' "
			"-o -path '*i386*/libsafeclose.so')\"; exec bin/safeclose run " LIB32
			"tests/programs/actor say hello");
	assert_string_equal(end.errors, "");
	assert_int_equal(end.status, 0);
	end = in_folder("exec bin/safeclose check " LIB32 "tests/programs/actor");
	assert_int_equal(end.status, 0);
	assert_contains(end.output, "32-bit x86");
}

static void test_cli_run_both_classes_go_by_lib(void **state)
{
	const char *other = lib_of_i386();
	struct command_end end;
	char script[512];
	char wanted[128];

	(void)state;
	if (access("/lib/x86_64-linux-gnu/libc.so.6", F_OK) != 0 || !other) {
		print_message("this loader's $LIB is not known to this test, or i386 has none\n");
		skip();
	}
	/* Without the other class's library, as it is. */
	snprintf(script, sizeof(script),
		"mkdir -p bin lib/x86_64-linux-gnu %s; cp $1 bin; "
		"cp $2 lib/x86_64-linux-gnu; bin/safeclose run --dry-run true",
		other);
	end = in_folder(script);
	snprintf(wanted, sizeof(wanted), "LD_PRELOAD=%s/lib/x86_64-linux-gnu/libsafeclose.so true",
		folder);
	assert_contains(end.output, wanted);
	snprintf(script, sizeof(script),
		"(cd %s; " FAKE_32_BIT "); bin/safeclose run --dry-run true", other);
	end = in_folder(script);
	snprintf(wanted, sizeof(wanted), "LD_PRELOAD='%s/$LIB/libsafeclose.so' true", folder);
	assert_contains(end.output, wanted);
	if (!sanitizer_is_any()) {
		assert_both_are_loaded();
	}
	/* Where this loader's $LIB is something else, the path stays. */
	end = in_folder("mkdir -p lib64 lib; cp $2 lib64; (cd lib; " FAKE_32_BIT
			"); $1 run -l lib64/libsafeclose.so --dry-run true");
	assert_contains(end.output, "/lib64/libsafeclose.so true");
}

/* ---- how it ends --------------------------------------------------------------------------- */

static void test_cli_run_ends_as_the_command(void **state)
{
	static const struct {
		const char *script;
		int status;
	} rows[] = {
		{"exit 0", 0},
		{"exit 1", 1},
		{"exit 86", 86},
		{"exit 255", 255},
		{"kill -TERM $$", 128 + SIGTERM},
		{"kill -KILL $$", 128 + SIGKILL},
		{"ulimit -c 0; kill -SEGV $$", 128 + SIGSEGV},
		{"kill -INT $$", 128 + SIGINT},
	};

	(void)state;
	skip_for_sanitizer();
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct command_end end = command_run(RUN("sh", "-c", rows[i].script), NULL);

		assert_int_equal(end.status, rows[i].status);
		end = command_run(RUN("--fail-on-reset", "sh", "-c", rows[i].script), NULL);
		assert_int_equal(end.status, rows[i].status);
		assert_string_equal(end.errors, "");
	}
}

static void test_cli_run_command_that_cannot_be_run(void **state)
{
	static const struct {
		const char *option;
		const char *command;
		int status;
	} rows[] = {
		{"--mode=warn", "no-such-command", 127},
		{"--mode=warn", "/nowhere/x", 127},
		{"--mode=warn", "/etc/passwd", 126},
		{"--mode=warn", "/", 126},
		{"--fail-on-reset", "no-such-command", 127},
		{"--fail-on-reset", "/etc/passwd", 126},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct command_end end = command_run(RUN(rows[i].option, rows[i].command), NULL);

		assert_int_equal(end.status, rows[i].status);
		assert_int_equal(text_lines(end.errors), 1);
		assert_contains(end.errors, "safeclose: run: cannot run ");
		assert_contains(end.errors, rows[i].command);
	}
}

/* Words behind the command are the command's, and "--" ends the options. */
static void test_cli_run_options_end_at_the_command(void **state)
{
	struct command_end end;

	(void)state;
	skip_for_sanitizer();
	end = command_run(RUN("echo", "--mode", "x", "--help"), NULL);
	assert_string_equal(end.output, "--mode x --help\n");
	end = command_run(RUN("--mode", "fin", "--", "echo", "--", "-h"), NULL);
	assert_string_equal(end.output, "-- -h\n");
}

/* ---- resets -------------------------------------------------------------------------------- */

/* The runner's words, then the actor's. */
static struct stage_end run_actor(
	const char *options, const char *const *environment, const char *words, size_t connections)
{
	struct program_options how = {.executable = SAFECLOSE};
	struct stage *stage;
	char *placed;

	skip_for_sanitizer();
	stage = stage_open(PEER_IPV4);
	placed = text_replaced(words, "TARGET", stage->peer.target);
	for (size_t i = 0; environment && environment[i]; i++) {
		how.environment[i] = environment[i];
	}
	program_start(&stage->program, &how, "run %s %s %s", options, ACTOR, placed);
	free(placed);
	for (size_t i = 0; i < connections; i++) {
		if (i > 0) {
			peer_hang_up(&stage->peer);
		}
		peer_accept(&stage->peer);
		peer_send(&stage->peer, 100);
	}
	return stage_finish(stage, false);
}

#define CLOSES_AT "connect 3 %s await-unread 3 100 close 3"
#define CLOSES "connect 3 TARGET await-unread 3 100 close 3"

static void assert_sum(const struct stage_end *end, const char *count)
{
	char wanted[128];

	snprintf(wanted, sizeof(wanted), "safeclose: %s reset by a close\n", count);
	assert_contains(end->errors, wanted);
}

static void test_cli_run_warns(void **state)
{
	struct stage_end end;

	(void)state;
	end = run_actor("", NULL, CLOSES, 1);
	assert_was_reset(&end);
	assert_reported(&end, ": 100 unread", "rst (unread)");
	assert_int_equal(end.status, 0);
}

static void test_cli_run_fin_cures(void **state)
{
	struct stage_end end;

	(void)state;
	end = run_actor("--mode fin", NULL, CLOSES, 1);
	assert_was_fin(&end);
	end = run_actor("--mode fin --fail-on-reset", NULL, CLOSES, 1);
	assert_was_fin(&end);
	assert_int_equal(end.status, 0);
	assert_null(strstr(end.errors, "reset by a close"));
}

static void test_cli_run_fails_on_a_reset(void **state)
{
	struct stage_end end;

	(void)state;
	end = run_actor("--fail-on-reset", NULL, CLOSES, 1);
	assert_int_equal(end.status, FAILED_ON_RESET);
	assert_was_reset(&end);
	assert_sum(&end, "1 connection was");
	assert_int_equal(
		text_lines_with(end.errors, "       1         100               0  actor+0x",
			", close: unread"),
		1);
	/* The report is as it would be. */
	assert_int_equal(text_lines_with(end.errors, "]: close(3) ", "rst (unread)"), 1);
	end = run_actor("--fail-on-reset=7", NULL, CLOSES, 1);
	assert_int_equal(end.status, 7);
}

static void test_cli_run_never_makes_a_failure_a_success(void **state)
{
	struct stage_end end;

	(void)state;
	end = run_actor("--fail-on-reset", NULL, CLOSES " exit 3", 1);
	assert_int_equal(end.status, 3);
	assert_sum(&end, "1 connection was");
	end = run_actor("--fail-on-reset", NULL, CLOSES " raise 9", 1);
	assert_int_equal(end.status, 128 + SIGKILL);
	assert_sum(&end, "1 connection was");
}

static void test_cli_run_counts_whatever_is_reported_where(void **state)
{
	static const char *const logs[] = {"--log /dev/null", "--log /dev/full", "--log /nowhere/x",
		"--report all", "--log syslog"};

	(void)state;
	for (size_t i = 0; i < sizeof(logs) / sizeof(logs[0]); i++) {
		char options[128];
		struct stage_end end;

		snprintf(options, sizeof(options), "--fail-on-reset %s", logs[i]);
		end = run_actor(options, NULL, CLOSES, 1);
		assert_int_equal(end.status, FAILED_ON_RESET);
		assert_sum(&end, "1 connection was");
	}
}

static bool can_nobody_run_actor(void)
{
	int status = -1;
	pid_t pid = fork();

	if (pid == 0) {
		_exit(setresgid(65534, 65534, 65534) != 0 || setresuid(65534, 65534, 65534) != 0 ||
			access(ACTOR, X_OK) != 0);
	}
	waitpid(pid, &status, 0);
	return status == 0;
}

/* A script in the folder, which runs the command that it is given. Returns "sh FILE". */
static const char *script_that(const char *text)
{
	static char words[128];
	FILE *file;

	snprintf(words, sizeof(words), "sh %s/script", folder);
	file = fopen(words + 3, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
	return words;
}

/* Whoever resets in the tree, whatever became of it. */
static void test_cli_run_counts_in_the_whole_tree(void **state)
{
	static const struct {
		const char *script; /* NULL: the actor alone */
		const char *words;
		size_t connections;
		bool needs_nobody;
	} rows[] = {
		{NULL, CLOSES " " CLOSES " " CLOSES, 3, false},
		{NULL, "fork " CLOSES " end wait", 1, false},
		{NULL, "exec " CLOSES, 1, false},
		{NULL, "fork setsid fork closefrom 3 " CLOSES " end wait end wait", 1, false},
		{NULL, "closefrom 3 exec " CLOSES, 1, false},
		{NULL, "close 2 open 2 /dev/null " CLOSES, 1, false},
		{NULL, "connect 3 TARGET await-unread 3 100 exit-now 0", 1, false},
		{NULL, "connect-cloexec 3 TARGET await-unread 3 100 exec say closed", 1, false},
		{NULL, "unsetenv SAFECLOSE_TALLY unsetenv LD_PRELOAD fork " CLOSES " end wait", 1,
			false},
		{"\"$@\" & wait $!\n", CLOSES, 1, false},
		{"(cd /; exec setsid \"$@\" 0</dev/null 3>&-) & wait $!\n", CLOSES, 1, false},
		{"\"$@\" | cat\n", CLOSES, 1, false},
		{NULL, "drop-privileges 65534 " CLOSES, 1, true},
		{NULL, "drop-privileges 65534 exec " CLOSES, 1, true},
	};
	bool is_nobody_possible = can_nobody_run_actor();

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char options[256];
		char count[64];
		struct stage_end end;

		if (rows[i].needs_nobody && !is_nobody_possible) {
			continue;
		}
		snprintf(options, sizeof(options), "--fail-on-reset --log /dev/null %s",
			rows[i].script ? script_that(rows[i].script) : "");
		end = run_actor(options, NULL, rows[i].words, rows[i].connections);
		if (end.status != FAILED_ON_RESET) {
			fail_msg("%s: status %d\n%s%s", rows[i].words, end.status, end.output,
				end.errors);
		}
		assert_int_equal(end.grown.aborts_on_close, rows[i].connections);
		snprintf(count, sizeof(count), "%zu %s", rows[i].connections,
			rows[i].connections == 1 ? "connection was" : "connections were");
		assert_sum(&end, count);
	}
}

static void test_cli_run_counts_connections_nobody_accepted(void **state)
{
	struct stage *stage = stage_open(PEER_IPV4);
	struct stage_end end;

	(void)state;
	skip_for_sanitizer();
	program_start(&stage->program, &(struct program_options){.executable = SAFECLOSE},
		"run --fail-on-reset %s listen 3 4 port 3 await-backlog 3 1 close 3", ACTOR);
	peer_connect(
		&stage->peer, PEER_IPV4, (uint16_t)program_hear_number(&stage->program, "port "));
	end = stage_judge(stage, program_await_exit(&stage->program));
	assert_int_equal(end.status, FAILED_ON_RESET);
	assert_sum(&end, "1 connection was");
	assert_contains(end.errors, ", close: listener");
}

static void test_cli_run_within_itself_counts_in_both(void **state)
{
	struct stage_end end;
	char options[512];

	(void)state;
	end = run_actor("--fail-on-reset=9 --log /dev/null " SAFECLOSE " run --fail-on-reset=8",
		NULL, CLOSES, 1);
	assert_int_equal(end.status, 8);
	assert_int_equal(text_lines_with(end.errors, "1 connection was reset", NULL), 2);
	/* What becomes of the inner one's status is not the outer one's. */
	snprintf(options, sizeof(options),
		"--fail-on-reset=9 --log /dev/null %s " SAFECLOSE " run --fail-on-reset=8",
		script_that("\"$@\"\n[ $? -eq 8 ]\n"));
	end = run_actor(options, NULL, CLOSES, 1);
	assert_int_equal(end.status, 9);
}

/* Too deep is said, not passed over. */
static void test_cli_run_too_often_within_itself_is_refused(void **state)
{
	struct command_end end = command_run(RUN("--fail-on-reset", "true"),
		ENVIRONMENT("SAFECLOSE_TALLY=/1:/2:/3:/4:/5:/6:/7:/8"));

	(void)state;
	assert_refused(&end, "--fail-on-reset within 8 others");
}

/* A program that closes over unread bytes, and is to count in that file. Lines of complaint. */
static size_t complaints_of_file(const char *file)
{
	char entry[128];
	struct stage *stage = stage_open(PEER_IPV4);
	struct stage_end end;

	snprintf(entry, sizeof(entry), "SAFECLOSE_TALLY=%s", file);
	program_start(&stage->program,
		&(struct program_options){.mode = "warn", .environment = {entry}}, CLOSES_AT,
		stage->peer.target);
	peer_accept(&stage->peer);
	peer_send(&stage->peer, 100);
	end = stage_finish(stage, false);
	assert_int_equal(end.status, 0);
	assert_was_reset(&end);
	assert_int_equal(text_lines_with(end.errors, "rst (unread)", NULL), 1);
	return text_lines(end.errors) == 1
		       ? 0
		       : text_lines_with(end.errors, "cannot count resets in", file);
}

static void test_cli_run_file_that_is_none_is_complained_of(void **state)
{
	static const char *const files[] = {"/nowhere/x", "/etc/passwd", "/dev/null", "/tmp"};
	char path[64];

	(void)state;
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		assert_int_equal(complaints_of_file(files[i]), 1);
	}
	snprintf(path, sizeof(path), "/nowhere/%d-1234", getpid());
	assert_int_equal(complaints_of_file(path), 1);
}

/* Who lives on and executes a program is counted by nobody, and hears nothing of it. */
static void test_cli_run_file_of_a_run_that_has_ended_is_none(void **state)
{
	char path[64];
	pid_t pid = fork();

	(void)state;
	if (pid == 0) {
		_exit(0);
	}
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	snprintf(path, sizeof(path), "/nowhere/%d-1234", pid);
	assert_int_equal(complaints_of_file(path), 0);
}

/* The file is there while the command runs, nobody else can list its folder, and both are gone then. */
static void test_cli_run_leaves_nothing_behind(void **state)
{
	struct command_end end;
	char *path;

	(void)state;
	skip_for_sanitizer();
	end = command_run(RUN("--fail-on-reset", "sh", "-c",
				  "set -e; test -f $SAFECLOSE_TALLY; stat -c %A "
				  "$(dirname $SAFECLOSE_TALLY); echo file=$SAFECLOSE_TALLY"),
		NULL);
	assert_int_equal(end.status, 0);
	assert_int_equal(strncmp(end.output, geteuid() == 0 ? "drwx--x--x" : "drwx------", 10), 0);
	path = variable_of(&end, "file=");
	assert_int_equal(path[0], '/');
	assert_int_equal(access(path, F_OK), -1);
	*strrchr(path, '/') = '\0';
	assert_int_equal(access(path, F_OK), -1);
	free(path);
}

/* The connection that it was started with: the runner's copy is let go of, so that the command's close
 * is the last one. */
static void test_cli_run_holds_no_connection_of_the_commands(void **state)
{
	struct stage *stage = stage_open(PEER_IPV4);
	struct stage_end end;

	(void)state;
	skip_for_sanitizer();
	program_start(&stage->program, &(struct program_options){.mode = NULL},
		"connect 3 %s await-unread 3 100 exec-by execv " SAFECLOSE
		" run --fail-on-reset --log /dev/null " ACTOR " close 3 say closed hear go",
		stage->peer.target);
	peer_accept(&stage->peer);
	peer_send(&stage->peer, 100);
	end = stage_finish(stage, true);
	assert_int_equal(end.status, FAILED_ON_RESET);
	assert_was_reset(&end);
	assert_sum(&end, "1 connection was");
}

/* Started without some of stdin, stdout and stderr it takes their numbers for nothing of its own, and
 * the command finds them as they were. */
static void test_cli_run_without_standard_descriptors_ends(void **state)
{
	static const struct {
		const char *redirections;
		int open; /* a bit for each number */
	} rows[] = {
		{"<&-", 6},
		{">&-", 5},
		{"2>&-", 3},
		{"<&- >&-", 4},
		{">&- 2>&-", 1},
		{"<&- >&- 2>&-", 0},
	};

	(void)state;
	skip_for_sanitizer();
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char script[256];
		struct command_end end;

		snprintf(script, sizeof(script),
			"exec \"$0\" run --fail-on-reset sh -c 's=10; for n in 0 1 2; do "
			"test -e /proc/$$/fd/$n && s=$((s + (1 << n))); done; exit $s' %s",
			rows[i].redirections);
		end = command_run((const char *const[]){"sh", "-c", script, SAFECLOSE, NULL}, NULL);
		assert_int_equal(end.status, 10 + rows[i].open);
	}
}

/* Who reads the command's stdout learns when the command has closed it. */
static void test_cli_run_holds_no_pipe_of_the_commands(void **state)
{
	struct stage *stage = stage_open(PEER_IPV4);
	int64_t deadline = deadline_in(DEADLINE_MS);

	(void)state;
	skip_for_sanitizer();
	program_start(&stage->program, &(struct program_options){.executable = SAFECLOSE},
		"run --fail-on-reset %s", script_that("exec 1>&-\nread word\n"));
	while (program_pump(&stage->program, deadline_left_ms(deadline))) {
		assert_true(deadline_left_ms(deadline) > 0);
	}
	assert_int_equal(kill(stage->program.pid, 0), 0);
	program_say(&stage->program, "go");
	assert_int_equal(program_await_exit(&stage->program), 0);
}

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
	skip_for_sanitizer();
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
	skip_for_sanitizer();
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
	skip_for_sanitizer();
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
	skip_for_sanitizer();
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
	skip_for_sanitizer();
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

	skip_for_sanitizer();
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

#define PLAIN(test) cmocka_unit_test_teardown(test, stage_teardown)
#define WITH_FOLDER(test) cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)

int main(void)
{
	const struct CMUnitTest tests[] = {
		PLAIN(test_cli_run_refuses_and_names_the_word),
		PLAIN(test_cli_run_refuses_what_it_inherits),
		PLAIN(test_cli_main_refuses_and_names_the_word),
		PLAIN(test_cli_help_is_one_screen_with_every_variable),
		PLAIN(test_cli_main_tells_its_commands_and_version),
		PLAIN(test_cli_output_that_cannot_be_written_fails),
		PLAIN(test_cli_run_has_an_option_for_every_variable),
		PLAIN(test_cli_run_keeps_what_is_preloaded),
		PLAIN(test_cli_run_log_is_where_the_user_is),
		PLAIN(test_cli_run_json_is_a_format),
		PLAIN(test_cli_run_dry_run_can_be_pasted),
		PLAIN(test_cli_run_dry_run_of_counting_counts),
		WITH_FOLDER(test_cli_run_library_with_a_blank_or_colon_is_refused),
		PLAIN(test_cli_run_finds_the_library),
		WITH_FOLDER(test_cli_run_without_a_library_says_so),
		WITH_FOLDER(test_cli_run_both_classes_go_by_lib),
		PLAIN(test_cli_run_ends_as_the_command),
		PLAIN(test_cli_run_command_that_cannot_be_run),
		PLAIN(test_cli_run_options_end_at_the_command),
		PLAIN(test_cli_run_warns),
		PLAIN(test_cli_run_fin_cures),
		PLAIN(test_cli_run_fails_on_a_reset),
		PLAIN(test_cli_run_never_makes_a_failure_a_success),
		PLAIN(test_cli_run_counts_whatever_is_reported_where),
		WITH_FOLDER(test_cli_run_counts_in_the_whole_tree),
		PLAIN(test_cli_run_counts_connections_nobody_accepted),
		WITH_FOLDER(test_cli_run_within_itself_counts_in_both),
		PLAIN(test_cli_run_too_often_within_itself_is_refused),
		PLAIN(test_cli_run_file_that_is_none_is_complained_of),
		PLAIN(test_cli_run_file_of_a_run_that_has_ended_is_none),
		PLAIN(test_cli_run_leaves_nothing_behind),
		PLAIN(test_cli_run_holds_no_connection_of_the_commands),
		WITH_FOLDER(test_cli_run_holds_no_pipe_of_the_commands),
		PLAIN(test_cli_run_without_standard_descriptors_ends),
		PLAIN(test_cli_run_passes_signals_on_once),
		PLAIN(test_cli_run_without_counting_is_the_command),
		PLAIN(test_cli_run_does_not_return_the_commands_own),
		PLAIN(test_cli_run_status_where_children_are_ignored),
		PLAIN(test_cli_run_killed_ends_the_command),
		PLAIN(test_cli_run_killed_is_cleaned_up_after),
		PLAIN(test_cli_run_command_stopped_alone_goes_on),
		PLAIN(test_cli_run_stops_and_continues_with_the_command),
		PLAIN(test_cli_run_terminals_signals_come_once),
		PLAIN(test_cli_run_job_control_stops_and_goes_on),
		PLAIN(test_cli_run_terminal_that_hangs_up_ends_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
