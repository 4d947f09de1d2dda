// SPDX-License-Identifier: MIT
/* What /proc shows of the program under test, its threads and its children, from outside. */
#ifndef HARNESS_PROCESS_H
#define HARNESS_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* The library's thread: 0 where there is none. */
pid_t process_background_tid(pid_t pid);

/* Wait until the process has one thread alone. */
void process_await_single(pid_t pid);

/* Threads of the process. */
size_t process_threads(pid_t pid);

/* Resident memory of the process, in bytes. */
uint64_t process_resident_bytes(pid_t pid);

/* What a thread has cost so far. */
struct process_cost {
	uint64_t ticks;    /* of processor time, in user and in kernel mode */
	uint64_t switches; /* voluntary and not: how often it has run, about */
};
struct process_cost process_cost(pid_t pid, pid_t tid);

/* Open descriptors of the process. */
size_t process_descriptors(pid_t pid);

/* Sockets that lie in the thread's table and not in that of the process. */
size_t process_sockets_apart(pid_t pid, pid_t tid);

/* How many of the sockets in tid's table, not in pid's own, another process has too. */
size_t process_sockets_shared(pid_t pid, pid_t tid, pid_t other_pid);

#endif
