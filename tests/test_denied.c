// SPDX-License-Identifier: MIT
// HARNESS
/*
 * Each system call that the library makes, denied: a seccomp filter answers it with EPERM
 * (PR_SET_NO_NEW_PRIVS), with ENOSYS or EINVAL as an older kernel does, or kills whoever makes it.
 * The program's closes work and leave errno alone, a connection that somebody else holds is never
 * touched, nothing untrue is reported, and where the library can still act, the connection ends
 * with FIN.
 */
#include "harness/crowd.h"
#include "harness/rows.h"
#include "harness/sanitizer.h"
#include "harness/text.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	BLIND = 1,  /* without it nothing can be discarded */
	OWN = 2,    /* the program itself reads, writes or starts by it */
	LOADER = 4, /* so does the dynamic linker: it cannot be missing from the start */
};

static const struct call {
	const char *name;
	int traits;
} calls[] = {
	{"capget", 0},
	{"clone", 0},
	{"clock_gettime", 0},
	{"close_range", 0},
	{"connect", LOADER}, /* and dial */
	{"dup3", 0},
	{"epoll_create1", 0},
	{"epoll_ctl", 0},
	{"epoll_pwait", 0},
	{"execve", LOADER},
	{"execveat", 0},
	{"faccessat", 0},
	{"faccessat2", 0},
	{"fcntl", 0},
	{"flock", 0},
	{"fstat", LOADER},
	{"fstatfs", 0},
	{"futex", 0},
	{"getcwd", 0},
	{"getdents64", 0},
	{"getgroups", 0},
	{"getpeername", 0},
	{"getpid", 0},
	{"getppid", 0},
	{"getresgid", 0},
	{"getresuid", 0},
	{"getsockname", 0},
	{"getsockopt", BLIND},
	{"gettid", 0},
	{"ioctl", BLIND | LOADER},
	{"kill", 0},
	{"madvise", 0},
	{"mmap", LOADER},
	{"mprotect", LOADER},
	{"mremap", 0},
	{"munmap", 0},
	{"nanosleep", 0},
	{"newfstatat", LOADER},
	{"openat", LOADER},
	{"ppoll", 0},
	{"prctl", 0},
	{"pread64", LOADER},
	{"prlimit64", 0},
	{"process_vm_readv", 0},
	{"pselect6", 0},
	{"pwritev2", 0},
	{"read", OWN | LOADER},
	{"readlinkat", 0},
	{"recvfrom", BLIND},
	{"recvmsg", 0},
	{"rt_sigaction", 0},
	{"rt_sigpending", 0},
	{"rt_sigprocmask", 0},
	{"rt_sigtimedwait", 0},
	{"sched_yield", 0},
	{"sendmsg", 0},
	{"sendto", 0},
	{"setgroups", 0},
	{"setresgid", 0},
	{"setresuid", 0},
	{"setsockopt", 0},
	{"shutdown", 0},
	{"socket", LOADER}, /* and dial */
	{"socketpair", 0},
	{"unshare", 0},
	{"waitid", 0},
	{"write", OWN | LOADER},
};

/* Not to be denied: the program closes and ends by them. */
static const char *const vital[] = {"close", "exit_group"};

enum { CALL_COUNT = sizeof(calls) / sizeof(calls[0]) };

/* ---- the table is whole --------------------------------------------------------------------- */

static bool is_listed(const char *name, size_t length)
{
	for (size_t i = 0; i < CALL_COUNT; i++) {
		if (strlen(calls[i].name) == length && strncmp(calls[i].name, name, length) == 0) {
			return true;
		}
	}
	for (size_t i = 0; i < sizeof(vital) / sizeof(vital[0]); i++) {
		if (strlen(vital[i]) == length && strncmp(vital[i], name, length) == 0) {
			return true;
		}
	}
	return false;
}

