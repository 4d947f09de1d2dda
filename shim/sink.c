// SPDX-License-Identifier: MIT
#include "sink.h"
#include "clock.h"
#include "config.h"
#include "devlog.h"
#include "family.h"
#include "line.h"
#include "memory.h"
#include "outlet.h"
#include "ownfds.h"
#include "process.h"
#include "sys.h"
#include "turns.h"
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

enum { LINES_PER_SECOND_MAX = 10000, RETRY_MS = 1000, STDERR = 2 };

/* In the program's descriptor table, and in that of the library's thread. */
struct place {
	struct sc_outlet log;
	_Atomic uint64_t next_try_ms; /* of opening, where that has failed */
};

static struct place places[2] = {{.log = SC_OUTLET_NONE}, {.log = SC_OUTLET_NONE}};
static struct sc_outlet stderr_then = SC_OUTLET_NONE; /* the program's own, not a copy of it */

static enum { TO_STDERR, TO_SYSLOG, TO_PATH } target;
static bool is_complete;
static char path[SC_LOG_MAX + 256]; /* absolute; what is complained of, where it is none */
static bool has_pid;
static _Atomic int path_pid; /* the pid in the path that was opened, or is to be */

/* Of one process: a forked child finds it zeroed. */
struct counts {
	_Atomic uint64_t second_count; /* second << 32 | lines written in it */
	_Atomic uint64_t lost_lines;
	_Atomic int untold_error; /* to be complained of; 0: none */
	_Atomic bool is_failing;  /* the last line was lost */
	_Atomic int32_t writes;   /* under way, in the program's table */
};

static struct counts unwiped_counts;
static struct counts *counts = &unwiped_counts;

static struct place *here(void)
{
	return &places[sc_ownfds_is_elsewhere() ? 1 : 0];
}

static uint64_t now_ms(void)
{
	return sc_clock_ns(CLOCK_MONOTONIC_COARSE) / 1000000;
}

/* ---- opening ------------------------------------------------------------------------------- */

static int open_path(int pid)
{
	char name[sizeof(path) + 64];
	struct sc_line line = {name, sizeof(name) - 1, 0};
	for (const char *at = path; *at != '\0'; at++) {
		if (at[0] == '%' && at[1] == 'p') {
			sc_line_add_number(&line, (uint64_t)pid);
			at++;
		} else {
			sc_line_add_char(&line, *at);
		}
	}
	name[line.length] = '\0';
	return (int)SC_SYS4(SYS_openat, AT_FDCWD, name,
		O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NOFOLLOW | O_NONBLOCK,
		0600);
}

/* Returns a descriptor for good, or a negative errno. */
static int open_target(int pid)
{
	bool is_counted = sc_ownfds_begin_opening();
	int fd = target == TO_SYSLOG ? sc_devlog_open() : open_path(pid);
	int copy = fd;
	if (fd >= 0) {
		copy = sc_ownfds_copy_for_good(fd);
		sc_sys_close(fd);
	}
	sc_ownfds_end_opening(is_counted);
	return copy;
}

/* A relative path means the folder the program was started in, wherever it goes later. */
static void remember_path(const char *text)
{
	struct sc_line line = {path, sizeof(path) - 1, 0};
	if (text[0] != '/' && target == TO_PATH) {
		char folder[256];
		if (SC_SYS2(SYS_getcwd, folder, sizeof(folder)) > 0 && folder[0] == '/') {
			sc_line_add(&line, folder);
			sc_line_add_char(&line, '/');
		}
	}
	sc_line_add(&line, text);
	path[line.length] = '\0';
	has_pid = target == TO_PATH && strstr(path, "%p") != NULL;
}

/* ---- complaints ---------------------------------------------------------------------------- */

/* Texts one behind the other: a table of pointers would be filled by the dynamic linker. */
static const char *explain(int error)
{
	static const uint8_t known[] = {EACCES, EAGAIN, EBADF, ECONNREFUSED, EDQUOT, EFBIG, EISDIR,
		ELOOP, EMFILE, ENOENT, ENOSPC, ENOTDIR, ENXIO, EPERM, EPIPE, EROFS};
	const char *text = "permission denied\0"
			   "it is full, and nobody reads it\0"
			   "its descriptor is gone\0"
			   "nobody listens\0"
			   "quota exceeded\0"
			   "larger than the program may make files\0"
			   "it is a folder\0"
			   "it is a symbolic link\0"
			   "too many open descriptors\0"
			   "no such file or folder\0"
			   "no space left\0"
			   "not a folder\0"
			   "nobody reads it\0"
			   "not permitted\0"
			   "nobody reads it\0"
			   "read-only file system\0";
	for (size_t i = 0; i < sizeof(known); i++, text += strlen(text) + 1) {
		if (known[i] == error) {
			return text;
		}
	}
	return NULL;
}

