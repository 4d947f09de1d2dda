// SPDX-License-Identifier: MIT
#include "process.h"
#include "deadline.h"
#include "sanitizer.h"
#include "text.h"
#include "unit.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PATH_BYTES = 96, SOCKETS_MAX = 16384 };

/* The sockets in a descriptor table, by inode. */
struct table {
	uint64_t *inodes;
	size_t count;
};

pid_t process_background_tid(pid_t pid)
{
	char path[PATH_BYTES];
	struct dirent *entry;
	pid_t found = 0;
	DIR *tasks;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	tasks = opendir(path);
	while (tasks && (entry = readdir(tasks))) {
		char *name;

		snprintf(path, sizeof(path), "/proc/%d/task/%.16s/comm", pid, entry->d_name);
		name = text_of_file(path);
		if (strcmp(name, "safeclose\n") == 0) {
			found = atoi(entry->d_name);
		}
		free(name);
	}
	if (tasks) {
		closedir(tasks);
	}
	return found;
}

static double status_number(pid_t pid, pid_t tid, const char *label)
{
	char path[PATH_BYTES];
	char *status;
	double value;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/status", pid, tid);
	status = text_of_file(path);
	value = text_number_after(status, label);
	free(status);
	if (value < 0) {
		fail_msg("%s has no \"%s\"", path, label);
	}
	return value;
}

size_t process_threads(pid_t pid)
{
	size_t count = (size_t)status_number(pid, pid, "\nThreads:");
	size_t others = count - (process_background_tid(pid) != 0);

	/* ThreadSanitizer starts a thread of its own with a program's first. */
	return sanitizer_is_for_threads() && others > 1 ? count - 1 : count;
}

void process_await_single(pid_t pid)
{
	int64_t deadline = deadline_in(DEADLINE_MS);

	while (process_threads(pid) > 1) {
		if (!deadline_pause(deadline)) {
			fail_msg("the program kept %zu threads", process_threads(pid));
		}
	}
}

uint64_t process_resident_bytes(pid_t pid)
{
	return (uint64_t)status_number(pid, pid, "\nVmRSS:") * 1024;
}

struct process_cost process_cost(pid_t pid, pid_t tid)
{
	unsigned long user_ticks = 0;
	unsigned long kernel_ticks = 0;
	char path[PATH_BYTES];
	char *stat;
	const char *behind_name;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/stat", pid, tid);
	stat = text_of_file(path);
	behind_name = strrchr(stat, ')');
	assert_non_null(behind_name);
	assert_int_equal(
		sscanf(behind_name + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu",
			&user_ticks, &kernel_ticks),
		2);
	free(stat);
	return (struct process_cost){
		.ticks = user_ticks + kernel_ticks,
		.switches = (uint64_t)status_number(pid, tid, "\nvoluntary_ctxt_switches:") +
			    (uint64_t)status_number(pid, tid, "\nnonvoluntary_ctxt_switches:"),
	};
}

static struct table read_table(pid_t pid, pid_t tid)
{
	struct table table = {.inodes = calloc(SOCKETS_MAX, sizeof(uint64_t))};
	struct dirent *entry;
	char path[PATH_BYTES];
	DIR *folder;

	assert_non_null(table.inodes);
	snprintf(path, sizeof(path), "/proc/%d/task/%d/fd", pid, tid);
	folder = opendir(path);
	while (folder && (entry = readdir(folder))) {
		char link[64] = "";
		unsigned long inode;

		if (readlinkat(dirfd(folder), entry->d_name, link, sizeof(link) - 1) > 0 &&
			sscanf(link, "socket:[%lu]", &inode) == 1 && table.count < SOCKETS_MAX) {
			table.inodes[table.count++] = inode;
		}
	}
	if (folder) {
		closedir(folder);
	}
	return table;
}

static bool has_socket(const struct table *table, uint64_t inode)
{
	for (size_t i = 0; i < table->count; i++) {
		if (table->inodes[i] == inode) {
			return true;
		}
	}
	return false;
}

size_t process_descriptors(pid_t pid)
{
	char path[PATH_BYTES];
	struct dirent *entry;
	size_t count = 0;
	DIR *folder;

	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	folder = opendir(path);
	assert_non_null(folder);
	while ((entry = readdir(folder))) {
		count += *entry->d_name != '.';
	}
	closedir(folder);
	return count;
}

size_t process_sockets_apart(pid_t pid, pid_t tid)
{
	struct table theirs = read_table(pid, tid);
	struct table own = read_table(pid, pid);
	size_t count = 0;

	for (size_t i = 0; i < theirs.count; i++) {
		count += !has_socket(&own, theirs.inodes[i]);
	}
	free(theirs.inodes);
	free(own.inodes);
	return count;
}

size_t process_sockets_shared(pid_t pid, pid_t tid, pid_t other_pid)
{
	struct table theirs = read_table(pid, tid);
	struct table own = read_table(pid, pid);
	struct table other = read_table(other_pid, other_pid);
	size_t count = 0;

	for (size_t i = 0; i < theirs.count; i++) {
		count +=
			!has_socket(&own, theirs.inodes[i]) && has_socket(&other, theirs.inodes[i]);
	}
	free(theirs.inodes);
	free(own.inodes);
	free(other.inodes);
	return count;
}
