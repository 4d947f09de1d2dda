// SPDX-License-Identifier: MIT
/* Words that close; each tells its result. */
#include "words.h"

#include <dlfcn.h>
#include <sys/syscall.h>
#include <unistd.h>

static void do_close(char **words)
{
	int fd = number(words[0]);

	errno = ERRNO_BEFORE;
	tell_result("close", words[0], close(fd));
}

static void do_dup2(char **words)
{
	int fd = number(words[0]);
	int wanted_fd = number(words[1]);

	errno = ERRNO_BEFORE;
	tell_result("dup2", words[1], dup2(fd, wanted_fd));
}

static void do_dup3(char **words)
{
	int fd = number(words[0]);
	int wanted_fd = number(words[1]);
	int flags = number(words[2]);

	errno = ERRNO_BEFORE;
	tell_result("dup3", words[1], dup3(fd, wanted_fd, flags));
}

static void do_syscall_close(char **words)
{
	int fd = number(words[0]);

	errno = ERRNO_BEFORE;
	tell_result("syscall-close", words[0], syscall(SYS_close, fd));
}

static void do_syscall_dup3(char **words)
{
	int fd = number(words[0]);
	int wanted_fd = number(words[1]);
	int flags = number(words[2]);

	errno = ERRNO_BEFORE;
	tell_result("syscall-dup3", words[1], syscall(SYS_dup3, fd, wanted_fd, flags));
}

static void do_close_range(char **words)
{
	int first_fd = number(words[0]);
	int last_fd = number(words[1]);
	int flags = number(words[2]);

	errno = ERRNO_BEFORE;
	tell_result("close-range", words[0],
		close_range((unsigned int)first_fd, (unsigned int)last_fd, flags));
}

static void do_syscall_close_range(char **words)
{
	int first_fd = number(words[0]);
	int last_fd = number(words[1]);
	int flags = number(words[2]);

	errno = ERRNO_BEFORE;
	tell_result("syscall-close-range", words[0],
		syscall(SYS_close_range, first_fd, last_fd, flags));
}

static void do_closefrom(char **words)
{
	closefrom(number(words[0]));
}

static void do_fdopen(char **words)
{
	int fd = number(words[0]);

	streams[fd] = fdopen(fd, words[1]);
	must(streams[fd] != NULL, "fdopen");
}

/* Into the stream's buffer: nothing goes out before it is flushed. */
static void do_print(char **words)
{
	int fd = number(words[0]);

	for (int left_bytes = number(words[1]); left_bytes > 0; left_bytes--) {
		must(fputc(pattern_byte(written_place[fd]++), streams[fd]) != EOF, "fputc");
	}
}

static void do_fclose(char **words)
{
	FILE *stream = streams[number(words[0])];

	errno = ERRNO_BEFORE;
	tell_result("fclose", words[0], fclose(stream));
}

static void do_freopen(char **words)
{
	FILE *stream = streams[number(words[0])];
	FILE *opened;

	errno = ERRNO_BEFORE;
	opened = freopen(words[1], "r+", stream);
	tell_result("freopen", words[0], opened ? fileno(opened) : -1);
}

static void do_freopen64(char **words)
{
	FILE *stream = streams[number(words[0])];
	FILE *opened;

	errno = ERRNO_BEFORE;
	opened = freopen64(words[1], "r+", stream);
	tell_result("freopen64", words[0], opened ? fileno(opened) : -1);
}

static void do_fcloseall(char **words)
{
	(void)words;
	errno = ERRNO_BEFORE;
	tell_result("fcloseall", "all", fcloseall());
}

/* libc's second name of close(). */
static void do_other_close(char **words)
{
	int (*other_close)(int) = (int (*)(int))dlsym(RTLD_DEFAULT, "__close");
	int fd = number(words[0]);

	must(other_close != NULL, "no __close");
	errno = ERRNO_BEFORE;
	tell_result("other-close", words[0], other_close(fd));
}

static void do_syscall_dup2(char **words)
{
	int fd = number(words[0]);
	int wanted_fd = number(words[1]);

	errno = ERRNO_BEFORE;
#ifdef SYS_dup2
	tell_result("syscall-dup2", words[1], syscall(SYS_dup2, fd, wanted_fd));
#else
	tell_result("syscall-dup2", words[1], dup2(fd, wanted_fd));
#endif
}

/* dlopen() with MODE's flags, and call the plugin's function that closes. */
static void do_plugin_close(char **words)
{
	int flags = RTLD_NOW | (words[1][0] == 'd' ? RTLD_DEEPBIND : 0);
	void *plugin = dlopen(words[0], flags);
	int (*plugin_close)(int);
	int fd = number(words[2]);

	must(plugin != NULL, "dlopen");
	plugin_close = (int (*)(int))dlsym(plugin, "plugin_close");
	must(plugin_close != NULL, "dlsym");
	errno = ERRNO_BEFORE;
	tell_result("plugin-close", words[2], plugin_close(fd));
}

static void do_plugin_load(char **words)
{
	must(dlopen(words[0], RTLD_NOW) != NULL, "dlopen");
}

/* Print into stdout instead of a stream of fdopen. */
static void do_use_stdout(char **words)
{
	(void)words;
	streams[fileno(stdout)] = stdout;
}

const struct word words_closing[] = {
	{"close", 1, do_close},                             /* FD */
	{"other-close", 1, do_other_close},                 /* FD: __close */
	{"plugin-close", 3, do_plugin_close},               /* PATH deepbind|plain FD */
	{"plugin-load", 1, do_plugin_load},                 /* PATH */
	{"dup2", 2, do_dup2},                               /* FD FD */
	{"dup3", 3, do_dup3},                               /* FD FD FLAGS */
	{"syscall-close", 1, do_syscall_close},             /* FD */
	{"syscall-dup2", 2, do_syscall_dup2},               /* FD FD */
	{"syscall-dup3", 3, do_syscall_dup3},               /* FD FD FLAGS */
	{"close-range", 3, do_close_range},                 /* FIRST LAST FLAGS */
	{"syscall-close-range", 3, do_syscall_close_range}, /* FIRST LAST FLAGS */
	{"closefrom", 1, do_closefrom},                     /* FD: tells nothing */
	{"fdopen", 2, do_fdopen},                           /* FD MODE: tells nothing */
	{"print", 2, do_print},   /* FD BYTES: into fdopen's stream; tells nothing */
	{"fclose", 1, do_fclose}, /* FD: of fdopen */
	{"fcloseall", 0, do_fcloseall},
	{"freopen", 2, do_freopen},       /* FD PATH */
	{"freopen64", 2, do_freopen64},   /* FD PATH */
	{"use-stdout", 0, do_use_stdout}, /* as the stream of 1 */
	{NULL, 0, NULL},
};