static void begin_line(struct sc_line *line, int pid)
{
	sc_line_add(line, "safeclose[");
	sc_line_add_number(line, (uint64_t)pid);
	sc_line_add(line, "]: ");
}

/* In the program's descriptor table. Once in the life of a program, its forked children
 * included. */
static void complain(int error)
{
	char text[SC_LOG_MAX + 512];
	struct sc_line line = {text, sizeof(text), 0};
	if (target == TO_STDERR || !sc_family_claim_complaint()) {
		return;
	}
	begin_line(&line, sc_sys_getpid());
	sc_line_add(&line, "cannot write to ");
	sc_line_add_escaped(&line, path, SC_LOG_MAX);
	sc_line_add(&line, ": ");
	if (explain(error) != NULL) {
		sc_line_add(&line, explain(error));
	} else {
		sc_line_add(&line, "errno ");
		sc_line_add_number(&line, (uint64_t)error);
	}
	sc_line_add(&line, "; reports are lost meanwhile");
	sc_line_end(&line);
	sc_sink_write_stderr(text, line.length);
}

/* The library's thread does not have the program's stderr, so what it finds is told later. */
static void tell_error(void)
{
	int error = atomic_exchange(&counts->untold_error, 0);
	if (error != 0) {
		complain(error);
	}
}

static void note_error(int error)
{
	if (target == TO_STDERR) {
		return;
	}
	atomic_store(&counts->untold_error, error);
	if (!sc_ownfds_is_elsewhere()) {
		tell_error();
	}
}

/* ---- beginning ----------------------------------------------------------------------------- */

/* Under inetd and its like, descriptor 2 is the client's connection: nothing of ours belongs
 * there. */
static bool is_connection(int fd)
{
	int domain = 0;
	unsigned size = sizeof(domain);
	return sc_sys_getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) == 0 &&
	       (domain == AF_INET || domain == AF_INET6);
}

/* As it is when the library begins: complaints about variables come before the log is opened. */
static void find_stderr(void)
{
	static _Atomic bool is_found;
	if (!atomic_exchange(&is_found, true) && !is_connection(STDERR)) {
		sc_outlet_set(&stderr_then, STDERR, false);
	}
}

/* Open it in the caller's table. */
static void begin_place(struct place *place, int pid)
{
	int opened = open_target(pid);
	if (opened >= 0) {
		sc_outlet_set(&place->log, opened, target == TO_SYSLOG);
	} else {
		atomic_store(&place->next_try_ms, now_ms() + RETRY_MS);
		note_error(-opened);
	}
}

void sc_sink_init(const char *text, bool is_for_a_machine)
{
	struct counts *wiped = sc_memory_map_wiped(sizeof(*wiped));
	counts = wiped != NULL ? wiped : counts;
	is_complete = is_for_a_machine;
	target = strcmp(text, "stderr") == 0   ? TO_STDERR
		 : strcmp(text, "syslog") == 0 ? TO_SYSLOG
					       : TO_PATH;
	find_stderr();
	if (target != TO_STDERR) {
		int pid = sc_sys_getpid();
		remember_path(text);
		atomic_store(&path_pid, pid);
		begin_place(&places[0], pid);
	} else if (atomic_load(&stderr_then.fd) >= 0) {
		sc_outlet_set(&places[0].log, sc_ownfds_copy_for_good(STDERR), false);
	}
}

/* ---- descriptors --------------------------------------------------------------------------- */

int sc_sink_fd(void)
{
	return atomic_load(&places[0].log.fd);
}

void sc_sink_enter_thread(int fd)
{
	sc_outlet_set_like(&places[1].log, &places[0].log, fd);
}

bool sc_sink_evade(int fd)
{
	if (fd < 0 || atomic_load(&places[0].log.fd) != fd) {
		return false;
	}
	atomic_store(&places[0].log.fd, sc_ownfds_copy_for_good(fd));
	/* Or a line that is being written would go into what is there next. */
	sc_turns_await_none(&counts->writes);
	sc_ownfds_release(fd);
	return true;
}

/* One thread at a time, and not at each line. */
static void try_again(struct place *place)
{
	uint64_t now = now_ms();
	uint64_t due = atomic_load(&place->next_try_ms);
	if (target != TO_STDERR && atomic_load(&place->log.fd) < 0 && now >= due &&
		atomic_compare_exchange_strong(&place->next_try_ms, &due, now + RETRY_MS)) {
		begin_place(place, sc_sys_getpid());
	}
}

/* A forked child that cannot have a file of its own goes on with its parent's. */
static void follow_pid(void)
{
	int before = atomic_load(&path_pid);
	int pid = has_pid ? sc_sys_getpid() : before;
	if (before == pid || !atomic_compare_exchange_strong(&path_pid, &before, pid)) {
		return;
	}
	int opened = open_target(pid);
	if (opened >= 0) {
		int inherited = atomic_load(&places[0].log.fd);
		sc_outlet_set(&places[0].log, opened, false);
		sc_ownfds_release(inherited);
	} else {
		note_error(-opened);
	}
}

