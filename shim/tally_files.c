// SPDX-License-Identifier: MIT
/* The files that this process counts in. */
#include "tally.h"
#include "line.h"
#include "sink.h"
#include "sys.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

enum { PATH_SIZE = 512 };

static struct sc_tally *tallies[SC_TALLY_FILES_MAX];
static int tally_count;

void sc_tally_count(const struct sc_event *event)
{
	for (int i = 0; event->outcome == SC_OUTCOME_RST && i < tally_count; i++) {
		sc_tally_add(tallies[i], event);
	}
}

/* Only what has the file's size and magic: a shorter one would be the end of the program (SIGBUS). */
static int map_file(const char *path, struct sc_tally **tally)
{
	struct stat64 status;
	int fd = (int)SC_SYS4(SYS_openat, AT_FDCWD, path,
		O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK, 0);
	if (fd < 0) {
		return fd;
	}
	long result = SC_SYS2(SYS_fstat, fd, &status);
	if (result == 0 && (!S_ISREG(status.st_mode) || status.st_size != sizeof(**tally))) {
		result = -EINVAL;
	}
	if (result == 0) {
		result = SC_SYS6(
			SYS_mmap, NULL, sizeof(**tally), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	}
	sc_sys_close(fd);
	if ((unsigned long)result > -4096UL) { /* an address may be negative, on 32 bits */
		return (int)result;
	}
	*tally = (struct sc_tally *)result;
	if ((*tally)->magic != SC_TALLY_MAGIC) {
		SC_SYS2(SYS_munmap, *tally, sizeof(**tally));
		return -EINVAL;
	}
	return 0;
}

static void complain(const char *path, int error)
{
	char text[PATH_SIZE + 128];
	struct sc_line line = {text, sizeof(text), 0};
	sc_line_add(&line, "safeclose[");
	sc_line_add_number(&line, (uint64_t)sc_sys_getpid());
	sc_line_add(&line, "]: cannot count resets in ");
	sc_line_add_escaped(&line, path, PATH_SIZE);
	sc_line_add(&line, " (errno ");
	sc_line_add_number(&line, (uint64_t)-error);
	sc_line_add(&line, ")");
	sc_line_end(&line);
	sc_sink_write_stderr(text, line.length);
}

/* The file's name begins with the pid of its maker. Who lives on after that counts for nobody. */
static bool is_over(const char *path)
{
	const char *name = strrchr(path, '/');
	long pid = 0;
	for (name += name != NULL; name != NULL && *name >= '0' && *name <= '9'; name++) {
		pid = pid < INT32_MAX / 10 ? pid * 10 + (*name - '0') : 0;
	}
	return pid > 0 && SC_SYS2(SYS_kill, pid, 0) == -ESRCH;
}

static void use_file(const char *path)
{
	int error = -E2BIG;
	if (tally_count < SC_TALLY_FILES_MAX) {
		error = map_file(path, &tallies[tally_count]);
	}
	if (error == 0) {
		tally_count++;
	} else if (error != -ENOENT || !is_over(path)) {
		complain(path, error);
	}
}

void sc_tally_init(const char *paths)
{
	while (paths != NULL && *paths != '\0') {
		char path[PATH_SIZE];
		const char *end = strchr(paths, SC_TALLY_SEPARATOR);
		size_t length = end != NULL ? (size_t)(end - paths) : strlen(paths);
		size_t kept = length < sizeof(path) ? length : sizeof(path) - 1;
		memcpy(path, paths, kept);
		path[kept] = '\0';
		use_file(path);
		paths += length + (end != NULL);
	}
}
