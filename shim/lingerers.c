// SPDX-License-Identifier: MIT
#include "lingerers.h"
#include "doubt.h"
#include "holders.h"
#include "memory.h"
#include "ownfds.h"
#include "parting.h"
#include "policy.h"
#include "sys.h"
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <time.h>
#include <sys/epoll.h>

enum {
	READER = UINT32_MAX, /* the reader's mark in the epoll set */
	EVENTS = 32,
	BEGIN_MAX = 32, /* before the channel is looked at again: to take is quicker */
	GRANULARITY_MAX_MS = 100,
	RETRY_MS = 5,
};

void sc_lingerers_init(
	struct sc_lingerers *all, uint32_t max, sc_job_ended *ended, void (*answered)(void))
{
	uint64_t granularity = sc_config.linger_timeout_ms / 32;
	*all = (struct sc_lingerers){.ended = ended,
		.answered = answered,
		.max = max,
		.due_ms = UINT64_MAX,
		.granularity_ms =
			granularity < GRANULARITY_MAX_MS ? granularity : GRANULARITY_MAX_MS};
	sc_slots_init(&all->kept, sc_note_size());
	all->poll = max > 0 ? (int)SC_SYS1(SYS_epoll_create1, EPOLL_CLOEXEC) : -EBADF;
}

static int enter_poll(struct sc_lingerers *all, int fd, uint32_t events, uint32_t mark)
{
	struct epoll_event event = {.events = events, .data.u32 = mark};
	return (int)SC_SYS4(SYS_epoll_ctl, all->poll, EPOLL_CTL_ADD, fd, &event);
}

void sc_lingerers_listen(struct sc_lingerers *all, int reader)
{
	all->reader = reader;
	if (enter_poll(all, reader, EPOLLIN, READER) != 0 && all->poll >= 0) {
		sc_sys_close(all->poll); /* forbidden: then nothing is kept either */
		all->poll = -EPERM;
	}
}

void sc_lingerers_stop_listening(struct sc_lingerers *all)
{
	SC_SYS4(SYS_epoll_ctl, all->poll, EPOLL_CTL_DEL, all->reader, NULL);
}

/* Its slot is free then; the note is good until that is taken again. */
static struct sc_parting take_out(struct sc_lingerers *all, uint32_t slot)
{
	const struct sc_lingerer *it = &all->kept.slots[slot];
	struct sc_parting gone = {it->job, sc_slots_note(&all->kept, slot), it->fd};
	sc_slots_free(&all->kept, slot);
	return gone;
}

static void finish(struct sc_lingerers *all, uint32_t slot)
{
	struct sc_linger_end end = all->kept.slots[slot].linger.end;
	struct sc_parting gone = take_out(all, slot);
	sc_job_yield_to_twin(&gone.job, &end);
	/* Closing takes it out of the set only if nobody else holds the file. */
	SC_SYS4(SYS_epoll_ctl, all->poll, EPOLL_CTL_DEL, gone.fd, NULL);
	sc_parting_end(&gone, &end, all->ended);
}

/* The clocks may run over a little, so that one look serves many connections. */
static void set_due(struct sc_lingerers *all, uint64_t due_ms)
{
	due_ms += all->granularity_ms;
	if (due_ms < all->due_ms) {
		all->due_ms = due_ms;
	}
}

static void begin(struct sc_lingerers *all, uint32_t slot)
{
	struct sc_lingerer *it = &all->kept.slots[slot];
	struct sc_linger_limits limits = {
		.time_ms = sc_policy_linger_time_ms(&sc_config, &it->job.conn),
		.timeout_ms = sc_config.linger_timeout_ms,
		.max_bytes = sc_config.drain_max_bytes,
	};
	it->phase = SC_PHASE_LINGERING;
	sc_job_claim(&it->job, it->fd);
	/* SIGIO and SIGURG went to the program; it has closed. */
	SC_SYS3(SYS_fcntl, it->fd, 8 /* F_SETOWN */, 0);
	sc_linger_begin(&it->linger, it->fd, &limits);
	if (all->until_ms != 0) {
		sc_linger_hurry(&it->linger, sc_linger_now_ms(), all->until_ms);
	}
	/* By edges: all is taken each time, and after a shutdown(SHUT_RD) of the program's the
	 * level would stay up. */
	if (it->linger.end.outcome == SC_OUTCOME_NONE &&
		enter_poll(all, it->fd, EPOLLIN | EPOLLRDHUP | EPOLLPRI | EPOLLET, slot) != 0) {
		it->linger.end =
			sc_linger_end_now(it->fd, SC_ACTION_LINGER, sc_config.drain_max_bytes);
	}
	if (it->linger.end.outcome != SC_OUTCOME_NONE) {
		finish(all, slot);
	} else {
		set_due(all, sc_linger_due_ms(&it->linger));
	}
}

