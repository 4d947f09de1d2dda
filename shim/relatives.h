// SPDX-License-Identifier: MIT
/*
 * A process that may not be read: what could it hold? By kinship, which births, start times and
 * parents tell. Async-signal-safe; leaves errno alone.
 */
#ifndef SC_RELATIVES_H
#define SC_RELATIVES_H

/* Each includes what stands above it. */
enum sc_reach {
	SC_REACH_NOTHING,    /* a kernel thread, a zombie, an init out of reach */
	SC_REACH_STRANGE,    /* inherited over an exec, or sent: anybody may hold those */
	SC_REACH_FAMILY,     /* born in a process that this one was forked from */
	SC_REACH_DESCENDANT, /* born here, before a fork */
	SC_REACH_OWN,        /* what never left this process: only itself can tell */
};

/* Of the process pid in the open folder proc; self is this process there. */
enum sc_reach sc_relatives_reach(int proc, int self, int pid);

#endif
