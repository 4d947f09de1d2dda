// SPDX-License-Identifier: MIT
/* See interpose_exit.c. */
#ifndef SC_INTERPOSE_EXIT_H
#define SC_INTERPOSE_EXIT_H

/* Once, as early as possible: registers the handler that is to run last. */
void sc_interpose_register_exit(void);

#endif
