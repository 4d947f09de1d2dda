// SPDX-License-Identifier: MIT
#include "resets.h"
#include "family.h"
#include "memory.h"
#include "netstat.h"
#include "ownfds.h"
#include "procfs.h"
#include "sys.h"
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>

#ifndef SO_NETNS_COOKIE
#define SO_NETNS_COOKIE 71 /* asm-generic/socket.h, Linux 5.14 */
#endif

#define COUNTS "/proc/thread-self/net/netstat"
#define NAMESPACE "/proc/thread-self/ns/net"

static uint64_t first_cookie; /* 0: not known */
static uint64_t first_inode;

/* Open for good: their numbers plus one; 0: there is none. */
static _Atomic int counts;
static _Atomic int namespace; /* its lock (flock) is the turn of this family, among others */

static __thread bool is_turn_here;

static uint64_t cookie_of(int fd)
{
	uint64_t cookie = 0;
	unsigned size = sizeof(cookie);
	return sc_sys_getsockopt(fd, SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &size) == 0 ? cookie : 0;
}

static uint64_t inode_of_namespace(void)
{
	struct stat64 status;
	return SC_SYS4(SYS_newfstatat, AT_FDCWD, NAMESPACE, &status, 0) == 0 ? status.st_ino : 0;
}

/* Beforehand, at a high number: opened where a close needs it, it would take the number just
 * closed, and whoever uses that by mistake would find it there. */
static void open_for_good(_Atomic int *file, const char *name)
{
	int fd = sc_ownfds_share(1) > 0 ? sc_procfs_open_file(AT_FDCWD, name) : -EMFILE;
	int high = fd < 0 ? fd : sc_ownfds_copy_for_good(fd);
	sc_ownfds_release(fd);
	atomic_store(file, high < 0 ? 0 : high + 1);
}

void sc_resets_init(void)
{
	int fd = (int)SC_SYS3(SYS_socket, AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd >= 0) {
		first_cookie = cookie_of(fd);
		first_inode = inode_of_namespace();
		sc_sys_close(fd);
	}
	open_for_good(&counts, COUNTS);
	open_for_good(&namespace, NAMESPACE);
}

static bool give_up(_Atomic int *file, int fd)
{
	int mark = fd + 1;
	bool is_it = atomic_compare_exchange_strong(file, &mark, 0);
	if (is_it) {
		sc_ownfds_disown(fd);
	}
	return is_it;
}

bool sc_resets_give_up(int fd)
{
	return give_up(&counts, fd) || give_up(&namespace, fd);
}

static long lock(int how)
{
	int fd = sc_ownfds_is_elsewhere() ? -1 : atomic_load(&namespace) - 1;
	return fd < 0 ? 0 : SC_SYS2(SYS_flock, fd, how);
}

/* The family's descriptors of the namespace are of one open file, so first it is a turn of the
 * family. A lock that somebody does not give back is waited for once. */
uint32_t sc_resets_begin_turn(void)
{
	static _Atomic bool was_in_vain;
	if (is_turn_here) {
		return 0; /* a signal handler's close within another */
	}
	is_turn_here = true;
	uint32_t turn = sc_family_begin_reset();
	bool is_locked = false;
	for (int i = 0; !is_locked && i < SC_FAMILY_TURN_WAITS; i++) {
		is_locked = lock(LOCK_EX | LOCK_NB) != -EWOULDBLOCK;
		if (!is_locked && atomic_load(&was_in_vain)) {
			return turn;
		}
		if (!is_locked) {
			sc_family_await_turn(i);
		}
	}
	atomic_store(&was_in_vain, !is_locked);
	return turn;
}

void sc_resets_end_turn(uint32_t turn)
{
	if (turn != 0) {
		lock(LOCK_UN);
		sc_family_end_reset(turn);
		is_turn_here = false;
	}
}

static bool is_told_of(int fd)
{
	return first_cookie != 0 && first_inode != 0 && cookie_of(fd) == first_cookie &&
	       inode_of_namespace() == first_inode;
}

/* Negative: not to be had. The kernel makes the text anew for a read from its begin, so all is
 * read at once; it is too long for a small stack. */
static int64_t count_resets(void)
{
	int64_t count = -1;
	char *text = sc_memory_map(SC_NETSTAT_BYTES);
	if (text == NULL) {
		return count;
	}
	bool is_elsewhere = sc_ownfds_is_elsewhere();
	int fd = is_elsewhere ? sc_procfs_open_file(AT_FDCWD, COUNTS) : atomic_load(&counts) - 1;
	if (SC_SYS5(SYS_pread64, fd, text, SC_NETSTAT_BYTES - 1, 0, 0) > 0) {
		count = sc_netstat_aborts_on_close(text); /* what is mapped ends with zeroes */
	}
	if (is_elsewhere) {
		sc_ownfds_release(fd);
	}
	sc_memory_unmap(text, SC_NETSTAT_BYTES);
	return count;
}

int64_t sc_resets_before(const struct sc_conn *conn, int fd)
{
	return conn->proto == SC_PROTO_TCP && is_told_of(fd) ? count_resets() : -1;
}

bool sc_resets_may_be_more(int64_t before)
{
	return before < 0 || count_resets() != before;
}
