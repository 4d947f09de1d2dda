// SPDX-License-Identifier: MIT
#include "folder.h"
#include "sys.h"
#include <stdint.h>

enum { ENTRIES_SIZE = 1024 };

/* What getdents64 writes (linux/dirent.h; not in a header for programs). */
struct entry {
	uint64_t inode;
	int64_t offset;
	unsigned short length;
	unsigned char type;
	char name[];
};

int sc_folder_each(
	int folder, bool (*each)(void *context, int folder, const char *name), void *context)
{
	union {
		struct entry first;
		char bytes[ENTRIES_SIZE];
	} buffer;
	for (;;) {
		long size = SC_SYS3(SYS_getdents64, folder, &buffer, sizeof(buffer));
		if (size <= 0) {
			return (int)size;
		}
		for (long at = 0; at < size;) {
			struct entry *entry = (struct entry *)(buffer.bytes + at);
			if (!each(context, folder, entry->name)) {
				return 0;
			}
			at += entry->length;
		}
	}
}
