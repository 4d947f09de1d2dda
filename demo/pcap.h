// SPDX-License-Identifier: MIT
/* Captures as files that tcpdump and Wireshark open. */
#ifndef DEMO_PCAP_H
#define DEMO_PCAP_H

#include "capture.h"

/* Write the capture to the file path, anew. 0 or a negative errno. */
int pcap_write(const char *path, const struct capture *capture);

#endif
