// SPDX-License-Identifier: MIT
// HARNESS
/*
 * close() with unread bytes where something is missing: descriptors, memory, a log that takes lines,
 * /proc, or the system calls that the library would make. The program goes on unharmed, and where
 * the library can still act, the connection ends with FIN.
 */
#include "harness/crowd.h"
#include "harness/rows.h"
#include "harness/sanitizer.h"
#include "harness/text.h"
#include "harness/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum result {
	CURED,   /* FIN in drain and fin */
	UNCURED, /* the library cannot act */
	READ,    /* somebody reads all: FIN with and without the library */
};

/* Words of the program; a variable may stand before them. FOLDER is one of the test's own. */
struct row {
	const char *words;
	size_t connections;
	enum result result;
};

/* The library's own calls are refused, and what cannot be is not to be asked for again and again. */
static const struct row refused_rows[] = {
	/* No descriptor is free. */
	{"nofile 256 256 exec dial dial dial fill close fill close fill close unfill", 3, CURED},
	{"nofile 256 256 exec dial dup fill close fill close unfill", 1, CURED},
	{"nofile 256 256 exec dial fork fill close unfill", 1, CURED},
	{"nofile 16 16 exec dial dial dial close-all", 3, CURED},
	{"nofile 16 16 exec dial dial fill close fill close unfill", 2, CURED},
	{"nofile 16 16 exec dial dial", 2, CURED},
	{"nofile 64 64 exec dial dial fill close fill close unfill", 2, CURED},
	{"nofile 64 1024 exec dial dial fill close fill close unfill", 2, CURED},
	{"nofile 1024 1024 exec dial dial fill close fill close unfill", 2, CURED},
	{"dial dial nofile 16 16 fill close fill close unfill", 2, CURED},
	{"dial dial nofile 0 0 close close", 2, CURED},
	/* Calls that a filter answers with EPERM. */
	{"dial dial deny getsockopt close close", 2, UNCURED},
	{"dial dial deny ioctl close close", 2, UNCURED},
	{"dial dial deny recvfrom close close", 2, UNCURED},
	{"dial dial deny setsockopt close close", 2, CURED},
	{"dial dial deny shutdown close close", 2, CURED},
	{"dial dial deny epoll_create1 close close", 2, CURED},
	{"dial dial deny epoll_ctl close close", 2, CURED},
	{"dial dial deny epoll_pwait close close", 2, CURED},
	{"dial dial deny epoll_create1,epoll_ctl,epoll_pwait,ppoll close close", 2, CURED},
	{"dial dial deny socketpair close close", 2, CURED},
	{"dial dial deny sendmsg close close", 2, CURED},
	{"dial dial deny clone,clone3 close close", 2, CURED},
	{"dial dial deny close_range close close", 2, CURED},
	{"dial dial deny close_range,unshare close close", 2, CURED},
	{"dial dial deny close_range,openat close close", 2, CURED},
	{"dial dial deny mmap close close", 2, CURED},
	{"dial dial deny mprotect,madvise close close", 2, CURED},
	{"dial dial deny openat,readlinkat,getdents64 close close", 2, CURED},
	{"dial dial deny futex close close", 2, CURED},
	{"dial dial deny fcntl close close", 2, CURED},
	{"dial dial deny fcntl,dup3 close close", 2, CURED},
	{"dial dial deny prctl,capget close close", 2, CURED},
	{"dial dial deny prlimit64 close close", 2, CURED},
	{"dial dial deny ppoll close close", 2, CURED},
	{"dial dial deny fstat,newfstatat close close", 2, CURED},
	{"dial dial deny getsockname,getpeername close close", 2, CURED},
	{"dial dial deny getpid,sched_yield close close", 2, CURED},
	{"dial dial deny rt_sigprocmask,rt_sigpending,rt_sigtimedwait close close", 2, CURED},
	{"dial dial deny socketpair,clone,clone3,mmap,openat,epoll_create1,prctl close close", 2,
		CURED},
	{"dial dup deny openat close close", 1, UNCURED},
	{"dial dup deny openat close read close", 1, READ},
	{"dial dup deny readlinkat close read close", 1, READ},
	{"dial dup deny getdents64 close read close", 1, READ},
	/* From the library's beginning on. */
	{"deny madvise exec dial dial close-all", 2, CURED},
	{"deny madvise exec dial unseen-child read close", 1, READ},
	{"deny prlimit64 exec dial dial close-all", 2, CURED},
	{"deny epoll_create1 exec dial dial close-all", 2, CURED},
	{"deny fcntl exec dial dial close-all", 2, CURED},
	{"deny fcntl,dup3,epoll_create1,getcwd exec dial dial close-all", 2, CURED},
};

