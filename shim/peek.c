// SPDX-License-Identifier: MIT
#include "peek.h"
#include "sanitizer.h"
#include "sys.h"
#include <string.h>
#include <sys/uio.h>

/* AddressSanitizer does not like other functions' frames to be looked at. */
#ifdef SC_ADDRESS_SANITIZER
static const bool may_trust = false;
#else
static const bool may_trust = true;
#endif

static bool copy_by_kernel(struct sc_peek *peek)
{
	struct iovec to = {peek->bytes, SC_PEEK_BYTES};
	struct iovec from = {(void *)(uintptr_t)peek->start, SC_PEEK_BYTES};
	/* By this thread's number: the process's is that of its first thread, which may have ended. */
	long tid = sc_sys6(SYS_gettid, 0, 0, 0, 0, 0, 0);
	return SC_SYS6(SYS_process_vm_readv, tid, &to, 1, &from, 1, 0) == SC_PEEK_BYTES;
}

/* The aligned piece around address lies in one page: it can be read whole, or not at all. */
static bool fill(struct sc_peek *peek, uint64_t address)
{
	peek->start = address & ~(uint64_t)(SC_PEEK_BYTES - 1);
	bool is_read = true;
	if (peek->is_trusted && may_trust) {
		memcpy(peek->bytes, (const void *)(uintptr_t)peek->start, SC_PEEK_BYTES);
	} else {
		is_read = copy_by_kernel(peek);
	}
	peek->size = is_read ? SC_PEEK_BYTES : 0;
	return is_read;
}

bool sc_peek_read(struct sc_peek *peek, uint64_t address, void *to, size_t size)
{
	unsigned char *at = to;
	while (size > 0) {
		if (address - peek->start >= peek->size && !fill(peek, address)) {
			return false;
		}
		size_t offset = (size_t)(address - peek->start);
		size_t part = peek->size - offset < size ? peek->size - offset : size;
		memcpy(at, peek->bytes + offset, part);
		at += part;
		address += part;
		size -= part;
	}
	return true;
}
