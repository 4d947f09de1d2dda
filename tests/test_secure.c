// SPDX-License-Identifier: MIT
// HARNESS
/*
 * Secure execution (AT_SECURE): a setuid program into which the library gets by one of the two ways that
 * glibc leaves open, a setuid library that LD_PRELOAD names in a folder of the system, and
 * /etc/ld.so.preload. It is there, and that is all: it reads no variable, opens nothing, says nothing,
 * and the close resets as without it. The same program and library act where nothing is setuid.
 *
 * All of it lies in a mount namespace of the runner's own: a folder in memory, with copies of the actor
 * and of the library.
 */
#include "harness/deadline.h"
#include "harness/process.h"
#include "harness/rows.h"
#include "harness/sanitizer.h"
#include "harness/stage.h"
#include "harness/text.h"
#include "harness/verdict.h"

#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

/* A library of libc's that no program here needs: ours is mounted over it. */
#define PLACE "libBrokenLocale.so.1"

enum { NOBODY = 65534, OTHER_USER = 12345 };

static char folder[] = "/tmp/safeclose-secure-XXXXXX";
static char why_not[256]; /* the tests are skipped; "": they are not */

/* ---- the place ----------------------------------------------------------------------------- */

static bool do_or_tell(bool is_done, const char *what)
{
	if (!is_done) {
		snprintf(why_not, sizeof(why_not), "%s: %s", what, strerror(errno));
	}
	return is_done;
}

static char *in_folder(const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

static bool copy(const char *from, const char *name, uid_t owner, mode_t mode)
{
	char command[1024];
	const char *to = in_folder(name);

	snprintf(command, sizeof(command), "cp -L '%s' '%s'", from, to);
	return do_or_tell(system(command) == 0, command) &&
	       do_or_tell(chown(to, owner, owner) == 0, "chown") &&
	       do_or_tell(chmod(to, mode) == 0, "chmod");
}

static int find_libc(struct dl_phdr_info *info, size_t size, void *context)
{
	const char *name = strrchr(info->dlpi_name, '/');

	(void)size;
	if (!name || strcmp(name, "/libc.so.6") != 0) {
		return 0;
	}
	snprintf(context, 256, "%.*s/" PLACE, (int)(name - info->dlpi_name), info->dlpi_name);
	return 1;
}

/* The library over another one in the folder of libc, where LD_PRELOAD may find it. */
static bool mount_library(void)
{
	char place[256];

	return do_or_tell(dl_iterate_phdr(find_libc, place) != 0, "no libc.so.6") &&
	       do_or_tell(access(place, R_OK) == 0, place) &&
	       do_or_tell(
		       mount(in_folder("library"), place, NULL, MS_BIND, NULL) == 0, "bind mount");
}

static bool prepare(void)
{
	if (sanitizer_is_any()) {
		snprintf(why_not, sizeof(why_not), "the sanitizer would have to be setuid too");
		return false;
	}
	return do_or_tell(mkdtemp(folder) != NULL, "mkdtemp") &&
	       do_or_tell(unshare(CLONE_NEWNS) == 0, "a mount namespace") &&
	       do_or_tell(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0, "mount") &&
	       do_or_tell(mount("none", folder, "tmpfs", 0, "mode=0777") == 0, "tmpfs") &&
	       copy(PROGRAM_LIBRARY, "library", 0, 04755) &&
	       copy(PROGRAM_FOLDER "actor", "plain", 0, 0755) &&
	       copy(PROGRAM_FOLDER "actor", "of-root", 0, 04755) &&
	       copy(PROGRAM_FOLDER "actor", "of-another", OTHER_USER, 04755) && mount_library();
}

/* /etc is a copy that has it, for the next program. The name may hold a slash, and the library need
 * not be setuid. */
static void mount_etc(void)
{
	char command[1024];

	snprintf(command, sizeof(command),
		"mkdir -p %s/etc && cp /etc/passwd /etc/group /etc/nsswitch.conf /etc/ld.so.cache "
		"%s/etc "
		"&& cp %s/library %s/etc/library && chmod 755 %s/etc/library "
		"&& echo /etc/library >%s/etc/ld.so.preload",
		folder, folder, folder, folder, folder, folder);
	assert_int_equal(system(command), 0);
	assert_return_code(mount(in_folder("etc"), "/etc", NULL, MS_BIND, NULL), errno);
}

static int end_test(void **state)
{
	stage_teardown(state);
	if (access("/etc/ld.so.preload", F_OK) == 0 && access("/etc/library", F_OK) == 0) {
		umount2("/etc", MNT_DETACH);
	}
	unlink(in_folder("log"));
	return 0;
}

/* ---- the runs ------------------------------------------------------------------------------ */

enum way { BY_NOTHING, BY_LD_PRELOAD, BY_LD_SO_PRELOAD };

static const struct row {
	const char *name;
	const char *executable;
	uid_t user; /* that it becomes */
	enum way way;
} rows[] =
	{
		{"root's, by LD_PRELOAD", "of-root", 0, BY_LD_PRELOAD},
		{"root's, by ld.so.preload", "of-root", 0, BY_LD_SO_PRELOAD},
		{"another user's, by LD_PRELOAD", "of-another", OTHER_USER, BY_LD_PRELOAD},
		{"another user's, by ld.so.preload", "of-another", OTHER_USER, BY_LD_SO_PRELOAD},
},
  rows_without[] =
	  {
		  {"root's", "of-root", 0, BY_NOTHING},
		  {"another user's", "of-another", OTHER_USER, BY_NOTHING},
},
  rows_plain[] = {
	  {"by LD_PRELOAD", "plain", NOBODY, BY_LD_PRELOAD},
	  {"by ld.so.preload", "plain", NOBODY, BY_LD_SO_PRELOAD},
};

static void skip_if_impossible(void)
{
	if (*why_not) {
		print_message("no setuid programs here: %s\n", why_not);
		skip();
	}
}

static char *proc_file(const struct stage *stage, const char *name)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/%s", stage->program.pid, name);
	return text_of_file(path);
}

