// SPDX-License-Identifier: MIT
#include "credentials.h"
#include "sys.h"
#include <stdatomic.h>
#include <sys/types.h>

/* A process with more supplementary groups than this keeps none on the library's thread: it only
 * reads /proc and its own sockets. */
enum { GROUPS_MAX = 256 };

static struct {
	_Atomic uint32_t version; /* odd while it is being written */
	uid_t users[3];           /* real, effective, saved */
	gid_t groups[3];
	int more_count;
	gid_t more[GROUPS_MAX];
} noted;

/* A version. Of the library's thread alone, but for its creator; atomic, because a child made by a
 * bare clone() may become one while another of its parent's was the last to write here. */
static _Atomic uint32_t followed;

void sc_credentials_begin(void)
{
	followed = atomic_load(&noted.version);
}

void sc_credentials_publish(void)
{
	atomic_fetch_add(&noted.version, 1);
	SC_SYS3(SYS_getresuid, &noted.users[0], &noted.users[1], &noted.users[2]);
	SC_SYS3(SYS_getresgid, &noted.groups[0], &noted.groups[1], &noted.groups[2]);
	/* EINVAL: there are more than fit. Then none is kept. */
	int count = (int)SC_SYS2(SYS_getgroups, GROUPS_MAX, noted.more);
	noted.more_count = count < 0 ? 0 : count;
	atomic_fetch_add(&noted.version, 1);
}

void sc_credentials_follow(void)
{
	uint32_t version;
	while ((version = atomic_load(&noted.version)) != followed) {
		if (version & 1) {
			sc_sys_yield();
			continue;
		}
		/* Groups first: without privilege they cannot be changed any more. */
		SC_SYS2(SYS_setgroups, noted.more_count, noted.more);
		SC_SYS3(SYS_setresgid, noted.groups[0], noted.groups[1], noted.groups[2]);
		SC_SYS3(SYS_setresuid, noted.users[0], noted.users[1], noted.users[2]);
		followed = version;
	}
}