static const struct row scarce_rows[] = {
	/* No memory. */
	{"dial dial as 0 close close", 2, CURED},
	{"dial dup as 0 close close", 1, CURED},
	{"dial dial as 64 close close", 2, CURED},
	{"as 512 exec dial dial dial close-all", 3, CURED},
	/* No room in a file: stderr is one too. */
	{"dial dial fsize 0 close close", 2, CURED},
	{"SAFECLOSE_LOG=FOLDER/log dial dial fsize 0 close close", 2, CURED},
	/* Nobody reads the log. */
	{"pipe-on-stderr close-fd 3 exec dial dial close-all", 2, CURED},
	{"pipe-on-stderr exec close-fd 3 dial dial close-all", 2, CURED},
	{"pipe-on-stderr fill-pipe 2 exec dial dial close-all", 2, CURED},
	{"pipe-on-stderr exec fill-pipe 2 dial dial close-all", 2, CURED},
	{"SAFECLOSE_UNKNOWN=1 pipe-on-stderr fill-pipe 2 exec dial close-all", 1, CURED},
	{"SAFECLOSE_LOG=FOLDER/fifo fifo FOLDER/fifo exec close-fd 3 dial dial close-all", 2,
		CURED},
	{"SAFECLOSE_LOG=FOLDER/fifo fifo FOLDER/fifo exec fill-pipe 3 dial dial close-all", 2,
		CURED},
	{"close-fd 2 exec dial dial dial close-all", 3, CURED},
	{"SAFECLOSE_UNKNOWN=1 close-fd 2 exec dial dial dial close-all", 3, CURED},
	{"SAFECLOSE_LOG=/nowhere/log close-fd 2 exec dial dial dial close-all", 3, CURED},
	{"close-fd 2 dial dial dial close-all", 3, CURED},
	/* No thread is to be had. */
	{"dial dial put-off clone,clone3 close close", 2, CURED},
	{"dial dup put-off clone,clone3 close close", 1, CURED},
	/* A filter answers with EPERM, or kills, but for what the program itself calls. */
	{"dial dial deny-all close close", 2, UNCURED},
	{"dial dial forbid-all close close", 2, UNCURED},
	{"dial dial forbid-all", 2, UNCURED},
	{"dial dial fork forbid-all close close", 2, UNCURED},
	/* Answered as if it were done, from the library's beginning on. */
	{"ignore madvise exec dial dial close-all", 2, CURED},
	{"ignore madvise exec dial unseen-child read close", 1, READ},
	/* Another root folder. A user namespace of one's own, where there is no root, allows it too. */
	{"dial dial chroot FOLDER close close", 2, CURED},
	{"dial dup chroot FOLDER close read close", 1, READ},
	{"dial fork chroot FOLDER close", 1, UNCURED},
};

/* ---- one run -------------------------------------------------------------------------------- */

static char folder[64];

static int make_folder(void **state)
{
	char path[128];

	(void)state;
	snprintf(folder, sizeof(folder), "/tmp/scarcity.XXXXXX");
	if (!mkdtemp(folder)) {
		return -1;
	}
	snprintf(path, sizeof(path), "%s/fifo", folder);
	return mkfifo(path, 0600);
}

static int remove_folder(void **state)
{
	static const char *const names[] = {"log", "fifo", "traced", "trace"};
	int result = crowd_teardown(state);

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char path[128];

		snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
		unlink(path);
	}
	rmdir(folder);
	return result;
}

static void skip_if_sanitized(const struct row *row)
{
	if (sanitizer_is_any() &&
		(strstr(row->words, " as ") || strstr(row->words, "as ") == row->words ||
			strstr(row->words, "deny") || strstr(row->words, "put-off"))) {
		print_message("not with a sanitizer: it needs what is denied here\n");
		skip();
	}
}

/* Its thread keeps the number of what ends at exit from being freed where there is no placeholder. */
static void skip_if_threads_sanitized(const struct row *row, const char *mode)
{
	sanitizer_skip_if(sanitizer_is_for_threads() && mode &&
				  strcmp(row->words, "nofile 16 16 exec dial dial") == 0,
		"it has a thread of its own");
}