/* The oldest that waits. */
static void begin_next(struct sc_lingerers *all)
{
	uint32_t slot = all->first_waiting;
	uint32_t next = slot;
	if (--all->waiting_count > 0) {
		do {
			next = all->kept.slots[next].newer;
		} while (all->kept.slots[next].phase != SC_PHASE_WAITING);
	}
	all->first_waiting = next;
	begin(all, slot);
}

static void finish_oldest(struct sc_lingerers *all)
{
	uint32_t slot = all->kept.oldest;
	struct sc_lingerer *it = &all->kept.slots[slot];
	if (it->phase == SC_PHASE_WAITING) {
		begin_next(all);
		return;
	}
	if (it->phase != SC_PHASE_LINGERING) {
		sc_doubt_end(it);
		sc_lingerers_ask(all);
		return;
	}
	struct sc_linger_end end =
		sc_linger_end_now(it->fd, SC_ACTION_LINGER, it->linger.left_bytes);
	it->linger.end.drained_bytes += end.drained_bytes;
	it->linger.end.outcome = end.outcome == SC_OUTCOME_RST ? SC_OUTCOME_RST : SC_OUTCOME_LIMIT;
	it->linger.end.why = end.outcome == SC_OUTCOME_RST ? end.why : "connections";
	finish(all, slot);
}

/* There is no place to keep it: end it now, or let go. */
static void end_unkept(struct sc_lingerers *all, struct sc_parting *gone, int set)
{
	enum sc_birth birth = (enum sc_birth)gone->job.birth;
	bool is_known = sc_holders_are_known(birth);
	struct sc_holders_query query = {.inode = gone->job.conn.inode,
		.birth = is_known ? birth : sc_births_after(birth, gone->job.age),
		.born = gone->job.born};
	sc_holders_ask(&query, 1, SC_OWN_TABLE_COUNTS);
	sc_ownfds_drop(set);
	if (query.answer == SC_HOLDERS_NOBODY) {
		sc_parting_end_now(gone, all->max > 0 ? "memory" : "connections", all->ended);
	} else {
		sc_parting_leave(gone, NULL, all->ended);
	}
	all->answered(); /* not before: where it was received in the program's table, an exit goes on */
}

void sc_lingerers_add(struct sc_lingerers *all, const struct sc_job *job,
	const struct sc_note *note, int fd, int set)
{
	while (all->kept.count > 0 && all->kept.count >= all->max) {
		finish_oldest(all);
	}
	bool is_known = sc_holders_are_known((enum sc_birth)job->birth);
	uint32_t slot = all->max > 0 ? sc_slots_take(&all->kept) : SC_NO_SLOT;
	if (slot == SC_NO_SLOT) {
		struct sc_parting gone = {*job, all->kept.note_size > 0 ? note : NULL, fd};
		end_unkept(all, &gone, set);
		return;
	}
	struct sc_lingerer *it = &all->kept.slots[slot];
	it->job = *job;
	if (all->kept.note_size > 0) {
		memcpy(sc_slots_note(&all->kept, slot), note, sc_note_length(note));
	}
	it->fd = fd;
	it->set = set;
	it->phase = SC_PHASE_ASKING;
	it->is_answered = is_known;
	sc_doubt_begin(it);
	it->linger.end = (struct sc_linger_end){SC_OUTCOME_NONE, NULL, 0};
	if (!is_known) {
		all->asking_count++;
		return;
	}
	all->answered();
	it->phase = SC_PHASE_WAITING; /* in drain those do not come here */
	if (all->waiting_count++ == 0) {
		all->first_waiting = slot;
	}
}

void sc_lingerers_begin_some(struct sc_lingerers *all)
{
	for (int i = 0; i < BEGIN_MAX && all->waiting_count > 0; i++) {
		begin_next(all);
	}
}

/* Queries of those who wait for an answer, at most max; their slots' numbers go along. */
static size_t collect(const struct sc_lingerers *all, struct sc_holders_query *queries, size_t max)
{
	size_t count = 0;
	for (uint32_t slot = all->kept.newest; slot != SC_NO_SLOT && count < max;
		slot = all->kept.slots[slot].older) {
		const struct sc_lingerer *it = &all->kept.slots[slot];
		if (it->phase == SC_PHASE_ASKING) {
			queries[count++] = (struct sc_holders_query){.inode = it->job.conn.inode,
				.birth = sc_births_after((enum sc_birth)it->job.birth, it->job.age),
				.born = it->job.born,
				.mine = slot};
		}
	}
	return count;
}

