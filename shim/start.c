// SPDX-License-Identifier: MIT
#include "start.h"
#include "background.h"
#include "births.h"
#include "clock.h"
#include "config.h"
#include "family.h"
#include "interpose_exit.h"
#include "line.h"
#include "module.h"
#include "numbers.h"
#include "ownfds.h"
#include "plan.h"
#include "process.h"
#include "real.h"
#include "relatives.h"
#include "resets.h"
#include "sink.h"
#include "sys.h"
#include "tally.h"
#include "telling.h"
#include "turns.h"
#include "watch.h"
#include <errno.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

_Atomic bool sc_start_is_done;
static atomic_flag is_begun = ATOMIC_FLAG_INIT;
static __thread bool is_starting_here; /* an intercepted call from within dlsym() or the like */

/* Complaints about variables go to the program's stderr, whatever SAFECLOSE_LOG says. */
static void complain(void *context, const char *text)
{
	(void)context;
	char buffer[640];
	struct sc_line line = {buffer, sizeof(buffer), 0};
	sc_line_add(&line, "safeclose[");
	sc_line_add_number(&line, (uint64_t)sc_sys_getpid());
	sc_line_add(&line, "]: ");
	sc_line_add(&line, text);
	sc_line_end(&line);
	sc_sink_write_stderr(line.text, line.length);
}

/* Before libc's own constructor, in a program's preinit_array, environ is not set yet. */
static char **find_environment(void)
{
	if (environ != NULL || !sc_start_is_in_glibc() || __libc_stack_end == NULL) {
		return environ;
	}
	long count;
	memcpy(&count, __libc_stack_end, sizeof(count));
	return (char **)__libc_stack_end + count + 2;
}

/* A forked child: its parent's copies and channel are none of its business. Where it shares the
 * parent's table, they are the parent's still. */
static void forget_parent(void)
{
	sc_turns_forget_parent();
	sc_background_forget_parent();
	if (sc_process_is_table_shared()) {
		sc_watch_leave_sets();
		return;
	}
	sc_watch_forget_parent();
	sc_ownfds_forget_parent();
}

static void start_whole(void)
{
	sc_real_find();
	bool is_secure = getauxval(AT_SECURE) != 0;
	if (!is_secure) {
		sc_config_load(&sc_config, find_environment(), complain, NULL);
	}
	if (is_secure || sc_config.mode == SC_MODE_OFF) {
		sc_process_init_unfollowed();
		return;
	}
	sc_family_init();
	if (sc_process_init()) {
		sc_births_init();
	}
	sc_turns_init();
	sc_module_init();
	sc_numbers_init();
	sc_ownfds_init();
	sc_sink_init(sc_config.log, sc_config.format == SC_FORMAT_JSON);
	sc_tally_init(sc_config.tally);
	if (sc_config.mode == SC_MODE_WARN) {
		sc_watch_init();
	}
	sc_resets_init();
	sc_relatives_init();
	sc_process_set_child_handler(forget_parent);
	sc_telling_init();
	sc_background_init(sc_telling_tell);
	sc_plan_init();
	sc_interpose_register_exit();
}

static __attribute__((noinline)) void start_now(void)
{
	if (is_starting_here) {
		return;
	}
	if (atomic_flag_test_and_set(&is_begun)) {
		/* Another thread is at it; it is at no lock that this one could hold. */
		while (!atomic_load_explicit(&sc_start_is_done, memory_order_acquire)) {
			sc_sys_yield();
		}
		return;
	}
	int saved_errno = errno;
	is_starting_here = true;
	start_whole();
	is_starting_here = false;
	atomic_store_explicit(&sc_start_is_done, true, memory_order_release);
	errno = saved_errno;
}

void sc_start(void)
{
	if (!atomic_load_explicit(&sc_start_is_done, memory_order_acquire)) {
		start_now();
	}
}

__attribute__((constructor)) static void construct(void)
{
	sc_start();
	if (sc_plan_is_any()) {
		sc_clock_init();
	}
}
