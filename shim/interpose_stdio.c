// SPDX-License-Identifier: MIT
/*
 * Streams: libc closes the descriptor of one by a call of its own, which nobody can intercept. The
 * real call flushes first; the copy taken before it keeps the connection until after.
 */
#include "births.h"
#include "closing.h"
#include "interpose.h"
#include "real.h"
#include "start.h"
#include "streams.h"
#include <stdio.h>
#include <sys/stat.h>

SC_EXPORT FILE *fdopen(int fd, const char *mode)
{
	sc_start();
	FILE *stream = sc_real.fdopen(fd, mode);
	if (stream != NULL) {
		sc_streams_record(stream, fd);
	}
	return stream;
}

SC_EXPORT int fclose(FILE *stream)
{
	struct sc_closing closing;
	sc_start();
	int fd = fileno_unlocked(stream);
	bool is_followed = fd >= 0 && sc_closing_begin(&closing, fd, SC_VIA_FCLOSE,
					      __builtin_return_address(0));
	sc_streams_forget(stream);
	sc_births_forget(fd);
	int result = sc_real.fclose(stream);
	if (is_followed) {
		sc_closing_end(&closing, true); /* whatever flushing said */
	}
	return result;
}

/* Does fd still hold the connection? */
static bool still_holds(int fd, const struct sc_closing *closing)
{
	struct stat64 status;
	return SC_SYS2(SYS_fstat, fd, &status) == 0 && S_ISSOCK(status.st_mode) &&
	       status.st_ino == closing->job.conn.inode;
}

static FILE *reopen(enum sc_via via, FILE *(*real)(const char *, const char *, FILE *),
	const char *path, const char *mode, FILE *stream, const void *caller)
{
	struct sc_closing closing;
	int fd = fileno_unlocked(stream);
	bool is_followed = fd >= 0 && sc_closing_begin(&closing, fd, via, caller);
	FILE *result = real(path, mode, stream);
	if (is_followed) {
		bool is_closed = !still_holds(fd, &closing);
		if (is_closed) {
			sc_births_forget(fd);
		}
		sc_closing_end(&closing, is_closed);
	}
	return result;
}

SC_EXPORT FILE *freopen(const char *path, const char *mode, FILE *stream)
{
	sc_start();
	return reopen(
		SC_VIA_FREOPEN, sc_real.freopen, path, mode, stream, __builtin_return_address(0));
}

#undef freopen64
SC_EXPORT FILE *freopen64(const char *path, const char *mode, FILE *stream)
{
	sc_start();
	return reopen(SC_VIA_FREOPEN64, sc_real.freopen64, path, mode, stream,
		__builtin_return_address(0));
}