static unsigned long auxiliary(const struct stage *stage, unsigned long wanted)
{
	ElfW(auxv_t) entry = {0};
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/auxv", stage->program.pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	while (read(fd, &entry, sizeof(entry)) == sizeof(entry) && entry.a_type != wanted) {
	}
	close(fd);
	assert_int_equal(entry.a_type, wanted);
	return entry.a_un.a_val;
}

/* By its inode: the names are others'. */
static bool is_loaded(const struct stage *stage, enum way way)
{
	struct stat status;
	char inode[32];
	char *maps = proc_file(stage, "maps");

	assert_return_code(
		stat(way == BY_LD_SO_PRELOAD ? "/etc/library" : in_folder("library"), &status),
		errno);
	snprintf(inode, sizeof(inode), " %lu ", (unsigned long)status.st_ino);
	bool is = text_lines_with(maps, inode, " r-xp ") == 1;
	free(maps);
	return is;
}

/* Nobody starts it; it says "ready", closes, says "closed". */
static struct stage *start(const struct row *row)
{
	struct stage *stage = stage_open(PEER_IPV4);
	char log[256];

	snprintf(log, sizeof(log), "SAFECLOSE_LOG=%s/log", folder);
	if (row->way == BY_LD_SO_PRELOAD) {
		mount_etc();
	}
	program_start(&stage->program,
		&(struct program_options){
			.executable = in_folder(row->executable),
			.preloaded_before = row->way == BY_LD_PRELOAD ? PLACE : NULL,
			.environment = {"SAFECLOSE_MODE=fin", log, "SAFECLOSE_SUMMARY=1",
				"SAFECLOSE_MOED=fin", "SAFECLOSE_WHEN=nonsense"},
			.is_unprivileged = true,
		},
		"connect 3 %s await-unread 3 100 say ready hear on close 3 say closed hear go",
		stage->peer.target);
	peer_accept(&stage->peer);
	peer_send(&stage->peer, 100);
	program_hear(&stage->program, "ready");
	return stage;
}

static void assert_user(const struct stage *stage, uid_t user)
{
	char *status = proc_file(stage, "status");
	char wanted[64];

	snprintf(wanted, sizeof(wanted), "\nUid:\t%d\t%u\t", NOBODY, user);
	if (!strstr(status, wanted)) {
		fail_msg("not %s in:\n%s", wanted, status);
	}
	free(status);
}

static struct stage_end close_securely(const struct row *row, bool is_library_there)
{
	skip_if_impossible();
	struct stage *stage = start(row);

	assert_user(stage, row->user);
	assert_int_equal(auxiliary(stage, AT_SECURE), 1);
	assert_int_equal(is_loaded(stage, row->way), is_library_there);
	size_t descriptors = process_descriptors(stage->program.pid);
	program_say(&stage->program, "on");
	program_hear(&stage->program, "closed");
	assert_int_equal(process_descriptors(stage->program.pid), descriptors - 1);
	assert_int_equal(process_threads(stage->program.pid), 1);
	return stage_finish(stage, true);
}

/* Nothing was done, and nothing was said anywhere. */
static void assert_as_without(const struct stage_end *end)
{
	assert_output(end, "ready\nclose 3 -> 0 errno 4242\nclosed\n");
	assert_was_reset(end);
	assert_not_reported(end);
	assert_int_equal(access(in_folder("log"), F_OK), -1);
}

static void test_secure_control_resets(void **state)
{
	struct stage_end end = close_securely(*state, false);

	assert_as_without(&end);
}

