// SPDX-License-Identifier: MIT
/*
 * Descriptors in messages (SCM_RIGHTS): those sent are noted, those received are nobody's birth; and
 * those given to a ring of io_uring. Reads the program's message headers, which the kernel has just
 * read without EFAULT: a bad pointer must not become our crash. One system call for each descriptor that was sent. Changes nothing;
 * async-signal-safe; leaves errno alone.
 */
#ifndef SC_MESSAGES_H
#define SC_MESSAGES_H

#include <sys/socket.h>

/* Call each(context, fd) for every descriptor in the control data of a message. */
void sc_messages_each(
	const struct msghdr *message, void (*each)(void *context, int fd), void *context);

/* The call has succeeded; count: of the messages that it dealt with. */
void sc_messages_after_sending(const struct msghdr *message);
void sc_messages_after_sending_many(const struct mmsghdr *messages, unsigned count);
void sc_messages_after_receiving(const struct msghdr *message);
void sc_messages_after_receiving_many(const struct mmsghdr *messages, unsigned count);

/* A ring has them from now on, until it ends: io_uring_register(2) has answered with result, 0 or
 * more. */
void sc_messages_after_registering(
	unsigned opcode, const void *argument, unsigned count, long result);

#endif
