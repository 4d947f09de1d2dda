// SPDX-License-Identifier: MIT
/*
 * libc's setuid() and its kind change every thread that libc knows; the library's own thread has to
 * follow, or it would keep a privilege that the program has given up. Lock-free; leaves errno alone.
 */
#ifndef SC_CREDENTIALS_H
#define SC_CREDENTIALS_H

/* Before the library's thread is started: it has its creator's credentials. */
void sc_credentials_begin(void);

/* On a thread of the program whose credentials have changed: note them for the other. */
void sc_credentials_publish(void);

/* On the library's thread: take over what was noted since the last time. */
void sc_credentials_follow(void);

#endif
