// SPDX-License-Identifier: MIT
/* A capture in, a classic pcap file out (microseconds, Ethernet, this machine's byte order). */
#include "pcap.h"

#include <errno.h>
#include <stdio.h>

static void put16(FILE *file, uint16_t value)
{
	fwrite(&value, sizeof(value), 1, file);
}

static void put32(FILE *file, uint32_t value)
{
	fwrite(&value, sizeof(value), 1, file);
}

static void put_head(FILE *file)
{
	put32(file, 0xa1b2c3d4); /* by which a reader knows the byte order */
	put16(file, 2);          /* version 2.4 */
	put16(file, 4);
	put32(file, 0); /* time zone and accuracy: by custom 0 */
	put32(file, 0);
	put32(file, CAPTURE_KEEP_BYTES);
	put32(file, 1); /* LINKTYPE_ETHERNET */
}

static void put_frame(FILE *file, const struct frame *frame)
{
	put32(file, (uint32_t)frame->at.tv_sec);
	put32(file, (uint32_t)(frame->at.tv_nsec / 1000));
	put32(file, frame->kept_bytes);
	put32(file, frame->wire_bytes);
	fwrite(frame->bytes, frame->kept_bytes, 1, file);
}

int pcap_write(const char *path, const struct capture *capture)
{
	FILE *file = fopen(path, "wbe");
	int error;

	if (file == NULL) {
		return -errno;
	}
	put_head(file);
	for (size_t i = 0; i < capture->count; i++) {
		put_frame(file, &capture->frames[i]);
	}
	error = ferror(file) ? EIO : 0;
	if (fclose(file) != 0) {
		error = errno;
	}
	return -error;
}