/* "SC_SYS3(SYS_read, ..." and "sc_sys6(SYS_mmap, ..." make a call; other mentions do not. */
static size_t check_source(const char *path)
{
	char *text = text_of_file(path);
	size_t found = 0;

	for (char *place = text; (place = strstr(place, "(SYS_"));) {
		bool is_made = place - text >= 7 && (strncmp(place - 7, "SC_SYS", 6) == 0 ||
							    strncmp(place - 7, "sc_sys6", 7) == 0);
		const char *name = place + strlen("(SYS_");
		size_t length = strspn(name, "abcdefghijklmnopqrstuvwxyz_0123456789");

		place++;
		if (!is_made) {
			continue;
		}
		found++;
		if (!is_listed(name, length)) {
			fail_msg("%s makes a call that this test and plight.c do not know: %.*s",
				path, (int)length, name);
		}
	}
	free(text);
	return found;
}

static void test_denied_calls_are_all_that_there_are(void **state)
{
	DIR *folder = opendir(SC_SOURCE_DIR "/shim");
	size_t found = 0;

	(void)state;
	assert_non_null(folder);
	for (struct dirent *entry; (entry = readdir(folder));) {
		char path[512];

		/* real.c's are the program's own, where libc lacks them. */
		if (entry->d_name[0] != '.' && strcmp(entry->d_name, "real.c") != 0) {
			snprintf(path, sizeof(path), SC_SOURCE_DIR "/shim/%s", entry->d_name);
			found += check_source(path);
		}
	}
	closedir(folder);
	assert_true(found > 50);
}

/* ---- runs ----------------------------------------------------------------------------------- */

enum result { CURED, ANY, READ };

/* CALL in the words stands for the call; unfit: whose traits make the words pointless. */
static const struct plight {
	const char *name;
	const char *words;
	size_t connections;
	enum result result;
	int unfit;
} plights[] = {
	{"closed", "dial dial deny CALL close close", 2, CURED, 0},
	{"at_exit", "dial dial deny CALL", 2, CURED, 0},
	{"from_the_start", "deny CALL exec dial dial close-all", 2, CURED, OWN | LOADER},
	{"lacking", "dial dial lack CALL close close", 2, CURED, 0},
	{"lacking_from_the_start", "lack CALL exec dial dial close-all", 2, CURED, OWN | LOADER},
	{"lacking_and_held", "dial dup lack CALL close read close", 1, READ, OWN},
	{"rejected", "dial dial reject CALL close close", 2, CURED, 0},
	{"rejected_from_the_start", "reject CALL exec dial dial close-all", 2, CURED, OWN | LOADER},
	{"after_a_fork", "dial fork deny CALL close", 1, ANY, 0},
	{"duplicated", "dial dup deny CALL close close", 1, ANY, 0},
	{"held", "dial dup deny CALL close read close", 1, READ, OWN},
	{"held_after_a_fork", "dial dup fork deny CALL close read close", 1, READ, OWN},
	{"forbidden", "dial dial probe forbid CALL close close", 2, CURED, 0},
	{"forbidden_at_exit", "dial dial forbid CALL", 2, CURED, 0},
	{"forbidden_after_a_fork", "dial fork forbid CALL close", 1, ANY, 0},
	{"forbidden_and_held", "dial dup forbid CALL close read close", 1, READ, OWN},
	{"denied_to_all_threads", "dial dial close deny-threads CALL close", 2, CURED, 0},
	{"trapped", "dial dial trap CALL close close", 2, CURED, 0},
	{"trapped_at_exit", "dial dial trap CALL", 2, CURED, 0},
};

static struct crowd_end run(const struct plight *plight, const struct call *call, const char *mode)
{
	char *words = text_replaced(plight->words, "CALL", call->name);
	struct crowd_end end;

	if (sanitizer_is_any()) {
		print_message("a sanitizer needs what is denied here\n");
		skip();
	}
	end = crowd_run(&(struct crowd_options){.program = {.executable = "plight",
							.mode = mode,
							.environment = {"SAFECLOSE_LINGER_"
									"TIMEOUT=300ms",
								"SAFECLOSE_REPORT=all"}}},
		"%s", words);

	if (end.status != 0) {
		fail_msg("%s denied, %s: status %d:\n%s%s", call->name, mode, end.status,
			end.output, end.report);
	}
	if (end.connections != plight->connections ||
		end.received_bytes != (plight->result == READ)) {
		fail_msg("%s denied, %s: %zu connections, %zu bytes", call->name, mode,
			end.connections, (size_t)end.received_bytes);
	}
	free(words);
	return end;
}

