// SPDX-License-Identifier: MIT
/* safeclose run: sets the variables, preloads the library, runs the command. */
#include "check.h"
#include "child.h"
#include "cli.h"
#include "library.h"
#include "resets.h"
#include "settings.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	OPTION_JSON = CLI_SETTINGS_MAX + 256,
	OPTION_FAIL_ON_RESET,
	OPTION_DRY_RUN,
	OPTION_SETTING, /* and the table's index */
	RESET_STATUS = 86,
	STATUS_MAX = 255,
};

/* What stands on the command line. */
struct order {
	struct cli_settings settings;
	const char *library; /* NULL: to be found */
	int reset_status;    /* 0: resets do not count */
	bool is_dry;
	bool is_help;
};

static const struct option own_options[] = {
	{"json", no_argument, NULL, OPTION_JSON},
	{"library", required_argument, NULL, CLI_OPTION_LIBRARY},
	{"fail-on-reset", optional_argument, NULL, OPTION_FAIL_ON_RESET},
	{"dry-run", no_argument, NULL, OPTION_DRY_RUN},
	{"help", no_argument, NULL, CLI_OPTION_HELP},
};

enum { OWN_COUNT = sizeof(own_options) / sizeof(own_options[0]) };

static int tell_help(void)
{
	puts("usage: safeclose run [OPTION]... [--] COMMAND [ARG]...\n"
	     "\n"
	     "Runs COMMAND with libsafeclose.so. Options, and the variable that each one sets:\n");
	cli_settings_tell();
	puts("\n"
	     "  --json               the same as --format=json\n"
	     "  -l, --library FILE   the library, where it is not beside this command or "
	     "installed\n"
	     "  --fail-on-reset[=N]  where COMMAND succeeds but a close in its process tree has "
	     "reset a\n"
	     "                       connection, end with status N (86); the call sites go to "
	     "stderr\n"
	     "  --dry-run            print the command line instead\n"
	     "\n"
	     "Durations: 250ms, 5s, 2m. Sizes: 64K, 16M, 1G.\n"
	     "Ends as COMMAND ends, 128+N where signal N ended it; 126: it cannot be run, 127: "
	     "there is\n"
	     "none; 2: an option is not understood.");
	return cli_end_output(0, 1);
}

/* ---- options ------------------------------------------------------------------------------- */

static bool take_status(struct order *order, const char *text)
{
	char *end = NULL;
	errno = 0;
	long status = text != NULL ? strtol(text, &end, 10) : RESET_STATUS;
	if (text != NULL && (*text < '0' || *text > '9' || *end != '\0' || errno != 0 ||
				    status < 1 || status > STATUS_MAX)) {
		cli_complain("run: --fail-on-reset: %s is not a status from 1 to 255",
			*text != '\0' ? text : "an empty value");
		return false;
	}
	order->reset_status = (int)status;
	return true;
}

static bool take_json(struct order *order)
{
	size_t index;
	return cli_settings_find("SAFECLOSE_FORMAT", &index) &&
	       cli_settings_take(&order->settings, index, "json");
}

/* Reports are to come together, wherever a process of the tree has gone. */
static bool make_log_absolute(struct order *order)
{
	static char path[PATH_MAX + SC_LOG_MAX];
	char folder[PATH_MAX];
	size_t index;
	if (!cli_settings_find("SAFECLOSE_LOG", &index)) {
		return false;
	}
	const char *log = order->settings.values[index];
	if (log == NULL || log[0] == '/' || strcmp(log, "stderr") == 0 ||
		strcmp(log, "syslog") == 0 || getcwd(folder, sizeof(folder)) == NULL) {
		return true;
	}
	snprintf(path, sizeof(path), "%s/%s", strcmp(folder, "/") == 0 ? "" : folder, log);
	return cli_settings_take(&order->settings, index, path);
}

static bool take_option(struct order *order, int answer)
{
	switch (answer) {
	case OPTION_JSON:
		return take_json(order);
	case OPTION_FAIL_ON_RESET:
		return take_status(order, optarg);
	case OPTION_DRY_RUN:
		order->is_dry = true;
		return true;
	case 'l':
	case CLI_OPTION_LIBRARY:
		order->library = optarg;
		return true;
	case 'h':
	case CLI_OPTION_HELP:
		order->is_help = true;
		return true;
	default:
		return cli_settings_take(
			&order->settings, (size_t)(answer - OPTION_SETTING), optarg);
	}
}

