// SPDX-License-Identifier: MIT
/*
 * The demonstration: the document's server and client, six times, each time with the wire watched.
 *
 * in:  the library, ../libsafeclose.so seen from this program's folder, or -l LIBRARY; server and
 *      client beside this program; names of runs, else all
 * out: each run's segments in tcpdump's form and as NAME.pcap beside this program, then one table;
 *      TCP options only with -o, and then the lines are tcpdump's to the letter
 * exit status: 0 when every run ended as it must, 1 when one did not, 2 for trouble before the runs
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "judge.h"
#include "pcap.h"
#include "play.h"
#include "segment.h"
#include "wire.h"

enum { COMPLAINTS_BYTES = 1024 };

static const struct scene scenes[] = {
	{
		.name = "without",
		.story = "the byte lies unread when the client closes",
		.is_reset = true,
		.aborts = 1,
	},
	{
		.name = "warn",
		.story = "the same, and the library says who did it",
		.mode = "warn",
		.is_reset = true,
		.aborts = 1,
		.outcome = "rst",
	},
	{
		.name = "drain",
		.story = "the library discards the unread byte, then closes",
		.mode = "drain",
		.outcome = "fin",
	},
	{
		.name = "fin",
		.story = "the library half-closes, discards until the server's FIN, then closes",
		.mode = "fin",
		.outcome = "fin",
	},
	{
		.name = "late-without",
		.story = "nothing is unread at the close; the byte comes after it",
		.is_late = true,
		.is_reset = true,
	},
	{
		.name = "late-fin-always",
		.story = "the same; the library waits for what may still come",
		.mode = "fin",
		.when = "always",
		.is_late = true,
		.outcome = "fin",
	},
};

enum { SCENES = sizeof(scenes) / sizeof(scenes[0]) };

struct demo {
	struct theatre theatre;
	char folder[PATH_MAX]; /* of this program, with the slash */
	bool with_options;     /* print TCP options */
	bool is_told;          /* why segments are missing */
	bool is_chosen[SCENES];
	struct sighting *seen; /* one a scene, shared with the stages */
	char complaints[SCENES][COMPLAINTS_BYTES];
};

/* Print each line of text behind the name. */
static void print_lines(const char *name, const char *text)
{
	while (*text != '\0') {
		size_t length = strcspn(text, "\n");

		printf("%s: %.*s\n", name, (int)length, text);
		text += length + (text[length] == '\n');
	}
}

/* A path as one would type it here. */
static const char *seen_from_here(const char *path)
{
	char here[PATH_MAX];
	size_t length;

	if (getcwd(here, sizeof(here)) == NULL) {
		return path;
	}
	length = strlen(here);
	return strncmp(path, here, length) == 0 && path[length] == '/' ? path + length + 1 : path;
}

static void print_head(const struct demo *demo, const struct scene *scene)
{
	printf("\n== %s: %s\n$ ", scene->name, scene->story);
	if (scene->mode != NULL) {
		printf("LD_PRELOAD=%s SAFECLOSE_MODE=%s ", seen_from_here(demo->theatre.library),
			scene->mode);
	}
	if (scene->when != NULL) {
		printf("SAFECLOSE_WHEN=%s ", scene->when);
	}
	printf("client%s PORT\n", scene->is_late ? " --early" : "");
}

static void save(const struct demo *demo, const struct scene *scene, const struct capture *capture)
{
	char path[PATH_MAX + 64];
	int error;

	snprintf(path, sizeof(path), "%s%s.pcap", demo->folder, scene->name);
	error = pcap_write(path, capture);
	if (error == 0) {
		printf("saved: %s\n", seen_from_here(path));
	} else {
		printf("not saved: %s: %s\n", seen_from_here(path), strerror(-error));
	}
}

static void print_run(
	const struct demo *demo, const struct scene *scene, const struct sighting *seen)
{
	const char *server = strchr(seen->server.output, '\n'); /* past its port */

	if (seen->has_capture) {
		segment_print_all(stdout, &seen->capture, demo->with_options);
	}
	print_lines("client", seen->client.output);
	print_lines("server", server != NULL ? server + 1 : seen->server.output);
	if (seen->has_capture) {
		save(demo, scene, &seen->capture);
	}
}

/* Say, once, what cannot be watched here, and go on with what can. */
static void tell_missing(struct demo *demo, const struct sighting *seen)
{
	if (demo->theatre.with_netns && seen->netns_error != 0) {
		demo->theatre.with_netns = false;
		printf("No private network namespace (%s: %s).\n"
		       "The runs share this one, whose counters count others' connections too.\n",
			seen->netns_step, strerror(-seen->netns_error));
	} else if (!demo->is_told && seen->capture_error != 0) {
		demo->is_told = true;
		printf("No packet socket (%s): no segments to show, but what the peers saw.\n",
			strerror(-seen->capture_error));
	}
}

static void play(struct demo *demo, size_t i)
{
	const struct scene *scene = &scenes[i];
	struct sighting *seen = &demo->seen[i];

	play_scene(&demo->theatre, scene, seen);
	if (seen->netns_error != 0) {
		tell_missing(demo, seen);
		play_scene(&demo->theatre, scene, seen);
	}
	tell_missing(demo, seen);
	print_head(demo, scene);
	print_run(demo, scene, seen);
	fflush(stdout);
}