/* What kills for it, the program itself may need. */
static bool is_fit(const struct plight *plight, const struct call *call)
{
	bool kills = strstr(plight->words, "forbid") || strstr(plight->words, "trap");
	char *words;
	struct crowd_end end;

	if ((call->traits & plight->unfit) || !kills) {
		return !(call->traits & plight->unfit);
	}
	words = text_replaced(plight->words, "CALL", call->name);
	end = crowd_run(&(struct crowd_options){.program = {.executable = "plight"}}, "%s", words);
	free(words);
	return end.status == 0;
}

/* No FIN is reported where there was a reset. */
static void assert_true_reports(
	const struct plight *plight, const struct call *call, const struct crowd_end *end)
{
	size_t fins = text_lines_with(end->report, ": 1000 unread", "; drained 1000, fin ") +
		      text_lines_with(end->report, ": 1000 unread", "; drained 1000, limit ");

	if (fins + end->grown.aborts_on_close > plight->connections) {
		fail_msg("%s denied: %zu resets, but:\n%s", call->name,
			(size_t)end->grown.aborts_on_close, end->report);
	}
}

static void test_denied_warn_changes_nothing(void **state)
{
	const struct plight *plight = *state;
	size_t resets = plight->result == READ ? 0 : plight->connections;
	size_t fit_count = 0;

	for (size_t i = 0; i < CALL_COUNT; i++) {
		if (!is_fit(plight, &calls[i])) {
			continue;
		}
		fit_count++;
		struct crowd_end end = run(plight, &calls[i], "warn");

		if (end.grown.aborts_on_close != resets || end.errors != resets) {
			fail_msg("%s denied: %zu resets:\n%s", calls[i].name,
				(size_t)end.grown.aborts_on_close, end.report);
		}
	}
	assert_true(fit_count > CALL_COUNT / 2);
}

static void test_denied_ends_with_fin(void **state)
{
	static const char *const modes[] = {"drain", "fin"};
	const struct plight *plight = *state;

	for (size_t i = 0; i < 2 * CALL_COUNT; i++) {
		const struct call *call = &calls[i / 2];
		bool is_cured = plight->result == READ ||
				(plight->result == CURED && !(call->traits & BLIND));

		if (!is_fit(plight, call)) {
			continue;
		}
		struct crowd_end end = run(plight, call, modes[i % 2]);

		if (is_cured && end.fins != plight->connections) {
			fail_msg("%s denied, %s: %zu with FIN, %zu with an error:\n%s", call->name,
				modes[i % 2], end.fins, end.errors, end.report);
		}
		assert_true_reports(plight, call, &end);
	}
}

/* Nothing lingers without a thread, and bytes that came later would reset. */
static void test_without_a_thread_the_limit_is_told(void **state)
{
	static const char *const ends[][2] = {{"drain", "; drained 1000, fin in "},
		{"fin", "; drained 1000, limit (no thread) in "}};

	(void)state;
	if (sanitizer_is_any()) {
		print_message("a sanitizer needs what is denied here\n");
		skip();
	}
	for (size_t i = 0; i < 2; i++) {
		struct crowd_end end = crowd_run(
			&(struct crowd_options){
				.program = {.executable = "plight", .mode = ends[i][0]},
				.stays = true},
			"dial dial deny clone close close");

		assert_crowd_was_fin(&end, 2);
		if (text_lines_with(end.report, ": 1000 unread", ends[i][1]) != 2) {
			fail_msg("%s:\n%s", ends[i][0], end.report);
		}
	}
}

static const struct rows_subject subjects[] = {
	ROWS_PLAIN(test_denied_calls_are_all_that_there_are),
	ROWS_SUBJECT(test_denied_warn_changes_nothing, plights),
	ROWS_SUBJECT(test_denied_ends_with_fin, plights),
	ROWS_PLAIN(test_without_a_thread_the_limit_is_told),
};

int main(void)
{
	return ROWS_RUN(subjects);
}
