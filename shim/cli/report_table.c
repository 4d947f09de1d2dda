// SPDX-License-Identifier: MIT
#include "report_table.h"
#include "report_memory.h"
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *cli_report_by_name(enum cli_by by)
{
	static const char *const names[CLI_BY_COUNT] = {
		[CLI_BY_SITE] = "site",
		[CLI_BY_PEER] = "peer",
		[CLI_BY_EXE] = "exe",
		[CLI_BY_GUESS] = "guess",
	};
	return (unsigned)by < CLI_BY_COUNT ? names[by] : "?";
}

void cli_report_table_begin(
	struct cli_table *table, enum cli_by by, bool has_timelines, size_t groups_max)
{
	*table = (struct cli_table){
		.by = by, .has_timelines = has_timelines, .groups_max = groups_max};
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash != NULL ? slash + 1 : path;
}

static bool is_site_of_exe(const char *site, const char *exe)
{
	const char *base = base_name(exe);
	return strlen(base) == cli_report_module_length(site) &&
	       strncmp(site, base, strlen(base)) == 0;
}

static int compare_groups(const void *left, const void *right)
{
	const struct cli_group *a = left, *b = right;
	if (a->hash != b->hash) {
		return a->hash < b->hash ? -1 : 1;
	}
	int order = strcmp(a->name, b->name);
	return order != 0 ? order : strcmp(a->is_own ? a->exe : "", b->is_own ? b->exe : "");
}

static void add_saturating(uint64_t *sum, uint64_t value)
{
	*sum = *sum > UINT64_MAX - value ? UINT64_MAX : *sum + value;
}

static void count_record(struct cli_totals *totals, const struct cli_record *record)
{
	if (totals->reports == 0 || record->time_us < totals->first_us) {
		totals->first_us = record->time_us;
	}
	if (totals->reports == 0 || record->time_us > totals->last_us) {
		totals->last_us = record->time_us;
	}
	totals->reports++;
	totals->outcomes[record->outcome]++;
	if (record->is_listener) {
		return;
	}
	add_saturating(&totals->unread_bytes, record->unread_bytes);
	if (record->outcome == CLI_OUTCOME_RST) {
		add_saturating(&totals->lost_bytes, record->unacked_bytes);
	}
}

void cli_report_table_add_totals(struct cli_totals *sum, const struct cli_totals *totals)
{
	if (sum->reports == 0 || totals->first_us < sum->first_us) {
		sum->first_us = totals->first_us;
	}
	if (sum->reports == 0 || totals->last_us > sum->last_us) {
		sum->last_us = totals->last_us;
	}
	sum->reports += totals->reports;
	for (int i = 0; i < CLI_OUTCOME_COUNT; i++) {
		sum->outcomes[i] += totals->outcomes[i];
	}
	add_saturating(&sum->unread_bytes, totals->unread_bytes);
	add_saturating(&sum->lost_bytes, totals->lost_bytes);
}

static void end_group(struct cli_group *group)
{
	free(group->name);
	free(group->exe);
	free(group->symbol);
	free(group->source.function);
	free(group->source.place);
	cli_report_distinct_end(&group->others);
	cli_report_top_end(&group->top_others);
	cli_report_top_end(&group->top_notes);
	cli_report_timeline_end(&group->timeline);
	free(group);
}

/* What decides who gives way: never less than the group's true number of reports. */
static uint64_t weight(const struct cli_group *group)
{
	return group->totals.reports + group->missed;
}

static void put(struct cli_table *table, size_t place, struct cli_group *group)
{
	table->groups[place] = group;
	group->place = place;
}

/* Restore the heap (the lightest on top) below a group that has become heavier. */
static void sink(struct cli_table *table, struct cli_group *group)
{
	size_t place = group->place;
	for (;;) {
		size_t child = 2 * place + 1;
		if (child >= table->count) {
			break;
		}
		if (child + 1 < table->count &&
			weight(table->groups[child + 1]) < weight(table->groups[child])) {
			child++;
		}
		if (weight(group) <= weight(table->groups[child])) {
			break;
		}
		put(table, place, table->groups[child]);
		place = child;
	}
	put(table, place, group);
}

static void make_heap(struct cli_table *table)
{
	for (size_t place = table->count / 2; place-- > 0;) {
		sink(table, table->groups[place]);
	}
}

/* A full table: group takes the place of the one with the fewest reports. */
static void replace_lightest(struct cli_table *table, struct cli_group *group)
{
	struct cli_group *lightest = table->groups[0];
	group->missed = weight(lightest);
	cli_report_table_add_totals(&table->rest, &lightest->totals);
	table->gave_way++;
	tdelete(lightest, &table->tree, compare_groups);
	end_group(lightest);
	put(table, 0, group);
}

