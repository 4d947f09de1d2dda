// SPDX-License-Identifier: MIT
#include "background.h"
#include "channel.h"
#include "credentials.h"
#include "holders.h"
#include "inspect.h"
#include "lingerers.h"
#include "memory.h"
#include "ownfds.h"
#include "process.h"
#include "sink.h"
#include "sys.h"
#include "thread.h"
#include "turns.h"
#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <time.h>

enum {
	GRACE_MS = 100,         /* of the thread, when nothing lingers: starting costs more */
	SPARE_DESCRIPTORS = 32, /* of the thread's table, for what is not a connection */
	RECEIVE_MAX = 4096,     /* connections taken before they are looked after */
	EXIT_SLACK_MS = 100,    /* for the reports of what was cut off */
	PREDECESSOR_TRIES = 1000,
	MOVE_LOOKS = 1000,
	MOVE_WAITS = 1000,
	MOMENT_NS = 1000000,
};

/*
 * All state lies in a page that a forked child finds zeroed: no channel, nothing given, no thread.
 * count_and_thread: how many connections were given and have not ended, and whether a thread is
 * there (or about to be) to end them. One word, so that the thread can only go when the count is 0.
 */
struct background {
	_Atomic uint32_t count_and_thread;
	_Atomic uint32_t
		unanswered; /* given, and not asked yet who holds them; or, unkept, not ended */
	_Atomic uint64_t channel; /* reader + 1 in the upper half, writer + 1 below; 0: none */
	_Atomic int tid;
	_Atomic int32_t moves;     /* of own descriptors, in the program's table */
	_Atomic int32_t sendings;  /* into the channel */
	_Atomic bool is_leaving;   /* the thread, out of the program's table */
	_Atomic bool is_shut;      /* nothing is taken any more */
	_Atomic uint64_t until_ms; /* the process ends then; 0: not in sight */
};

#define THREAD_BIT 0x80000000u

static struct background *background;
static _Atomic int no_thread;
_Atomic int *sc_background_tid = &no_thread;
static sc_job_ended *report_end;
static _Atomic uint64_t last_channel; /* not wiped: what a child has to let go */

void sc_background_init(sc_job_ended *ended)
{
	report_end = ended;
	background = sc_memory_map_wiped(sizeof(*background));
	if (background != NULL) {
		sc_background_tid = &background->tid;
	}
	if (sc_config.mode == SC_MODE_DRAIN || sc_config.mode == SC_MODE_FIN) {
		sc_background_prepare(); /* while there is only one thread: see watch.h */
	}
}

static uint64_t pack(const struct sc_channel *channel)
{
	return (uint64_t)(channel->reader + 1) << 32 | (uint32_t)(channel->writer + 1);
}

static struct sc_channel unpack(uint64_t packed)
{
	return (struct sc_channel){(int)(packed >> 32) - 1, (int)(uint32_t)packed - 1};
}

static void release_channel(const struct sc_channel *channel)
{
	sc_ownfds_release(channel->reader);
	sc_ownfds_release(channel->writer);
}

void sc_background_forget_parent(void)
{
	if (background == NULL || atomic_load(&background->channel) != 0) {
		return;
	}
	uint64_t inherited = atomic_exchange(&last_channel, 0);
	if (inherited != 0 && !sc_process_is_table_shared()) {
		struct sc_channel channel = unpack(inherited);
		release_channel(&channel);
	}
}

/*
 * What the thread takes along by its number, and what is sent into, stays where it is meanwhile. A
 * move waits for those, the program being in a rare call, and longer only where one has lost the
 * processor there.
 */
void sc_background_begin_move(void)
{
	if (background == NULL) {
		return;
	}
	atomic_fetch_add(&background->moves, 1);
	for (int i = 0; i < MOVE_LOOKS + MOVE_WAITS; i++) {
		if (!atomic_load(&background->is_leaving) &&
			atomic_load(&background->sendings) <= 0) {
			return;
		}
		if (i >= MOVE_LOOKS) {
			sc_sys_pause(MOMENT_NS);
		}
	}
	atomic_store(&background->sendings, 0);
}

void sc_background_end_move(void)
{
	if (background != NULL) {
		sc_turns_end_one(&background->moves);
	}
}

