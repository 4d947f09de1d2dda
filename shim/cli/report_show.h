// SPDX-License-Identifier: MIT
/*
 * How things look on a screen. Whatever a log holds, what is shown is printable: control characters,
 * those that turn the direction of writing, and what the user's locale has no letters for, are shown
 * as \x1b or \u202e.
 */
#ifndef CLI_REPORT_SHOW_H
#define CLI_REPORT_SHOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum { CLI_SHOW_NUMBER_SIZE = 32, CLI_SHOW_TIME_SIZE = 64 };

/* Once: widths of letters as in Unicode. Returns whether the user's locale shows UTF-8. */
bool cli_report_show_begin(void);

/* A printable copy, to be freed. Without utf8 it is ASCII. */
char *cli_report_show_printable(const char *text, bool utf8);
void cli_report_show_text(FILE *file, const char *text, bool utf8);

/* Columns that a printable text takes. */
size_t cli_report_show_width(const char *printable);

/* Shorten to at most width columns, with an ellipsis at the end. */
void cli_report_show_cut(char *printable, size_t width, bool utf8);

/* 312, 8.0K, 12M, ... of 1024. text has CLI_SHOW_NUMBER_SIZE bytes. */
void cli_report_show_bytes(uint64_t bytes, char *text);

/* "2024-05-01 12:00:00" and "2024-05-01T12:00:00.000000Z"; text has CLI_SHOW_TIME_SIZE bytes. */
void cli_report_show_time(int64_t time_us, char *text);
void cli_report_show_rfc3339(int64_t time_us, char *text);

#endif
