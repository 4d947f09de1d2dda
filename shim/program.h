// SPDX-License-Identifier: MIT
/* The program that this process runs. Async-signal-safe after init. */
#ifndef SC_PROGRAM_H
#define SC_PROGRAM_H

/* Once, while /proc can still be read. */
void sc_program_init(void);

/* Its file's path; NULL: unknown. */
const char *sc_program_path(void);

#endif
