// SPDX-License-Identifier: MIT
#include "resets.h"
#include "cli.h"
#include "config.h"
#include "leftovers.h"
#include "line.h"
#include "netstat.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SITE_SIZE = 512 };

/* ---- the kernel's count -------------------------------------------------------------------- */

/* Of resets by a close over unread bytes, in this network namespace. Negative: not to be had. */
static int64_t count_of_kernel(void)
{
	char text[SC_NETSTAT_BYTES];
	FILE *file = fopen("/proc/self/net/netstat", "re");
	if (file == NULL) {
		return -1;
	}
	text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
	fclose(file);
	return sc_netstat_aborts_on_close(text);
}

/* ---- the file ------------------------------------------------------------------------------ */

/*
 * As root the tree may go on as any other user, who has to open the file after an exec: then the file
 * is open to all who know its name, in a folder that nobody else can list, and the name is random.
 */
static bool make_folder(struct cli_resets *resets, const char *parent)
{
	bool is_for_all = geteuid() == 0;
	int bytes = snprintf(resets->folder, sizeof(resets->folder),
		"%s/" CLI_LEFTOVERS_PREFIX "XXXXXX", parent);
	if (strchr(parent, SC_TALLY_SEPARATOR) != NULL || (size_t)bytes >= sizeof(resets->folder)) {
		errno = EINVAL;
		return false;
	}
	if (mkdtemp(resets->folder) == NULL) {
		return false;
	}
	return !is_for_all || chmod(resets->folder, 0711) == 0;
}

