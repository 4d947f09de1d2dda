// SPDX-License-Identifier: MIT
#include "leftovers.h"
#include "tally.h"
#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { RANDOM_DIGITS = 32 };

/* PID-RANDOM, of the size that it is made with: nothing else is touched. */
static bool is_ours(const char *name, int fd)
{
	struct stat status;
	size_t digits = strspn(name, "0123456789");
	return digits > 0 && name[digits] == '-' &&
	       strspn(name + digits + 1, "0123456789abcdef") == RANDOM_DIGITS &&
	       name[digits + 1 + RANDOM_DIGITS] == '\0' && fstat(fd, &status) == 0 &&
	       S_ISREG(status.st_mode) && status.st_size == sizeof(struct sc_tally);
}

/* A folder with nothing in it may be one that is about to be filled: it stays. */
static bool remove_content(int folder)
{
	bool is_removed = false;
	int copy = dup(folder);
	DIR *entries = copy >= 0 ? fdopendir(copy) : NULL;
	for (struct dirent *entry; entries != NULL && (entry = readdir(entries)) != NULL;) {
		int fd = entry->d_name[0] != '.'
				 ? openat(folder, entry->d_name,
					   O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
				 : -1;
		if (fd >= 0 && is_ours(entry->d_name, fd) && flock(fd, LOCK_EX | LOCK_NB) == 0) {
			is_removed = unlinkat(folder, entry->d_name, 0) == 0;
		}
		if (fd >= 0) {
			close(fd);
		}
	}
	if (entries != NULL) {
		closedir(entries);
	}
	return is_removed;
}

void cli_leftovers_remove(const char *parent)
{
	DIR *entries = opendir(parent);
	for (struct dirent *entry; entries != NULL && (entry = readdir(entries)) != NULL;) {
		struct stat status;
		if (strncmp(entry->d_name, CLI_LEFTOVERS_PREFIX, strlen(CLI_LEFTOVERS_PREFIX)) !=
			0) {
			continue;
		}
		int folder = openat(dirfd(entries), entry->d_name,
			O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (folder >= 0 && fstat(folder, &status) == 0 && status.st_uid == geteuid() &&
			remove_content(folder)) {
			unlinkat(dirfd(entries), entry->d_name, AT_REMOVEDIR);
		}
		if (folder >= 0) {
			close(folder);
		}
	}
	if (entries != NULL) {
		closedir(entries);
	}
}
