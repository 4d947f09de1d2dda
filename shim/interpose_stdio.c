// SPDX-License-Identifier: MIT
/*
 * Streams: libc closes the descriptor of one by a call of its own, which nobody can intercept. It flushes
 * first, and so does the library, before it looks: the peer may answer what is flushed with a reset.
 */
#include "births.h"
#include "closing.h"
#include "interpose.h"
#include "plan.h"
#include "real.h"
#include "start.h"
#include "streams.h"
#include <stdio.h>
#include <stdio_ext.h>
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

static int flush(FILE *stream, int fd)
{
	return fd >= 0 && sc_plan_is_any() && __fpending(stream) > 0 ? fflush(stream) : 0;
}

SC_EXPORT int fclose(FILE *stream)
{
	struct sc_closing closing;
	sc_start();
	int fd = fileno_unlocked(stream);
	int flushed = flush(stream, fd);
	int flush_errno = errno;
	bool is_followed = fd >= 0 && sc_closing_begin(&closing, fd, SC_VIA_FCLOSE,
					      __builtin_return_address(0));
	sc_streams_forget(stream);
	sc_births_forget(fd);
	int result = sc_real.fclose(stream);
	if (is_followed) {
		sc_closing_end(&closing, true); /* whatever flushing said */
	}
	if (flushed != 0) {
		errno = flush_errno; /* libc keeps nothing to be flushed again */
	}
	return flushed | result;
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
	flush(stream, fd);
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
