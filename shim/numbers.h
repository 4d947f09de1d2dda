// SPDX-License-Identifier: MIT
/*
 * Which numbers the sockets of this process may have, without a look into /proc. The kernel gives the
 * lowest number that is free: what has a higher one than the table held first was there at the
 * start, or a call that is followed told its number, or it was made in another way (io_uring, system
 * calls of the program's own) while all low numbers were taken; that alone is not known.
 *
 * All functions are async-signal-safe and leave errno alone.
 */
#ifndef SC_NUMBERS_H
#define SC_NUMBERS_H

/* Once, before the library has descriptors, which have high numbers. */
void sc_numbers_init(void);

/* The program has got a descriptor of that number. Only where the memory is this process's own. */
void sc_numbers_note(int fd);

/* All descriptors of the program that may be sockets have numbers below this one; 0: that is not
 * known. */
int sc_numbers_end(void);

/* From this one on they are noted (sc_births_is_noted()). Those below are as quickly tried as read
 * from a list. */
int sc_numbers_unnoted_end(void);

#endif
