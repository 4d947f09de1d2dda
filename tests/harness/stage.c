// SPDX-License-Identifier: MIT
#include "stage.h"
#include "netns.h"
#include "unit.h"

#include <stdlib.h>
#include <string.h>

static struct stage the_stage;

static struct stage *open_stage(enum peer_family family, bool is_captured)
{
	struct stage *stage = &the_stage;

	stage_close(stage);
	netns_enter();
	if (is_captured) {
		capture_open(&stage->capture);
	}
	stage->before = counters_read();
	peer_listen(&stage->peer, family);
	return stage;
}

struct stage *stage_open(enum peer_family family)
{
	return open_stage(family, true);
}

struct stage *stage_open_uncaptured(enum peer_family family)
{
	return open_stage(family, getenv("HARNESS_VERBOSE") != NULL);
}

struct stage_end stage_finish(struct stage *stage, bool is_told)
{
	peer_receive_end(&stage->peer);
	netns_settle();
	peer_late_error(&stage->peer);
	peer_hang_up(&stage->peer);
	if (is_told) {
		program_say(&stage->program, "go");
	}
	return stage_judge(stage, program_await_exit(&stage->program));
}

struct stage_end stage_judge(struct stage *stage, int status)
{
	uint16_t port = stage->peer.program_port;

	if (stage->peer.family == PEER_MPTCP && port != 0) {
		/* The kernel ends the path in its own time, behind the end of the connection. */
		capture_await(&stage->capture, port, SEGMENT_FIN | SEGMENT_RST);
	}
	netns_settle();
	return (struct stage_end){
		.family = stage->peer.family,
		.status = status,
		.peer_error = stage->peer.error,
		.received_bytes = stage->peer.received_bytes,
		.was_fin_sent = capture_saw(&stage->capture, port, SEGMENT_FIN),
		.was_rst_sent = capture_saw(&stage->capture, port, SEGMENT_RST),
		.grown = counters_since(&stage->before),
		.output = program_output(&stage->program),
		.errors = program_errors(&stage->program),
	};
}

static void tell(struct stage *stage)
{
	print_message("--- %s\n", stage->program.script);
	capture_print(&stage->capture);
	print_message("%s%s", program_output(&stage->program), program_errors(&stage->program));
}

void stage_close(struct stage *stage)
{
	if (stage->program.script && getenv("HARNESS_VERBOSE")) {
		tell(stage);
	}
	program_end(&stage->program);
	peer_close(&stage->peer);
	peer_close(&stage->other_peer);
	capture_close(&stage->capture);
	memset(stage, 0, sizeof(*stage));
}

int stage_teardown(void **state)
{
	(void)state;
	stage_close(&the_stage);
	return 0;
}