static int make_file(struct cli_resets *resets)
{
	uint64_t name[2];
	if (getrandom(name, sizeof(name), 0) != (ssize_t)sizeof(name)) {
		return -1;
	}
	int bytes = snprintf(resets->path, sizeof(resets->path), "%s/%d-%016" PRIx64 "%016" PRIx64,
		resets->folder, getpid(), name[0], name[1]);
	if ((size_t)bytes >= sizeof(resets->path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	int fd = open(resets->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	/* With its room on the disk: else a full one would be the end of who counts (SIGBUS). */
	if (fd >= 0 && ((geteuid() == 0 && fchmod(fd, 0666) != 0) ||
			       fallocate(fd, 0, 0, sizeof(*resets->tally)) != 0)) {
		close(fd);
		return -1;
	}
	return fd;
}

/* Between its making and its locking somebody may have found it unlocked. */
static bool lock(int fd)
{
	struct stat status;
	return flock(fd, LOCK_SH | LOCK_NB) == 0 && fstat(fd, &status) == 0 && status.st_nlink > 0;
}

static bool make(struct cli_resets *resets, const char *parent)
{
	resets->folder[0] = '\0';
	resets->path[0] = '\0';
	resets->tally = NULL;
	cli_leftovers_remove(parent);
	if (!make_folder(resets, parent)) {
		return false;
	}
	int fd = make_file(resets);
	void *mapping = fd >= 0 ? mmap(NULL, sizeof(*resets->tally), PROT_READ | PROT_WRITE,
					  MAP_SHARED, fd, 0)
				: MAP_FAILED;
	int error = errno;
	if (mapping == MAP_FAILED || !lock(fd)) {
		close(fd);
		cli_resets_end(resets);
		errno = error;
		return false;
	}
	resets->lock = fd;
	resets->tally = mapping;
	resets->tally->magic = SC_TALLY_MAGIC;
	return true;
}

/* The trees that this one is part of count too. */
static bool name_in_environment(const struct cli_resets *resets)
{
	const char *outer = getenv(SC_CONFIG_TALLY);
	if (outer == NULL || *outer == '\0') {
		return setenv(SC_CONFIG_TALLY, resets->path, 1) == 0;
	}
	size_t size = strlen(outer) + strlen(resets->path) + 2;
	char *value = malloc(size);
	if (value == NULL) {
		return false;
	}
	snprintf(value, size, "%s%c%s", resets->path, SC_TALLY_SEPARATOR, outer);
	bool is_set = setenv(SC_CONFIG_TALLY, value, 1) == 0;
	free(value);
	return is_set;
}

static int depth(void)
{
	const char *outer = getenv(SC_CONFIG_TALLY);
	int count = outer != NULL && *outer != '\0';
	for (; outer != NULL && *outer != '\0'; outer++) {
		count += *outer == SC_TALLY_SEPARATOR;
	}
	return count;
}

bool cli_resets_begin(struct cli_resets *resets)
{
	const char *chosen = getenv("TMPDIR");
	if (depth() >= SC_TALLY_FILES_MAX) {
		cli_complain("run: --fail-on-reset within %d others", depth());
		return false;
	}
	/* Shared memory first: nothing is written to a disk. */
	if (!make(resets, "/dev/shm") && !make(resets, "/tmp") &&
		!make(resets, chosen != NULL && *chosen == '/' ? chosen : "/var/tmp")) {
		cli_complain("run: no place for a file to count resets in: %s", strerror(errno));
		return false;
	}
	if (!name_in_environment(resets)) {
		cli_complain("run: %s", strerror(errno));
		cli_resets_end(resets);
		return false;
	}
	resets->kernel_count = count_of_kernel();
	return true;
}

void cli_resets_end(struct cli_resets *resets)
{
	if (resets->path[0] != '\0') {
		unlink(resets->path);
	}
	if (resets->folder[0] != '\0') {
		rmdir(resets->folder);
	}
}

/* ---- the table ----------------------------------------------------------------------------- */

uint64_t cli_resets_count(const struct cli_resets *resets)
{
	return atomic_load(&resets->tally->total.connections);
}

static uint64_t count_of(const struct sc_tally_row *row)
{
	return atomic_load(&row->sum.connections);
}

static int compare(const void *left, const void *right)
{
	const struct sc_tally_row *const *rows[] = {left, right};
	uint64_t counts[] = {count_of(*rows[0]), count_of(*rows[1])};
	return counts[0] < counts[1] ? 1 : counts[0] > counts[1] ? -1 : 0;
}

/* The file is everybody's in the tree: a text in it may have no end. */
static void add_text(struct sc_line *line, const char *text, size_t size)
{
	char copy[SC_TALLY_NAME_SIZE + 1] = "";
	memcpy(copy, text, strnlen(text, size < sizeof(copy) ? size : sizeof(copy) - 1));
	sc_line_add_escaped(line, copy, SITE_SIZE);
}

/* app+0x1a2b (reply_and_close+0x3c), close: unread */
static void tell_row(const struct sc_tally_row *row)
{
	char text[SITE_SIZE];
	struct sc_line line = {text, sizeof(text) - 1, 0};
	if (!atomic_load_explicit(&row->is_filled, memory_order_acquire) ||
		row->module[0] == '\0') {
		sc_line_add(&line, "?");
	} else {
		add_text(&line, row->module, sizeof(row->module));
		sc_line_add(&line, "+0x");
		sc_line_add_hex(&line, row->module_offset);
	}
	if (row->symbol[0] != '\0') {
		sc_line_add(&line, " (");
		add_text(&line, row->symbol, sizeof(row->symbol));
		sc_line_add(&line, "+0x");
		sc_line_add_hex(&line, row->symbol_offset);
		sc_line_add(&line, ")");
	}
	sc_line_add(&line, ", ");
	add_text(&line, row->via, sizeof(row->via));
	sc_line_add(&line, ": ");
	add_text(&line, row->why, sizeof(row->why));
	text[line.length] = '\0';
	fprintf(stderr, "%8" PRIu64 "%12" PRIu64 "%16" PRIu64 "  %s\n", count_of(row),
		atomic_load(&row->sum.unread_bytes), atomic_load(&row->sum.unacked_bytes), text);
}

void cli_resets_tell(const struct cli_resets *resets)
{
	const struct sc_tally_row *rows[SC_TALLY_ROW_COUNT] = {NULL};
	size_t count = 0;
	uint64_t total = cli_resets_count(resets);
	uint64_t told = 0;
	for (size_t i = 0; i < SC_TALLY_ROW_COUNT; i++) {
		if (count_of(&resets->tally->rows[i]) > 0) {
			rows[count++] = &resets->tally->rows[i];
		}
	}
	qsort(rows, count, sizeof(rows[0]), compare);
	fprintf(stderr, "safeclose: %" PRIu64 " %s reset by a close\n", total,
		total == 1 ? "connection was" : "connections were");
	fprintf(stderr, "%8s%12s%16s  %s\n", "count", "unread", "unacknowledged", "call site");
	for (size_t i = 0; i < count; i++) {
		tell_row(rows[i]);
		told += count_of(rows[i]);
	}
	if (told < total) {
		fprintf(stderr, "%8" PRIu64 "%12s%16s  %s\n", total - told, "", "", "others");
	}
}

/* What is counted here includes resets for other reasons: so many at least. */
void cli_resets_tell_unseen(const struct cli_resets *resets)
{
	int64_t more = count_of_kernel() - resets->kernel_count - (int64_t)cli_resets_count(resets);
	if (resets->kernel_count >= 0 && more > 0) {
		fprintf(stderr,
			"safeclose: by the kernel's count (TCPAbortOnClose) at least %" PRId64
			" more %s reset by a close in this network namespace\n",
			more, more == 1 ? "was" : "were");
	}
}
