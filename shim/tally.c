// SPDX-License-Identifier: MIT
#include "tally.h"
#include <string.h>

/* FNV-1a. */
static uint64_t hash(uint64_t value, const void *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		value = (value ^ ((const unsigned char *)bytes)[i]) * 0x100000001b3;
	}
	return value;
}

static uint64_t hash_text(uint64_t value, const char *text)
{
	return text == NULL ? hash(value, "", 1) : hash(value, text, strlen(text) + 1);
}

/* Two sites of 2^64 in one row would be told as one: nothing worse. */
static uint64_t key_of(const struct sc_event *event)
{
	uint64_t offset = event->site.module != NULL ? event->site.module_offset : 0;
	uint64_t value = hash_text(0xcbf29ce484222325, event->site.module);
	value = hash(value, &offset, sizeof(offset));
	value = hash_text(value, sc_report_via_name(event->via));
	value = hash_text(value, event->why);
	return value != 0 ? value : 1;
}

static void copy_text(char *place, size_t size, const char *text)
{
	if (text != NULL) {
		strncpy(place, text, size - 1); /* the file began as zeros */
	}
}

static void fill(struct sc_tally_row *row, const struct sc_event *event)
{
	copy_text(row->module, sizeof(row->module), event->site.module);
	copy_text(row->symbol, sizeof(row->symbol), event->site.symbol);
	copy_text(row->via, sizeof(row->via), sc_report_via_name(event->via));
	copy_text(row->why, sizeof(row->why), event->why);
	row->module_offset = event->site.module_offset;
	row->symbol_offset = event->site.symbol_offset;
	atomic_store_explicit(&row->is_filled, true, memory_order_release);
}

/* The event's row, which is made where there is none; NULL: no room. */
static struct sc_tally_row *find_row(struct sc_tally *tally, const struct sc_event *event)
{
	uint64_t key = key_of(event);
	for (size_t i = 0; i < SC_TALLY_ROW_COUNT; i++) {
		struct sc_tally_row *row = &tally->rows[(key + i) % SC_TALLY_ROW_COUNT];
		uint64_t there = 0;
		if (atomic_compare_exchange_strong(&row->key, &there, key)) {
			fill(row, event);
			return row;
		}
		if (there == key) {
			return row;
		}
	}
	return NULL;
}

static void add(struct sc_tally_sum *sum, const struct sc_conn *conn)
{
	atomic_fetch_add(&sum->connections, conn->is_listener ? conn->backlog : 1);
	atomic_fetch_add(&sum->unread_bytes, conn->unread_bytes);
	atomic_fetch_add(&sum->unacked_bytes, conn->unacked_bytes);
}

void sc_tally_add(struct sc_tally *tally, const struct sc_event *event)
{
	add(&tally->total, &event->conn); /* first: the total decides */
	struct sc_tally_row *row = find_row(tally, event);
	if (row != NULL) {
		add(&row->sum, &event->conn);
	}
}
