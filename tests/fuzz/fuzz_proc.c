// SPDX-License-Identifier: MIT
/*
 * What is read of /proc, where names are a stranger's: lines of /proc/self/maps with any names of files,
 * /proc/PID/stat with any name of a program, and a text to be found in a file. Each comes in pieces of
 * any size, and gives what a plain reading of it gives. The same of any bytes at all.
 */
#include "must.h"

#include "maps.h"
#include "procfs.h"
#include "sys.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { FILE_FD = 1000, TEXT_BYTES = 8192, MAPPINGS_MAX = 12 };

/* The file that is there, whatever its name. */
static struct {
	char text[TEXT_BYTES + 1];
	size_t size;
	size_t place;
	size_t piece; /* most bytes of a read */
} file;

/* In the place of the kernel. */
long sc_sys6(long number, long a, long b, long c, long d, long e, long f)
{
	(void)a;
	(void)d;
	(void)e;
	(void)f;
	if (number == SYS_openat) {
		file.place = 0;
		return FILE_FD;
	}
	must(number == SYS_read && a == FILE_FD);
	size_t left = file.size - file.place;
	size_t count = (size_t)c < left ? (size_t)c : left;
	count = count < file.piece ? count : file.piece;
	memcpy((void *)b, file.text + file.place, count);
	file.place += count;
	return (long)count;
}

static void close_file(int fd)
{
	must(fd == FILE_FD);
}

#define PLAINFDS_CLOSE close_file
#include "../harness/plainfds.h"

/* The next of the input; zeros at its end. */
static const unsigned char *input;
static size_t input_size;

static unsigned take(void)
{
	if (input_size == 0) {
		return 0;
	}
	input_size--;
	return *input++;
}

/* A name of up to max bytes without the byte that ends it, and without NUL. */
static size_t take_name(char *name, size_t max)
{
	size_t length = 0;

	for (size_t count = take() % (max + 1); length < count && input_size > 0;) {
		char byte = (char)take();

		if (byte != '\0' && byte != '\n') {
			name[length++] = byte;
		}
	}
	name[length] = '\0';
	return length;
}

/* ---- maps ---------------------------------------------------------------------------------- */

struct mapping {
	uint64_t start;
	uint64_t end;
	uint64_t offset;
	char path[256];
};

/* The last 127 letters, with line feeds as they were. */
static void shown_path(char shown[128], const char *path)
{
	size_t length = strlen(path);
	const char *from = length > 127 ? path + length - 127 : path;
	size_t at = 0;

	while (*from) {
		bool is_feed = strncmp(from, "\\012", 4) == 0;

		shown[at++] = is_feed ? '\n' : *from;
		from += is_feed ? 4 : 1;
	}
	shown[at] = '\0';
}

static void check_mapping(const struct mapping *mappings, size_t wanted)
{
	const struct mapping *mapping = &mappings[wanted];
	struct sc_mapped found;
	char path[128], other[128];
	bool is_known = false;
	uint64_t base = 0;

	/* The file's first byte is where it was mapped last, with no other file's between them. */
	shown_path(path, mapping->path);
	for (size_t i = 0; i <= wanted && mapping->path[0] == '/'; i++) {
		shown_path(other, mappings[i].path);
		if (mappings[i].path[0] == '/' && mappings[i].offset == 0) {
			is_known = strcmp(other, path) == 0;
			base = mappings[i].start;
		}
	}
	must(sc_maps_find(mapping->start, &found) == is_known);
	must(sc_maps_find(mapping->end - 1, &found) == is_known);
	must(is_known ? found.base == base && strcmp(found.path, path) == 0
		      : found.path[0] == '\0');
}

static void check_maps(void)
{
	struct mapping mappings[MAPPINGS_MAX];
	uint64_t at = 0x1000;
	size_t count = 0;

	file.size = 0;
	while (count < MAPPINGS_MAX && input_size > 0) {
		struct mapping *mapping = &mappings[count];

		mapping->start = at += take() * UINT64_C(4096);
		mapping->end = at += (take() + 1) * UINT64_C(4096);
		mapping->offset = take() % 4 * UINT64_C(4096);
		take_name(mapping->path, sizeof(mapping->path) - 1);
		/* Blanks before a name are padding. One that is no file's is short. */
		if (mapping->path[0] == ' ' ||
			(mapping->path[0] != '/' && strlen(mapping->path) > 100)) {
			mapping->path[0] = '/';
		}
		int length = snprintf(file.text + file.size, TEXT_BYTES - file.size,
			"%llx-%llx r-xp %08llx fe:00 123456 %s%s\n",
			(unsigned long long)mapping->start, (unsigned long long)mapping->end,
			(unsigned long long)mapping->offset, take() & 1 ? "        " : "",
			mapping->path);
		must(length > 0 && file.size + (size_t)length < TEXT_BYTES);
		file.size += (size_t)length;
		count++;
	}
	for (size_t i = 0; i < count; i++) {
		check_mapping(mappings, i);
	}
}

/* ---- stat and find ------------------------------------------------------------------------- */

static void check_stat(void)
{
	struct sc_process_stat stat = {0};
	char name[65];
	unsigned parent = take() << 8 | take();
	unsigned session = take();
	unsigned flags = take();
	unsigned threads = take();
	unsigned start = take() << 8 | take();

	take_name(name, sizeof(name) - 1);
	file.size = (size_t)snprintf(file.text, TEXT_BYTES,
		"4242 (%s) S %u 1 %u 0 -1 %u 1 2 3 4 5 6 7 8 20 0 %u 0 %u 9 9\n", name, parent,
		session, flags, threads, start);
	file.piece = TEXT_BYTES;
	must(sc_procfs_stat(3, 4242, &stat) == 0);
	must(stat.state == 'S' && stat.parent == (int)parent && stat.session == (int)session);
	must(stat.threads == (int)threads && stat.start_time == start);
	must(stat.is_ending == ((flags & 4) != 0) && !stat.is_kernel_thread);
}

static void check_find(void)
{
	char text[33];
	size_t length = take_name(text, sizeof(text) - 1);

	file.size = 0;
	while (input_size > 0 && file.size < TEXT_BYTES) {
		unsigned byte = take();

		file.text[file.size++] = byte == 0 ? ' ' : (char)byte;
	}
	file.text[file.size] = '\0';
	if (length > 0) {
		must(sc_procfs_find("/file", text) == (strstr(file.text, text) != NULL));
	}
}

/* Any bytes: an answer, whatever it is. */
static void check_any(void)
{
	struct sc_process_stat stat;
	struct sc_mapped found;

	file.size = input_size < TEXT_BYTES ? input_size : TEXT_BYTES;
	memcpy(file.text, input, file.size);
	sc_maps_find(0x1000, &found);
	must(memchr(found.path, '\0', sizeof(found.path)) != NULL);
	sc_procfs_stat(3, 4242, &stat);
	sc_procfs_socket_inode(file.text, (long)strnlen(file.text, file.size));
}

int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t size)
{
	static void (*const checks[])(void) = {check_maps, check_stat, check_find, check_any};

	input = bytes;
	input_size = size;
	memset(&file, 0, sizeof(file));
	unsigned how = take();
	file.piece = 1 + take() * 4;
	checks[how % 4]();
	return 0;
}
