// SPDX-License-Identifier: MIT
#include "library.h"
#include "cli.h"
#include "elf.h"
#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LIBRARY_NAME "libsafeclose.so"
#define SEPARATORS ": " /* of LD_PRELOAD; the loader knows no way to escape them */

/* What $LIB may stand for in a loader of glibc: the folder that libc and the loader itself lie in. */
static const char *const places[] = {"lib/x86_64-linux-gnu", "lib/i386-linux-gnu",
	"lib/aarch64-linux-gnu", "lib/arm-linux-gnueabihf", "lib64", "lib32", "lib"};

/* The loader of the other class on the same machine. */
#if defined(__x86_64__)
#define OTHER_LOADER "/lib/ld-linux.so.2"
#elif defined(__i386__)
#define OTHER_LOADER "/lib64/ld-linux-x86-64.so.2"
#elif defined(__aarch64__)
#define OTHER_LOADER "/lib/ld-linux-armhf.so.3"
#else
#define OTHER_LOADER ""
#endif

static bool ends_with(const char *text, size_t length, const char *end)
{
	size_t end_length = strlen(end);
	return length >= end_length && memcmp(text + length - end_length, end, end_length) == 0;
}

/* Length of the folder's part of a path; no '/' at its end. */
static size_t folder_length(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash != NULL ? (size_t)(slash - path) : 0;
}

/* Of a file of glibc's. NULL: none that is known. */
static const char *place_of(const char *file)
{
	char path[PATH_MAX];
	if (realpath(file, path) == NULL) {
		return NULL;
	}
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		char end[64];
		snprintf(end, sizeof(end), "/%s", places[i]);
		if (ends_with(path, folder_length(path), end)) {
			return places[i];
		}
	}
	return NULL;
}

/* What $LIB stands for in this command's own loader. NULL: unknown. */
static const char *own_place(void)
{
	Dl_info info;
	void *libcs_own = dlsym(RTLD_DEFAULT, "gnu_get_libc_version");
	bool is_known = libcs_own != NULL && dladdr(libcs_own, &info) != 0;
	return is_known && info.dli_fname != NULL ? place_of(info.dli_fname) : NULL;
}

static bool is_library(const char *path)
{
	struct cli_elf elf;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		return false;
	}
	bool is_whole = cli_elf_read(&elf, fd) == NULL && elf.type == ET_DYN;
	cli_elf_free(&elf);
	close(fd);
	return is_whole;
}

/* With $LIB where the other class's library lies in the other class's folder. */
static void choose_preload(struct cli_library *library)
{
	const char *ours = own_place();
	const char *others = place_of(OTHER_LOADER);
	size_t length = folder_length(library->path);
	char end[64];
	library->other[0] = '\0';
	snprintf(library->preload, sizeof(library->preload), "%s", library->path);
	if (ours == NULL || others == NULL) {
		return;
	}
	snprintf(end, sizeof(end), "/%s", ours);
	if (!ends_with(library->path, length, end)) {
		return;
	}
	int prefix = (int)(length - strlen(ours));
	int bytes = snprintf(library->other, sizeof(library->other), "%.*s%s/" LIBRARY_NAME, prefix,
		library->path, others);
	if (bytes > 0 && (size_t)bytes < sizeof(library->other) && is_library(library->other)) {
		snprintf(library->preload, sizeof(library->preload), "%.*s$LIB/" LIBRARY_NAME,
			prefix, library->path);
	} else {
		library->other[0] = '\0';
	}
}

/* Does the file exist? Then its absolute name, with its last part as it is (a link stays one). */
static bool take(struct cli_library *library, const char *folder, const char *name)
{
	char real[PATH_MAX];
	if (realpath(*folder != '\0' ? folder : ".", real) == NULL) {
		return false;
	}
	int bytes = snprintf(library->path, sizeof(library->path), "%s/%s",
		strcmp(real, "/") == 0 ? "" : real, name);
	return bytes > 0 && (size_t)bytes < sizeof(library->path) &&
	       access(library->path, R_OK) == 0;
}

static bool take_beside(struct cli_library *library)
{
	char own[PATH_MAX];
	char folder[PATH_MAX + 64];
	const char *place = own_place();
	ssize_t bytes = readlink("/proc/self/exe", own, sizeof(own) - 1);
	if (bytes <= 0) {
		return false;
	}
	own[bytes] = '\0';
	own[folder_length(own)] = '\0';
	if (take(library, own, LIBRARY_NAME)) {
		return true;
	}
	snprintf(folder, sizeof(folder), "%s/../lib", own);
	if (take(library, folder, LIBRARY_NAME)) {
		return true;
	}
	snprintf(folder, sizeof(folder), "%s/../%s", own, place != NULL ? place : "lib");
	return take(library, folder, LIBRARY_NAME);
}

static bool take_wanted(struct cli_library *library, const char *wanted)
{
	char folder[PATH_MAX];
	size_t length = folder_length(wanted);
	const char *slash = strrchr(wanted, '/');
	if (length >= sizeof(folder)) {
		return false;
	}
	memcpy(folder, wanted, length);
	folder[length] = '\0';
	return take(library, wanted[0] == '/' && length == 0 ? "/" : folder,
		slash != NULL ? slash + 1 : wanted);
}

bool cli_library_find(struct cli_library *library, const char *wanted)
{
	if (wanted != NULL && !take_wanted(library, wanted)) {
		cli_complain("cannot read the library %s: %s", wanted, strerror(errno));
		return false;
	}
	if (wanted == NULL && !take_beside(library) && !take(library, SC_LIBDIR, LIBRARY_NAME)) {
		cli_complain("cannot find " LIBRARY_NAME " beside this command, nor in " SC_LIBDIR
			     "; --library names it");
		return false;
	}
	if (!is_library(library->path)) {
		cli_complain("%s is not a shared library", library->path);
		return false;
	}
	if (strpbrk(library->path, SEPARATORS "$") != NULL) {
		cli_complain("%s cannot be preloaded: LD_PRELOAD has no way to write a blank, "
			     "a colon or a $ in a path",
			library->path);
		return false;
	}
	choose_preload(library);
	return true;
}

char *cli_library_preload(const struct cli_library *library, const char *present)
{
	size_t own_length = strlen(library->preload);
	size_t length = own_length;
	char *value = malloc(own_length + (present != NULL ? strlen(present) : 0) + 2);
	if (value == NULL) {
		return NULL;
	}
	memcpy(value, library->preload, own_length);
	for (const char *at = present; at != NULL && *at != '\0';) {
		size_t blank = strspn(at, SEPARATORS);
		size_t name = strcspn(at + blank, SEPARATORS);
		bool is_ours = (name == own_length && memcmp(at + blank, value, name) == 0) ||
			       (name == strlen(library->path) &&
				       memcmp(at + blank, library->path, name) == 0);
		if (name > 0 && !is_ours) {
			value[length++] = ':';
			memcpy(value + length, at + blank, name);
			length += name;
		}
		at += blank + name;
	}
	value[length] = '\0';
	return value;
}
