// SPDX-License-Identifier: MIT
/* Words of io_uring: a ring keeps a connection that has no descriptor. */
#include "words.h"

#include <poll.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

/* linux/io_uring.h; the structures as far as they are needed, at their full size. */
enum {
	REGISTER_FILES = 2,
	REGISTER_FILES_UPDATE = 6,
	REGISTER_FILES2 = 13,
	REGISTER_FILES_UPDATE2 = 14,
	ENTER_GETEVENTS = 1,
	FIXED_FILE = 1,
	OP_SEND = 26,
	OP_RECV = 27,
	RING_ENTRIES = 1,
};
#define OFFSET_ENTRIES 0x10000000

struct ring_parameters {
	uint32_t entries[10];
	uint32_t submitted[8]; /* head, tail, mask, entries, flags, dropped, array */
	uint64_t submitted_at;
	uint32_t completed[8]; /* head, tail, mask, entries, overflow, cqes */
	uint64_t completed_at;
};
enum { TAIL = 1, MASK = 2, ARRAY = 6, CQES = 5, QUEUES_BYTES = 4096 };

struct ring_entry {
	uint8_t code;
	uint8_t flags;
	uint16_t priority;
	int32_t fd;
	uint64_t offset;
	uint64_t address;
	uint32_t bytes;
	uint32_t message_flags;
	uint64_t rest[4];
};

struct ring_result {
	uint64_t data;
	int32_t result;
	uint32_t flags;
};

/* One ring, of one entry. */
static struct ring_parameters ring;
static char *queues;
static struct ring_entry *entry;

static void do_ring(char **words)
{
	int fd = (int)syscall(SYS_io_uring_setup, RING_ENTRIES, &ring);

	must_be(fd, number(words[0]));
	queues = mmap(NULL, QUEUES_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	entry = mmap(NULL, sizeof(*entry), PROT_READ | PROT_WRITE, MAP_SHARED, fd, OFFSET_ENTRIES);
	must(queues != MAP_FAILED && entry != MAP_FAILED, "mmap");
}

static long register_by(const char *way, int ring_fd, int fd)
{
	static const int nothing = -1;
	uint64_t address = (uintptr_t)&fd;
	uint64_t files[4] = {1, 0, address, 0};
	uint64_t update[4] = {0, address, 0, 1};

	if (strcmp(way, "files") == 0) {
		return syscall(SYS_io_uring_register, ring_fd, REGISTER_FILES, &fd, 1);
	}
	if (strcmp(way, "files2") == 0) {
		return syscall(
			SYS_io_uring_register, ring_fd, REGISTER_FILES2, files, sizeof(files));
	}
	must(syscall(SYS_io_uring_register, ring_fd, REGISTER_FILES, &nothing, 1) == 0, "register");
	if (strcmp(way, "update") == 0) {
		return syscall(SYS_io_uring_register, ring_fd, REGISTER_FILES_UPDATE, update, 1) -
		       1;
	}
	must(strcmp(way, "update2") == 0, "no such way");
	return syscall(SYS_io_uring_register, ring_fd, REGISTER_FILES_UPDATE2, update,
		       sizeof(update)) -
	       1;
}

static void do_ring_keep(char **words)
{
	must(register_by(words[1], number(words[0]), number(words[2])) == 0, "register");
}

/* One operation on what the ring keeps; its result. */
static int perform(int ring_fd, uint8_t code, void *data, size_t size)
{
	_Atomic uint32_t *tail = (_Atomic uint32_t *)(queues + ring.submitted[TAIL]);
	_Atomic uint32_t *seen = (_Atomic uint32_t *)(queues + ring.completed[0]);
	struct ring_result *results = (struct ring_result *)(queues + ring.completed[CQES]);
	uint32_t count = *seen;

	*entry = (struct ring_entry){.code = code,
		.flags = FIXED_FILE,
		.address = (uintptr_t)data,
		.bytes = (uint32_t)size};
	*(uint32_t *)(queues + ring.submitted[ARRAY]) = 0;
	*tail += 1;
	must(syscall(SYS_io_uring_enter, ring_fd, 1, 1, ENTER_GETEVENTS, NULL, 0) == 1, "enter");
	*seen = count + 1;
	return results[count & *(uint32_t *)(queues + ring.completed[MASK])].result;
}

static void do_ring_read(char **words)
{
	int ring_fd = number(words[0]);
	int left_bytes = number(words[1]);
	uint8_t chunk[4096];

	while (left_bytes > 0) {
		size_t size = left_bytes < (int)sizeof(chunk) ? (size_t)left_bytes : sizeof(chunk);
		int bytes = perform(ring_fd, OP_RECV, chunk, size);

		must(bytes > 0, "recv");
		must(pattern_matches(chunk, (size_t)bytes, read_place[ring_fd]), "bytes are wrong");
		read_place[ring_fd] += (uint64_t)bytes;
		left_bytes -= bytes;
	}
}

static void do_ring_write(char **words)
{
	int ring_fd = number(words[0]);
	int left_bytes = number(words[1]);
	uint8_t chunk[4096];

	while (left_bytes > 0) {
		size_t size = left_bytes < (int)sizeof(chunk) ? (size_t)left_bytes : sizeof(chunk);
		int bytes;

		pattern_fill(chunk, size, written_place[ring_fd]);
		bytes = perform(ring_fd, OP_SEND, chunk, size);
		must(bytes > 0, "send");
		written_place[ring_fd] += (uint64_t)bytes;
		left_bytes -= bytes;
	}
}

/* With all that it keeps. */
static void do_ring_end(char **words)
{
	must(munmap(queues, QUEUES_BYTES) == 0 && munmap(entry, sizeof(*entry)) == 0, "munmap");
	must(close(number(words[0])) == 0, "close");
}

const struct word words_rings[] = {
	{"ring", 1, do_ring},           /* FD */
	{"ring-keep", 3, do_ring_keep}, /* RING files|files2|update|update2 FD: as its only file */
	{"ring-read", 2, do_ring_read}, /* RING BYTES: of the pattern, from what it keeps */
	{"ring-write", 2, do_ring_write}, /* RING BYTES: the same, to that */
	{"ring-end", 1, do_ring_end},     /* RING */
	{NULL, 0, NULL},
};
