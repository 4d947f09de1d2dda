// SPDX-License-Identifier: MIT
/*
 * The calls that change a process's credentials: the real call, then the library's thread, which
 * libc does not know, follows.
 */
#include "background.h"
#include "interpose.h"
#include "real.h"
#include "start.h"
#include <grp.h>
#include <sys/types.h>
#include <unistd.h>

static int follow(int result)
{
	if (result == 0) {
		sc_background_follow_credentials();
	}
	return result;
}

SC_EXPORT int setuid(uid_t user)
{
	sc_start();
	return follow(sc_real.setuid(user));
}

SC_EXPORT int seteuid(uid_t user)
{
	sc_start();
	return follow(sc_real.seteuid(user));
}

SC_EXPORT int setreuid(uid_t real, uid_t effective)
{
	sc_start();
	return follow(sc_real.setreuid(real, effective));
}

SC_EXPORT int setresuid(uid_t real, uid_t effective, uid_t saved)
{
	sc_start();
	return follow(sc_real.setresuid(real, effective, saved));
}

SC_EXPORT int setgid(gid_t group)
{
	sc_start();
	return follow(sc_real.setgid(group));
}

SC_EXPORT int setegid(gid_t group)
{
	sc_start();
	return follow(sc_real.setegid(group));
}

SC_EXPORT int setregid(gid_t real, gid_t effective)
{
	sc_start();
	return follow(sc_real.setregid(real, effective));
}

SC_EXPORT int setresgid(gid_t real, gid_t effective, gid_t saved)
{
	sc_start();
	return follow(sc_real.setresgid(real, effective, saved));
}

SC_EXPORT int setgroups(size_t count, const gid_t *groups)
{
	sc_start();
	return follow(sc_real.setgroups(count, groups));
}

SC_EXPORT int initgroups(const char *user, gid_t group)
{
	sc_start();
	return follow(sc_real.initgroups(user, group));
}