static void place_group(struct cli_table *table, struct cli_group *group)
{
	if (table->count == table->groups_max) {
		replace_lightest(table, group);
		return;
	}
	if (table->count == table->room) {
		table->room = table->room > 0 ? table->room * 2 : 16;
		table->groups =
			cli_report_memory_grow(table->groups, table->room, sizeof(*table->groups));
	}
	put(table, table->count++, group);
	if (table->count == table->groups_max) {
		make_heap(table);
	}
}

/* The strings of key are lent. */
static struct cli_group *find_group(struct cli_table *table, const struct cli_group *key)
{
	void *found = tfind(key, &table->tree, compare_groups);
	if (found != NULL) {
		return *(struct cli_group **)found;
	}
	struct cli_group *group = cli_report_memory_get(1, sizeof(*group));
	group->hash = key->hash;
	group->is_own = key->is_own;
	group->name = cli_report_memory_copy(key->name);
	group->exe = key->exe != NULL ? cli_report_memory_copy(key->exe) : NULL;
	group->symbol = key->symbol != NULL ? cli_report_memory_copy(key->symbol) : NULL;
	place_group(table, group);
	if (tsearch(group, &table->tree, compare_groups) == NULL) {
		cli_report_memory_fail();
	}
	return group;
}

static void note(struct cli_distinct *set, struct cli_top *top, const char *name)
{
	if (name[0] == 0) {
		return;
	}
	uint64_t hash = cli_report_distinct_hash(name);
	if (set != NULL) {
		cli_report_distinct_add(set, hash);
	}
	cli_report_top_add(top, name, hash);
}

/* By which name a record is counted, and what is told of the others it has. */
static void choose_names(enum cli_by by, const char *site, const char *peer,
	const struct cli_record *record, const char **name, const char **other, const char **extra)
{
	*other = peer;
	*extra = record->guess;
	switch (by) {
	case CLI_BY_PEER:
		*name = peer;
		*other = site;
		break;
	case CLI_BY_EXE:
		*name = record->exe;
		break;
	case CLI_BY_GUESS:
		*name = record->guess;
		*extra = site;
		break;
	default:
		*name = site;
		break;
	}
}

void cli_report_table_add(struct cli_table *table, const struct cli_record *record)
{
	char peer[CLI_RECORD_WORD_MAX + 1], site[CLI_RECORD_PATH_MAX + 1];
	cli_report_record_peer(record, peer, sizeof(peer));
	cli_report_record_site(record, site, sizeof(site));
	const char *name, *other, *extra;
	choose_names(table->by, site, peer, record, &name, &other, &extra);
	bool is_by_site = table->by == CLI_BY_SITE;
	struct cli_group key = {
		.hash = cli_report_distinct_hash(name),
		.name = (char *)name,
		.exe = is_by_site ? (char *)record->exe : NULL,
		.symbol = is_by_site ? (char *)record->symbol : NULL,
		.is_own = is_by_site && is_site_of_exe(record->site, record->exe),
	};
	count_record(&table->all, record);
	struct cli_group *group = find_group(table, &key);
	count_record(&group->totals, record);
	if (table->count == table->groups_max) {
		sink(table, group);
	}
	note(&group->others, &group->top_others, other);
	note(NULL, &group->top_notes, extra);
	if (table->has_timelines) {
		cli_report_timeline_add(&group->timeline, record->time_us, record->outcome);
	}
}

static int compare_numbers(uint64_t a, uint64_t b)
{
	return a > b ? -1 : a < b;
}

static int compare_rows(const void *left, const void *right)
{
	const struct cli_group *a = *(struct cli_group *const *)left;
	const struct cli_group *b = *(struct cli_group *const *)right;
	int order = compare_numbers(
		a->totals.outcomes[CLI_OUTCOME_RST], b->totals.outcomes[CLI_OUTCOME_RST]);
	if (order == 0) {
		order = compare_numbers(a->totals.lost_bytes, b->totals.lost_bytes);
	}
	if (order == 0) {
		order = compare_numbers(a->totals.reports, b->totals.reports);
	}
	if (order == 0) {
		order = strcmp(a->name, b->name);
	}
	return order != 0 || a->exe == NULL || b->exe == NULL ? order : strcmp(a->exe, b->exe);
}

void cli_report_table_sort(struct cli_table *table)
{
	if (table->count > 0) {
		qsort(table->groups, table->count, sizeof(*table->groups), compare_rows);
	}
}

static void leave_group(void *group)
{
	(void)group;
}

void cli_report_table_end(struct cli_table *table)
{
	tdestroy(table->tree, leave_group);
	for (size_t i = 0; i < table->count; i++) {
		end_group(table->groups[i]);
	}
	free(table->groups);
	*table = (struct cli_table){0};
}