void sc_sink_prepare(void)
{
	if (!sc_process_is_own_memory()) {
		return; /* a vfork child: what it opens is in no table but its own */
	}
	tell_error();
	follow_pid();
	try_again(&places[0]);
}

/* ---- lines --------------------------------------------------------------------------------- */

/* Nothing more is written there. is_ours: the number still is the log's, not something else's. */
static bool leave_log(struct place *place, bool is_ours)
{
	int fd = atomic_load(&place->log.fd);
	if (fd < 0 || target == TO_STDERR || !sc_process_is_own_memory() ||
		!atomic_compare_exchange_strong(&place->log.fd, &fd, -1)) {
		return false;
	}
	if (is_ours) {
		sc_ownfds_release(fd);
	} else if (!sc_ownfds_is_elsewhere()) {
		sc_ownfds_disown(fd);
	}
	return true;
}

static int write_there(struct place *place, const char *text, size_t length, int pid)
{
	bool may_be_moved = place == &places[0];
	if (may_be_moved) {
		atomic_fetch_add(&counts->writes, 1);
	}
	int error = sc_outlet_write(&place->log, text, length, pid);
	if (may_be_moved) {
		sc_turns_end_one(&counts->writes);
	}
	return error;
}

static bool write_line(const char *text, size_t length, int pid)
{
	struct place *place = here();
	if (sc_ownfds_is_elsewhere()) {
		try_again(place);
	}
	int error = write_there(place, text, length, pid);
	/* The daemon of a stream has gone: a new one needs a new socket. */
	if ((error == -EISCONN || error == -EPROTOTYPE) && leave_log(place, true)) {
		atomic_store(&place->next_try_ms, 0);
		try_again(place);
		error = write_there(place, text, length, pid);
	}
	/* It may have moved to another number meanwhile. */
	if (error == -EBADF && sc_outlet_is_itself(&place->log)) {
		error = write_there(place, text, length, pid);
	} else if (error == -EBADF) {
		leave_log(place, false);
	}
	atomic_store(&counts->is_failing, error != 0);
	if (error != 0) {
		note_error(-error);
	}
	return error == 0;
}

/* Is there room for one more line in this second? */
static bool is_within_rate(void)
{
	uint64_t second = sc_clock_ns(CLOCK_MONOTONIC_COARSE) / 1000000000 << 32;
	uint64_t seen = atomic_load(&counts->second_count);
	uint64_t wanted;
	do {
		wanted = (seen >> 32 == second >> 32 ? seen : second) + 1;
		if ((wanted & 0xffffffff) > LINES_PER_SECOND_MAX) {
			return false;
		}
	} while (!atomic_compare_exchange_weak(&counts->second_count, &seen, wanted));
	return true;
}

/* behind: what follows the number. */
static size_t format_lost(struct sc_line *line, int pid, uint64_t lost, const char *behind)
{
	begin_line(line, pid);
	sc_line_add_number(line, lost);
	sc_line_add(line, lost == 1 ? " line lost" : " lines lost");
	sc_line_add(line, behind);
	sc_line_end(line);
	return line->length;
}

static void tell_lost(int pid, const char *behind)
{
	uint64_t lost = atomic_exchange(&counts->lost_lines, 0);
	char text[96];
	struct sc_line line = {text, sizeof(text), 0};
	if (lost > 0 && !write_line(text, format_lost(&line, pid, lost, behind), pid)) {
		atomic_fetch_add(&counts->lost_lines, lost);
	}
}

void sc_sink_write(const char *line, size_t length, int pid)
{
	bool is_written = is_complete || is_within_rate();
	if (is_written && !is_complete) {
		tell_lost(pid, " before this one");
	}
	if (!is_written || !write_line(line, length, pid)) {
		atomic_fetch_add(&counts->lost_lines, 1);
	}
}

/* Where the log is for reports alone, it is stderr that is told, if the log works again: if it
 * does not, that has been said. */
void sc_sink_finish(int pid)
{
	tell_error();
	if (!is_complete) {
		tell_lost(pid, " before the end");
		return;
	}
	uint64_t lost = atomic_exchange(&counts->lost_lines, 0);
	char text[96];
	struct sc_line line = {text, sizeof(text), 0};
	if (lost > 0 && !atomic_load(&counts->is_failing)) {
		sc_sink_write_stderr(text, format_lost(&line, pid, lost, ""));
	}
}

void sc_sink_write_stderr(const char *line, size_t length)
{
	find_stderr();
	sc_outlet_write(&stderr_then, line, length, 0);
}
