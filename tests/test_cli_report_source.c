// SPDX-License-Identifier: MIT
// HARNESS
// LIBS: -lyajl
/*
 * `safeclose report` of programs that are there: the lines of source of their call sites, and of what the
 * library itself wrote.
 */
#include "harness/folder.h"
#include "harness/logs.h"
#include "harness/reporter.h"
#include "harness/stage.h"
#include "harness/text.h"
#include "harness/tree.h"
#include "harness/unit.h"

#include <fcntl.h>
#include <inttypes.h>
#include <link.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* Where its caller goes on. */
static __attribute__((noinline)) const void *next_instruction(void)
{
	return __builtin_return_address(0);
}

struct here {
	uintptr_t address;
	uintptr_t base;
};

static int find_base(struct dl_phdr_info *info, size_t size, void *data)
{
	(void)size;
	((struct here *)data)->base = info->dlpi_addr;
	return 1; /* the first one is the program */
}

static bool has_addr2line(void)
{
	return system("addr2line --version >/dev/null 2>&1") == 0;
}

static bool has_debug_information(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat status;
	void *bytes;
	bool has;

	assert_int_equal(fstat(fd, &status), 0);
	bytes = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	assert_ptr_not_equal(bytes, MAP_FAILED);
	has = memmem(bytes, (size_t)status.st_size, ".debug_line", 12) != NULL;
	munmap(bytes, (size_t)status.st_size);
	close(fd);
	return has;
}

/* A report of this program, of the call in line `line` of this file, made in that year. */
static struct reporter_outcome report_of_myself(
	const char *words, const char *exe, uintptr_t offset, int year)
{
	struct reporter_setting setting = {0};
	struct logs_file log;
	char site[4096];
	const char *slash = strrchr(exe, '/');

	snprintf(site, sizeof(site), "%s+0x%" PRIxPTR, slash + 1, offset);
	logs_begin(&log);
	fprintf(log.file,
		"{\"v\":1,\"ts\":\"%d-05-01T00:00:00Z\",\"via\":\"close\",\"exe\":\"%s\",\"local\":"
		"\"10.0.0.5:8080\","
		"\"peer\":\"10.0.0.9:40000\",\"unread\":1,\"unacked\":1,\"outcome\":\"rst\","
		"\"why\":"
		"\"unread\",\"site\":\"%s\",\"symbol\":null,\"guess\":null}\n",
		year, exe, site);
	setting.input = logs_end(&log);
	struct reporter_outcome told = reporter_run(&setting, "%s", words);
	close(setting.input);
	return told;
}

static void test_report_finds_lines_of_source(void **state)
{
	char exe[4096], expected[96], elsewhere[4096];
	struct here here;
	ssize_t length = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
	int line;

	(void)state;
	assert_true(length > 0);
	exe[length] = 0;
	if (!has_addr2line() || !has_debug_information(exe)) {
		print_message("no addr2line, or built without -g\n");
		skip();
	}
	dl_iterate_phdr(find_base, &here);
	/* clang-format off */
	here.address = (uintptr_t)next_instruction(); line = __LINE__;
	/* clang-format on */
	snprintf(expected, sizeof(expected), "test_cli_report_source.c:%d (%s)", line, __func__);
	struct reporter_outcome told = report_of_myself("", exe, here.address - here.base, 2999);
	assert_int_equal(text_lines_with(told.output, expected, NULL), 1);
	reporter_end(&told);
	told = report_of_myself("--json", exe, here.address - here.base, 2999);
	yajl_val tree = tree_parse(told.output);
	yajl_val first = tree_member(tree, "rows", yajl_t_array)->u.array.values[0];
	assert_non_null(strstr(tree_text(first, "source"), "tests/test_cli_report_source.c:"));
	assert_string_equal(tree_text(first, "function"), __func__);
	yajl_tree_free(tree);
	reporter_end(&told);
	/* Left as it is: where that is asked for; where the file is newer than the report. */
	told = report_of_myself("--raw", exe, here.address - here.base, 2999);
	assert_null(strstr(told.output, "test_cli_report_source.c"));
	reporter_end(&told);
	told = report_of_myself("", exe, here.address - here.base, 1999);
	assert_null(strstr(told.output, "test_cli_report_source.c"));
	reporter_end(&told);
	/* Another file of that name, which is no program; a fifo, which would never end. */
	snprintf(elsewhere, sizeof(elsewhere), "%s%s", folder_name(), strrchr(exe, '/'));
	assert_int_equal(mkfifo(elsewhere, 0600), 0);
	told = report_of_myself("", elsewhere, here.address - here.base, 2999);
	assert_int_equal(told.status, 0);
	assert_null(strstr(told.output, "test_cli_report_source.c"));
	reporter_end(&told);
	unlink(elsewhere);
}

/* That line of a file of source. */
static char *line_of_source(const char *place)
{
	const char *colon = strrchr(place, ':');
	char *path = strndup(place, (size_t)(colon - place));
	char *text = text_of_file(path), *line, *at = text;

	for (long number = strtol(colon + 1, NULL, 10); number > 1; number--) {
		at = strchr(at, '\n');
		assert_non_null(at);
		at++;
	}
	line = strndup(at, strcspn(at, "\n"));
	free(text);
	free(path);
	return line;
}

/* The actor closes over unread bytes; returns what the library wrote. */
static const char *close_over_unread(struct stage *stage)
{
	program_start(&stage->program,
		&(struct program_options){.mode = "warn", .environment = {"SAFECLOSE_FORMAT=json"}},
		"connect 3 %s await-unread 3 5 close 3 say closed hear go", stage->peer.target);
	peer_accept(&stage->peer);
	assert_int_equal(send(stage->peer.fd, "SSH-2", 5, MSG_NOSIGNAL), 5);
	program_hear(&stage->program, "closed");
	return stage_finish(stage, true).errors;
}

static void test_report_of_what_the_library_wrote(void **state)
{
	struct stage *stage = stage_open(PEER_IPV6);
	const char *log = close_over_unread(stage);
	struct reporter_setting setting = {.input = logs_input(log, strlen(log))};
	struct reporter_outcome told = reporter_run(&setting, "--json");
	yajl_val tree = tree_parse(told.output);
	yajl_val row = tree_member(tree, "rows", yajl_t_array)->u.array.values[0];

	(void)state;
	assert_string_equal(told.errors, "");
	assert_int_equal(told.status, 0);
	tree_assert_number(row, "reports", 1);
	tree_assert_number(tree_member(row, "outcomes", yajl_t_object), "rst", 1);
	tree_assert_number(row, "unread", 5);
	assert_int_equal(strncmp(tree_text(row, "site"), "actor+0x", 8), 0);
	assert_non_null(
		strstr(tree_text(tree_member(row, "top_peer", yajl_t_object), "name"), "::1"));
	if (has_addr2line() && has_debug_information(PROGRAM_FOLDER "actor")) {
		char *line = line_of_source(tree_text(row, "source"));

		assert_non_null(strstr(line, "close("));
		free(line);
	}
	yajl_tree_free(tree);
	reporter_end(&told);
	close(setting.input);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_report_finds_lines_of_source),
		cmocka_unit_test_teardown(test_report_of_what_the_library_wrote, stage_teardown),
	};

	return cmocka_run_group_tests(tests, folder_make, folder_remove);
}
