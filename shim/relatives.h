// SPDX-License-Identifier: MIT
/*
 * A process that may not be read: what could it hold? By kinship, which births, start times and
 * parents tell; these may be read by everybody. Async-signal-safe; leaves errno alone.
 */
#ifndef SC_RELATIVES_H
#define SC_RELATIVES_H

#include <stdbool.h>
#include <stdint.h>

/* Each includes what stands above it. */
enum sc_reach {
	SC_REACH_NOTHING, /* a kernel thread, a zombie, an init out of reach */
	SC_REACH_STRANGE, /* inherited over an exec, or sent: anybody may hold those */
	SC_REACH_FAMILY,  /* it may have made it: born in a process that this one is forked from */
	SC_REACH_DESCENDANT, /* it may have got it by a fork since */
	SC_REACH_OWN,        /* what never left this process: only itself can tell */
};

enum { SC_RELATIVES_MAX = 16 };

/*
 * A process and its living ancestors, as far as there is room. A parent is an ancestor by birth, also
 * one that has adopted an orphan: the kernel gives orphans to an ancestor of theirs.
 */
struct sc_relatives {
	int count;
	bool is_whole; /* up to one without a parent */
	struct {
		int pid;
		uint64_t start_time; /* as in /proc/PID/stat */
	} line[SC_RELATIVES_MAX];
};

/* A process that may not be read. */
struct sc_stranger {
	struct sc_relatives relatives; /* itself first */
	bool is_nothing;               /* see SC_REACH_NOTHING */
	bool is_ending;                /* it will hold nothing in a moment */
	bool is_numbered_alike;        /* in /proc as in this process's namespace of pids */
};

/* Once, in the process that the library is loaded in. */
void sc_relatives_init(void);

/* The most that processes may reach which do not show in the open folder proc at all; self is this
 * process there. */
enum sc_reach sc_relatives_reach_unseen(int proc, int self);

/* The relatives of the process pid in the open folder proc. */
void sc_relatives_find(struct sc_relatives *relatives, int proc, int pid);

/* Look at the stranger pid; self is this process in proc. Its ancestors are only looked up where it
 * began at or after oldest_born, as in sc_births_when(). */
void sc_relatives_look(
	struct sc_stranger *stranger, int proc, int self, int pid, uint32_t oldest_born);

/* Its reach towards what was born then. own: the relatives of this process. */
enum sc_reach sc_relatives_reach(
	const struct sc_stranger *stranger, const struct sc_relatives *own, uint32_t born);

#endif
