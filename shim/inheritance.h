// SPDX-License-Identifier: MIT
/*
 * Which connections another program gets that is started here. What it does with them, send them to
 * somebody for one, nobody tells the family (family.h), so that is told before. Async-signal-safe;
 * leaves errno alone.
 */
#ifndef SC_INHERITANCE_H
#define SC_INHERITANCE_H

#include <stdbool.h>

/* This process is about to execute a program, or to start one in a child: it will have what is
 * not close-on-exec. may_rename: also whatever sc_inheritance_note_source() named. Up to two
 * system calls for each socket or the like that the family has made; in a child that shares its
 * parent's memory, for each descriptor. */
void sc_inheritance_note(bool may_rename);

/* The program has asked for fd to be duplicated in what it starts
 * (posix_spawn_file_actions_adddup2), perhaps time and again. */
void sc_inheritance_note_source(int fd);

#endif