static struct crowd_end run(const struct row *row, const char *mode)
{
	struct crowd_end end;
	char *text;
	char *words;

	skip_if_sanitized(row);
	skip_if_threads_sanitized(row, mode);
	text = words = text_replaced(row->words, "FOLDER", folder);
	if (strstr(text, "SAFECLOSE_") == text) {
		strsep(&words, " ");
	}
	end = crowd_run(&(struct crowd_options){.program = {.executable = "plight",
							.mode = mode,
							.environment = {"SAFECLOSE_LINGER_TIMEOUT="
									"300ms",
								words > text ? text : NULL}}},
		"%s", words);
	free(text);
	if (end.status != 0) {
		fail_msg("status %d:\n%s%s", end.status, end.output, end.report);
	}
	/* The peers get what the program writes, no report. */
	assert_int_equal(end.received_bytes, row->result == READ ? 1 : 0);
	return end;
}

/* Closes that are reported as ended with FIN, and resets: together not more than there were. */
static void assert_report_is_true(const struct row *row, const struct crowd_end *end)
{
	size_t fins = text_lines_with(end->report, "close(", "fin in ") +
		      text_lines_with(end->report, "close(", "fin (");

	if (fins + end->grown.aborts_on_close > row->connections) {
		fail_msg("%llu resets, but:\n%s", (unsigned long long)end->grown.aborts_on_close,
			end->report);
	}
}

static void assert_ended(const struct row *row, const char *mode, enum result expected)
{
	struct crowd_end end = run(row, mode);

	assert_int_equal(end.connections, row->connections);
	if (row->result == READ || expected == CURED) {
		assert_crowd_was_fin(&end, row->connections);
	} else if (!mode || strcmp(mode, "warn") == 0) {
		assert_crowd_was_reset(&end, row->connections);
	}
	assert_report_is_true(row, &end);
}

static void test_scarce_control_resets(void **state)
{
	assert_ended(*state, NULL, UNCURED);
}

static void test_scarce_warn_changes_nothing(void **state)
{
	assert_ended(*state, "warn", UNCURED);
}

static void test_scarce_drain_ends_with_fin(void **state)
{
	const struct row *row = *state;

	assert_ended(row, "drain", row->result);
}

static void test_scarce_fin_ends_with_fin(void **state)
{
	const struct row *row = *state;

	assert_ended(row, "fin", row->result);
}

/* ---- what is refused ------------------------------------------------------------------------ */

/* At an exec and at its end the library tries 256 numbers each, and some calls, all of them once. */
enum { REFUSED_MAX = 600, WAITS_REFUSED_MAX = 32 };

static size_t refused_waits_in(const char *trace)
{
	return text_lines_with(trace, "epoll_pwait", " = -1 EPERM") +
	       text_lines_with(trace, "ppoll", " = -1 EPERM") +
	       text_lines_with(trace, "futex", " = -1 EPERM");
}

/* A script that runs what it is given under strace, which the library is not preloaded into. */
static void make_tracer(char *path, size_t size)
{
	FILE *file;

	snprintf(path, size, "%s/traced", folder);
	file = fopen(path, "w");
	assert_non_null(file);
	fprintf(file,
		"#!/bin/sh\nlibrary=$LD_PRELOAD\nunset LD_PRELOAD\n"
		"exec " PROGRAM_STRACE " -f -qq -o %s/trace -E LD_PRELOAD=\"$library\" \"$@\"\n",
		folder);
	assert_int_equal(fchmod(fileno(file), 0700), 0);
	assert_int_equal(fclose(file), 0);
}

static char *trace_of(const struct row *row)
{
	char tracer[96];
	char path[96];
	struct crowd_end end;

	make_tracer(tracer, sizeof(tracer));
	end = crowd_run(&(struct crowd_options){.stays = true,
				.program = {.executable = "plight",
					.under = tracer,
					.mode = "fin",
					.environment = {"SAFECLOSE_LINGER_TIMEOUT=200ms"}}},
		"%s", row->words);
	if (end.status != 0) {
		fail_msg("status %d:\n%s%s", end.status, end.output, end.report);
	}
	snprintf(path, sizeof(path), "%s/trace", folder);
	return text_of_file(path);
}

