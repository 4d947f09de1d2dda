// SPDX-License-Identifier: MIT
#include "logs.h"
#include "unit.h"

#include <inttypes.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int logs_input(const void *bytes, size_t size)
{
	int fd = memfd_create("log", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, size), size);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	return fd;
}

void logs_begin(struct logs_file *log)
{
	log->file = open_memstream(&log->text, &log->size);
	assert_non_null(log->file);
}

int logs_end(struct logs_file *log)
{
	int fd;

	fclose(log->file);
	fd = logs_input(log->text, log->size);
	free(log->text);
	return fd;
}

static void write_string(FILE *file, const char *key, const char *value)
{
	if (value) {
		fprintf(file, ",\"%s\":\"%s\"", key, value);
	} else {
		fprintf(file, ",\"%s\":null", key);
	}
}

void logs_write_line(FILE *file, const struct logs_line *line)
{
	fprintf(file,
		"{\"v\":1,\"ts\":\"2024-05-01T%02u:%02u:%02u.000000Z\",\"pid\":42,\"tid\":42,"
		"\"comm\":\"c\"",
		line->second / 3600, line->second / 60 % 60, line->second % 60);
	write_string(file, "exe", line->exe ? line->exe : "/opt/server");
	write_string(file, "via", "close");
	fputs(",\"fd\":7,\"proto\":\"tcp\"", file);
	write_string(file, "local", line->local ? line->local : "10.0.0.5:8080");
	write_string(file, "peer", line->peer);
	fprintf(file, ",\"unread\":%" PRIu64 ",\"urgent\":false,\"unacked\":%" PRIu64, line->unread,
		line->unacked);
	write_string(file, "mode", "warn");
	write_string(file, "outcome", line->outcome ? line->outcome : "rst");
	write_string(file, "why", line->why);
	fputs(",\"drained\":0,\"elapsed_ms\":0.021", file);
	write_string(file, "site", line->site);
	write_string(file, "symbol", line->symbol);
	fputs(",\"stack\":[]", file);
	write_string(file, "guess", line->guess);
	fputs(",\"preview\":null}\n", file);
}

void logs_write_sample(FILE *file)
{
	for (unsigned i = 0; i < 10; i++) {
		char peer[32];

		snprintf(peer, sizeof(peer), "10.0.0.%u:%u", i < 8 ? 9 : i + 100, 40000 + i);
		logs_write_line(file, &(struct logs_line){.site = "server+0x1a2b",
					      .symbol = "reply+0x3c",
					      .peer = peer,
					      .unread = 100,
					      .unacked = 1000,
					      .guess = i < 9 ? "http request" : NULL,
					      .second = i});
	}
	logs_write_line(file, &(struct logs_line){.site = "server+0x2000",
				      .peer = "[2001:db8::1]:40000",
				      .outcome = "fin",
				      .unread = 5,
				      .unacked = 5,
				      .second = 100});
	logs_write_line(file, &(struct logs_line){.site = "libx.so.1+0x10",
				      .exe = "/opt/client",
				      .local = "10.0.0.5:50000",
				      .peer = "10.0.0.7:443",
				      .outcome = "timeout",
				      .guess = "tls alert",
				      .second = 3600});
	logs_write_line(file, &(struct logs_line){.site = "server+0x3000",
				      .why = "listener",
				      .unread = 3,
				      .unacked = 3,
				      .second = 7200});
}

int logs_sample(void)
{
	struct logs_file log;

	logs_begin(&log);
	logs_write_sample(log.file);
	return logs_end(&log);
}

int logs_hostile_names(void)
{
	static const char name[] =
		"<script>alert(1)</script>&amp;'\\\"\\n\\u001b[31m\\u202e\\ud83d\\ude00"
		"</title>\\\\+0x1";
	struct logs_file log;

	logs_begin(&log);
	logs_write_line(log.file,
		&(struct logs_line){
			.exe = name, .site = name, .symbol = name, .peer = name, .guess = name});
	return logs_end(&log);
}
