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

/* The same where env splits: quotation marks, which are taken away, keep blanks together. */
static char *next_quoted(char **rest)
{
	char *from = *rest != NULL ? *rest + strspn(*rest, BLANKS) : NULL;
	if (from == NULL || *from == '\0') {
		return NULL;
	}
	char *word = from;
	char *to = from;
	char mark = '\0';
	for (; *from != '\0' && (mark != '\0' || strchr(BLANKS, *from) == NULL); from++) {
		if (*from == mark) {
			mark = '\0';
		} else if (mark == '\0' && (*from == '"' || *from == '\'')) {
			mark = *from;
		} else {
			*to++ = *from;
		}
	}
	*rest = *from != '\0' ? from + 1 : NULL;
	*to = '\0';
	return word;
}

/* Is word this long option, perhaps abbreviated to no less than shortest letters? Then *value is what
 * stands behind '=', or NULL. */
static bool is_long(const char *word, const char *name, size_t shortest, char **value)
{
	const char *end = strchrnul(word, '=');
	size_t length = (size_t)(end - word);
	*value = *end != '\0' ? (char *)end + 1 : NULL;
	return length >= shortest && length <= strlen(name) && memcmp(word, name, length) == 0;
}

static void note_unset(struct cli_script *script, const char *name)
{
	script->is_stripped = script->is_stripped || (name != NULL && is_preload(name));
}

/* What stands behind "--". Returns the word that comes next if it is not yet cut off, or NULL. */
static char *take_long(struct cli_script *script, char *word, char **words)
{
	char *value;
	if (is_long(word, "ignore-environment", strlen("ignore-e"), &value)) {
		script->is_stripped = true;
	} else if (is_long(word, "unset", 1, &value)) {
		note_unset(script, value != NULL ? value : next_quoted(words));
	} else if (is_long(word, "split-string", 1, &value)) {
		return value;
	} else if ((is_long(word, "chdir", 1, &value) || is_long(word, "argv0", 1, &value)) &&
		   value == NULL) {
		next_quoted(words);
	}
	return NULL;
}

/* Letters behind a '-'. Returns as take_long(). */
static char *take_letters(struct cli_script *script, char *letters, char **words)
{
	for (; *letters != '\0'; letters++) {
		char *behind = letters[1] != '\0' ? letters + 1 : NULL;
		if (*letters == 'i') {
			script->is_stripped = true;
		} else if (*letters == 'S') {
			return behind;
		} else if (strchr("uCa", *letters) != NULL) {
			char *value = behind != NULL ? behind : next_quoted(words);
			note_unset(script, *letters == 'u' ? value : NULL);
			return NULL;
		}
	}
	return NULL;
}

/* The options of coreutils' env; -S only says that there are several words. */
static void parse_env(struct cli_script *script, char *words)
{
	bool has_options_ended = false;
	for (char *word; (word = next_quoted(&words)) != NULL;) {
		while (word != NULL && word[0] == '-' && !has_options_ended) {
			if (strcmp(word, "-") == 0) {
				script->is_stripped = true;
				has_options_ended = true;
				word = NULL;
			} else if (word[1] == '-') {
				has_options_ended = word[2] == '\0';
				word = take_long(script, word + 2, &words);
			} else {
				word = take_letters(script, word + 1, &words);
			}
		}
		if (word != NULL && strchr(word, '=') != NULL) {
			note_unset(script, word);
		} else if (word != NULL) {
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
	line[strcspn(line, "\n")] = '\0'; /* a '\r' is part of the name, for the kernel too */
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
