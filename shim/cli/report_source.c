// SPDX-License-Identifier: MIT
#include "report_source.h"
#include "report_memory.h"
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* What all children together may take, and what one may say. */
enum { CHILDREN_TIME_MS = 20000, CHILD_OUTPUT_MAX = 64 << 20 };

extern char **environ;

/* A site and the file that it is of. */
struct place {
	struct cli_group *group;
	char *file;
	uint64_t offset;
};

static int64_t now_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

/* addr2line would ask a server on the network where this is set. */
static char **environment_without_debuginfod(void)
{
	static const char name[] = "DEBUGINFOD_URLS=";
	size_t count = 0;
	while (environ[count] != NULL) {
		count++;
	}
	char **list = cli_report_memory_get(count + 1, sizeof(*list));
	size_t kept = 0;
	for (size_t i = 0; i < count; i++) {
		if (strncmp(environ[i], name, sizeof(name) - 1) != 0) {
			list[kept++] = environ[i];
		}
	}
	return list;
}

static pid_t start_child(char *const *words, int input, int output)
{
	posix_spawn_file_actions_t actions;
	pid_t pid = -1;
	int failure = posix_spawn_file_actions_init(&actions);
	if (failure != 0) {
		return -1;
	}
	failure = posix_spawn_file_actions_adddup2(&actions, input, 0) ||
		  posix_spawn_file_actions_adddup2(&actions, output, 1) ||
		  posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
	char **environment = environment_without_debuginfod();
	if (failure == 0 && posix_spawnp(&pid, words[0], &actions, NULL, words, environment) != 0) {
		pid = -1;
	}
	free(environment);
	posix_spawn_file_actions_destroy(&actions);
	return pid;
}

/* All of it until its end, with a zero behind it. NULL: too late, or too much. */
static char *read_output(int fd, int64_t deadline_ms)
{
	size_t used = 0, room = 1 << 16;
	char *text = cli_report_memory_get(room, 1);
	for (;;) {
		struct pollfd ready = {.fd = fd, .events = POLLIN};
		int64_t left = deadline_ms - now_ms();
		int polled = poll(&ready, 1, left > 0 ? (int)left : 0);
		if (polled < 0 && errno == EINTR) {
			continue;
		}
		ssize_t got = polled > 0 ? read(fd, text + used, room - used - 1) : -1;
		if (got <= 0) {
			text[used] = 0;
			if (got == 0) {
				return text;
			}
			free(text);
			return NULL;
		}
		used += (size_t)got;
		if (used + 1 == room && room < CHILD_OUTPUT_MAX) {
			room *= 2;
			text = cli_report_memory_grow(text, room, 1);
		} else if (used + 1 == room) {
			free(text);
			return NULL;
		}
	}
}

/* What a child says on stdout, NULL where it cannot be had. input: its stdin. */
static char *ask_child(char *const *words, int input, int64_t deadline_ms)
{
	int ends[2];
	if (pipe2(ends, O_CLOEXEC) != 0) {
		return NULL;
	}
	pid_t pid = start_child(words, input, ends[1]);
	close(ends[1]);
	char *text = pid > 0 ? read_output(ends[0], deadline_ms) : NULL;
	close(ends[0]);
	if (pid > 0) {
		int status;
		if (text == NULL) {
			kill(pid, SIGKILL);
		}
		while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
		}
		if (text != NULL && (!WIFEXITED(status) || WEXITSTATUS(status) != 0)) {
			free(text);
			text = NULL;
		}
	}
	return text;
}

/* "module+0x1a2b": false where that is not what the site looks like. */
static bool split_site(const char *site, char *module, size_t size, uint64_t *offset)
{
	size_t length = cli_report_module_length(site);
	if (site[length] == 0 || length == 0 || length >= size) {
		return false;
	}
	memcpy(module, site, length);
	module[length] = 0;
	const char *digits = site + length + 3;
	char *end;
	errno = 0;
	*offset = strtoull(digits, &end, 16);
	return isxdigit((unsigned char)*digits) && errno == 0 && *end == 0 && *offset > 0;
}

/* A plain file that was there before the report, and has not changed since. */
static bool is_trusted_file(const char *path, int64_t first_report_us)
{
	struct stat status;
	return path[0] == '/' && stat(path, &status) == 0 && S_ISREG(status.st_mode) &&
	       status.st_mtim.tv_sec <= first_report_us / 1000000;
}

/*
 * The one library of that name that `ldconfig -p` lists, as "\tname (kind) => path". NULL: none, or
 * several, as of two architectures.
 */
static char *find_in_cache(const char *cache, const char *module)
{
	char *found = NULL;
	size_t length = strlen(module);
	for (const char *line = cache; line != NULL && *line != 0;) {
		const char *end = strchrnul(line, '\n');
		const char *arrow = memmem(line, (size_t)(end - line), " => ", 4);
		if (arrow != NULL && line[0] == '\t' && strncmp(line + 1, module, length) == 0 &&
			line[1 + length] == ' ') {
			if (found != NULL) {
				free(found);
				return NULL;
			}
			arrow += 4;
			found = strndup(arrow, (size_t)(end - arrow));
		}
		line = *end != 0 ? end + 1 : NULL;
	}
	return found;
}

