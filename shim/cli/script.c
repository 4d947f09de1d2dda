// SPDX-License-Identifier: MIT
#include "script.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BLANKS " \t"

/* The next word, cut off in place; NULL: none is left. */
static char *next_word(char **rest)
{
	char *word;
	do {
		word = strsep(rest, BLANKS);
	} while (word != NULL && *word == '\0');
	return word;
}

static bool is_env(const char *interpreter)
{
	const char *slash = strrchr(interpreter, '/');
	return strcmp(slash != NULL ? slash + 1 : interpreter, "env") == 0;
}

static bool is_preload(const char *name)
{
	size_t length = strlen("LD_PRELOAD");
	return strncmp(name, "LD_PRELOAD", length) == 0 &&
	       (name[length] == '\0' || name[length] == '=');
}

/* The options of coreutils' env; -S only says that there are several words. */
static void parse_env(struct cli_script *script, char *words)
{
	for (char *word; (word = next_word(&words)) != NULL;) {
		if (strncmp(word, "-S", 2) == 0 && word[2] != '\0') {
			word += 2;
		}
		if (strcmp(word, "-i") == 0 || strcmp(word, "-") == 0 ||
			strcmp(word, "--ignore-environment") == 0) {
			script->is_stripped = true;
		} else if (strcmp(word, "-u") == 0 || strcmp(word, "-C") == 0) {
			const char *value = next_word(&words);
			script->is_stripped =
				script->is_stripped ||
				(word[1] == 'u' && value != NULL && is_preload(value));
		} else if (strncmp(word, "--unset=", 8) == 0) {
			script->is_stripped = script->is_stripped || is_preload(word + 8);
		} else if (word[0] != '-' && strchr(word, '=') != NULL) {
			script->is_stripped = script->is_stripped || is_preload(word);
		} else if (word[0] != '-') {
			snprintf(script->program, sizeof(script->program), "%s", word);
			return;
		}
	}
}

void cli_script_parse(struct cli_script *script, const char *head, size_t bytes)
{
	char line[CLI_SCRIPT_HEAD_BYTES];
	memset(script, 0, sizeof(*script));
	if (bytes < 2 || head[0] != '#' || head[1] != '!') {
		return;
	}
	bytes = bytes < sizeof(line) ? bytes : sizeof(line);
	memcpy(line, head + 2, bytes - 2);
	line[bytes - 2] = '\0';
	line[strcspn(line, "\r\n")] = '\0';
	char *rest = line;
	const char *interpreter = next_word(&rest);
	if (interpreter != NULL) {
		snprintf(script->interpreter, sizeof(script->interpreter), "%s", interpreter);
		if (is_env(interpreter) && rest != NULL) {
			parse_env(script, rest);
		}
	}
}

static bool is_program(const char *path)
{
	struct stat status;
	return stat(path, &status) == 0 && S_ISREG(status.st_mode) && access(path, X_OK) == 0;
}

bool cli_script_find_program(const char *name, char path[PATH_MAX])
{
	const char *folders = getenv("PATH");
	if (*name == '\0' || strchr(name, '/') != NULL) {
		int bytes = snprintf(path, PATH_MAX, "%s", name);
		return bytes > 0 && bytes < PATH_MAX && access(path, F_OK) == 0;
	}
	for (const char *at = folders != NULL ? folders : "/bin:/usr/bin"; at != NULL;) {
		size_t length = strcspn(at, ":");
		int bytes = snprintf(
			path, PATH_MAX, "%.*s%s%s", (int)length, at, length > 0 ? "/" : "", name);
		if (bytes > 0 && bytes < PATH_MAX && is_program(path)) {
			return true;
		}
		at = at[length] == ':' ? at + length + 1 : NULL;
	}
	return false;
}
