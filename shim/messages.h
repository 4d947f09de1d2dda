// SPDX-License-Identifier: MIT
/*
 * Descriptors in messages (SCM_RIGHTS): those sent are noted, those received are nobody's birth.
 * Reads the program's message headers, which the kernel has just read without EFAULT: a bad pointer
 * must not become our crash. Changes nothing; async-signal-safe; leaves errno alone.
 */
#ifndef SC_MESSAGES_H
#define SC_MESSAGES_H

#include <sys/socket.h>

/* The call has succeeded; count: of the messages that it dealt with. */
void sc_messages_after_sending(const struct msghdr *message);
void sc_messages_after_sending_many(const struct mmsghdr *messages, unsigned count);
void sc_messages_after_receiving(const struct msghdr *message);
void sc_messages_after_receiving_many(const struct mmsghdr *messages, unsigned count);

#endif
