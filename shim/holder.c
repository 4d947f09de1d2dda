// SPDX-License-Identifier: MIT
#include "holder.h"
#include "clock.h"
#include "line.h"
#include "ownfds.h"
#include "procfs.h"
#include "sys.h"
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/stat.h>

#define NS_PER_TICK 10000000ULL /* USER_HZ is 100 */
#define YOUNG_NS 200000000ULL
#define CHILDHOOD_NS 2000000000ULL
#define STARTING_RUN_NS 20000000ULL
#define MOMENT_NS 4000000ULL
#define MOMENTS (1ULL << 31)

/* "/proc/PID", or this process's without its number, and the rest. */
static void name_in_proc(char *name, size_t size, int pid, const char *rest)
{
	struct sc_line line = {name, size - 1, 0};
	sc_line_add(&line, "/proc/");
	if (pid != SC_HOLDER_SELF) {
		sc_line_add_number(&line, (uint64_t)pid);
	} else {
		sc_line_add(&line, "self");
	}
	sc_line_add(&line, rest);
	name[line.length] = '\0';
}

/* "/proc/PID/fd/FD", or that in another folder. */
static void name_descriptor(char *name, size_t size, int pid, const char *folder, int fd)
{
	char rest[24];
	struct sc_line line = {rest, sizeof(rest) - 1, 0};
	sc_line_add(&line, folder);
	sc_line_add_number(&line, (uint64_t)fd);
	rest[line.length] = '\0';
	name_in_proc(name, size, pid, rest);
}

/* What /proc/PID/fd/FD points to, in link, zero-terminated. Its length, or negative errno. */
static long read_link(int pid, int fd, char *link, size_t size)
{
	char name[64];
	name_descriptor(name, sizeof(name), pid, "/fd/", fd);
	long length = SC_SYS4(SYS_readlinkat, AT_FDCWD, name, link, size - 1);
	link[length > 0 ? length : 0] = '\0';
	return length;
}

bool sc_holder_still_holds(uint64_t inode, int pid, int fd)
{
	char link[64];
	long length = read_link(pid, fd, link, sizeof(link));
	return length > 0 && sc_procfs_socket_inode(link, length) == inode;
}

bool sc_holder_lets_go_at_exec(uint64_t inode, int pid, int fd)
{
	char name[64];
	name_descriptor(name, sizeof(name), pid, "/fdinfo/", fd);
	return sc_holder_still_holds(inode, pid, fd) &&
	       (sc_procfs_number_behind(AT_FDCWD, name, "flags:", 8) & O_CLOEXEC) != 0;
}

/* false: it is gone or not to be seen. */
static bool look(int pid, struct sc_process_stat *stat)
{
	int proc = sc_procfs_open(AT_FDCWD, "/proc");
	bool is_there = proc >= 0 && sc_procfs_stat(proc, pid, stat) == 0;
	sc_ownfds_release(proc);
	return is_there;
}

/* Nanoseconds on a processor: the first number of /proc/PID/schedstat. */
static uint64_t run_ns(int pid)
{
	char name[64];
	char text[64];
	name_in_proc(name, sizeof(name), pid, "/schedstat");
	long length = sc_procfs_read(AT_FDCWD, name, text, sizeof(text));
	return length > 0 ? sc_procfs_number_in(text, 10) : UINT64_MAX;
}

static bool is_running(const struct sc_process_stat *stat)
{
	return stat->state == 'R' || stat->state == 'D';
}

static bool look_whether_starting(int pid)
{
	struct sc_process_stat stat;
	if (!look(pid, &stat)) {
		return false;
	}
	uint64_t age_ns = sc_clock_ns(CLOCK_BOOTTIME) - stat.start_time * NS_PER_TICK;
	if (age_ns < YOUNG_NS) {
		return true;
	}
	return age_ns < CHILDHOOD_NS && is_running(&stat) && run_ns(pid) < STARTING_RUN_NS;
}

bool sc_holder_is_running(int pid)
{
	struct sc_process_stat stat;
	return look(pid, &stat) && is_running(&stat);
}

/* A question about a process at this moment, in the bits above the answer's. */
static uint64_t ask_now(int pid)
{
	uint64_t moment = sc_clock_ns(CLOCK_MONOTONIC) / MOMENT_NS % MOMENTS;
	return (uint64_t)(uint32_t)pid << 32 | moment << 1;
}

bool sc_holder_is_starting(int pid)
{
	/* Of one holder at one moment: it may hold a thousand connections. */
	static _Atomic uint64_t latest;
	uint64_t known = atomic_load(&latest);
	if ((known & ~1ULL) == ask_now(pid)) {
		return known & 1;
	}
	bool is_starting = look_whether_starting(pid);
	atomic_store(
		&latest, ask_now(pid) | is_starting); /* a look may take longer than a moment */
	return is_starting;
}

uint32_t sc_holder_exe(int pid)
{
	char name[64];
	struct stat64 status;
	name_in_proc(name, sizeof(name), pid, "/exe");
	long error = SC_SYS4(SYS_newfstatat, AT_FDCWD, name, &status, 0);
	return error == 0 ? (uint32_t)status.st_ino : 0;
}
