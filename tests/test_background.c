// SPDX-License-Identifier: MIT
// HARNESS
/*
 * fin ends connections in the background: however many peers never finish, whatever they do, the
 * program is held up nowhere, each peer gets all there is and a FIN, and every cost has a limit.
 */
#include "harness/deadline.h"
#include "harness/netns.h"
#include "harness/peers.h"
#include "harness/process.h"
#include "harness/sanitizer.h"
#include "harness/stage.h"
#include "harness/text.h"
#include "harness/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	CLOSE_MAX_US = 50000, /* however busy the machine */
	ANSWER_BYTES = 4 << 20,
	MANY = 10000,
	MANY_DESCRIPTORS = MANY + 64,
	SLOT_BYTES = 512, /* of process memory, each; the benchmark is more exact */
	FAR_MS = 15000,   /* beyond every wait here, below the one that is not to be */
};

/* Nothing but the peers' own FIN, or another limit that a test sets, ends the lingering. */
#define FOREVER "SAFECLOSE_LINGER_TIME=60s", "SAFECLOSE_LINGER_TIMEOUT=60s"

static struct peers peers;

static int end_test(void **state)
{
	peers_close(&peers);
	return stage_teardown(state);
}

/* The program has accepted count peers, each of which has sent a byte, and goes on with the words. */
static struct stage *start(size_t count, struct program_options options, const char *words)
{
	struct stage *stage = stage_open(PEER_IPV4);

	options.executable = "server";
	options.wants_all_reports = true;
	program_start(
		&stage->program, &options, "listen accept %zu await-unread 1 %s", count, words);
	stage->peer.program_port = (uint16_t)program_hear_number(&stage->program, "port ");
	peers_connect(&peers, stage->peer.program_port, count);
	/* Without the library the program may have reset some already. */
	assert_true(peers_send(&peers, 1) == 0 || !options.mode);
	program_hear(&stage->program, "accepted");
	return stage;
}

static void await_reports(struct stage *stage, size_t count, const char *text)
{
	int64_t deadline = deadline_in(DEADLINE_MS);

	while (text_lines_with(program_errors(&stage->program), text, NULL) < count) {
		if (!deadline_pause(deadline)) {
			fail_msg("waited for %zu lines with \"%s\":\n%s", count, text,
				program_errors(&stage->program));
		}
	}
}

/* The program says good-bye in its own time, with this status. */
static void assert_ends(struct stage *stage, int status)
{
	program_say(&stage->program, "go");
	assert_int_equal(program_await_exit(&stage->program), status);
}

static void assert_nothing_was_reset(struct stage *stage)
{
	struct counters grown;

	netns_settle();
	grown = counters_since(&stage->before);
	assert_int_equal(grown.aborts_on_close, 0);
	assert_int_equal(grown.aborts_on_data, 0);
}

/* The program answers one more client, a byte for a byte. */
static void be_served(struct stage *stage)
{
	struct peer client;

	peer_connect(&client, PEER_IPV4, stage->peer.program_port);
	peer_try_send(&client, 1);
	peer_receive(&client, 1);
	peer_finish(&client);
	peer_receive_end(&client);
	peer_close(&client);
}

/* All of the peers linger and do not finish: none is reset by what it sends now. When each has
 * finished, each has ended with FIN, and the program is alone. */
static void assert_all_linger_and_end(struct stage *stage)
{
	assert_int_equal(peers_receive_end(&peers, 0), peers.count);
	assert_int_equal(peers_send(&peers, 10), 0);
	assert_nothing_was_reset(stage);
	peers_finish(&peers);
	await_reports(stage, peers.count, "drained 11, fin in ");
	process_await_single(stage->program.pid);
	assert_nothing_was_reset(stage);
}

/* ---- many ---------------------------------------------------------------------------------- */

