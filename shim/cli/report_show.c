// SPDX-License-Identifier: MIT
#include "report_show.h"
#include "report_memory.h"
#include <inttypes.h>
#include <langinfo.h>
#include <limits.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <wchar.h>
#include <wctype.h>

enum { ESCAPE_MAX = 10 /* \U00110000 */ };

bool cli_report_show_begin(void)
{
	setlocale(LC_CTYPE, "");
	bool utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
	/* Widths do not depend on the user's locale; where there is no such locale, all is ASCII. */
	return setlocale(LC_CTYPE, "C.UTF-8") != NULL && utf8;
}

/* Invisible, or changes how its neighbours are shown. */
static bool is_deceptive(wint_t letter)
{
	return (letter >= 0x200b && letter <= 0x200f) || (letter >= 0x2028 && letter <= 0x202e) ||
	       (letter >= 0x2060 && letter <= 0x206f) || letter == 0xfeff || letter == 0x61c ||
	       (letter >= 0xfff9 && letter <= 0xfffb) || letter >= 0xe0000;
}

static bool is_shown(wchar_t letter, bool utf8)
{
	if ((unsigned long)letter < 0x80) {
		return letter >= ' ' && letter < 0x7f;
	}
	return utf8 && iswprint((wint_t)letter) && wcwidth(letter) >= 0 &&
	       !is_deceptive((wint_t)letter);
}

/* The length of the letter at text; what is none is one byte. */
static size_t next_letter(const char *text, wchar_t *letter)
{
	mbstate_t state = {0};
	size_t length = mbrtowc(letter, text, strlen(text), &state);
	if (length == 0 || length > MB_LEN_MAX) {
		*letter = (unsigned char)*text;
		return 1;
	}
	return length;
}

char *cli_report_show_printable(const char *text, bool utf8)
{
	size_t room = strlen(text) * ESCAPE_MAX + 1;
	char *copy = cli_report_memory_get(room, 1);
	size_t used = 0;
	while (*text != 0) {
		wchar_t letter;
		size_t length = next_letter(text, &letter);
		if (is_shown(letter, utf8) && (length > 1 || (unsigned char)*text < 0x80)) {
			memcpy(copy + used, text, length);
			used += length;
		} else {
			const char *form = letter < 0x100     ? "\\x%02lx"
					   : letter < 0x10000 ? "\\u%04lx"
							      : "\\U%08lx";
			used += (size_t)snprintf(
				copy + used, room - used, form, (unsigned long)letter);
		}
		text += length;
	}
	copy[used] = 0;
	return copy;
}

void cli_report_show_text(FILE *file, const char *text, bool utf8)
{
	char *printable = cli_report_show_printable(text, utf8);
	fputs(printable, file);
	free(printable);
}

static size_t letter_width(wchar_t letter)
{
	int width = wcwidth(letter);
	return width >= 0 ? (size_t)width : 1;
}

size_t cli_report_show_width(const char *printable)
{
	size_t width = 0;
	while (*printable != 0) {
		wchar_t letter;
		printable += next_letter(printable, &letter);
		width += letter_width(letter);
	}
	return width;
}

void cli_report_show_cut(char *printable, size_t width, bool utf8)
{
	if (cli_report_show_width(printable) <= width) {
		return;
	}
	const char *ellipsis = utf8 ? "…" : "...";
	size_t room = width - (utf8 ? 1 : 3);
	size_t used = 0;
	char *at = printable;
	for (;;) {
		wchar_t letter;
		size_t length = next_letter(at, &letter);
		if (used + letter_width(letter) > room) {
			break;
		}
		used += letter_width(letter);
		at += length;
	}
	/* What is cut is wider than the ellipsis, but in Latin letters it may be of fewer bytes. */
	if (strlen(at) >= strlen(ellipsis)) {
		strcpy(at, ellipsis);
	} else {
		*at = 0;
	}
}

void cli_report_show_bytes(uint64_t bytes, char *text)
{
	static const char units[] = "KMGTPE";
	if (bytes < 1024) {
		snprintf(text, CLI_SHOW_NUMBER_SIZE, "%" PRIu64, bytes);
		return;
	}
	double value = (double)bytes / 1024;
	int unit = 0;
	while (value >= 1023.5 && units[unit + 1] != 0) {
		value /= 1024;
		unit++;
	}
	snprintf(
		text, CLI_SHOW_NUMBER_SIZE, value < 9.95 ? "%.1f%c" : "%.0f%c", value, units[unit]);
}

static void break_down(int64_t time_us, struct tm *broken_down)
{
	time_t seconds = (time_t)(time_us / 1000000 - (time_us % 1000000 < 0));
	if (gmtime_r(&seconds, broken_down) == NULL) {
		*broken_down = (struct tm){.tm_year = 70, .tm_mday = 1};
	}
}

void cli_report_show_time(int64_t time_us, char *text)
{
	struct tm tm;
	break_down(time_us, &tm);
	snprintf(text, CLI_SHOW_TIME_SIZE, "%04d-%02d-%02d %02d:%02d:%02d", tm.tm_year + 1900,
		tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

void cli_report_show_rfc3339(int64_t time_us, char *text)
{
	struct tm tm;
	break_down(time_us, &tm);
	snprintf(text, CLI_SHOW_TIME_SIZE, "%04d-%02d-%02dT%02d:%02d:%02d.%06dZ", tm.tm_year + 1900,
		tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec,
		(int)((time_us % 1000000 + 1000000) % 1000000));
}
