// SPDX-License-Identifier: MIT
#include "procfs.h"
#include "line.h"
#include "ownfds.h"
#include "sys.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>

enum {
	STAT_SIZE = 512,
	TEXT_MAX = 32,
	SESSION_FIELD = 6,
	FLAGS_FIELD = 9,
	THREADS_FIELD = 20,
	START_TIME_FIELD = 22,
	KERNEL_THREAD_FLAG = 0x00200000, /* PF_KTHREAD, linux/sched.h */
	ENDING_FLAG = 0x4,               /* PF_EXITING */
};

int sc_procfs_open_with(int at, const char *name, int flags)
{
	int fd;
	bool is_counted = sc_ownfds_begin_opening();
	do {
		fd = (int)SC_SYS4(SYS_openat, at, name, O_RDONLY | O_CLOEXEC | flags, 0);
	} while (fd == -EMFILE && sc_ownfds_make_room());
	fd = sc_ownfds_adopt(fd);
	sc_ownfds_end_opening(is_counted);
	return fd;
}

int sc_procfs_open(int at, const char *name)
{
	return sc_procfs_open_with(at, name, O_DIRECTORY);
}

int sc_procfs_open_file(int at, const char *name)
{
	return sc_procfs_open_with(at, name, 0);
}

long sc_procfs_read(int at, const char *name, char *text, size_t size)
{
	int fd = sc_procfs_open_file(at, name);
	if (fd < 0) {
		return fd;
	}
	long length = SC_SYS3(SYS_read, fd, text, size - 1);
	sc_ownfds_release(fd);
	if (length >= 0) {
		text[length] = '\0';
	}
	return length;
}

uint64_t sc_procfs_number_behind(int at, const char *name, const char *label, unsigned base)
{
	char text[512];
	if (sc_procfs_read(at, name, text, sizeof(text)) <= 0) {
		return 0;
	}
	const char *digit = strstr(text, label);
	if (digit == NULL) {
		return 0;
	}
	digit += strlen(label);
	return sc_procfs_number_in(digit + strspn(digit, " \t"), base);
}

int sc_procfs_find(const char *name, const char *text)
{
	char chunk[512 + TEXT_MAX];
	size_t length = strlen(text);
	size_t kept = 0; /* of the chunk before, in case the text is cut */
	int fd = sc_procfs_open_file(AT_FDCWD, name);
	long result = fd;
	while (result >= 0) {
		result = SC_SYS3(SYS_read, fd, chunk + kept, sizeof(chunk) - 1 - kept);
		if (result <= 0) {
			break;
		}
		size_t size = kept + (size_t)result;
		chunk[size] = '\0';
		if (strstr(chunk, text) != NULL) {
			result = 1;
			break;
		}
		kept = size < length ? size : length;
		memmove(chunk, chunk + size - kept, kept);
	}
	sc_ownfds_release(fd);
	return (int)result;
}

int sc_procfs_find_about(int fd, const char *text)
{
	char name[64];
	struct sc_line line = {name, sizeof(name) - 1, 0};
	sc_line_add(&line, "/proc/thread-self/fdinfo/");
	sc_line_add_number(&line, (uint64_t)fd);
	name[line.length] = '\0';
	return sc_procfs_find(name, text);
}

bool sc_procfs_number(const char *name, int *number)
{
	long value = 0;
	if (*name == '\0') {
		return false;
	}
	for (; *name != '\0'; name++) {
		if (*name < '0' || *name > '9' || value > INT32_MAX / 10) {
			return false;
		}
		value = value * 10 + (*name - '0');
	}
	*number = (int)value;
	return value <= INT32_MAX;
}

int sc_procfs_self(int proc)
{
	char link[16];
	long length = SC_SYS4(SYS_readlinkat, proc, "self", link, sizeof(link) - 1);
	if (length <= 0) {
		return (int)length;
	}
	link[length] = '\0';
	int pid;
	return sc_procfs_number(link, &pid) ? pid : 0;
}

uint64_t sc_procfs_number_in(const char *text, unsigned base)
{
	uint64_t value = 0;
	for (;; text++) {
		unsigned digit = *text >= '0' && *text <= '9'   ? (unsigned)(*text - '0')
				 : *text >= 'a' && *text <= 'f' ? (unsigned)(*text - 'a') + 10
								: UINT32_MAX;
		if (digit >= base) {
			return value;
		}
		value = value * base + digit;
	}
}

uint64_t sc_procfs_socket_inode(const char *link, long length)
{
	static const char prefix[] = "socket:[";
	const long prefix_length = sizeof(prefix) - 1;
	if (length <= prefix_length || memcmp(link, prefix, (size_t)prefix_length) != 0) {
		return 0;
	}
	return sc_procfs_number_in(link + prefix_length, 10);
}

/* "4711 4712 ": the kernel's list, which grows at its end (children_seq_show, fs/proc/array.c). */
int sc_procfs_latest_child(void)
{
	char text[512];
	int latest = 0;
	int number = 0;
	int fd = sc_procfs_open_file(AT_FDCWD, "/proc/thread-self/children");
	long length = fd;
	while (length >= 0 && (length = SC_SYS3(SYS_read, fd, text, sizeof(text))) > 0) {
		for (long i = 0; i < length; i++) {
			bool is_digit = text[i] != ' ';
			latest = is_digit ? latest : number;
			number = is_digit ? number * 10 + text[i] - '0' : 0;
		}
	}
	sc_ownfds_release(fd);
	return latest;
}

/* proc(5): "pid (comm) state ppid ...", where comm may hold anything, brackets too. */
static int parse_stat(const char *text, struct sc_process_stat *stat)
{
	const char *field = strrchr(text, ')');
	for (int number = 3; field != NULL; number++) {
		field = strchr(field, ' ');
		if (field == NULL) {
			break;
		}
		field++;
		if (number == 3) {
			stat->state = *field;
		} else if (number == 4) {
			stat->parent = (int)sc_procfs_number_in(field, 10);
		} else if (number == SESSION_FIELD) {
			stat->session = (int)sc_procfs_number_in(field, 10);
		} else if (number == FLAGS_FIELD) {
			uint64_t flags = sc_procfs_number_in(field, 10);
			stat->is_kernel_thread = (flags & KERNEL_THREAD_FLAG) != 0;
			stat->is_ending = (flags & ENDING_FLAG) != 0;
		} else if (number == THREADS_FIELD) {
			stat->threads = (int)sc_procfs_number_in(field, 10);
		} else if (number == START_TIME_FIELD) {
			stat->start_time = sc_procfs_number_in(field, 10);
			return 0;
		}
	}
	return -EINVAL;
}

int sc_procfs_stat(int proc, int pid, struct sc_process_stat *stat)
{
	char name[32];
	struct sc_line line = {name, sizeof(name) - 1, 0};
	sc_line_add_number(&line, (uint64_t)pid);
	sc_line_add(&line, "/stat");
	name[line.length] = '\0';
	char text[STAT_SIZE];
	long length = sc_procfs_read(proc, name, text, sizeof(text));
	return length < 0 ? (int)length : parse_stat(text, stat);
}