static void test_background_of_silent_peers_holds_nobody_up(void **state)
{
	struct stage *stage =
		start(100, (struct program_options){.mode = "fin", .environment = {FOREVER}},
			"close 100 serve-until enough hear go");

	(void)state;
	assert_true(program_hear_number(&stage->program, "slowest-us ") < CLOSE_MAX_US);
	assert_int_equal(peers_receive_end(&peers, 0), 100);
	be_served(stage);
	program_say(&stage->program, "enough");
	assert_all_linger_and_end(stage);
	assert_int_equal(capture_count(&stage->capture, stage->peer.program_port, SEGMENT_RST), 0);
	assert_ends(stage, 0);
}

static void test_background_without_library_resets_each(void **state)
{
	struct stage *stage =
		start(100, (struct program_options){.mode = NULL}, "close 100 hear go");

	(void)state;
	program_hear_number(&stage->program, "slowest-us ");
	assert_int_equal(peers_receive_end(&peers, 0), 0);
	assert_int_equal(counters_since(&stage->before).aborts_on_close, 100);
	assert_ends(stage, 0);
}

/* When always: nothing is unread at the close, and what comes late meets no reset either. */
static void test_background_always_late_bytes_meet_no_reset(void **state)
{
	struct stage *stage = stage_open(PEER_IPV4);

	(void)state;
	program_start(&stage->program,
		&(struct program_options){.mode = "fin",
			.environment = {FOREVER, "SAFECLOSE_WHEN=always"},
			.executable = "server",
			.wants_all_reports = true},
		"listen accept 100 close 100 hear go");
	stage->peer.program_port = (uint16_t)program_hear_number(&stage->program, "port ");
	peers_connect(&peers, stage->peer.program_port, 100);
	assert_true(program_hear_number(&stage->program, "slowest-us ") < CLOSE_MAX_US);
	assert_int_equal(peers_receive_end(&peers, 0), 100);
	assert_int_equal(peers_send(&peers, 10), 0);
	peers_finish(&peers);
	await_reports(stage, 100, "drained 10, fin in ");
	assert_nothing_was_reset(stage);
	assert_ends(stage, 0);
}

static bool may_open(rlim_t wanted)
{
	struct rlimit limit;

	assert_return_code(getrlimit(RLIMIT_NOFILE, &limit), errno);
	if (limit.rlim_cur < wanted && limit.rlim_max >= wanted) {
		limit.rlim_cur = wanted;
		assert_return_code(setrlimit(RLIMIT_NOFILE, &limit), errno);
	}
	return limit.rlim_cur >= wanted;
}

static void test_background_of_many_peers_is_bounded_in_memory(void **state)
{
	struct stage *stage;
	uint64_t before_bytes;
	uint64_t grown_bytes;
	pid_t tid;

	(void)state;
	if (!may_open(MANY_DESCRIPTORS)) {
		print_message("fewer than %d descriptors may be opened here\n", MANY_DESCRIPTORS);
		skip();
	}
	stage = start(MANY,
		(struct program_options){
			.mode = "fin", .environment = {FOREVER, "SAFECLOSE_LINGER_MAX=10000"}},
		"hear close close 10000 say closed hear go");
	before_bytes = process_resident_bytes(stage->program.pid);
	program_say(&stage->program, "close");
	program_hear(&stage->program, "closed");
	assert_int_equal(peers_receive_end(&peers, 0), MANY);
	tid = process_background_tid(stage->program.pid);
	assert_true(process_sockets_apart(stage->program.pid, tid) >= MANY);
	grown_bytes = process_resident_bytes(stage->program.pid) - before_bytes;
	/* A sanitizer keeps books of its own. */
	if (!sanitizer_is_any() && grown_bytes > (uint64_t)MANY * SLOT_BYTES) {
		fail_msg("%llu bytes for %d connections", (unsigned long long)grown_bytes, MANY);
	}
	assert_all_linger_and_end(stage);
	assert_ends(stage, 0);
}

