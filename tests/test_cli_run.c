// SPDX-License-Identifier: MIT
// LINK: config.o line.o only.o
// HARNESS
/*
 * safeclose run: what it sets, what it refuses, and how it ends.
 */
#include "config.h"
#include "harness/program.h"
#include "harness/runner.h"
#include "harness/sanitizer.h"
#include "harness/text.h"
#include "harness/unit.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HELP_COLUMNS_MAX = 100 };

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

static void assert_preload(const char *present, const char *wanted)
{
	struct command_end end = command_run(RUN("env"), ENVIRONMENT(present));
	char *value;

	assert_int_equal(end.status, 0);
	value = runner_variable(&end, "LD_PRELOAD=");
	assert_string_equal(value, wanted);
	free(value);
}

static void test_cli_run_keeps_what_is_preloaded(void **state)
{
	(void)state;
	runner_skip_for_sanitizer();
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
	runner_skip_for_sanitizer();
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
	runner_skip_for_sanitizer();
	end = command_run(RUN("echo", "--mode", "x", "--help"), NULL);
	assert_string_equal(end.output, "--mode x --help\n");
	end = command_run(RUN("--mode", "fin", "--", "echo", "--", "-h"), NULL);
	assert_string_equal(end.output, "-- -h\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cli_run_refuses_and_names_the_word),
		cmocka_unit_test(test_cli_run_refuses_what_it_inherits),
		cmocka_unit_test(test_cli_main_refuses_and_names_the_word),
		cmocka_unit_test(test_cli_help_is_one_screen_with_every_variable),
		cmocka_unit_test(test_cli_main_tells_its_commands_and_version),
		cmocka_unit_test(test_cli_output_that_cannot_be_written_fails),
		cmocka_unit_test(test_cli_run_has_an_option_for_every_variable),
		cmocka_unit_test(test_cli_run_keeps_what_is_preloaded),
		cmocka_unit_test(test_cli_run_log_is_where_the_user_is),
		cmocka_unit_test(test_cli_run_json_is_a_format),
		cmocka_unit_test(test_cli_run_dry_run_can_be_pasted),
		cmocka_unit_test(test_cli_run_dry_run_of_counting_counts),
		cmocka_unit_test(test_cli_run_ends_as_the_command),
		cmocka_unit_test(test_cli_run_command_that_cannot_be_run),
		cmocka_unit_test(test_cli_run_options_end_at_the_command),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
