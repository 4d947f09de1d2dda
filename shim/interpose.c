// SPDX-License-Identifier: MIT
/*
 * The calls that close. Each as libc declares it: begin, the real call once, end; result and errno
 * are the real call's.
 */
#include "closing.h"
#include "interpose.h"
#include "real.h"
#include "start.h"
#include <unistd.h>

static inline __attribute__((always_inline)) int close_one(int fd, const void *caller)
{
	struct sc_closing closing;
	sc_start();
	if (refuse_own(fd)) {
		return -1;
	}
	if (!sc_closing_begin(&closing, fd, SC_VIA_CLOSE, caller)) {
		return sc_real.close(fd);
	}
	int result = sc_real.close(fd);
	sc_closing_end(&closing, was_closed(result));
	return result;
}

SC_EXPORT int close(int fd)
{
	return close_one(fd, __builtin_return_address(0));
}

/* glibc's own second name for it. */
SC_EXPORT int __close(int fd);
SC_EXPORT int __close(int fd)
{
	return close_one(fd, __builtin_return_address(0));
}