static void test_background_at_its_maximum_ends_the_oldest(void **state)
{
	struct stage *stage = start(6,
		(struct program_options){
			.mode = "fin", .environment = {FOREVER, "SAFECLOSE_LINGER_MAX=4"}},
		"close 6 serve-until enough hear go");
	uint16_t ports[6];

	(void)state;
	for (size_t i = 0; i < 6; i++) {
		ports[i] = peers_port(&peers.list[i]);
	}
	await_reports(stage, 2, "limit (connections) in ");
	be_served(stage);
	assert_int_equal(peers_receive_end(&peers, 0), 6);
	assert_int_equal(text_lines(program_errors(&stage->program)), 2);
	for (size_t i = 0; i < 6; i++) {
		char text[32];

		snprintf(text, sizeof(text), ":%u: ", ports[i]);
		assert_int_equal(text_lines_with(program_errors(&stage->program), text, "limit ("),
			i < 2 ? 1 : 0);
	}
	assert_nothing_was_reset(stage);
	/* The other four go on lingering. */
	for (size_t i = 2; i < 6; i++) {
		assert_int_equal(peer_try_send(&peers.list[i], 10), 10);
		assert_int_equal(peer_await_acked(&peers.list[i]), 0);
	}
	peers_finish(&peers);
	await_reports(stage, 4, "drained 11, fin in ");
	program_say(&stage->program, "enough");
	assert_ends(stage, 0);
}

/* ---- hostile ------------------------------------------------------------------------------- */

/* So that a whole answer lies in the program's kernel at its close. In this namespace only. */
static void let_answers_queue(void)
{
	static const char size[] = "4096 16777216 33554432";
	int fd = open("/proc/sys/net/ipv4/tcp_wmem", O_WRONLY | O_CLOEXEC);
	bool is_set = fd >= 0 && write(fd, size, sizeof(size) - 1) == sizeof(size) - 1;

	if (fd >= 0) {
		close(fd);
	}
	if (!is_set) {
		print_message("net.ipv4.tcp_wmem cannot be set here: %s\n", strerror(errno));
		skip();
	}
}

/* Like start(), but each connection of the program's takes what it writes without waiting. */
static struct stage *start_with_queues(
	size_t count, struct program_options options, const char *words)
{
	struct stage *stage = stage_open(PEER_IPV4);

	let_answers_queue();
	options.executable = "server";
	options.wants_all_reports = true;
	program_start(
		&stage->program, &options, "listen accept %zu await-unread 1 %s", count, words);
	stage->peer.program_port = (uint16_t)program_hear_number(&stage->program, "port ");
	peers_connect(&peers, stage->peer.program_port, count);
	assert_true(peers_send(&peers, 1) == 0 || !options.mode);
	return stage;
}

enum { FLOODS, TRICKLES, KEEPS_STILL, NEVER_READS, CLOSES_ITS_WINDOW, HOSTILE_COUNT };

/*
 * One limit at a time, the others out of reach: so it does not matter how fast the machine is. Which
 * of the peers that limit ends, and not before lasted_ms.
 */
struct limit {
	const char *environment[3];
	const char *end;
	double lasted_ms;
	bool is_met_by[HOSTILE_COUNT];
};

static const struct limit limit_of_bytes = {
	.environment = {FOREVER, "SAFECLOSE_DRAIN_MAX=8M"},
	.end = "drained 8388608, limit (bytes) in ",
	.is_met_by = {[FLOODS] = true},
};

static const struct limit limit_of_time = {
	.environment = {"SAFECLOSE_LINGER_TIME=1s", "SAFECLOSE_LINGER_TIMEOUT=60s",
		"SAFECLOSE_DRAIN_MAX=1024G"},
	.end = "timeout (time) in ",
	.lasted_ms = 1000,
	.is_met_by = {true, true, true, true, true},
};

static const struct limit limit_of_silence = {
	.environment = {"SAFECLOSE_LINGER_TIME=60s", "SAFECLOSE_LINGER_TIMEOUT=400ms"},
	.end = "timeout (silence) in ",
	.lasted_ms = 400,
	.is_met_by = {[KEEPS_STILL] = true, [NEVER_READS] = true, [CLOSES_ITS_WINDOW] = true},
};

static void misbehave(void)
{
	for (int i = 0; i < 16; i++) {
		peer_try_send(&peers.list[FLOODS], 16384);
	}
	peer_try_send(&peers.list[TRICKLES], 1);
}