static void swap_notes(struct sc_lingerers *all, uint32_t slot, uint32_t other_slot)
{
	struct sc_note *one = sc_slots_note(&all->kept, slot);
	struct sc_note *other = sc_slots_note(&all->kept, other_slot);
	if (one != NULL) {
		struct sc_note kept;
		size_t one_length = sc_note_length(one);
		memcpy(&kept, one, one_length);
		memcpy(one, other, sc_note_length(other));
		memcpy(other, &kept, one_length);
	}
}

/*
 * The program had two descriptors of this connection and closed the second while the first was on
 * its way here: the last close is the one that acts. Is it another one than this? If that lingers
 * already for an older close, it goes on for this one.
 */
static bool yields_to_twin(struct sc_lingerers *all, struct sc_lingerer *it)
{
	bool is_newer = true; /* those that come first in the chain */
	for (uint32_t slot = all->kept.newest; slot != SC_NO_SLOT;
		slot = all->kept.slots[slot].older) {
		struct sc_lingerer *other = &all->kept.slots[slot];
		if (other == it) {
			is_newer = false;
		} else if (other->job.birth != SC_BIRTH_SOLE &&
			   other->job.conn.inode == it->job.conn.inode) {
			if (!is_newer && other->phase == SC_PHASE_LINGERING) {
				struct sc_job older = other->job;
				other->job = it->job;
				other->job.is_twins = older.is_twins;
				other->job.left = older.left;
				it->job = older;
				swap_notes(all, slot, (uint32_t)(it - all->kept.slots));
			}
			if (is_newer || other->phase == SC_PHASE_LINGERING) {
				return true;
			}
		}
	}
	return false;
}

/* It is to be looked at again. */
static void note_retry(struct sc_lingerers *all, const struct sc_lingerer *it)
{
	if (sc_doubt_is_new(it)) {
		all->retry_ms = 1; /* most children exec or exit at once */
	}
}

/* Has another holder read all and let go? With SAFECLOSE_WHEN=always it lingers all the same. */
static bool is_moot(struct sc_lingerer *it)
{
	bool is_read = sc_doubt_is_moot(it);
	if (is_read && sc_config.when == SC_WHEN_ALWAYS) {
		it->job.conn.unread_bytes = 0;
		return false;
	}
	return is_read;
}

static void act_on(struct sc_lingerers *all, const struct sc_holders_query *query)
{
	struct sc_lingerer *it = &all->kept.slots[query->mine];
	if (!it->is_answered) {
		it->is_answered = true;
		all->answered();
	}
	if (sc_doubt_remains(it, query, all->until_ms != 0)) {
		it->phase = SC_PHASE_RETRY;
		note_retry(all, it);
		all->asking_count--;
		all->retry_count++;
		return;
	}
	struct sc_verdict verdict = sc_policy_decide(&sc_config, &it->job.conn, query->answer);
	all->asking_count--;
	bool is_free = verdict.action == SC_ACTION_LINGER || verdict.action == SC_ACTION_DRAIN;
	bool is_twins = is_free && yields_to_twin(all, it);
	bool is_ours = is_free && !is_twins && !is_moot(it);
	sc_doubt_settle_interest(it, query, is_ours || is_twins);
	if (is_ours && verdict.action == SC_ACTION_LINGER) {
		begin(all, (uint32_t)query->mine);
		return;
	}
	struct sc_parting gone = take_out(all, (uint32_t)query->mine);
	if (is_ours) {
		sc_parting_end_now(&gone, NULL, all->ended);
	} else {
		sc_parting_leave(&gone, verdict.why, all->ended);
	}
}

/* Those whose answer was not certain the last time. */
static void again(struct sc_lingerers *all)
{
	for (uint32_t slot = all->kept.newest; slot != SC_NO_SLOT && all->retry_count > 0;
		slot = all->kept.slots[slot].older) {
		struct sc_lingerer *it = &all->kept.slots[slot];
		if (it->phase != SC_PHASE_RETRY) {
			continue;
		}
		if (it->holder_pid != 0 && sc_doubt_waits_for_holder(it, all->until_ms != 0)) {
			note_retry(all, it);
			continue;
		}
		it->phase = SC_PHASE_ASKING;
		all->asking_count++;
		all->retry_count--;
	}
}

/* In one sweep, if there is memory for the questions; else a few at a time. */
void sc_lingerers_ask(struct sc_lingerers *all)
{
	all->retry_ms = RETRY_MS;
	again(all);
	if (all->asking_count == 0) {
		return;
	}
	struct sc_holders_query few[8];
	size_t size = all->asking_count * sizeof(few[0]);
	struct sc_holders_query *many = size > sizeof(few) ? sc_memory_map(size) : NULL;
	struct sc_holders_query *queries = many != NULL ? many : few;
	while (all->asking_count > 0) {
		size_t count = collect(all, queries, many != NULL ? all->asking_count : 8);
		sc_holders_ask(queries, count, SC_OWN_TABLE_COUNTS);
		for (size_t i = 0; i < count; i++) {
			act_on(all, &queries[i]);
		}
	}
	if (many != NULL) {
		sc_memory_unmap(many, size);
	}
}

