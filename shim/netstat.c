// SPDX-License-Identifier: MIT
#include "netstat.h"
#include <stddef.h>
#include <string.h>

#define GROUP "TcpExt: "
#define NAME "TCPAbortOnClose "

/*
 * Two lines for each group of counts: names, then numbers in the same order.
 *   TcpExt: SyncookiesSent SyncookiesRecv ... TCPAbortOnClose ...
 *   TcpExt: 0 0 ... 17 ...
 */
int64_t sc_netstat_aborts_on_close(const char *text)
{
	const char *name = strstr(text, GROUP);
	const char *count = name != NULL ? strstr(name + 1, GROUP) : NULL;
	while (name != NULL && count != NULL && strncmp(name, NAME, strlen(NAME)) != 0) {
		name = strchr(name, ' ');
		name += name != NULL;
		count = strchr(count, ' ');
		count += count != NULL;
	}
	if (name == NULL || count == NULL) {
		return -1;
	}
	int64_t value = 0;
	for (; *count >= '0' && *count <= '9'; count++) {
		value = value * 10 + (*count - '0');
	}
	return value;
}