/* The report of each that meets the limit, where they are all there. */
static size_t count_met(struct stage *stage, const struct limit *limit)
{
	const char *errors = program_errors(&stage->program);
	size_t met = 0;

	for (int i = 0; i < HOSTILE_COUNT; i++) {
		char text[32];
		const char *line;

		snprintf(text, sizeof(text), ":%u: ", peers_port(&peers.list[i]));
		line = limit->is_met_by[i] ? strstr(errors, text) : NULL;
		if (line && text_lines_with(errors, text, limit->end) != 1) {
			fail_msg("expected \"%s\" with \"%s\" in:\n%s", text, limit->end, errors);
		}
		if (line) {
			assert_true(text_number_after(line, " in ") >= limit->lasted_ms);
			met++;
		}
	}
	return met;
}

/* Each of the peers misbehaves until the limit has ended those that it is for; the program serves
 * others all the while. */
static void meet(const struct limit *limit)
{
	struct stage *stage = start_with_queues(HOSTILE_COUNT,
		(struct program_options){.mode = "fin",
			.environment = {limit->environment[0], limit->environment[1],
				limit->environment[2]}},
		"write 8000000 close 5 serve-until enough hear go");
	uint64_t before_bytes = process_resident_bytes(stage->program.pid);
	int64_t deadline = deadline_in(DEADLINE_MS);
	size_t wanted = 0;

	for (int i = 0; i < HOSTILE_COUNT; i++) {
		wanted += limit->is_met_by[i];
	}
	peer_receive_end(&peers.list[KEEPS_STILL]);
	peer_receive(&peers.list[CLOSES_ITS_WINDOW], 100000);
	while (count_met(stage, limit) < wanted) {
		misbehave();
		be_served(stage);
		assert_true(deadline_pause(deadline));
	}
	assert_true(sanitizer_is_any() ||
		    process_resident_bytes(stage->program.pid) < before_bytes + (1 << 20));
	program_say(&stage->program, "enough");
	peers_close(&peers);
	process_await_single(stage->program.pid);
	assert_ends(stage, 0);
}

static void test_background_of_endless_senders_ends_at_their_bytes(void **state)
{
	(void)state;
	meet(&limit_of_bytes);
}

static void test_background_of_hostile_peers_ends_in_time(void **state)
{
	(void)state;
	meet(&limit_of_time);
}

static void test_background_of_stalled_peers_ends_in_silence(void **state)
{
	(void)state;
	meet(&limit_of_silence);
}

enum { SLOWLY_BYTES_PER_MS = 2000, SLOWLY_MS = 2500 };

/* Bytes of the program's that are acknowledged are life, though the peer sends nothing. */
static void test_background_of_a_slow_reader_waits_for_it(void **state)
{
	struct stage *stage = start_with_queues(1,
		(struct program_options){
			.mode = "fin", .environment = {"SAFECLOSE_LINGER_TIMEOUT=1s"}},
		"write 8000000 close 1 hear go");
	struct peer *peer = &peers.list[0];
	int64_t deadline = deadline_in(DEADLINE_MS);
	int64_t start_ms = deadline_now();
	int64_t lasted_ms;

	(void)state;
	program_hear_number(&stage->program, "slowest-us ");
	while ((lasted_ms = deadline_now() - start_ms) < SLOWLY_MS) {
		if (peer->received_bytes < (uint64_t)lasted_ms * SLOWLY_BYTES_PER_MS) {
			peer_receive(peer, SLOWLY_BYTES_PER_MS);
		}
		assert_true(deadline_pause(deadline));
	}
	assert_string_equal(program_errors(&stage->program), "");
	peer_receive_end(peer);
	assert_int_equal(peer->error, 0);
	assert_int_equal(peer->received_bytes, 8000000);
	peer_finish(peer);
	await_reports(stage, 1, "drained 1, fin in ");
	assert_nothing_was_reset(stage);
	assert_ends(stage, 0);
}

/* ---- answers ------------------------------------------------------------------------------- */

enum { BATCH = 10, BATCHES = 10 };