static void test_secure_library_does_nothing(void **state)
{
	struct stage_end end = close_securely(*state, true);

	assert_as_without(&end);
}

/* The control of the two ways: the library acts in a program that is not setuid. */
static void test_secure_library_acts_where_nothing_is_setuid(void **state)
{
	const struct row *row = *state;
	char *log;

	skip_if_impossible();
	struct stage *stage = start(row);
	struct stage_end end;

	assert_user(stage, row->user);
	assert_int_equal(auxiliary(stage, AT_SECURE), 0);
	assert_true(is_loaded(stage, row->way));
	program_say(&stage->program, "on");
	end = stage_finish(stage, true);
	assert_int_equal(end.status, 0);
	assert_was_fin(&end);
	assert_non_null(strstr(end.errors, "SAFECLOSE_MOED"));
	log = text_of_file(in_folder("log"));
	assert_int_equal(text_lines_with(log, ": 100 unread, ", "; drained 100, fin in "), 1);
	free(log);
}

/* ---- what the kernel is asked for ---------------------------------------------------------- */

/* strace starts it as nobody, with the variables, which strace itself has not. */
static void write_script(const char *variables)
{
	FILE *script = fopen(in_folder("script"), "w");

	assert_non_null(script);
	fprintf(script,
		"#!/bin/sh\nexec " PROGRAM_STRACE " -u nobody -s 200 -o %s/trace %s \"$@\"\n",
		folder, variables);
	fclose(script);
	chmod(in_folder("script"), 0755);
}

/* The names of the calls that follow the line with text. To be freed. */
static char *calls_behind(const char *trace, const char *text)
{
	const char *line = strstr(trace, text);
	char *names = calloc(1, strlen(trace) + 2);

	assert_non_null(names);
	if (!line) {
		fail_msg("no %s in:\n%s", text, trace);
	}
	while ((line = strchr(line, '\n')) && line[1]) {
		line++;
		strncat(names, line, strcspn(line, "( "));
		strcat(names, "\n");
	}
	return names;
}

static char *trace_of(const char *variables)
{
	struct stage *stage = stage_open(PEER_IPV4);
	struct stage_end end;
	char executable[128];
	char script[128];

	snprintf(executable, sizeof(executable), "%s", in_folder("of-root"));
	write_script(variables);
	snprintf(script, sizeof(script), "%s", in_folder("script"));
	program_start(&stage->program,
		&(struct program_options){.executable = executable, .under = script},
		"connect 3 %s await-unread 3 100 say before close 3 say closed hear go",
		stage->peer.target);
	peer_accept(&stage->peer);
	peer_send(&stage->peer, 100);
	end = stage_finish(stage, true);
	program_require_traced(end.status, end.errors);
	assert_int_equal(end.status, 0);
	assert_was_reset(&end);
	return text_of_file(in_folder("trace"));
}

static void test_secure_library_asks_the_kernel_for_nothing(void **state)
{
	static const char *const foreign[] = {
		"/proc", "/dev/", "/log", "memfd", "epoll", "pidfd", "safeclose[", "SAFECLOSE_"};
	char variables[512];
	char *without;
	char *with;

	(void)state;
	skip_if_impossible();
	program_require_strace();
	without = trace_of("");
	snprintf(variables, sizeof(variables),
		"-E LD_PRELOAD=" PLACE " -E SAFECLOSE_MODE=fin -E SAFECLOSE_LOG=%s/log "
		"-E SAFECLOSE_MOED=fin",
		folder);
	with = trace_of(variables);
	assert_null(strstr(without, PLACE "\""));
	assert_non_null(strstr(with, PLACE "\""));
	for (size_t i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++) {
		const char *place = strchr(with, '\n'); /* the execve has the folder in it */

		if (strstr(place, foreign[i])) {
			fail_msg("%s in:\n%s", foreign[i], with);
		}
	}
	char *calls_without = calls_behind(without, "write(1, \"before");
	char *calls_with = calls_behind(with, "write(1, \"before");
	assert_string_equal(calls_with, calls_without);
	free(calls_with);
	free(calls_without);
	free(with);
	free(without);
}

static const struct rows_subject subjects[] = {
	ROWS_SUBJECT(test_secure_control_resets, rows_without),
	ROWS_SUBJECT(test_secure_library_does_nothing, rows),
	ROWS_SUBJECT(test_secure_library_acts_where_nothing_is_setuid, rows_plain),
	ROWS_PLAIN(test_secure_library_asks_the_kernel_for_nothing),
};

int main(void)
{
	int failed;

	prepare();
	failed = rows_run_between(subjects, sizeof(subjects) / sizeof(subjects[0]), NULL, end_test);
	umount2(folder, MNT_DETACH);
	rmdir(folder);
	return failed;
}