/*
 * What cannot be waited for is not asked again and again, and what cannot be had neither: there are no
 * more refusals than pauses, but for those.
 */
static void test_scarce_refusals_are_followed_by_pauses(void **state)
{
	const struct row *row = *state;
	size_t refused;
	size_t waits;
	size_t pauses;
	char *trace;

	program_require_strace();
	trace = trace_of(row);
	refused = text_lines_with(trace, " = -1 EPERM", NULL) +
		  text_lines_with(trace, " = -1 EMFILE", NULL);
	waits = refused_waits_in(trace);
	pauses = text_lines_with(trace, "nanosleep(", NULL);
	free(trace);
	if (refused > REFUSED_MAX + pauses || waits > WAITS_REFUSED_MAX + pauses) {
		fail_msg("%zu refusals, %zu of waits, %zu pauses", refused, waits, pauses);
	}
}

/* ---- what is particular --------------------------------------------------------------------- */

/* Duplicated, and nobody can tell whether it is held: left alone, and said so. Where the program has
 * read it and closed the other before the library let go, it says that instead. */
static void test_scarce_unknown_holders_are_reported(void **state)
{
	static const char *const modes[] = {"drain", "fin"};
	const struct row row = {
		"SAFECLOSE_REPORT=all dial dup deny openat close read close", 1, READ};

	(void)state;
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		struct crowd_end end = run(&row, modes[i]);
		size_t unknown = text_lines_with(
			end.report, ": 1000 unread", "; shared (holders unknown) in ");
		size_t last =
			text_lines_with(end.report, ": 1000 unread", "; rst (holders unknown) in ");

		assert_crowd_was_fin(&end, 1);
		if (unknown + last != 1) {
			fail_msg("%s: not one close, left alone:\n%s", modes[i], end.report);
		}
	}
}

/* The same where there is no thread either, up to the last close: that one resets, and says so. */
static void test_scarce_unknown_holders_without_a_thread_are_reported(void **state)
{
	static const char *const modes[] = {"drain", "fin"};
	const struct row row = {
		"SAFECLOSE_REPORT=all dial dup deny openat,clone,clone3 close close", 1, UNCURED};

	(void)state;
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		struct crowd_end end = run(&row, modes[i]);

		assert_crowd_was_reset(&end, 1);
		assert_int_equal(text_lines_with(end.report, ": 1000 unread",
					 "; shared (holders unknown) in "),
			1);
		assert_int_equal(
			text_lines_with(end.report, ": 1000 unread", "; rst (holders unknown) in "),
			1);
	}
}

/* The library's own copy of stderr serves on, whatever becomes of 2. */
static void test_scarce_stderr_closed_later_still_reports(void **state)
{
	static const char *const modes[] = {"warn", "drain", "fin"};
	const struct row row = {"close-fd 2 dial dial dial close-all", 3, CURED};

	(void)state;
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		struct crowd_end end = run(&row, modes[i]);

		assert_int_equal(text_lines_with(end.report, ": 1000 unread", NULL), 3);
	}
}

static const struct rows_subject subjects[] = {
	ROWS_SUBJECT(test_scarce_control_resets, refused_rows),
	ROWS_SUBJECT(test_scarce_control_resets, scarce_rows),
	ROWS_SUBJECT(test_scarce_warn_changes_nothing, refused_rows),
	ROWS_SUBJECT(test_scarce_warn_changes_nothing, scarce_rows),
	ROWS_SUBJECT(test_scarce_drain_ends_with_fin, refused_rows),
	ROWS_SUBJECT(test_scarce_drain_ends_with_fin, scarce_rows),
	ROWS_SUBJECT(test_scarce_fin_ends_with_fin, refused_rows),
	ROWS_SUBJECT(test_scarce_fin_ends_with_fin, scarce_rows),
	ROWS_SUBJECT(test_scarce_refusals_are_followed_by_pauses, refused_rows),
	ROWS_PLAIN(test_scarce_unknown_holders_are_reported),
	ROWS_PLAIN(test_scarce_unknown_holders_without_a_thread_are_reported),
	ROWS_PLAIN(test_scarce_stderr_closed_later_still_reports),
};

int main(void)
{
	return rows_run_between(
		subjects, sizeof(subjects) / sizeof(subjects[0]), make_folder, remove_folder);
}
