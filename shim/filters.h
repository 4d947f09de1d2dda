// SPDX-License-Identifier: MIT
/*
 * The seccomp filters that the process has put on itself. Where one of them kills, or asks somebody
 * else, for what the library would ask of the kernel, the library does not ask: sc_sys6() then says
 * -EPERM. So a sandbox holds for the program as without the library, at the price of resets that
 * nobody prevents. Filters from before the program began (a container's, a service manager's) are not
 * known here. Async-signal-safe; leaves errno alone.
 */
#ifndef SC_FILTERS_H
#define SC_FILTERS_H

#include <linux/filter.h>

/* prctl(2) or seccomp(2) has put this program on the process; the kernel has read it without EFAULT. */
void sc_filters_add(const struct sock_fprog *program);

/* SECCOMP_MODE_STRICT, or more filters than there is room for: nothing may be asked any more. */
void sc_filters_add_all_deadly(void);

#endif
