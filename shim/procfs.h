// SPDX-License-Identifier: MIT
/*
 * Reading /proc without libc's directory streams: no allocation, own descriptors, small buffers.
 * Async-signal-safe; errors are negative errno.
 */
#ifndef SC_PROCFS_H
#define SC_PROCFS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sc_process_stat {
	int parent; /* PPid */
	int session;
	bool is_kernel_thread;
	bool is_ending; /* its exit has begun */
	char state;     /* R, S, Z, ... */
	int threads;
	uint64_t start_time; /* clock ticks since boot */
};

/* Open a folder below the folder at (or AT_FDCWD). The descriptor is the library's own; give it
 * back with sc_ownfds_release(). */
int sc_procfs_open(int at, const char *name);

/* The same for a file, to be read. */
int sc_procfs_open_file(int at, const char *name);

/* The same for a file anywhere; flags: SC_OWNFDS_FILE_FLAGS and more. */
int sc_procfs_open_with(int at, const char *name, int flags);

/* Read a file below at into text, zero-terminated, cut at size - 1. Length or negative errno. */
long sc_procfs_read(int at, const char *name, char *text, size_t size);

/* The number behind the first label in the file (its first 511 bytes), blanks aside; 0 where
 * there is none. */
uint64_t sc_procfs_number_behind(int at, const char *name, const char *label, unsigned base);

/* A name that is a whole number. */
bool sc_procfs_number(const char *name, int *number);

/* The number that text begins with; base 10 or 16. */
uint64_t sc_procfs_number_in(const char *text, unsigned base);

/* What a link of a descriptor table points to: "socket:[4711]" -> 4711; else 0. */
uint64_t sc_procfs_socket_inode(const char *link, long length);

/* The calling process's number in this /proc, which may belong to another pid namespace; 0 or
 * below: it does not show. */
int sc_procfs_self(int proc);

/* The latest child that the calling thread has made, by its number in /proc; 0: there is none,
 * or the kernel does not tell (CONFIG_PROC_CHILDREN). */
int sc_procfs_latest_child(void);

int sc_procfs_stat(int proc, int pid, struct sc_process_stat *stat);

/* Does the file of that absolute name contain the text, of 32 bytes at most? 1, 0, or a negative
 * errno. */
int sc_procfs_find(const char *name, const char *text);

/* The same of what the kernel has to say about the caller's descriptor fd (fdinfo). */
int sc_procfs_find_about(int fd, const char *text);

#endif
