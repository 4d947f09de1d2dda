// SPDX-License-Identifier: MIT
#include "settings.h"
#include "cli.h"
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PREFIX "SAFECLOSE_"

enum { ACCEPTS_SHOWN_MAX = 40 }; /* longer ones are told in a complaint */

size_t cli_settings_count(void)
{
	size_t count = 0;
	while (count < CLI_SETTINGS_MAX && sc_config_option(count) != NULL) {
		count++;
	}
	return count;
}

const char *cli_settings_option(size_t index, char *name)
{
	const char *variable = sc_config_option(index)->name + strlen(PREFIX);
	size_t i = 0;
	for (; i < CLI_SETTING_NAME_SIZE - 1 && variable[i] != '\0'; i++) {
		name[i] = variable[i] == '_' ? '-' : (char)tolower((unsigned char)variable[i]);
	}
	name[i] = '\0';
	return name;
}

bool cli_settings_find(const char *variable, size_t *index)
{
	for (size_t i = 0; i < cli_settings_count(); i++) {
		if (strcmp(sc_config_option(i)->name, variable) == 0) {
			*index = i;
			return true;
		}
	}
	cli_complain("run: there is no variable %s", variable);
	return false;
}

static void note_refusal(void *context, const char *line)
{
	(void)line;
	*(bool *)context = true;
}

bool cli_settings_take(struct cli_settings *settings, size_t index, const char *value)
{
	const struct sc_option *option = sc_config_option(index);
	size_t size = strlen(option->name) + strlen(value) + 2;
	char *entry = malloc(size);
	char *environment[] = {entry, NULL};
	bool is_refused = false;
	struct sc_config config;
	char name[CLI_SETTING_NAME_SIZE];
	if (entry == NULL) {
		cli_complain("%s", strerror(errno));
		return false;
	}
	snprintf(entry, size, "%s=%s", option->name, value);
	sc_config_load(&config, environment, note_refusal, &is_refused);
	free(entry);
	if (is_refused) {
		cli_complain("run: --%s: %s is not understood; accepted: %s",
			cli_settings_option(index, name), *value != '\0' ? value : "an empty value",
			sc_config_accepts(index));
		return false;
	}
	settings->values[index] = value;
	return true;
}

static void tell_complaint(void *context, const char *line)
{
	*(bool *)context = true;
	/* Escaped already; "; using ..." speaks of what the library would do. */
	const char *end = strstr(line, "; using ");
	fprintf(stderr, "safeclose: run: %.*s\n",
		end != NULL ? (int)(end - line) : (int)strlen(line), line);
}

bool cli_settings_apply(const struct cli_settings *settings, struct sc_config *config)
{
	bool is_refused = false;
	for (size_t i = 0; i < cli_settings_count(); i++) {
		if (settings->values[i] != NULL &&
			setenv(sc_config_option(i)->name, settings->values[i], 1) != 0) {
			cli_complain("%s", strerror(errno));
			return false;
		}
	}
	sc_config_load(config, environ, tell_complaint, &is_refused);
	return !is_refused;
}

void cli_settings_tell(void)
{
	for (size_t i = 0; i < cli_settings_count(); i++) {
		const struct sc_option *option = sc_config_option(i);
		char name[CLI_SETTING_NAME_SIZE];
		char shown[2 * CLI_SETTING_NAME_SIZE];
		const char *accepts = sc_config_accepts(i);
		bool is_short = strlen(accepts) <= ACCEPTS_SHOWN_MAX;
		snprintf(shown, sizeof(shown), "%s=%s", option->name, option->default_text);
		printf("  --%-18s ", cli_settings_option(i, name));
		if (is_short) {
			printf("%-30s %s\n", shown, accepts);
		} else {
			puts(shown);
		}
		printf("  %20s %s\n", "", sc_config_help(i));
	}
}
