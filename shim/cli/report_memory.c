// SPDX-License-Identifier: MIT
#include "report_memory.h"
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

_Noreturn void cli_report_memory_fail(void)
{
	static const char sentence[] = "safeclose: report: out of memory\n";
	ssize_t written = write(2, sentence, sizeof(sentence) - 1);
	(void)written;
	_exit(2);
}

static void *checked(void *memory)
{
	if (memory == NULL) {
		cli_report_memory_fail();
	}
	return memory;
}

void *cli_report_memory_get(size_t count, size_t size)
{
	return checked(calloc(count > 0 ? count : 1, size));
}

void *cli_report_memory_grow(void *memory, size_t count, size_t size)
{
	return checked(count <= SIZE_MAX / size ? realloc(memory, count * size) : NULL);
}

char *cli_report_memory_copy(const char *text)
{
	return checked(strdup(text));
}

static void *get(void *context, size_t size)
{
	(void)context;
	return checked(malloc(size > 0 ? size : 1));
}

static void *grow(void *context, void *memory, size_t size)
{
	(void)context;
	return checked(realloc(memory, size > 0 ? size : 1));
}

static void give_back(void *context, void *memory)
{
	(void)context;
	free(memory);
}

yajl_alloc_funcs *cli_report_memory_yajl(void)
{
	static yajl_alloc_funcs functions = {get, grow, give_back, NULL};
	return &functions;
}