static char *ask_ldconfig(int64_t deadline_ms)
{
	static char name[] = "/sbin/ldconfig", option[] = "-p";
	char *const words[] = {name, option, NULL};
	int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (nothing < 0) {
		return NULL;
	}
	char *text = ask_child(words, nothing, deadline_ms);
	close(nothing);
	return text;
}

/* A library beside its program. */
static char *beside(const char *exe, const char *module)
{
	const char *slash = strrchr(exe, '/');
	char *path = NULL;
	if (slash != NULL && asprintf(&path, "%.*s/%s", (int)(slash - exe), exe, module) < 0) {
		cli_report_memory_fail();
	}
	return path;
}

/* The file of a site's module, to be freed; NULL: not sure. cache: see find_in_cache(), or NULL. */
static char *find_file(
	const struct cli_group *group, const char *module, char **cache, int64_t deadline_ms)
{
	char *path = NULL;
	if (group->is_own) {
		path = cli_report_memory_copy(group->exe);
	} else if (strchr(module, '/') == NULL) {
		path = beside(group->exe, module);
		if (path != NULL && access(path, F_OK) != 0) {
			free(path);
			if (*cache == NULL) {
				*cache = ask_ldconfig(deadline_ms);
			}
			path = *cache != NULL ? find_in_cache(*cache, module) : NULL;
		}
	}
	if (path != NULL && !is_trusted_file(path, group->totals.first_us)) {
		free(path);
		path = NULL;
	}
	return path;
}

static int compare_places(const void *left, const void *right)
{
	const struct place *a = left, *b = right;
	int order = strcmp(a->file, b->file);
	return order != 0 ? order : (a->offset > b->offset) - (a->offset < b->offset);
}

/* The next line of text, without its newline; NULL at the end. */
static char *next_line(char **text)
{
	char *line = *text;
	char *end = line != NULL ? strchr(line, '\n') : NULL;
	if (end == NULL) {
		return NULL;
	}
	*end = 0;
	*text = end + 1;
	return line;
}

/* addr2line says ?? and a line of 0 or ? for what it does not know. */
static void take_answer(struct cli_source *source, const char *function, char *place)
{
	char *note = strstr(place, " (discriminator ");
	if (note != NULL) {
		*note = 0;
	}
	const char *colon = strrchr(place, ':');
	if (colon == NULL || place[0] == '?' || strtol(colon + 1, NULL, 10) <= 0) {
		return;
	}
	source->place = cli_report_memory_copy(place);
	if (function[0] != '?') {
		source->function = cli_report_memory_copy(function);
	}
}

/*
 * Ask once for all sites of one file. A site is the instruction after the call: the byte before it
 * belongs to the call.
 */
static void ask_file(struct place *places, size_t count, int64_t deadline_ms)
{
	int input = memfd_create("sites", MFD_CLOEXEC);
	if (input < 0) {
		return;
	}
	for (size_t i = 0; i < count; i++) {
		dprintf(input, "0x%" PRIx64 "\n", places[i].offset - 1);
	}
	lseek(input, 0, SEEK_SET);
	static char name[] = "addr2line", functions[] = "-f", demangle[] = "-C", exe[] = "-e";
	char *const words[] = {name, functions, demangle, exe, places[0].file, NULL};
	char *text = ask_child(words, input, deadline_ms);
	close(input);
	char *rest = text;
	for (size_t i = 0; i < count && rest != NULL; i++) {
		char *function = next_line(&rest);
		char *place = function != NULL ? next_line(&rest) : NULL;
		if (place == NULL) {
			break;
		}
		take_answer(&places[i].group->source, function, place);
	}
	free(text);
}

void cli_report_source_find(struct cli_table *table, size_t count)
{
	struct place *places = cli_report_memory_get(count, sizeof(*places));
	int64_t deadline_ms = now_ms() + CHILDREN_TIME_MS;
	char *cache = NULL;
	size_t used = 0;
	for (size_t i = 0; i < count; i++) {
		struct cli_group *group = table->groups[i];
		char module[CLI_RECORD_PATH_MAX + 1];
		uint64_t offset;
		if (!split_site(group->name, module, sizeof(module), &offset)) {
			continue;
		}
		char *file = find_file(group, module, &cache, deadline_ms);
		if (file != NULL) {
			places[used++] = (struct place){group, file, offset};
		}
	}
	qsort(places, used, sizeof(*places), compare_places);
	for (size_t start = 0, end; start < used; start = end) {
		for (end = start + 1; end < used; end++) {
			if (strcmp(places[end].file, places[start].file) != 0) {
				break;
			}
		}
		ask_file(places + start, end - start, deadline_ms);
	}
	for (size_t i = 0; i < used; i++) {
		free(places[i].file);
	}
	free(places);
	free(cache);
}
