// SPDX-License-Identifier: MIT
/*
 * Seccomp filters, for the two ways they come: prctl() and syscall().
 */
#ifndef SC_INTERPOSE_FILTERS_H
#define SC_INTERPOSE_FILTERS_H

#include <stdbool.h>

/* Before the call: will what it does be noted? */
bool sc_filters_are_followed(void);

/* It has succeeded, with these arguments: prctl(PR_SET_SECCOMP, mode, program), or seccomp(operation,
 * flags, program). */
void sc_filters_after_prctl(long mode, long program);
void sc_filters_after_seccomp(long operation, long program);

#endif
