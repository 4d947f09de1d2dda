// SPDX-License-Identifier: MIT
#include "report_distinct.h"
#include "report_memory.h"
#include <math.h>
#include <stdlib.h>

enum { INDEX_BITS = 12, REGISTERS = 1 << INDEX_BITS, FIRST_SLOTS = 8 };

/* FNV-1a, then a multiply-and-shift mix: FNV alone leaves the upper bits poor. */
uint64_t cli_report_distinct_hash(const char *text)
{
	uint64_t hash = 0xcbf29ce484222325;
	for (; *text != 0; text++) {
		hash = (hash ^ (unsigned char)*text) * 0x100000001b3;
	}
	hash = (hash ^ hash >> 32) * 0xd6e8feb86659fd93;
	hash = (hash ^ hash >> 29) * 0x9e3779b97f4a7c15;
	hash ^= hash >> 32;
	return hash != 0 ? hash : 1;
}

/* Where hash is or would be. There is always a free slot. */
static uint64_t *slot_of(uint64_t *hashes, unsigned slots, uint64_t hash)
{
	unsigned i = (unsigned)hash & (slots - 1);
	while (hashes[i] != 0 && hashes[i] != hash) {
		i = (i + 1) & (slots - 1);
	}
	return &hashes[i];
}

static void grow(struct cli_distinct *set)
{
	unsigned slots = set->slots > 0 ? set->slots * 2 : FIRST_SLOTS;
	uint64_t *hashes = cli_report_memory_get(slots, sizeof(*hashes));
	for (unsigned i = 0; i < set->slots; i++) {
		if (set->hashes[i] != 0) {
			*slot_of(hashes, slots, set->hashes[i]) = set->hashes[i];
		}
	}
	free(set->hashes);
	set->hashes = hashes;
	set->slots = slots;
}

/* A register holds the longest run of leading zeros, plus one, of the hashes that fall to it. */
static void note(uint8_t *registers, uint64_t hash)
{
	uint8_t *place = &registers[hash >> (64 - INDEX_BITS)];
	uint64_t rest = hash << INDEX_BITS | 1U << (INDEX_BITS - 1);
	uint8_t rank = (uint8_t)(__builtin_clzll(rest) + 1);
	if (rank > *place) {
		*place = rank;
	}
}

static void begin_estimate(struct cli_distinct *set)
{
	set->registers = cli_report_memory_get(REGISTERS, 1);
	for (unsigned i = 0; i < set->slots; i++) {
		if (set->hashes[i] != 0) {
			note(set->registers, set->hashes[i]);
		}
	}
	free(set->hashes);
	set->hashes = NULL;
	set->slots = 0;
}

void cli_report_distinct_add(struct cli_distinct *set, uint64_t hash)
{
	if (set->registers == NULL) {
		if (set->count * 2 >= set->slots) {
			grow(set);
		}
		uint64_t *slot = slot_of(set->hashes, set->slots, hash);
		if (*slot == hash) {
			return;
		}
		if (set->count < CLI_DISTINCT_EXACT_MAX) {
			*slot = hash;
			set->count++;
			return;
		}
		begin_estimate(set);
	}
	note(set->registers, hash);
}

uint64_t cli_report_distinct_count(const struct cli_distinct *set, bool *is_exact)
{
	*is_exact = set->registers == NULL;
	if (*is_exact) {
		return set->count;
	}
	double sum = 0;
	unsigned empty = 0;
	for (unsigned i = 0; i < REGISTERS; i++) {
		sum += ldexp(1, -set->registers[i]);
		empty += set->registers[i] == 0;
	}
	double m = REGISTERS;
	double estimate = 0.7213 / (1 + 1.079 / m) * m * m / sum;
	if (estimate <= 2.5 * m && empty > 0) {
		estimate = m * log(m / empty); /* better while few registers are used */
	}
	return (uint64_t)llround(estimate);
}

void cli_report_distinct_end(struct cli_distinct *set)
{
	free(set->hashes);
	free(set->registers);
	*set = (struct cli_distinct){0};
}
