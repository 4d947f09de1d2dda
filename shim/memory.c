// SPDX-License-Identifier: MIT
#include "memory.h"
#include "sanitizer.h"
#include "sys.h"
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>

#ifndef MADV_WIPEONFORK
#define MADV_WIPEONFORK 18
#endif

enum { ACCESS = PROT_READ | PROT_WRITE, KIND = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE };

static bool is_wiping_feigned;

#ifdef SC_THREAD_SANITIZER
/* ThreadSanitizer takes memory at an address it has seen for the same unless libc gave it back. */
void *sc_memory_map(size_t size)
{
	void *mapping = mmap(NULL, size, ACCESS, KIND, -1, 0);
	return mapping != MAP_FAILED ? mapping : NULL;
}

void *sc_memory_grow(void *mapping, size_t old_size, size_t new_size)
{
	void *grown = sc_memory_map(new_size);
	if (grown != NULL) {
		memcpy(grown, mapping, old_size);
		sc_memory_unmap(mapping, old_size);
	}
	return grown;
}

void sc_memory_unmap(void *mapping, size_t size)
{
	munmap(mapping, size);
}
#else
static void *address_or_null(long result)
{
	return result < 0 && result > -4096 ? NULL : (void *)result;
}

void *sc_memory_map(size_t size)
{
	return address_or_null(sc_sys6(SYS_mmap, 0, (long)size, ACCESS, KIND, -1, 0));
}

void *sc_memory_grow(void *mapping, size_t old_size, size_t new_size)
{
	return address_or_null(SC_SYS4(SYS_mremap, mapping, old_size, new_size, MREMAP_MAYMOVE));
}

void sc_memory_unmap(void *mapping, size_t size)
{
	SC_SYS2(SYS_munmap, mapping, size);
}
#endif

void *sc_memory_map_shared(size_t size)
{
	long result = sc_sys6(SYS_mmap, 0, (long)size, ACCESS, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (result < 0 && result > -4096) {
		return NULL;
	}
	/* Linux never wipes shared memory, and says so. qemu-user 7 says yes to all advice, does
	 * nothing, and its forked children would take themselves for their parents. */
	is_wiping_feigned = SC_SYS3(SYS_madvise, result, size, MADV_WIPEONFORK) == 0;
	return (void *)result;
}

void *sc_memory_map_wiped(size_t size)
{
	void *mapping = is_wiping_feigned ? NULL : sc_memory_map(size);
	if (mapping != NULL && SC_SYS3(SYS_madvise, mapping, size, MADV_WIPEONFORK) != 0) {
		sc_memory_unmap(mapping, size);
		return NULL;
	}
	return mapping;
}
