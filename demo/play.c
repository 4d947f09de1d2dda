// SPDX-License-Identifier: MIT
/*
 * Play one scene. The stage is a forked process, so that what it enters and sets ends with it; it
 * starts the server, then the client, and watches processes, output and wire from one poll() loop
 * until all of them are done or the deadline has come.
 */
#include "play.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "netns.h"
#include "process.h"
#include "wire.h"

enum {
	RUN_MS = 2800,     /* server and client; a run that goes well takes the server's second */
	WIRE_MS = 300,     /* what the wire may take after both have ended */
	STAGE_SECONDS = 3, /* the whole run; only a stage that hangs comes to feel it */
};

struct stage {
	const struct theatre *theatre;
	const struct scene *scene;
	struct sighting *seen;
	struct process server, client;
	int capture_fd; /* -1: there is none */
	int child_fd;   /* readable when a child has ended */
	unsigned port;  /* of the server; 0: not told yet */
	int64_t deadline_ms;
};

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void start_server(struct stage *stage)
{
	char *late[] = {(char *)stage->theatre->server, "--late", NULL};
	char *usual[] = {(char *)stage->theatre->server, NULL};

	process_start(&stage->server, stage->scene->is_late ? late : usual, NULL);
}

static void start_client(struct stage *stage)
{
	const struct scene *scene = stage->scene;
	char port[16];
	char *early[] = {(char *)stage->theatre->client, "--early", port, NULL};
	char *usual[] = {(char *)stage->theatre->client, port, NULL};
	const struct process_preload preload = {
		.library = stage->theatre->library, .mode = scene->mode, .when = scene->when};

	snprintf(port, sizeof(port), "%u", stage->port);
	process_start(&stage->client, scene->is_late ? early : usual,
		scene->mode != NULL ? &preload : NULL);
}

/* The server tells its port in its first line; then the client may come. */
static void follow_server(struct stage *stage)
{
	if (stage->port == 0 && strchr(stage->seen->server.output, '\n') != NULL &&
		sscanf(stage->seen->server.output, "port %u", &stage->port) == 1) {
		start_client(stage);
	}
}

static bool are_processes_done(const struct stage *stage)
{
	return process_is_done(&stage->server) &&
	       (stage->port == 0 || process_is_done(&stage->client));
}

static bool is_wire_done(const struct stage *stage)
{
	return stage->capture_fd < 0 || stage->port == 0 ||
	       wire_read(&stage->seen->capture).is_finished;
}

/* Wait for something to happen, at most until the deadline, and take it in. */
static void watch_once(struct stage *stage, int64_t left_ms)
{
	enum { CHILD, SERVER, CLIENT, WIRE, COUNT };
	struct pollfd fds[COUNT] = {
		[CHILD] = {.fd = stage->child_fd, .events = POLLIN},
		[SERVER] = {.fd = stage->server.output_fd, .events = POLLIN},
		[CLIENT] = {.fd = stage->client.output_fd, .events = POLLIN},
		[WIRE] = {.fd = stage->port != 0 ? stage->capture_fd : -1, .events = POLLIN},
	};
	struct signalfd_siginfo child;

	if (poll(fds, COUNT, (int)left_ms) <= 0) {
		return;
	}
	if (fds[WIRE].revents != 0) {
		capture_read(stage->capture_fd, stage->port, &stage->seen->capture);
	}
	if (fds[SERVER].revents != 0) {
		process_read(&stage->server);
		follow_server(stage);
	}
	if (fds[CLIENT].revents != 0) {
		process_read(&stage->client);
	}
	if (fds[CHILD].revents != 0 && read(stage->child_fd, &child, sizeof(child)) > 0) {
		process_reap(&stage->server);
		process_reap(&stage->client);
	}
}

static void watch(struct stage *stage)
{
	bool were_done = false;

	stage->deadline_ms = now_ms() + RUN_MS;
	for (;;) {
		int64_t left_ms = stage->deadline_ms - now_ms();

		if (are_processes_done(stage) && !were_done) {
			were_done = true;
			left_ms = left_ms < WIRE_MS ? left_ms : WIRE_MS;
			stage->deadline_ms = now_ms() + left_ms;
		}
		if (left_ms <= 0 || (were_done && is_wire_done(stage))) {
			break;
		}
		watch_once(stage, left_ms);
	}
	process_kill(&stage->server);
	process_kill(&stage->client);
	if (stage->capture_fd >= 0) {
		capture_read(stage->capture_fd, stage->port, &stage->seen->capture);
	}
}

/* What the server told of the connection's end, in its last line. */
static void read_server(struct sighting *seen)
{
	const char *line = strstr(seen->server.output, "recv ");

	if (line == NULL || sscanf(line, "recv %31[^,], SO_ERROR %31[^,]", seen->recv_result,
				    seen->so_error) != 2) {
		seen->recv_result[0] = '\0';
		seen->so_error[0] = '\0';
	}
}

static int64_t growth(int64_t before, int64_t after)
{
	return before < 0 || after < 0 ? -1 : after - before;
}

static void run(struct stage *stage)
{
	struct sighting *seen = stage->seen;
	int64_t aborts = netns_counter("netstat", "TcpExt:", "TCPAbortOnClose");
	int64_t resets = netns_counter("snmp", "Tcp:", "OutRsts");

	stage->capture_fd = capture_open();
	seen->has_capture = stage->capture_fd >= 0;
	seen->capture_error = seen->has_capture ? 0 : stage->capture_fd;
	start_server(stage);
	watch(stage);
	read_server(seen);
	aborts = growth(aborts, netns_counter("netstat", "TcpExt:", "TCPAbortOnClose"));
	resets = growth(resets, netns_counter("snmp", "Tcp:", "OutRsts"));
	/* Where others use the namespace too, the counters count theirs as well. */
	seen->aborts = seen->has_netns ? aborts : -1;
	seen->resets_sent = seen->has_netns ? resets : -1;
	seen->is_complete = true;
}

/* The stage's process. Children are known by a signal descriptor, so nothing is polled for. */
static void perform(const struct theatre *theatre, const struct scene *scene, struct sighting *seen)
{
	struct stage stage = {.theatre = theatre, .scene = scene, .seen = seen, .capture_fd = -1};
	const char *step = "";
	sigset_t child;

	alarm(STAGE_SECONDS);
	process_init(&stage.server, &seen->server);
	process_init(&stage.client, &seen->client);
	if (theatre->with_netns) {
		seen->netns_error = netns_enter(&step);
		snprintf(seen->netns_step, sizeof(seen->netns_step), "%s", step);
		seen->has_netns = seen->netns_error == 0;
		if (!seen->has_netns) {
			return;
		}
	}
	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	sigprocmask(SIG_BLOCK, &child, NULL);
	stage.child_fd = signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK);
	if (stage.child_fd >= 0) {
		run(&stage);
	}
}

void play_scene(const struct theatre *theatre, const struct scene *scene, struct sighting *seen)
{
	pid_t stage;

	memset(seen, 0, sizeof(*seen));
	seen->aborts = -1;
	seen->resets_sent = -1;
	fflush(NULL);
	stage = fork();
	if (stage == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		perform(theatre, scene, seen);
		_exit(0);
	}
	/* The stage's alarm bounds this. */
	while (stage > 0 && waitpid(stage, NULL, 0) < 0 && errno == EINTR) {
	}
}
