// SPDX-License-Identifier: MIT
/*
 * Did a run end as it must? Wire, counters and the peer are asked each for itself; what could not
 * be watched here is left out, and the rest has to agree.
 */
#include "judge.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "wire.h"

struct bench {
	int count;
	char *text;
	size_t used, size;
};

static void complain(struct bench *bench, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void complain(struct bench *bench, const char *format, ...)
{
	char line[160];
	va_list args;
	int length;

	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	bench->count++;
	length = snprintf(bench->text + bench->used, bench->size - bench->used, "%s\n", line);
	if (length > 0 && (size_t)length < bench->size - bench->used) {
		bench->used += (size_t)length;
	}
}

static void judge_process(struct bench *bench, const char *who, const struct process_seen *process)
{
	switch (process->end) {
	case PROCESS_NOT_STARTED:
		complain(bench, "the %s was not started", who);
		break;
	case PROCESS_KILLED:
		complain(bench, "the %s still ran at the deadline", who);
		break;
	case PROCESS_SIGNALED:
		complain(bench, "the %s died of signal %d", who, process->status);
		break;
	case PROCESS_EXITED:
		if (process->status != 0) {
			complain(bench, "the %s's exit status is %d", who, process->status);
		}
		break;
	}
}

/* A report is one line: "safeclose[PID]: ... OUTCOME ..." */
static void judge_report(
	struct bench *bench, const struct scene *scene, const struct process_seen *client)
{
	const char *report = strstr(client->output, "safeclose[");
	char outcome[32];

	if (scene->outcome == NULL) {
		if (client->output[0] != '\0') {
			complain(bench, "the client said something, without the library");
		}
		return;
	}
	snprintf(outcome, sizeof(outcome), " %s ", scene->outcome);
	if (strstr(client->output, "cannot be preloaded") != NULL) {
		complain(bench, "the library was not loaded");
	} else if (report == NULL) {
		complain(bench, "the library reported nothing");
	} else if (strstr(report, outcome) == NULL) {
		complain(bench, "the library's report does not say%s", outcome);
	}
}

static void judge_wire(
	struct bench *bench, const struct scene *scene, const struct capture *capture)
{
	static const char *const ending_names[] = {"neither FIN nor RST", "FIN", "RST"};
	struct wire wire = wire_read(capture);
	enum wire_ending must = scene->is_reset ? WIRE_RST : WIRE_FIN;

	if (wire.client_ending != must) {
		complain(bench, "the client's host ended with %s, not with %s",
			ending_names[wire.client_ending], ending_names[must]);
	}
	if (!scene->is_reset && wire.resets > 0) {
		complain(bench, "there are RST segments: %u", wire.resets);
	}
	if (!wire.has_byte) {
		complain(bench, "the server's byte was not captured");
	} else if (wire.is_byte_after_fin != scene->is_late) {
		complain(bench, "the byte came %s the client's FIN",
			wire.is_byte_after_fin ? "after" : "before");
	} else if (!scene->is_reset && !wire.is_byte_acked) {
		complain(bench, "the byte was never acknowledged");
	}
	if (!wire.is_finished) {
		complain(bench, "the connection had not ended on the wire");
	}
}

static void judge_counters(
	struct bench *bench, const struct scene *scene, const struct sighting *seen)
{
	if (seen->aborts >= 0 && seen->aborts != scene->aborts) {
		complain(bench, "TCPAbortOnClose grew by %lld, not by %d", (long long)seen->aborts,
			scene->aborts);
	}
	if (seen->resets_sent >= 0 && (seen->resets_sent > 0) != scene->is_reset) {
		complain(bench, "OutRsts grew by %lld", (long long)seen->resets_sent);
	}
}

/* After the peer's FIN recv says EOF although a reset followed, so SO_ERROR counts as much. */
static void judge_peer(struct bench *bench, const struct scene *scene, const struct sighting *seen)
{
	bool is_clean = strcmp(seen->recv_result, "EOF") == 0 && strcmp(seen->so_error, "0") == 0;

	if (seen->recv_result[0] == '\0') {
		complain(bench, "the server did not tell what it saw");
	} else if (is_clean == scene->is_reset) {
		complain(bench, "the server saw %s end",
			is_clean ? "a clean" : "something else than a clean");
	}
}

int judge_run(const struct scene *scene, const struct sighting *seen, char *complaints, size_t size)
{
	struct bench bench = {.text = complaints, .size = size};

	complaints[0] = '\0';
	if (!seen->is_complete) {
		complain(&bench, "the run broke off");
		return bench.count;
	}
	judge_process(&bench, "server", &seen->server);
	judge_process(&bench, "client", &seen->client);
	judge_report(&bench, scene, &seen->client);
	judge_peer(&bench, scene, seen);
	judge_counters(&bench, scene, seen);
	if (seen->has_capture) {
		judge_wire(&bench, scene, &seen->capture);
	}
	return bench.count;
}