/* Receive to the end, and send a little all the while. */
static void receive_and_send(struct peer *peer)
{
	int64_t deadline = deadline_in(DEADLINE_MS);
	uint64_t before_bytes;

	do {
		peer_try_send(peer, 1000);
		before_bytes = peer->received_bytes;
		if (!peers_receive_some(peer)) {
			peer_late_error(peer);
			return;
		}
	} while (peer->received_bytes > before_bytes || deadline_pause(deadline));
	fail_msg(
		"the answer has no end after %llu bytes", (unsigned long long)peer->received_bytes);
}

/* Answers of 4 MiB to a batch of peers that are still sending. Returns how many came whole. */
static size_t answer_senders(const char *mode)
{
	struct stage *stage = start_with_queues(BATCH, (struct program_options){.mode = mode},
		"write 4194304 close 10 say closed hear go");
	size_t whole = 0;

	program_hear(&stage->program, "closed");
	for (size_t i = 0; i < BATCH; i++) {
		receive_and_send(&peers.list[i]);
	}
	/* What they send after the program's FIN would have been answered by now. */
	netns_settle();
	for (size_t i = 0; i < BATCH; i++) {
		struct peer *peer = &peers.list[i];

		peer_late_error(peer);
		whole += peer->error == 0 && peer->received_bytes == ANSWER_BYTES;
	}
	peers_close(&peers);
	assert_ends(stage, 0);
	stage_close(stage);
	return whole;
}

static void test_background_answers_to_senders_come_whole(void **state)
{
	size_t whole = 0;

	(void)state;
	for (int i = 0; i < BATCHES; i++) {
		whole += answer_senders("fin");
	}
	assert_int_equal(whole, BATCH * BATCHES);
}

static void test_background_answers_without_library_are_cut_off(void **state)
{
	(void)state;
	assert_int_equal(answer_senders(NULL), 0);
}

/* ---- the end of the process ---------------------------------------------------------------- */

/* The first is what holds without a word about it. What is set is longer: it cannot be late then. */
enum { EXIT_DEFAULT_MS = 2000, EXIT_SET_MS = 3000 };

/* Wait for the program's end while the peers go on trickling. Returns the time in milliseconds. */
static int64_t trickle_until_exit(struct stage *stage)
{
	int64_t start_ms = deadline_now();
	int64_t deadline = deadline_in(DEADLINE_MS);
	siginfo_t info = {.si_pid = 0};

	while (info.si_pid == 0) {
		for (size_t i = 0; i < peers.count; i++) {
			peer_try_send(&peers.list[i], 1);
		}
		assert_true(deadline_pause(deadline));
		assert_return_code(
			waitid(P_PID, (id_t)stage->program.pid, &info, WEXITED | WNOHANG | WNOWAIT),
			errno);
	}
	return deadline_now() - start_ms;
}

/* Twenty connections linger and do not come to an end. */
static int64_t exit_among_tricklers(const char *exit_timeout, const char *words)
{
	struct stage *stage = start(20,
		(struct program_options){.mode = "fin", .environment = {FOREVER, exit_timeout}},
		words);
	int64_t lasted_ms;

	assert_int_equal(peers_receive_end(&peers, 0), 20);
	program_say(&stage->program, "end");
	lasted_ms = trickle_until_exit(stage);
	assert_int_equal(program_await_exit(&stage->program), 7);
	await_reports(stage, 20, "timeout (exit) in ");
	return lasted_ms;
}

static void test_background_exit_gives_all_its_timeout_together(void **state)
{
	int64_t lasted_ms =
		exit_among_tricklers("SAFECLOSE_EXIT_TIMEOUT=3s", "close 20 hear end exit 7");

	(void)state;
	assert_in_range(lasted_ms, EXIT_SET_MS - 20, FAR_MS);
}

static void test_background_underscore_exit_gives_the_same(void **state)
{
	int64_t lasted_ms =
		exit_among_tricklers("SAFECLOSE_EXIT_TIMEOUT=3s", "close 20 hear end exit-now 7");

	(void)state;
	assert_in_range(lasted_ms, EXIT_SET_MS - 20, FAR_MS);
}

