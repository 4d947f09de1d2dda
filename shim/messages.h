// SPDX-License-Identifier: MIT
/*
 * Descriptors in messages (SCM_RIGHTS): those sent are noted, those received are nobody's birth.
 * Reads the program's message headers, changes nothing; async-signal-safe; leaves errno alone.
 */
#ifndef SC_MESSAGES_H
#define SC_MESSAGES_H

#include <sys/socket.h>

void sc_messages_before_sending(const struct msghdr *message);
void sc_messages_before_sending_many(const struct mmsghdr *messages, unsigned count);
void sc_messages_after_receiving(const struct msghdr *message);
void sc_messages_after_receiving_many(const struct mmsghdr *messages, unsigned count);

#endif
