// SPDX-License-Identifier: MIT
/* Assertions over the end of a run, by all that saw it: program, peer, wire and counters. */
#ifndef HARNESS_VERDICT_H
#define HARNESS_VERDICT_H

#include "stage.h"

/* The program ended with status 0 and wrote exactly this. */
void assert_output(const struct stage_end *end, const char *output);

/* The close reset the connection for unread bytes: ECONNRESET at the peer, RST on the wire, counted
 * once (which the kernel does not do for MPTCP). */
void assert_was_reset(const struct stage_end *end);

/* The connection ended with FIN alone: no error at the peer, no RST from the
 * program, nothing counted. */
void assert_was_fin(const struct stage_end *end);

/* Nothing on stderr. */
void assert_not_reported(const struct stage_end *end);

/* Exactly one line on stderr; it contains both texts (NULL: any). "fin in " may also be "fin (exit) in ". */
void assert_reported(const struct stage_end *end, const char *text, const char *other_text);

#endif
