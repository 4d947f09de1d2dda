// SPDX-License-Identifier: MIT
/* What the compiler is told where it counts. */
#ifndef SC_COMPILER_H
#define SC_COMPILER_H

/* Of a declaration, as -fvisibility is for definitions alone: reached directly, not by way of the global
 * offset table. */
#define SC_HIDDEN __attribute__((visibility("hidden")))

/* So it is for most closes: the code for it lies in line. */
#define SC_MOSTLY(condition) __builtin_expect((condition), 1)

#endif
