// SPDX-License-Identifier: MIT
/*
 * What processes that descend from one another by fork, without exec, tell each other: a page of
 * shared memory. Lock-free; async-signal-safe; leaves errno alone. Without the page nothing is
 * known, and everything still holds, but for closes of two relatives at the same moment.
 */
#ifndef SC_FAMILY_H
#define SC_FAMILY_H

#include "inspect.h"
#include <stdbool.h>
#include <stdint.h>

/* Once, before the first fork. */
void sc_family_init(void);

/* This process's descriptor fd is the library's copy of a connection that the program has closed
 * (or is closing): it does not count as a holder. pid: the caller's. */
void sc_family_add_copy(int pid, int fd);
void sc_family_remove_copy(int pid, int fd);
bool sc_family_has_copy(int pid, int fd);

/* Process pid (the caller) is about to execute another program, or is not after all: what would
 * be closed by that it does not mean to keep, even if it waits for something first. */
void sc_family_note_leaving(int pid);
void sc_family_note_staying(int pid);
bool sc_family_is_leaving(int pid);

/* The same of one descriptor of a socket, fd: whoever closes another at that moment would not be
 * the last, and nobody would see who is. find: whose the latest is that was noted of that
 * socket, in a process that has not noted since that it stays; 0: none. */
void sc_family_note_departure(uint64_t inode, int pid, int fd);
int sc_family_find_departure(uint64_t inode, int *fd);

/* This unix socket (its inode) is the reader of a library's channel: what is in flight to it are
 * copies too. */
void sc_family_add_channel(uint64_t inode);
bool sc_family_has_channel(uint64_t inode);

/*
 * Two relatives may close their descriptors at once and each find that nobody holds the connection
 * any more. Whoever claims the end first tells of it. true: the caller is the first.
 */
bool sc_family_claim_end(uint64_t inode);

/* One of the family at a time: of resets.h. A turn that lasts is taken over after a tenth of a
 * second. begin() never returns 0; end() gets what it returned. */
uint32_t sc_family_begin_reset(void);
void sc_family_end_reset(uint32_t turn);

/* So often a turn is waited for, some 100 ms; this is the wait after so many. */
enum { SC_FAMILY_TURN_WAITS = 1600 };
void sc_family_await_turn(int waits);

/* The log takes no lines, which is said once. true: by the caller. */
bool sc_family_claim_complaint(void);

/* Somebody in the family is about to tell an epoll set that it inherited of a descriptor that it
 * inherited: whom it has that from does not know what the set was told last. */
void sc_family_note_heirs_wish(void);
bool sc_family_have_heirs_wished(void);

/* Somebody in the family is about to take copies of others' descriptors (pidfd_getfd). */
void sc_family_note_taking(void);

/* How often that was. */
uint32_t sc_family_takings(void);

/* What descriptors are of that are sent in messages (SCM_RIGHTS). */
enum sc_sent {
	SC_SENT_SOCKET = 1 << SC_INSPECT_SOCKET,
	SC_SENT_CHANNEL = 1 << SC_INSPECT_CHANNEL,
	SC_SENT_FILE = 1 << SC_INSPECT_FILE,
	SC_SENT_ANY = SC_SENT_SOCKET | SC_SENT_CHANNEL | SC_SENT_FILE,
	SC_SENT_TO_RING = 1 << 7, /* in no message, but to a ring of io_uring, which nobody sees */
};

/* Somebody in the family has sent one. May anybody ever have sent one of a kind (a set of them)? */
void sc_family_note_sending(enum sc_sent kind);
bool sc_family_may_have_sent(enum sc_sent kinds);

/*
 * Somebody in the family has sent this socket, or starts another program that will have it: whoever
 * has it then is no relative, and may pass it on. may_be_passed_on() never says no of one that was
 * noted; of others it says yes where their number and a noted one's are the same by 8 million, and
 * once one was noted of which the kernel does not tell (0).
 */
void sc_family_note_passed_on(uint64_t inode);
bool sc_family_may_be_passed_on(uint64_t inode);

#endif
