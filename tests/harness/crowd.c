// SPDX-License-Identifier: MIT
#include "crowd.h"
#include "deadline.h"
#include "netns.h"
#include "pattern.h"
#include "stage.h"
#include "unit.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { MEMBERS_MAX = 2048, LISTENER = 0, PROGRAM = 1, OUTPUT = 2, FIRST_MEMBER = 3 };

static struct {
	struct pollfd polled[FIRST_MEMBER + MEMBERS_MAX]; /* all but the listener are its own */
	size_t count;                                     /* 0: not open */
	const struct crowd_options *options;
	struct crowd_end end;
} crowd;

/* Connections that have ended, and that peers who stay keep. */
static struct {
	int fds[MEMBERS_MAX];
	size_t count;
} kept;

static void close_crowd(void)
{
	if (crowd.count > PROGRAM) {
		close(crowd.polled[PROGRAM].fd);
	}
	for (size_t i = FIRST_MEMBER; i < crowd.count; i++) {
		close(crowd.polled[i].fd);
	}
	while (kept.count > 0) {
		close(kept.fds[--kept.count]);
	}
	memset(&crowd, 0, sizeof(crowd));
}

int crowd_teardown(void **state)
{
	close_crowd();
	return stage_teardown(state);
}

static void open_crowd(const struct stage *stage, const struct crowd_options *options)
{
	int pidfd = (int)syscall(SYS_pidfd_open, stage->program.pid, 0);

	assert_return_code(pidfd, errno);
	crowd.polled[LISTENER] = (struct pollfd){.fd = stage->peer.listener, .events = POLLIN};
	crowd.polled[PROGRAM] = (struct pollfd){.fd = pidfd, .events = POLLIN};
	crowd.polled[OUTPUT] = (struct pollfd){.fd = stage->program.output, .events = POLLIN};
	crowd.count = FIRST_MEMBER;
	crowd.options = options;
}

static void accept_member(void)
{
	uint8_t bytes[CROWD_BYTES];
	int fd = accept4(crowd.polled[LISTENER].fd, NULL, NULL, SOCK_CLOEXEC);

	assert_return_code(fd, errno);
	assert_true(crowd.count < FIRST_MEMBER + MEMBERS_MAX);
	pattern_fill(bytes, sizeof(bytes), 0);
	send(fd, bytes, sizeof(bytes), MSG_NOSIGNAL | MSG_DONTWAIT);
	crowd.polled[crowd.count++] = (struct pollfd){.fd = fd, .events = POLLIN};
	crowd.end.connections++;
}

static void note_end(int fd, bool is_eof)
{
	int error = 0;
	socklen_t size = sizeof(error);

	getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
	if (!is_eof || error) {
		crowd.end.errors++;
		return;
	}
	crowd.end.fins++;
	if (crowd.options->sends_late) {
		send(fd, "l", 1, MSG_NOSIGNAL | MSG_DONTWAIT);
		send(fd, "!", 1, MSG_NOSIGNAL | MSG_DONTWAIT | MSG_OOB);
	}
}

/* Returns false once the connection has ended. */
static bool serve_member(int fd)
{
	uint8_t bytes[4096];
	ssize_t received;

	while ((received = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT)) > 0) {
		crowd.end.received_bytes += (uint64_t)received;
	}
	if (received < 0 && errno == EAGAIN) {
		return true;
	}
	note_end(fd, received == 0);
	if (crowd.options->stays && kept.count < MEMBERS_MAX) {
		kept.fds[kept.count++] = fd;
	} else {
		close(fd);
	}
	return false;
}

static void serve_members(void)
{
	for (size_t i = crowd.count; i-- > FIRST_MEMBER;) {
		if (crowd.polled[i].revents && !serve_member(crowd.polled[i].fd)) {
			crowd.polled[i] = crowd.polled[--crowd.count];
		}
	}
}

/* What goes on slowly, under a load or a checker, goes on: the deadline is for the next step. */
static size_t steps_taken(void)
{
	return crowd.end.connections + crowd.end.fins + crowd.end.errors;
}

static void serve(struct program *program)
{
	int64_t deadline = deadline_in(DEADLINE_MS);
	size_t steps = 0;
	bool has_ended = false;

	/* Once the program has ended, an empty queue of the listener stays empty. */
	while (!has_ended || crowd.count > FIRST_MEMBER || crowd.polled[LISTENER].revents) {
		if (poll(crowd.polled, crowd.count, deadline_left_ms(deadline)) == 0) {
			print_message("script: %s\nstdout:\n%s\nstderr:\n%s\n", program->script,
				program_output(program), program_errors(program));
			fail_msg("%zu of %zu connections or the program did not end",
				crowd.count - FIRST_MEMBER, crowd.end.connections);
		}
		serve_members();
		if (crowd.polled[LISTENER].revents) {
			accept_member();
		}
		if (steps_taken() != steps) {
			steps = steps_taken();
			deadline = deadline_in(DEADLINE_MS);
		}
		if (crowd.polled[OUTPUT].revents && !program_pump(program, 0)) {
			crowd.polled[OUTPUT].fd = -1;
		}
		if (crowd.polled[PROGRAM].revents) {
			has_ended = true;
			crowd.polled[PROGRAM].events = 0;
			close(crowd.polled[PROGRAM].fd);
			crowd.polled[PROGRAM].fd = -1;
			poll(crowd.polled, 1, 0);
		}
	}
}

struct crowd_end crowd_run(const struct crowd_options *options, const char *format, ...)
{
	struct stage *stage;
	struct program_options program = options->program;
	struct crowd_end result;
	va_list arguments;
	char *words;

	close_crowd();
	stage = stage_open_uncaptured(PEER_IPV4);
	va_start(arguments, format);
	assert_true(vasprintf(&words, format, arguments) >= 0);
	va_end(arguments);
	program.is_alone = true; /* once one is, all are */
	program_start(&stage->program, &program, "%u %s", stage->peer.port, words);
	free(words);
	open_crowd(stage, options);
	serve(&stage->program);
	result = crowd.end;
	result.status = program_await_exit(&stage->program);
	netns_settle();
	result.grown = counters_since(&stage->before);
	result.output = program_output(&stage->program);
	result.report = program_errors(&stage->program);
	return result;
}

static void assert_ended(const struct crowd_end *end, size_t connections)
{
	if (end->status != 0) {
		fail_msg("status %d:\n%s%s", end->status, end->output, end->report);
	}
	assert_int_equal(end->connections, connections);
}

void assert_crowd_was_fin(const struct crowd_end *end, size_t connections)
{
	assert_ended(end, connections);
	assert_int_equal(end->grown.aborts_on_close, 0);
	assert_int_equal(end->grown.aborts_on_data, 0);
	assert_int_equal(end->errors, 0);
	assert_int_equal(end->fins, connections);
}

void assert_crowd_was_reset(const struct crowd_end *end, size_t connections)
{
	assert_ended(end, connections);
	assert_int_equal(end->grown.aborts_on_close, connections);
	assert_int_equal(end->errors, connections);
}
