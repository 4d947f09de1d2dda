// SPDX-License-Identifier: MIT
#include "counters.h"
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The file has two lines a group: "Group: name name ..." and "Group: value value ...". */
static uint64_t find_value(char *names, char *values, const char *wanted)
{
	char *name_rest;
	char *value_rest;
	char *name = strtok_r(names, " \n", &name_rest);
	char *value = strtok_r(values, " \n", &value_rest);

	while (name && value) {
		if (strcmp(name, wanted) == 0) {
			return strtoull(value, NULL, 10);
		}
		name = strtok_r(NULL, " \n", &name_rest);
		value = strtok_r(NULL, " \n", &value_rest);
	}
	fail_msg("the kernel has no counter %s", wanted);
	return 0;
}

static uint64_t read_counter(const char *path, const char *group, const char *wanted)
{
	char *names = NULL;
	char *values = NULL;
	size_t names_size = 0;
	size_t values_size = 0;
	uint64_t value = 0;
	FILE *file = fopen(path, "re");

	if (!file) {
		fail_msg("%s cannot be read", path);
	}
	while (getline(&names, &names_size, file) > 0 && getline(&values, &values_size, file) > 0) {
		if (strncmp(names, group, strlen(group)) == 0) {
			value = find_value(names, values, wanted);
			break;
		}
	}
	free(names);
	free(values);
	fclose(file);
	return value;
}

struct counters counters_read(void)
{
	static const char netstat[] = "/proc/thread-self/net/netstat";
	static const char snmp[] = "/proc/thread-self/net/snmp";

	return (struct counters){
		.aborts_on_close = read_counter(netstat, "TcpExt:", "TCPAbortOnClose"),
		.aborts_on_data = read_counter(netstat, "TcpExt:", "TCPAbortOnData"),
		.out_rsts = read_counter(snmp, "Tcp:", "OutRsts"),
	};
}

struct counters counters_since(const struct counters *before)
{
	struct counters now = counters_read();

	return (struct counters){
		.aborts_on_close = now.aborts_on_close - before->aborts_on_close,
		.aborts_on_data = now.aborts_on_data - before->aborts_on_data,
		.out_rsts = now.out_rsts - before->out_rsts,
	};
}
