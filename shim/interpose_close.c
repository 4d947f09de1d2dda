// SPDX-License-Identifier: MIT
/* close(), which most programs call more often than all others here together: compiled to be quick. */
#include "closing.h"
#include "interpose.h"
#include "plan.h"
#include "start.h"
#include <unistd.h>

/* Another thread may have closed fd meanwhile, and what the library opens for a third one has the number. */
static inline __attribute__((always_inline)) int close_for_real(int fd)
{
	int result = -1;
	sc_turns_begin_close();
	if (!sc_ownfds_may_have(fd) || !refuse_own(fd)) {
		sc_births_forget_quickly(fd);
		result = sc_real.close(fd);
	}
	sc_turns_end_close();
	return result;
}

/* All here, and not behind further calls: after each system call, the processor predicts no return. */
SC_EXPORT int close(int fd)
{
	struct sc_closing closing;
	struct sc_glance glance;
	sc_start_quickly();
	if (sc_ownfds_may_have(fd) && refuse_own(fd)) {
		return -1;
	}
	bool is_followed = !SC_MOSTLY(sc_plan_is_plain(fd, &glance)) &&
			   sc_closing_begin_after_glance(
				   &closing, fd, glance, SC_VIA_CLOSE, __builtin_return_address(0));
	int result = close_for_real(fd);
	if (!SC_MOSTLY(!is_followed)) {
		sc_closing_end(&closing, was_closed(result));
	}
	return result;
}
