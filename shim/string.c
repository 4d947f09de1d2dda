// SPDX-License-Identifier: MIT
/*
 * What the library uses of <string.h>. Hidden, so that its calls end here: the definitions that come
 * first in a program may be a sanitizer's, and need thread storage that the library's own thread
 * does not have. Bytes are few here; to be built without recognising what these loops are.
 */
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

void *memcpy(void *restrict to, const void *restrict from, size_t size)
{
	char *target = to;
	const char *source = from;
	for (size_t i = 0; i < size; i++) {
		target[i] = source[i];
	}
	return to;
}

void *memmove(void *to, const void *from, size_t size)
{
	char *target = to;
	const char *source = from;
	for (size_t i = 0; target < source && i < size; i++) {
		target[i] = source[i];
	}
	for (size_t i = size; target > source && i-- > 0;) {
		target[i] = source[i];
	}
	return to;
}

void *memset(void *to, int byte, size_t size)
{
	char *target = to;
	for (size_t i = 0; i < size; i++) {
		target[i] = (char)byte;
	}
	return to;
}

static int difference(char left, char right)
{
	return (unsigned char)left - (unsigned char)right;
}

int memcmp(const void *left, const void *right, size_t size)
{
	const char *a = left;
	const char *b = right;
	for (size_t i = 0; i < size; i++) {
		if (a[i] != b[i]) {
			return difference(a[i], b[i]);
		}
	}
	return 0;
}

size_t strlen(const char *text)
{
	size_t length = 0;
	while (text[length] != '\0') {
		length++;
	}
	return length;
}

int strncmp(const char *left, const char *right, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		if (left[i] != right[i] || left[i] == '\0') {
			return difference(left[i], right[i]);
		}
	}
	return 0;
}

int strcmp(const char *left, const char *right)
{
	return strncmp(left, right, (size_t)-1);
}

char *strncpy(char *restrict to, const char *restrict from, size_t size)
{
	size_t i = 0;
	for (; i < size && from[i] != '\0'; i++) {
		to[i] = from[i];
	}
	memset(to + i, 0, size - i);
	return to;
}

static bool is_among(char letter, const char *letters)
{
	for (; *letters != '\0'; letters++) {
		if (*letters == letter) {
			return true;
		}
	}
	return false;
}

size_t strspn(const char *text, const char *letters)
{
	size_t length = 0;
	while (text[length] != '\0' && is_among(text[length], letters)) {
		length++;
	}
	return length;
}

size_t strcspn(const char *text, const char *letters)
{
	size_t length = 0;
	while (text[length] != '\0' && !is_among(text[length], letters)) {
		length++;
	}
	return length;
}

char *strchr(const char *text, int letter)
{
	for (; *text != (char)letter; text++) {
		if (*text == '\0') {
			return NULL;
		}
	}
	return (char *)text;
}

char *strrchr(const char *text, int letter)
{
	const char *found = NULL;
	do {
		if (*text == (char)letter) {
			found = text;
		}
	} while (*text++ != '\0');
	return (char *)found;
}

char *strstr(const char *text, const char *wanted)
{
	size_t length = strlen(wanted);
	for (; *text != '\0'; text++) {
		if (strncmp(text, wanted, length) == 0) {
			return (char *)text;
		}
	}
	return length == 0 ? (char *)text : NULL;
}
