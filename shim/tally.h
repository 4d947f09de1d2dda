// SPDX-License-Identifier: MIT
/*
 * Resets of a whole process tree, counted in a file that its processes share and that whoever started
 * the tree reads at the end (`safeclose run --fail-on-reset`). Once mapped it needs no descriptor, no
 * path and no rights, so counting goes on after a fork, a chroot, a change of user, a sandbox, or when
 * the program has closed all that it has. Only an exec opens the file anew.
 */
#ifndef SC_TALLY_H
#define SC_TALLY_H

#include "report.h"
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum {
	SC_TALLY_ROW_COUNT = 512,
	SC_TALLY_NAME_SIZE = 64,
	SC_TALLY_WORD_SIZE = 24,
	SC_TALLY_FILES_MAX = 8, /* trees within trees that are counted at once */
	SC_TALLY_SEPARATOR = ':',
};

#define SC_TALLY_MAGIC 0x31796c6c61746373 /* "sctally1" */

/* Totals, of the whole tree or of one site. */
struct sc_tally_sum {
	_Atomic uint64_t connections;
	_Atomic uint64_t unread_bytes;
	_Atomic uint64_t unacked_bytes;
};

/* Resets with one call site, call and reason. Text is only whole where is_filled. */
struct sc_tally_row {
	_Atomic uint64_t key; /* hash of the four; 0: free */
	struct sc_tally_sum sum;
	uint64_t module_offset;
	uint64_t symbol_offset;
	_Atomic bool is_filled;
	char module[SC_TALLY_NAME_SIZE]; /* all terminated; "": unknown */
	char symbol[SC_TALLY_NAME_SIZE];
	char via[SC_TALLY_WORD_SIZE];
	char why[SC_TALLY_WORD_SIZE];
};

/* The same for 32-bit and 64-bit programs. */
_Static_assert(sizeof(struct sc_tally_row) == 232, "as told by the magic");

/* The file. What finds no row is in the total alone. */
struct sc_tally {
	uint64_t magic;
	struct sc_tally_sum total;
	struct sc_tally_row rows[SC_TALLY_ROW_COUNT];
};

/* Once. paths: those of the files, each named PID-... by its maker; NULL: none. What cannot be used is
 * complained of on stderr, unless the maker has ended. */
void sc_tally_init(const char *paths);

/* Count the event if it is a reset. No system call, no lock; async-signal-safe. */
void sc_tally_count(const struct sc_event *event);

/* Add an event to one file's content. */
void sc_tally_add(struct sc_tally *tally, const struct sc_event *event);

#endif
