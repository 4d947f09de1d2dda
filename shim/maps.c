// SPDX-License-Identifier: MIT
#include "maps.h"
#include "ownfds.h"
#include "procfs.h"
#include "sys.h"
#include <fcntl.h>
#include <string.h>

enum { BUFFER_SIZE = 512, PATH_FIELD = 5 };

/* One line of the file, as far as it has been read: "start-end perms offset device inode path". */
struct mapping {
	uint64_t start;
	uint64_t end;
	uint64_t offset;
	int field; /* 0 start, 1 end, 2 perms, 3 offset, 4 device and inode, 5 path */
	int spaces;
	size_t path_length;
	char path[128];
};

static void add_hex(uint64_t *value, char c)
{
	int digit = c >= 'a' ? c - 'a' + 10 : c - '0';
	*value = *value * 16 + (uint64_t)digit;
}

static void add_path(struct mapping *line, char c)
{
	if (line->path_length == sizeof(line->path) - 1) {
		memmove(line->path, line->path + 1, --line->path_length);
	}
	line->path[line->path_length++] = c;
	line->path[line->path_length] = '\0';
}

static void add_character(struct mapping *line, char c)
{
	if (c == '-' && line->field == 0) {
		line->field = 1;
	} else if (c == ' ' && line->field < PATH_FIELD) {
		/* device and inode are passed over together; blanks pad the path */
		line->spaces++;
		line->field = line->spaces < 3   ? line->spaces + 1
			      : line->spaces < 5 ? 4
						 : PATH_FIELD;
	} else if (line->field == 0) {
		add_hex(&line->start, c);
	} else if (line->field == 1) {
		add_hex(&line->end, c);
	} else if (line->field == 3) {
		add_hex(&line->offset, c);
	} else if (line->field == PATH_FIELD && (c != ' ' || line->path_length > 0)) {
		add_path(line, c);
	}
}

/* The kernel writes a newline in a name as "\\012" (fs/proc/task_mmu.c, seq_file_path). */
static void unescape(char *path)
{
	for (char *at; (at = strstr(path, "\\012")) != NULL; path = at + 1) {
		*at = '\n';
		memmove(at + 1, at + 4, strlen(at + 4) + 1);
	}
}

/* What is no file ("[heap]") has a short name. */
static bool is_file(const struct mapping *line)
{
	return line->path[0] == '/' || line->path_length == sizeof(line->path) - 1;
}

/* A whole line. true: address lies in it, and found is complete. */
static bool end_line(struct mapping *line, uint64_t address, struct sc_mapped *found)
{
	if (!is_file(line)) {
		return false;
	}
	unescape(line->path);
	if (line->offset == 0) {
		found->base = line->start;
		memcpy(found->path, line->path, sizeof(found->path));
	}
	return address >= line->start && address < line->end &&
	       strcmp(found->path, line->path) == 0;
}

static bool search(int fd, uint64_t address, struct sc_mapped *found)
{
	char buffer[BUFFER_SIZE];
	struct mapping line;
	long size;
	memset(&line, 0, sizeof(line));
	while ((size = SC_SYS3(SYS_read, fd, buffer, sizeof(buffer))) > 0) {
		for (long i = 0; i < size; i++) {
			if (buffer[i] != '\n') {
				add_character(&line, buffer[i]);
			} else if (end_line(&line, address, found)) {
				return true;
			} else {
				memset(&line, 0, sizeof(line));
			}
		}
	}
	return false;
}

bool sc_maps_find(uint64_t address, struct sc_mapped *found)
{
	memset(found, 0, sizeof(*found));
	int fd = sc_procfs_open_file(AT_FDCWD, "/proc/self/maps");
	if (fd < 0) {
		return false;
	}
	bool is_found = search(fd, address, found);
	sc_ownfds_release(fd);
	if (!is_found) {
		found->path[0] = '\0'; /* the last file's */
	}
	return is_found;
}