/* Returns 0 or CLI_USAGE; optind is at the command. */
static int read_options(struct order *order, int argc, char **argv)
{
	static char names[CLI_SETTINGS_MAX][CLI_SETTING_NAME_SIZE];
	struct option options[CLI_SETTINGS_MAX + OWN_COUNT + 1];
	size_t count = 0;
	memset(order, 0, sizeof(*order));
	for (size_t i = 0; i < cli_settings_count(); i++) {
		options[count++] = (struct option){cli_settings_option(i, names[i]),
			required_argument, NULL, OPTION_SETTING + (int)i};
	}
	memcpy(&options[count], own_options, sizeof(own_options));
	options[count + OWN_COUNT] = (struct option){NULL, 0, NULL, 0};
	for (int answer; (answer = getopt_long(argc, argv, "+:l:h", options, NULL)) != -1;) {
		if (answer == '?' || answer == ':') {
			return cli_complain_of_option("run", answer, argv);
		}
		if (!take_option(order, answer)) {
			return CLI_USAGE;
		}
	}
	return make_log_absolute(order) ? 0 : CLI_USAGE;
}

/* ---- the command line, for a shell ---------------------------------------------------------- */

static void print_quoted(const char *text)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				    "_-+=./:,@%";
	if (*text != '\0' && text[strspn(text, plain)] == '\0') {
		fputs(text, stdout);
		return;
	}
	putchar('\'');
	for (; *text != '\0'; text++) {
		fputs(*text == '\'' ? "'\\''" : (char[]){*text, '\0'}, stdout);
	}
	putchar('\'');
}

static void print_variable(const char *name, const char *value)
{
	putchar(' ');
	fputs(name, stdout);
	putchar('=');
	print_quoted(value);
}

/* What counts resets is this command: then the line is one of it. */
static int print_command_line(
	const struct order *order, const struct cli_library *library, char **command)
{
	char own[PATH_MAX];
	ssize_t bytes = readlink("/proc/self/exe", own, sizeof(own) - 1);
	own[bytes > 0 ? bytes : 0] = '\0';
	fputs("env", stdout);
	for (size_t i = 0; i < cli_settings_count(); i++) {
		const char *name = sc_config_option(i)->name;
		if (getenv(name) != NULL) {
			print_variable(name, getenv(name));
		}
	}
	if (order->reset_status == 0) {
		print_variable("LD_PRELOAD", getenv("LD_PRELOAD"));
	} else {
		putchar(' ');
		print_quoted(bytes > 0 ? own : "safeclose");
		printf(" run --fail-on-reset=%d --library=", order->reset_status);
		print_quoted(library->path);
		fputs(" --", stdout);
	}
	for (; *command != NULL; command++) {
		putchar(' ');
		print_quoted(*command);
	}
	putchar('\n');
	return cli_end_output(0, 1);
}

/* ---- running ------------------------------------------------------------------------------- */

static bool set_preload(const struct cli_library *library)
{
	char *value = cli_library_preload(library, getenv("LD_PRELOAD"));
	bool is_set = value != NULL && setenv("LD_PRELOAD", value, 1) == 0;
	free(value);
	if (!is_set) {
		cli_complain("run: %s", strerror(errno));
	}
	return is_set;
}

static int run_counted(const struct order *order, const struct sc_config *config,
	const struct cli_library *library, char **command)
{
	struct cli_resets resets;
	cli_child_keep_standard_numbers();
	if (cli_check_is_out_of_reach(library, command[0])) {
		cli_complain(
			"run: no reset by %s itself is seen; safeclose check says why", command[0]);
	}
	if (!cli_resets_begin(&resets)) {
		return CLI_USAGE;
	}
	int status = cli_child_run(command, resets.lock);
	if (cli_resets_count(&resets) > 0) {
		cli_resets_tell(&resets);
		status = status == 0 ? order->reset_status : status;
	}
	/* Whoever else is in the network namespace counts too: only for who asks. */
	if (config->summary) {
		cli_resets_tell_unseen(&resets);
	}
	cli_resets_end(&resets);
	return status;
}

static int run(const struct order *order, char **command)
{
	struct sc_config config;
	struct cli_library library;
	if (!cli_settings_apply(&order->settings, &config) ||
		!cli_library_find(&library, order->library) || !set_preload(&library)) {
		return CLI_USAGE;
	}
	if (order->reset_status != 0 && config.mode == SC_MODE_OFF) {
		cli_complain("run: --fail-on-reset: with mode off no reset is seen");
		return CLI_USAGE;
	}
	if (order->is_dry) {
		return print_command_line(order, &library, command);
	}
	return order->reset_status != 0 ? run_counted(order, &config, &library, command)
					: cli_child_exec(command);
}

int cli_run(int argc, char **argv)
{
	struct order order;
	int status = read_options(&order, argc, argv);
	if (status != 0) {
		return status;
	}
	if (order.is_help) {
		return tell_help();
	}
	if (optind == argc) {
		cli_complain("run: no command given; see safeclose run --help");
		return CLI_USAGE;
	}
	return run(&order, argv + optind);
}