static void begin_leaving(void)
{
	for (int i = 0; i < MOVE_WAITS; i++) {
		atomic_store(&background->is_leaving, true);
		if (atomic_load(&background->moves) == 0) {
			return;
		}
		atomic_store(&background->is_leaving, false);
		sc_sys_yield();
	}
}

/* false: a move lasts; perhaps it is the one that this handler has interrupted. Nothing may be
 * sent then, as it might go to the program's own. */
static bool begin_sending(void)
{
	for (int i = 0; i < MOVE_WAITS; i++) {
		atomic_fetch_add(&background->sendings, 1);
		if (atomic_load(&background->moves) == 0) {
			return true;
		}
		sc_turns_end_one(&background->sendings);
		sc_sys_yield();
	}
	return false;
}

/* The thread is to look around. */
static void wake_thread(void)
{
	struct sc_job wake_up = {.fd = -1};
	if (begin_sending()) {
		struct sc_channel channel = unpack(atomic_load(&background->channel));
		sc_channel_send(channel.writer, &wake_up, NULL, 0, -1);
		sc_turns_end_one(&background->sendings);
	}
}

bool sc_background_evade(int fd)
{
	uint64_t packed = background != NULL ? atomic_load(&background->channel) : 0;
	struct sc_channel channel = unpack(packed);
	if (packed == 0 || fd < 0 || (channel.reader != fd && channel.writer != fd)) {
		return false;
	}
	int copy = sc_ownfds_copy_for_good(fd);
	if (copy < 0) {
		return false;
	}
	if (channel.reader == fd) {
		channel.reader = copy;
	} else {
		channel.writer = copy;
	}
	atomic_store(&background->channel, pack(&channel));
	atomic_store(&last_channel, pack(&channel));
	sc_ownfds_release(fd);
	return true;
}

/* The channel, made at the first use. */
static int get_channel(struct sc_channel *channel)
{
	uint64_t packed = atomic_load(&background->channel);
	if (packed != 0) {
		*channel = unpack(packed);
		return 0;
	}
	sc_background_forget_parent();
	int error = sc_channel_open(channel);
	if (error != 0) {
		return error;
	}
	if (atomic_compare_exchange_strong(&background->channel, &packed, pack(channel))) {
		atomic_store(&last_channel, pack(channel));
	} else {
		release_channel(channel); /* another thread was quicker */
		*channel = unpack(packed);
	}
	return 0;
}

