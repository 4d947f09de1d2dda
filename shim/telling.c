// SPDX-License-Identifier: MIT
#include "telling.h"
#include "audit.h"
#include "buffers.h"
#include "clock.h"
#include "guess.h"
#include "json.h"
#include "policy.h"
#include "process.h"
#include "program.h"
#include "report.h"
#include "sink.h"
#include "stacks.h"
#include "sys.h"
#include "tally.h"

void sc_telling_init(void)
{
	sc_audit_init();
	if (sc_config.format == SC_FORMAT_JSON) {
		sc_program_init();
	}
}

static uint64_t now_us(void)
{
	return sc_clock_ns(CLOCK_MONOTONIC) / 1000;
}

static size_t format(const struct sc_event *event, char *line, size_t size)
{
	return sc_config.format == SC_FORMAT_JSON ? sc_json_format(event, line, size)
						  : sc_report_format(event, line, size);
}

/* Where no other buffer is free, on a stack that may be small. */
static void write_line(const struct sc_event *event)
{
	char few[SC_JSON_SIZE_MIN];
	char *buffer = sc_process_is_own_memory() ? sc_buffers_take(event->pid) : NULL;
	char *line = buffer != NULL ? buffer : few;
	size_t length = format(event, line, buffer != NULL ? SC_REPORT_LINE_MAX : sizeof(few));
	if (length > 0) {
		sc_sink_write(line, length, event->pid);
	}
	sc_buffers_give_back(buffer);
}

static void add_note(struct sc_event *event, const struct sc_note *note)
{
	event->tid = note->tid;
	event->comm = note->comm[0] != '\0' ? note->comm : NULL;
	event->guess = sc_guess_name((enum sc_guess)note->guess);
	event->preview = note->preview_bytes > 0 ? note->preview : NULL;
	event->preview_bytes = note->preview_bytes;
}

void sc_telling_prepare(const struct sc_job *job)
{
	struct sc_site stack[sc_config.stack_frames + 1];
	sc_stacks_get(&job->origin, stack);
}

void sc_telling_tell(
	const struct sc_job *job, const struct sc_note *note, const struct sc_linger_end *end)
{
	if (!sc_policy_is_reported(&sc_config, &job->conn, end->outcome, end->drained_bytes)) {
		return;
	}
	struct sc_site stack[sc_config.stack_frames +
			     1]; /* no more than need be: the stack may be small */
	struct sc_event event = {
		.pid = sc_sys_getpid(),
		.fd = job->fd,
		.exe = sc_program_path(),
		.via = (enum sc_via)job->via,
		.mode = sc_config.mode,
		.outcome = end->outcome,
		.why = end->why,
		.conn = job->conn,
		.drained_bytes = end->drained_bytes,
		.elapsed_us = now_us() - job->begun_us,
		.stack = stack,
	};
	event.closed_us = sc_clock_ns(CLOCK_REALTIME) / 1000 - event.elapsed_us;
	if (note != NULL && sc_note_size() > 0) {
		add_note(&event, note);
	}
	event.stack_count = sc_stacks_get(&job->origin, stack);
	if (event.stack_count > 0) {
		event.site = stack[0];
	}
	sc_tally_count(&event);
	if (sc_audit_admit(job->origin.site, &job->conn, end->outcome, end->why, event.pid)) {
		write_line(&event);
	}
}

void sc_telling_tell_outcome(const struct sc_job *job, const struct sc_note *note,
	enum sc_outcome outcome, const char *why)
{
	struct sc_linger_end end = {outcome, why, 0};
	sc_telling_tell(job, note, &end);
}