static void test_background_exit_without_timeout_does_not_wait(void **state)
{
	int64_t lasted_ms =
		exit_among_tricklers("SAFECLOSE_EXIT_TIMEOUT=0", "close 20 hear end exit 7");

	(void)state;
	assert_in_range(lasted_ms, 0, EXIT_DEFAULT_MS);
}

/* All they were to get has arrived, and they say nothing: no need to wait for the timeout. */
static void test_background_exit_does_not_wait_for_silence(void **state)
{
	struct stage *stage = start(20,
		(struct program_options){
			.mode = "fin", .environment = {FOREVER, "SAFECLOSE_EXIT_TIMEOUT=30s"}},
		"close 20 hear go exit 7");
	int64_t start_ms;

	(void)state;
	assert_int_equal(peers_receive_end(&peers, 0), 20);
	start_ms = deadline_now();
	assert_ends(stage, 7);
	assert_in_range(deadline_now() - start_ms, 0, FAR_MS);
	await_reports(stage, 20, "fin (exit) in ");
	assert_nothing_was_reset(stage);
}

/* The process is as good as gone when its peer begins to read. */
static void test_background_exit_waits_for_an_answer_to_be_read(void **state)
{
	struct stage *stage = start_with_queues(1,
		(struct program_options){
			.mode = "fin", .environment = {"SAFECLOSE_EXIT_TIMEOUT=15s"}},
		"write 4194304 close 1 say closed exit 7");

	(void)state;
	program_hear(&stage->program, "closed");
	receive_and_send(&peers.list[0]);
	assert_int_equal(peers.list[0].error, 0);
	assert_int_equal(peers.list[0].received_bytes, ANSWER_BYTES);
	peer_finish(&peers.list[0]);
	assert_int_equal(program_await_exit(&stage->program), 7);
	await_reports(stage, 1, "fin in ");
	assert_nothing_was_reset(stage);
}

/* ---- other processes ----------------------------------------------------------------------- */

/* The child lives on, has none of what lingers, and the parent's end is as if there were no child. */
static void fork_while_lingering(const char *words)
{
	struct stage *stage =
		start(20, (struct program_options){.mode = "fin", .environment = {FOREVER}}, words);
	pid_t tid;
	pid_t child;

	assert_int_equal(peers_receive_end(&peers, 0), 20);
	program_say(&stage->program, "fork");
	child = (pid_t)program_hear_number(&stage->program, "child ");
	tid = process_background_tid(stage->program.pid);
	assert_true(process_sockets_apart(stage->program.pid, tid) >= 20);
	assert_int_equal(process_sockets_shared(stage->program.pid, tid, child), 0);
	assert_int_equal(process_threads(child), 1);
	assert_all_linger_and_end(stage);
	assert_int_equal(text_lines_with(program_errors(&stage->program), "held", NULL), 0);
	assert_int_equal(process_threads(child), 1);
	assert_ends(stage, 0);
}

static void test_background_fork_child_has_none(void **state)
{
	(void)state;
	fork_while_lingering("close 20 hear fork fork hear go");
}

static void test_background_raw_fork_child_has_none(void **state)
{
	(void)state;
	fork_while_lingering("close 20 hear fork fork-raw hear go");
}

/* A child's own connections linger in the child, beside its parent's. */
static void linger_in_parent_and_child(const char *fork_word)
{
	struct stage *stage = stage_open(PEER_IPV4);

	peer_listen(&stage->other_peer, PEER_IPV4);
	program_start(&stage->program,
		&(struct program_options){.mode = "fin", .environment = {FOREVER}},
		"connect 3 %s await-unread 3 100 close 3 say closed %s "
		"connect 3 %s await-unread 3 50 close 3 say child-closed hear end end "
		"wait hear go",
		stage->peer.target, fork_word, stage->other_peer.target);
	peer_accept(&stage->peer);
	peer_send(&stage->peer, 100);
	peer_accept(&stage->other_peer);
	peer_send(&stage->other_peer, 50);
	program_hear(&stage->program, "child-closed");
	peer_receive_end(&stage->peer);
	peer_receive_end(&stage->other_peer);
	peer_send(&stage->peer, 10);
	peer_send(&stage->other_peer, 10);
	peer_finish(&stage->other_peer);
	await_reports(stage, 1, "50 unread, 0 unacknowledged; drained 60, fin in ");
	program_say(&stage->program, "end");
	program_hear(&stage->program, "child ended 0");
	peer_finish(&stage->peer);
	await_reports(stage, 1, "100 unread, 0 unacknowledged; drained 110, fin in ");
	assert_nothing_was_reset(stage);
	assert_ends(stage, 0);
}

