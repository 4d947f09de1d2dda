// SPDX-License-Identifier: MIT
/*
 * Another test of this build once more, with a library, programs or both that were built for
 * something else: another libc, another machine.
 */
#ifndef HARNESS_ELSEWHERE_H
#define HARNESS_ELSEWHERE_H

#include <stddef.h>

struct elsewhere {
	const char
		*folder; /* of programs; absolute, ends with "/". No actor: the test is skipped */
	const char *library; /* absolute, or NULL: this build's own */
	const char *under;   /* absolute name of the emulator, or NULL */
	const char *why;     /* to say where they are missing */
};

/* A row of rows.h. */
struct elsewhere_row {
	const char *name; /* of the test */
	const char *rows; /* that it runs, with blanks between; NULL: all */
	size_t passed;    /* at least so many pass, and none fails */
};

void elsewhere_run(const struct elsewhere *elsewhere, const struct elsewhere_row *row);

/* The dynamic linker that the actor names contains the text; skips where there is no actor. */
void elsewhere_assert_interpreter(const struct elsewhere *elsewhere, const char *text);

#endif
