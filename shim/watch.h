// SPDX-License-Identifier: MIT
/*
 * After the fact: did closing a descriptor release its connection? A fresh epoll set with the
 * descriptor in it still tells of the connection if, and only if, somebody else holds it: the
 * kernel takes a file out of every set when the last holder is gone.
 * Async-signal-safe; leaves errno alone.
 */
#ifndef SC_WATCH_H
#define SC_WATCH_H

/* Before closing fd. Returns the set, an own descriptor, or a negative errno. */
int sc_watch_begin(int fd);

/* After closing it; gives the set back. 1: somebody holds it, 0: nobody, negative: no answer. */
int sc_watch_end(int set);

#endif
