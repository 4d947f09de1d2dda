// SPDX-License-Identifier: MIT
/*
 * The calls by which a process gets a descriptor at once, and others that change what is known of
 * them. The real call is made once; before or after it a number in memory is noted. None of them is
 * a point of cancellation: see UNWOUND in the Makefile.
 */
#include "births.h"
#include "departures.h"
#include "family.h"
#include "inheritance.h"
#include "interest.h"
#include "interpose.h"
#include "process.h"
#include "real.h"
#include "start.h"
#include "threads.h"
#include <netinet/in.h>
#include <sched.h>
#include <unistd.h>

SC_EXPORT int socket(int domain, int type, int protocol)
{
	sc_start();
	uint32_t moment = sc_process_moment();
	bool is_tcp = (domain == AF_INET || domain == AF_INET6) &&
		      (type & ~(SOCK_CLOEXEC | SOCK_NONBLOCK)) == SOCK_STREAM &&
		      (protocol == 0 || protocol == IPPROTO_TCP);
	return sc_births_record(sc_real.socket(domain, type, protocol), moment, is_tcp);
}

SC_EXPORT int socketpair(int domain, int type, int protocol, int fds[2])
{
	sc_start();
	uint32_t moment = sc_process_moment();
	int result = sc_real.socketpair(domain, type, protocol, fds);
	if (result == 0) {
		sc_births_record(fds[0], moment, false);
		sc_births_record(fds[1], moment, false);
	}
	return result;
}

SC_EXPORT int dup(int fd)
{
	sc_start();
	int copy = sc_real.dup(fd);
	if (copy >= 0) {
		sc_births_record_dup(fd, copy);
	}
	return copy;
}

SC_EXPORT int pidfd_getfd(int pidfd, int fd, unsigned flags);
SC_EXPORT int pidfd_getfd(int pidfd, int fd, unsigned flags)
{
	sc_start();
	sc_family_note_taking();
	int copy = sc_real.pidfd_getfd(pidfd, fd, flags);
	if (copy >= 0) {
		sc_births_record_received(copy);
	}
	return copy;
}

SC_EXPORT int epoll_create(int size)
{
	sc_start();
	int set = sc_real.epoll_create(size);
	if (set >= 0) {
		sc_births_record_epoll_set(set);
	}
	return set;
}

SC_EXPORT int epoll_create1(int flags)
{
	sc_start();
	int set = sc_real.epoll_create1(flags);
	if (set >= 0) {
		sc_births_record_epoll_set(set);
	}
	return set;
}

SC_EXPORT int epoll_ctl(int set, int operation, int fd, struct epoll_event *event)
{
	sc_start();
	sc_interest_before_epoll_ctl(set, operation, fd);
	int result = sc_real.epoll_ctl(set, operation, fd, event);
	if (result == 0) {
		sc_interest_after_epoll_ctl(operation, fd, event);
	}
	return result;
}

SC_EXPORT int unshare(int flags)
{
	sc_start();
	if (flags & CLONE_FILES) {
		sc_threads_before_table_split();
	}
	return sc_real.unshare(flags);
}

static int spawn(int (*real)(pid_t *, const char *, const posix_spawn_file_actions_t *,
			 const posix_spawnattr_t *, char *const[], char *const[]),
	pid_t *pid, const char *name, const posix_spawn_file_actions_t *file_actions,
	const posix_spawnattr_t *attributes, char *const argv[], char *const envp[])
{
	pid_t child = 0;
	pid = pid != NULL ? pid : &child;
	sc_inheritance_note(file_actions != NULL);
	sc_process_begin_fork();
	int result = real(pid, name, file_actions, attributes, argv, envp);
	sc_process_end_fork(SC_PROCESS_SPAWNED);
	if (result == 0) {
		sc_departures_note_child(*pid);
	}
	return result;
}

SC_EXPORT int posix_spawn(pid_t *pid, const char *path,
	const posix_spawn_file_actions_t *file_actions, const posix_spawnattr_t *attributes,
	char *const argv[], char *const envp[])
{
	sc_start();
	return spawn(sc_real.posix_spawn, pid, path, file_actions, attributes, argv, envp);
}

SC_EXPORT int posix_spawnp(pid_t *pid, const char *file,
	const posix_spawn_file_actions_t *file_actions, const posix_spawnattr_t *attributes,
	char *const argv[], char *const envp[])
{
	sc_start();
	return spawn(sc_real.posix_spawnp, pid, file, file_actions, attributes, argv, envp);
}

SC_EXPORT int posix_spawn_file_actions_adddup2(
	posix_spawn_file_actions_t *file_actions, int fd, int new_fd)
{
	sc_start();
	sc_inheritance_note_source(fd);
	return sc_real.posix_spawn_file_actions_adddup2(file_actions, fd, new_fd);
}