static void receive(struct sc_lingerers *all, uint32_t slot, uint64_t now_ms)
{
	struct sc_lingerer *it = &all->kept.slots[slot];
	sc_linger_receive(&it->linger, now_ms);
	if (it->linger.end.outcome != SC_OUTCOME_NONE) {
		finish(all, slot);
	}
}

/* Look at every clock, and find out when the next one runs out. */
static void tick(struct sc_lingerers *all, uint64_t now_ms)
{
	all->due_ms = UINT64_MAX;
	uint32_t newer;
	for (uint32_t slot = all->kept.oldest; slot != SC_NO_SLOT; slot = newer) {
		struct sc_lingerer *it = &all->kept.slots[slot];
		newer = it->newer;
		if (it->phase != SC_PHASE_LINGERING) {
			continue;
		}
		sc_linger_tick(&it->linger, now_ms);
		if (it->linger.end.outcome != SC_OUTCOME_NONE) {
			finish(all, slot);
		} else {
			set_due(all, sc_linger_due_ms(&it->linger));
		}
	}
}

static int64_t time_left(const struct sc_lingerers *all, uint64_t now_ms, int64_t max_wait_ms)
{
	if (all->due_ms == UINT64_MAX) {
		return max_wait_ms;
	}
	int64_t left = all->due_ms > now_ms ? (int64_t)(all->due_ms - now_ms) : 0;
	return max_wait_ms >= 0 && max_wait_ms < left ? max_wait_ms : left;
}

/* Waiting is forbidden (seccomp): look at all of them instead, but do not spin. */
static void look_blindly(struct sc_lingerers *all)
{
	sc_sys_pause(RETRY_MS * 1000000);
	all->is_blind = true;
	uint64_t now = sc_linger_now_ms();
	uint32_t newer;
	for (uint32_t slot = all->kept.oldest; slot != SC_NO_SLOT; slot = newer) {
		newer = all->kept.slots[slot].newer;
		if (all->kept.slots[slot].phase == SC_PHASE_LINGERING) {
			receive(all, slot, now);
		}
	}
	tick(all, now);
}

bool sc_lingerers_wait(struct sc_lingerers *all, int64_t max_wait_ms)
{
	struct epoll_event events[EVENTS];
	if (all->waiting_count > 0) {
		max_wait_ms = 0;
	}
	if (all->retry_count > 0 && (max_wait_ms < 0 || max_wait_ms > all->retry_ms)) {
		max_wait_ms = all->retry_ms;
	}
	int64_t wait = time_left(all, sc_linger_now_ms(), max_wait_ms);
	int wait_ms = wait > 1000000000 ? 1000000000 : (int)wait;
	if (all->poll < 0) {
		struct pollfd wanted = {all->reader, POLLIN, 0};
		struct timespec time = {wait / 1000, wait % 1000 * 1000000};
		long count = SC_SYS5(SYS_ppoll, &wanted, 1, wait < 0 ? NULL : &time, NULL, 0);
		if (count < 0 && count != -EINTR) {
			look_blindly(all);
			return true;
		}
		return count == 1;
	}
	long count = SC_SYS6(SYS_epoll_pwait, all->poll, events, EVENTS, wait_ms, NULL, 8);
	if (count < 0 && count != -EINTR) {
		look_blindly(all);
		return true;
	}
	uint64_t now = sc_linger_now_ms();
	bool is_reader_ready = false;
	for (long i = 0; i < count; i++) {
		if (events[i].data.u32 == READER) {
			is_reader_ready = true;
		} else {
			receive(all, events[i].data.u32, now);
		}
	}
	if (now >= all->due_ms) {
		tick(all, now);
	}
	return is_reader_ready;
}

void sc_lingerers_hurry(struct sc_lingerers *all, uint64_t until_ms)
{
	uint64_t now = sc_linger_now_ms();
	all->until_ms = until_ms;
	all->granularity_ms = 1;
	for (uint32_t slot = all->kept.oldest; slot != SC_NO_SLOT;
		slot = all->kept.slots[slot].newer) {
		if (all->kept.slots[slot].phase == SC_PHASE_LINGERING) {
			sc_linger_hurry(&all->kept.slots[slot].linger, now, until_ms);
		}
	}
	all->due_ms = now;
}

void sc_lingerers_end(struct sc_lingerers *all)
{
	while (all->kept.count > 0) {
		finish_oldest(all);
	}
	sc_slots_end(&all->kept);
	if (all->poll >= 0) {
		sc_sys_close(all->poll);
	}
}
