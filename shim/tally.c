// SPDX-License-Identifier: MIT
#include "tally.h"
#include "line.h"
#include "sink.h"
#include "sys.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

enum { PATH_SIZE = 512 };

static struct sc_tally *tallies[SC_TALLY_FILES_MAX];
static int tally_count;

/* FNV-1a. */
static uint64_t hash(uint64_t value, const void *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		value = (value ^ ((const unsigned char *)bytes)[i]) * 0x100000001b3;
	}
	return value;
}

static uint64_t hash_text(uint64_t value, const char *text)
{
	return text == NULL ? hash(value, "", 1) : hash(value, text, strlen(text) + 1);
}

/* Two sites of 2^64 in one row would be told as one: nothing worse. */
static uint64_t key_of(const struct sc_event *event)
{
	uint64_t offset = event->site.module != NULL ? event->site.module_offset : 0;
	uint64_t value = hash_text(0xcbf29ce484222325, event->site.module);
	value = hash(value, &offset, sizeof(offset));
	value = hash_text(value, sc_report_via_name(event->via));
	value = hash_text(value, event->why);
	return value != 0 ? value : 1;
}

static void copy_text(char *place, size_t size, const char *text)
{
	if (text != NULL) {
		strncpy(place, text, size - 1); /* the file began as zeros */
	}
}

static void fill(struct sc_tally_row *row, const struct sc_event *event)
{
	copy_text(row->module, sizeof(row->module), event->site.module);
	copy_text(row->symbol, sizeof(row->symbol), event->site.symbol);
	copy_text(row->via, sizeof(row->via), sc_report_via_name(event->via));
	copy_text(row->why, sizeof(row->why), event->why);
	row->module_offset = event->site.module_offset;
	row->symbol_offset = event->site.symbol_offset;
	atomic_store_explicit(&row->is_filled, true, memory_order_release);
}

/* The event's row, which is made where there is none; NULL: no room. */
static struct sc_tally_row *find_row(struct sc_tally *tally, const struct sc_event *event)
{
	uint64_t key = key_of(event);
	for (size_t i = 0; i < SC_TALLY_ROW_COUNT; i++) {
		struct sc_tally_row *row = &tally->rows[(key + i) % SC_TALLY_ROW_COUNT];
		uint64_t there = 0;
		if (atomic_compare_exchange_strong(&row->key, &there, key)) {
			fill(row, event);
			return row;
		}
		if (there == key) {
			return row;
		}
	}
	return NULL;
}

static void add(struct sc_tally_sum *sum, const struct sc_conn *conn)
{
	atomic_fetch_add(&sum->connections, conn->is_listener ? conn->backlog : 1);
	atomic_fetch_add(&sum->unread_bytes, conn->unread_bytes);
	atomic_fetch_add(&sum->unacked_bytes, conn->unacked_bytes);
}

void sc_tally_add(struct sc_tally *tally, const struct sc_event *event)
{
	add(&tally->total, &event->conn); /* first: the total decides */
	struct sc_tally_row *row = find_row(tally, event);
	if (row != NULL) {
		add(&row->sum, &event->conn);
	}
}

void sc_tally_count(const struct sc_event *event)
{
	for (int i = 0; event->outcome == SC_OUTCOME_RST && i < tally_count; i++) {
		sc_tally_add(tallies[i], event);
	}
}

/* Only what has the file's size and magic: a shorter one would be the end of the program (SIGBUS). */
static int map_file(const char *path, struct sc_tally **tally)
{
	struct stat status;
	int fd = (int)SC_SYS4(SYS_openat, AT_FDCWD, path,
		O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK, 0);
	if (fd < 0) {
		return fd;
	}
	long result = SC_SYS2(SYS_fstat, fd, &status);
	if (result == 0 && (!S_ISREG(status.st_mode) || status.st_size != sizeof(**tally))) {
		result = -EINVAL;
	}
	if (result == 0) {
		result = SC_SYS6(
			SYS_mmap, NULL, sizeof(**tally), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	}
	sc_sys_close(fd);
	if ((unsigned long)result > -4096UL) { /* an address may be negative, on 32 bits */
		return (int)result;
	}
	*tally = (struct sc_tally *)result;
	if ((*tally)->magic != SC_TALLY_MAGIC) {
		SC_SYS2(SYS_munmap, *tally, sizeof(**tally));
		return -EINVAL;
	}
	return 0;
}

static void complain(const char *path, int error)
{
	char text[PATH_SIZE + 128];
	struct sc_line line = {text, sizeof(text), 0};
	sc_line_add(&line, "safeclose[");
	sc_line_add_number(&line, (uint64_t)sc_sys_getpid());
	sc_line_add(&line, "]: cannot count resets in ");
	sc_line_add_escaped(&line, path, PATH_SIZE);
	sc_line_add(&line, " (errno ");
	sc_line_add_number(&line, (uint64_t)-error);
	sc_line_add(&line, ")");
	sc_line_end(&line);
	sc_sink_write_stderr(text, line.length);
}

static void use_file(const char *path)
{
	int error = -E2BIG;
	if (tally_count < SC_TALLY_FILES_MAX) {
		error = map_file(path, &tallies[tally_count]);
	}
	if (error == 0) {
		tally_count++;
	} else {
		complain(path, error);
	}
}

void sc_tally_init(const char *paths)
{
	while (paths != NULL && *paths != '\0') {
		char path[PATH_SIZE];
		const char *end = strchr(paths, SC_TALLY_SEPARATOR);
		size_t length = end != NULL ? (size_t)(end - paths) : strlen(paths);
		size_t kept = length < sizeof(path) ? length : sizeof(path) - 1;
		memcpy(path, paths, kept);
		path[kept] = '\0';
		use_file(path);
		paths += length + (end != NULL);
	}
}
