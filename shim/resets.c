// SPDX-License-Identifier: MIT
#include "resets.h"
#include "ownfds.h"
#include "procfs.h"
#include "sys.h"
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#ifndef SO_NETNS_COOKIE
#define SO_NETNS_COOKIE 71 /* asm-generic/socket.h, Linux 5.14 */
#endif

#define COUNTS "/proc/thread-self/net/netstat"
#define NAMESPACE "/proc/thread-self/ns/net"

enum { CHUNK_BYTES = 512, WORD_BYTES = 32 };

static uint64_t first_cookie; /* 0: not known */
static uint64_t first_inode;

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

void sc_resets_init(void)
{
	int fd = (int)SC_SYS3(SYS_socket, AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd >= 0) {
		first_cookie = cookie_of(fd);
		first_inode = inode_of_namespace();
		sc_sys_close(fd);
	}
}

static bool is_told_of(int fd)
{
	return first_cookie != 0 && first_inode != 0 && cookie_of(fd) == first_cookie &&
	       inode_of_namespace() == first_inode;
}

/*
 * Two lines for each group of counts: names, then numbers in the same order.
 *   TcpExt: SyncookiesSent SyncookiesRecv ... TCPAbortOnClose ...
 *   TcpExt: 0 0 ... 17 ...
 */
struct search {
	char word[WORD_BYTES]; /* the one that is being read, cut; zero-terminated */
	size_t length;
	int place;        /* in its line */
	int wanted_place; /* of the name; negative: not found yet */
	int64_t count;    /* negative: not found yet */
};

static void end_word(struct search *search)
{
	search->word[search->length] = '\0';
	if (strcmp(search->word, "TCPAbortOnClose") == 0) {
		search->wanted_place = search->place;
	} else if (search->place == search->wanted_place) {
		search->count = (int64_t)sc_procfs_number_in(search->word, 10);
	}
	search->length = 0;
	search->place++;
}

static void read_on(struct search *search, const char *text, size_t size)
{
	for (size_t i = 0; i < size && search->count < 0; i++) {
		if (text[i] != ' ' && text[i] != '\n') {
			search->word[search->length] = text[i];
			search->length += search->length < sizeof(search->word) - 1;
			continue;
		}
		end_word(search);
		if (text[i] == '\n') {
			search->place = 0;
		}
	}
}

/* Negative: not to be had. */
static int64_t count_resets(void)
{
	char chunk[CHUNK_BYTES];
	struct search search = {.wanted_place = -1, .count = -1};
	int fd = sc_procfs_open_file(AT_FDCWD, COUNTS);
	while (fd >= 0 && search.count < 0) {
		long size = SC_SYS3(SYS_read, fd, chunk, sizeof(chunk));
		if (size <= 0) {
			break;
		}
		read_on(&search, chunk, (size_t)size);
	}
	sc_ownfds_release(fd);
	return search.count;
}

int64_t sc_resets_before(const struct sc_conn *conn, int fd)
{
	return conn->proto == SC_PROTO_TCP && is_told_of(fd) ? count_resets() : -1;
}

bool sc_resets_may_be_more(int64_t before)
{
	return before < 0 || count_resets() != before;
}