static void print_counter(int64_t growth, int width)
{
	if (growth < 0) {
		printf("  %-*s", width, "-");
	} else {
		printf("  %-*lld", width, (long long)growth);
	}
}

static void print_row(const struct scene *scene, const struct sighting *seen, bool is_good)
{
	static const char *const endings[] = {"none", "FIN", "RST"};
	char server[80] = "-";

	if (seen->recv_result[0] != '\0') {
		snprintf(server, sizeof(server), "recv %s, SO_ERROR %s", seen->recv_result,
			seen->so_error);
	}
	printf("%-15s  %-12s  %-27s", scene->name,
		seen->has_capture ? endings[wire_read(&seen->capture).client_ending] : "-", server);
	print_counter(seen->aborts, 15);
	print_counter(seen->resets_sent, 7);
	printf("  %s\n", is_good ? "as it must" : "NOT as it must");
}

/* The number of runs that did not end as they must. */
static int print_table(struct demo *demo)
{
	int bad = 0;

	printf("\n%-15s  %-12s  %-27s  %-15s  %-7s  %s\n", "run", "client's end", "the server saw",
		"TCPAbortOnClose", "OutRsts", "verdict");
	for (size_t i = 0; i < SCENES; i++) {
		if (demo->is_chosen[i]) {
			bool is_good = judge_run(&scenes[i], &demo->seen[i], demo->complaints[i],
					       COMPLAINTS_BYTES) == 0;

			print_row(&scenes[i], &demo->seen[i], is_good);
			bad += !is_good;
		}
	}
	for (size_t i = 0; i < SCENES; i++) {
		print_lines(scenes[i].name, demo->complaints[i]);
	}
	return bad;
}

/* Is it there? Else say so. */
static bool is_usable(const char *path, int how)
{
	if (access(path, how) == 0) {
		return true;
	}
	fprintf(stderr, "demo: %s: %s\n", path, strerror(errno));
	return false;
}

/* Find ourselves and what we play with. */
static bool find(struct demo *demo, const char *library)
{
	struct theatre *theatre = &demo->theatre;
	ssize_t length = readlink("/proc/self/exe", demo->folder, sizeof(demo->folder) - 32);
	char beside[PATH_MAX + 32];
	char *slash;

	if (length <= 0) {
		fprintf(stderr, "demo: /proc/self/exe: %s\n", strerror(errno));
		return false;
	}
	demo->folder[length] = '\0';
	slash = strrchr(demo->folder, '/');
	slash[1] = '\0';
	snprintf(theatre->server, sizeof(theatre->server), "%sserver", demo->folder);
	snprintf(theatre->client, sizeof(theatre->client), "%sclient", demo->folder);
	if (library == NULL) {
		snprintf(beside, sizeof(beside), "%s../libsafeclose.so", demo->folder);
		library = beside;
	}
	if (!is_usable(library, R_OK) || !is_usable(theatre->server, X_OK) ||
		!is_usable(theatre->client, X_OK)) {
		return false;
	}
	return realpath(library, theatre->library) != NULL;
}

/* What was meant for us alone must not reach server and client: a run is what its name says. */
static void clean_environment(void)
{
	extern char **environ;
	size_t i = 0;

	unsetenv("LD_PRELOAD");
	while (environ != NULL && environ[i] != NULL) {
		if (strncmp(environ[i], "SAFECLOSE_", 10) == 0) {
			char *name = strndup(environ[i], strcspn(environ[i], "="));

			unsetenv(name);
			free(name);
		} else {
			i++;
		}
	}
}

/* Choose the runs that are named, or all. */
static bool choose(struct demo *demo, char *const names[])
{
	bool is_all = names[0] == NULL;

	for (size_t i = 0; i < SCENES; i++) {
		demo->is_chosen[i] = is_all;
	}
	for (; *names != NULL; names++) {
		size_t i = 0;

		while (i < SCENES && strcmp(scenes[i].name, *names) != 0) {
			i++;
		}
		if (i == SCENES) {
			fprintf(stderr, "demo: no run is called %s\n", *names);
			return false;
		}
		demo->is_chosen[i] = true;
	}
	return true;
}

static int usage(FILE *out)
{
	fprintf(out, "usage: demo [-o] [-l LIBRARY] [RUN]...\n"
		     "  -o          print TCP options too\n"
		     "  -l LIBRARY  preload this one\n"
		     "runs:");
	for (size_t i = 0; i < SCENES; i++) {
		fprintf(out, " %s", scenes[i].name);
	}
	fputc('\n', out);
	return out == stdout ? 0 : 2;
}

int main(int argc, char **argv)
{
	static struct demo demo = {.theatre.with_netns = true};
	const char *library = NULL;
	int option;

	while ((option = getopt(argc, argv, "ol:h")) != -1) {
		if (option == 'o') {
			demo.with_options = true;
		} else if (option == 'l') {
			library = optarg;
		} else {
			return usage(option == 'h' ? stdout : stderr);
		}
	}
	if (!choose(&demo, argv + optind) || !find(&demo, library)) {
		return 2;
	}
	demo.seen = mmap(NULL, SCENES * sizeof(*demo.seen), PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (demo.seen == MAP_FAILED) {
		perror("demo: mmap");
		return 2;
	}
	clean_environment();
	for (size_t i = 0; i < SCENES; i++) {
		if (demo.is_chosen[i]) {
			play(&demo, i);
		}
	}
	return print_table(&demo) == 0 ? 0 : 1;
}