static void wake_waiters(_Atomic uint32_t *word)
{
	SC_SYS6(SYS_futex, word, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

/* Where waiting is forbidden (seccomp), a moment is all that it lasts. */
static void wait_for_change(_Atomic uint32_t *word, uint32_t seen, uint64_t timeout_ms)
{
	struct timespec wait = {(time_t)(timeout_ms / 1000), (long)(timeout_ms % 1000) * 1000000};
	long error = SC_SYS6(SYS_futex, word, FUTEX_WAIT, seen, &wait, NULL, 0);
	if (error < 0 && error != -EAGAIN && error != -EINTR && error != -ETIMEDOUT) {
		sc_sys_pause(MOMENT_NS);
	}
}

static void one_is_answered(void)
{
	if (atomic_fetch_sub(&background->unanswered, 1) == 1) {
		wake_waiters(&background->unanswered);
	}
}

static void one_has_ended(
	const struct sc_job *job, const struct sc_note *note, const struct sc_linger_end *end)
{
	report_end(job, note, end);
	uint32_t before = atomic_fetch_sub(&background->count_and_thread, 1);
	if ((before & ~THREAD_BIT) == 1 && atomic_load(&background->until_ms) != 0) {
		wake_waiters(&background->count_and_thread);
	}
}

static uint32_t most_lingering(void)
{
	uint64_t limit = sc_ownfds_limit();
	uint64_t soft = limit < INT_MAX / 2 ? limit : INT_MAX / 2;
	uint64_t room = soft > SPARE_DESCRIPTORS ? soft - SPARE_DESCRIPTORS : 0;
	uint64_t wanted =
		sc_config.linger_max == SC_LINGER_MAX_AUTO ? soft / 4 : sc_config.linger_max;
	return (uint32_t)(wanted < room ? wanted : room);
}

/* Take what was received, if it is no wake-up call. */
static void take(struct sc_lingerers *all, struct sc_job *job, const struct sc_note *note,
	const int fds[SC_CHANNEL_FDS])
{
	if (fds[SC_CHANNEL_FD] >= 0) {
		/* In the program's table, if the thread has none, and under numbers that are
		 * free there. */
		int fd = sc_ownfds_adopt(fds[SC_CHANNEL_FD]);
		int set = sc_ownfds_adopt(fds[SC_CHANNEL_SET]);
		sc_inspect_addresses(fd, &job->conn);
		sc_lingerers_add(all, job, note, fd, set);
	}
}

/* Take what has been given. */
static void receive_all(struct sc_lingerers *all, int reader)
{
	struct sc_job job = {.fd = -1};
	struct sc_note note = {.preview_bytes = 0};
	int fds[SC_CHANNEL_FDS];
	int result = 1;
	for (int i = 0; i < RECEIVE_MAX; i++) {
		result = sc_channel_receive(reader, &job, &note, fds);
		if (result != 1) {
			break;
		}
		take(all, &job, &note, fds);
	}
	if (result < 0) {
		/* Forbidden since (seccomp): what is under way is lost, but nothing more is
		 * given. */
		sc_background_shut();
		sc_lingerers_stop_listening(all);
	}
	sc_credentials_follow();
	uint64_t until_ms = atomic_load(&background->until_ms);
	if (until_ms != all->until_ms) {
		sc_lingerers_hurry(all, until_ms);
	}
	sc_lingerers_ask(all);
}

/* Nothing lingers: is the thread to go? Not if something was given meanwhile. */
static bool may_leave(void)
{
	uint32_t alone = THREAD_BIT;
	return atomic_compare_exchange_strong(&background->count_and_thread, &alone, 0);
}

static void linger_until_none_is_left(void)
{
	struct sc_lingerers all;
	begin_leaving();
	struct sc_channel channel = unpack(atomic_load(&background->channel));
	int log = sc_sink_fd();
	/* Until it has closed its copies, what the program closes is still open there. */
	sc_turns_await_none(&sc_turns_closes);
	/* Without a table of its own the thread must not keep anything: max 0 ends it at once. */
	bool is_private = sc_thread_leave_table(channel.reader, log) == 0;
	sc_turns_end_one(&sc_turns_openings);
	atomic_store(&background->is_leaving, false);
	sc_sink_enter_thread(log);
	sc_ownfds_set_thread_table(is_private);
	sc_lingerers_init(&all, is_private ? most_lingering() : 0, one_has_ended, one_is_answered);
	sc_lingerers_listen(&all, channel.reader);
	receive_all(&all, channel.reader);
	for (;;) {
		bool is_idle = all.kept.count == 0;
		bool is_given = sc_lingerers_wait(&all, is_idle ? GRACE_MS : -1);
		if (is_given) {
			receive_all(&all, channel.reader);
		}
		if (all.waiting_count > 0) {
			sc_lingerers_begin_some(&all);
		} else if (!is_given && all.retry_count > 0) {
			sc_lingerers_ask(&all);
		} else if ((!is_given || all.is_blind) && is_idle && all.kept.count == 0 &&
			   may_leave()) {
			break;
		}
	}
	sc_lingerers_end(&all);
}

/* The predecessor may still be on the stack, some instructions before its end. */
static bool is_predecessor_gone(void)
{
	for (int i = 0; i < PREDECESSOR_TRIES; i++) {
		if (atomic_load(&background->tid) == 0) {
			return true;
		}
		sc_sys_yield();
	}
	return false;
}

/* No thread was to be had: end here what others have given meanwhile, without waiting. */
static void end_given_here(int reader)
{
	struct sc_lingerers none;
	struct sc_job job = {.fd = -1};
	struct sc_note note = {.preview_bytes = 0};
	int fds[SC_CHANNEL_FDS];
	sc_lingerers_init(&none, 0, one_has_ended, one_is_answered);
	while (sc_channel_receive(reader, &job, &note, fds) == 1) {
		take(&none, &job, &note, fds);
	}
	sc_lingerers_end(&none);
}

static int start_thread(int reader)
{
	int error = -EAGAIN;
	/* The thread will be under the caller's filters: what it could not receive would be
	 * lost. */
	if (sc_channel_may_receive(reader) && is_predecessor_gone()) {
		sc_credentials_begin();
		/* The thread ends it: see there. */
		atomic_fetch_add(&sc_turns_openings, 1);
		error = sc_thread_start(linger_until_none_is_left, &background->tid);
		if (error != 0) {
			sc_turns_end_one(&sc_turns_openings);
		}
	}
	if (error != 0) {
		atomic_fetch_and(&background->count_and_thread, ~THREAD_BIT);
		end_given_here(reader);
	}
	return error;
}

void sc_background_prepare(void)
{
	struct sc_channel channel;
	if (background != NULL && atomic_load(&background->channel) == 0) {
		get_channel(&channel);
	}
}

static int give(const struct sc_job *job, const struct sc_note *note, int fd)
{
	struct sc_channel channel;
	int error = get_channel(&channel);
	if (error != 0) {
		return error;
	}
	if (atomic_load(&sc_sys_is_deadly) != NULL && !sc_channel_may_receive(channel.reader)) {
		return -EPERM; /* under a new filter, perhaps the thread is as well */
	}
	atomic_fetch_add(&background->unanswered, 1);
	atomic_fetch_add(&background->count_and_thread, 1);
	uint32_t before = atomic_fetch_or(&background->count_and_thread, THREAD_BIT);
	if (!(before & THREAD_BIT)) {
		error = start_thread(channel.reader);
	}
	if (error == 0) {
		error = sc_channel_send(channel.writer, job, note, sc_note_length(note), fd);
	}
	if (error != 0) {
		atomic_fetch_sub(&background->unanswered, 1);
		atomic_fetch_sub(&background->count_and_thread, 1);
	} else if (!(atomic_load(&background->count_and_thread) & THREAD_BIT)) {
		end_given_here(channel.reader); /* whoever was to start the thread could not */
	}
	return error;
}

int sc_background_give(const struct sc_job *job, const struct sc_note *note, int fd)
{
	if (background == NULL || atomic_load(&background->is_shut) ||
		!sc_process_is_own_memory()) {
		return -ESHUTDOWN;
	}
	if (!begin_sending()) {
		return -EBUSY;
	}
	int error = give(job, note, fd);
	sc_turns_end_one(&background->sendings);
	return error;
}

void sc_background_await_answers(uint64_t timeout_ms)
{
	if (background == NULL || atomic_load(&background->unanswered) == 0) {
		return;
	}
	uint64_t now = sc_linger_now_ms();
	uint64_t until_ms = now + timeout_ms;
	uint32_t seen;
	while ((seen = atomic_load(&background->unanswered)) != 0 && now < until_ms) {
		wait_for_change(&background->unanswered, seen, until_ms - now);
		now = sc_linger_now_ms();
	}
}

void sc_background_wait(uint64_t timeout_ms)
{
	if (background == NULL || (atomic_load(&background->count_and_thread) & ~THREAD_BIT) == 0) {
		return;
	}
	uint64_t until_ms = sc_linger_now_ms() + timeout_ms;
	atomic_store(&background->until_ms, until_ms);
	wake_thread();
	for (;;) {
		uint32_t seen = atomic_load(&background->count_and_thread);
		uint64_t now = sc_linger_now_ms();
		if ((seen & ~THREAD_BIT) == 0 || now >= until_ms + EXIT_SLACK_MS) {
			return;
		}
		wait_for_change(
			&background->count_and_thread, seen, until_ms + EXIT_SLACK_MS - now);
	}
}

void sc_background_follow_credentials(void)
{
	if (!sc_background_is_running()) {
		return; /* the next one has its creator's */
	}
	sc_credentials_publish();
	wake_thread();
}

void sc_background_shut(void)
{
	if (background != NULL) {
		atomic_store(&background->is_shut, true);
	}
}

void sc_background_resume(void)
{
	if (background != NULL) {
		atomic_store(&background->until_ms, 0);
	}
}