static void test_background_of_parent_and_child_are_apart(void **state)
{
	(void)state;
	linger_in_parent_and_child("fork");
}

static void test_background_of_parent_and_raw_child_are_apart(void **state)
{
	(void)state;
	linger_in_parent_and_child("fork-by syscall");
}

/* The new image, which has no library, finds the descriptors that the program had, and no others. */
static size_t descriptors_after_exec(const char *mode)
{
	struct stage *stage = start(20,
		(struct program_options){
			.mode = mode, .environment = {FOREVER, "SAFECLOSE_EXIT_TIMEOUT=200ms"}},
		"close 20 hear exec exec-alone say here hear go");
	pid_t pid = stage->program.pid;
	size_t count;

	assert_int_equal(peers_receive_end(&peers, 0), mode ? 20 : 0);
	program_say(&stage->program, "exec");
	program_hear(&stage->program, "here");
	assert_int_equal(process_threads(pid), 1);
	count = process_descriptors(pid);
	if (mode) {
		await_reports(stage, 20, " in ");
		assert_nothing_was_reset(stage);
	}
	peers_close(&peers);
	assert_ends(stage, 0);
	stage_close(stage);
	return count;
}

static void test_background_exec_leaks_nothing(void **state)
{
	size_t count = descriptors_after_exec(NULL);

	(void)state;
	assert_int_equal(descriptors_after_exec("fin"), count);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(
			test_background_of_silent_peers_holds_nobody_up, end_test),
		cmocka_unit_test_teardown(test_background_without_library_resets_each, end_test),
		cmocka_unit_test_teardown(
			test_background_always_late_bytes_meet_no_reset, end_test),
		cmocka_unit_test_teardown(
			test_background_of_many_peers_is_bounded_in_memory, end_test),
		cmocka_unit_test_teardown(test_background_at_its_maximum_ends_the_oldest, end_test),
		cmocka_unit_test_teardown(
			test_background_of_endless_senders_ends_at_their_bytes, end_test),
		cmocka_unit_test_teardown(test_background_of_hostile_peers_ends_in_time, end_test),
		cmocka_unit_test_teardown(
			test_background_of_stalled_peers_ends_in_silence, end_test),
		cmocka_unit_test_teardown(test_background_of_a_slow_reader_waits_for_it, end_test),
		cmocka_unit_test_teardown(test_background_answers_to_senders_come_whole, end_test),
		cmocka_unit_test_teardown(
			test_background_answers_without_library_are_cut_off, end_test),
		cmocka_unit_test_teardown(
			test_background_exit_gives_all_its_timeout_together, end_test),
		cmocka_unit_test_teardown(test_background_underscore_exit_gives_the_same, end_test),
		cmocka_unit_test_teardown(
			test_background_exit_without_timeout_does_not_wait, end_test),
		cmocka_unit_test_teardown(test_background_exit_does_not_wait_for_silence, end_test),
		cmocka_unit_test_teardown(
			test_background_exit_waits_for_an_answer_to_be_read, end_test),
		cmocka_unit_test_teardown(test_background_fork_child_has_none, end_test),
		cmocka_unit_test_teardown(test_background_raw_fork_child_has_none, end_test),
		cmocka_unit_test_teardown(test_background_of_parent_and_child_are_apart, end_test),
		cmocka_unit_test_teardown(
			test_background_of_parent_and_raw_child_are_apart, end_test),
		cmocka_unit_test_teardown(test_background_exec_leaks_nothing, end_test),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
