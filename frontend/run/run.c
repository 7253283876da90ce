/*
 * Running a guest: the main thread makes the machine and is its control thread until it stops. It owns everything here.
 */
#include "run.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <biscuit/machine.h>

#include "frontend/run/frontends.h"
#include "frontend/run/guest.h"
#include "frontend/run/machine.h"
#include "frontend/run/message.h"
#include "frontend/run/now.h"
#include "frontend/run/restore.h"
#include "frontend/run/signals.h"
#include "frontend/run/stdio.h"
#include "frontend/run/terminal.h"
#include "frontend/run/trace.h"

struct run {
	const struct run_options *o;
	struct guest guest;
	struct signals *signals;
	struct trace *trace;
	struct translations *translations;
	FILE *log;
	struct bis_machine *machine;
	struct bis_module *console; /* NULL: none yet */
	struct frontends frontends;
	int64_t deadline_ms; /* of CLOCK_MONOTONIC; -1: none */
	int signal;	     /* the process ends by it; 0: none */
};

static int open_log(struct run *r)
{
	if (!r->o->log_file)
		return 0;
	r->log = fopen(r->o->log_file, "we");
	if (!r->log)
		return bis_fail(errno, "--log: %s: %s", r->o->log_file, strerror(errno));
	setvbuf(r->log, NULL, _IOLBF, 0);
	return 0;
}

static bool console_is_stdio(const struct run *r)
{
	return !strncmp(r->o->console, "stdio", 5);
}

/* Makes the machine with everything in it. */
static int make_machine(struct run *r)
{
	int err = machine_create(r->o, r->guest.isa, r->trace, r->translations, r->log, &r->machine);

	if (!err)
		err = machine_add_console(r->machine, r->o, &r->console);
	if (!err)
		err = machine_add_modules(r->machine, r->o, &r->guest);
	if (!err)
		err = guest_load(&r->guest, r->machine, r->o);
	return err;
}

static int build(struct run *r)
{
	int err = r->o->restore ? guest_describe(r->o, &r->guest) : guest_choose(r->o, &r->guest);

	if (!err)
		err = open_log(r);
	if (!err && r->o->traces.count)
		err = trace_open(&r->o->traces, &r->trace);
	if (!err)
		err = translations_open(r->o, &r->translations);
	if (!err)
		err = r->o->restore ? restore_machine(r->o, r->trace, r->translations, r->log, &r->machine, &r->console)
				    : make_machine(r);
	if (!err)
		err = frontends_start(&r->frontends, r->o, r->machine, &r->guest, r->trace);
	return err;
}

static int enter_terminal(const struct run *r)
{
	int err;

	if (!console_is_stdio(r) || !isatty(STDIN_FILENO))
		return 0;
	err = terminal_open(STDIN_FILENO);
	if (err)
		return err;
	message("Ctrl-A x ends the machine, Ctrl-A h shows the keys");
	terminal_raw();
	return 0;
}

/* A machine of a snapshot has no files that could be loaded anew, unless its kernel was named. */
static int load_again(struct run *r)
{
	return r->guest.kernel || r->guest.firmware ? guest_load(&r->guest, r->machine, r->o) : 0;
}

/*
 * A reset was asked for: the machine is paused, and its files are loaded anew. The first reset keeps devices from
 * writing into what is loaded, the second lets the harts start where that lies now. It goes on if it ran before; others
 * may have let it go on already.
 */
static int restart(struct run *r, bool ran)
{
	int err = 0;

	bis_machine_lock_control(r->machine);
	if (bis_machine_state(r->machine) == BIS_RUNNING) {
		ran = true;
		err = bis_machine_pause(r->machine);
	}
	if (!err)
		err = bis_machine_reset(r->machine);
	if (!err)
		err = load_again(r);
	if (!err)
		err = bis_machine_reset(r->machine);
	if (!err && ran)
		err = bis_machine_resume(r->machine);
	bis_machine_unlock_control(r->machine);
	return err;
}

static int join(struct run *r, enum bis_stop_reason *why, int *status)
{
	int64_t left;

	if (r->deadline_ms < 0)
		return bis_machine_join(r->machine, -1, why, status);
	left = r->deadline_ms - now_ms();
	return bis_machine_join(r->machine, left > 0 ? (int)left : 0, why, status);
}

/* Runs until the machine stops; the exit status. */
static int run_to_end(struct run *r)
{
	enum bis_stop_reason why;
	int status, err;

	for (;;) {
		err = join(r, &why, &status);
		if (err == -ETIMEDOUT)
			return message_timeout(r->o->timeout_ms);
		if (err)
			return message_error();
		if (why != BIS_STOP_RESET_REQUEST)
			break;
		if (restart(r, status))
			return message_error();
	}
	if (why == BIS_STOP_ERROR)
		return RUN_STATUS_FAILED;
	if (why == BIS_STOP_HOST && status > 128) {
		r->signal = status - 128;
		return status;
	}
	return status & 0xff;
}

/* Output that the guest left is delivered when it ended by itself, however long that takes. */
static void give_up_output(const struct run *r)
{
	if (!r->console || !console_is_stdio(r))
		return;
	bis_machine_lock_devices(r->machine);
	stdio_abandon_output(bis_module_self(r->console));
	bis_machine_unlock_devices(r->machine);
}

static void tear_down(struct run *r)
{
	int signal;

	if (r->signals)
		(void)signals_watch_machine(r->signals, NULL);
	frontends_stop(&r->frontends);
	bis_machine_destroy(r->machine);
	terminal_restore();
	trace_close(r->trace);
	translations_close(r->translations);
	frontends_free(&r->frontends);
	if (r->log)
		fclose(r->log);
	guest_free(&r->guest);
	signal = signals_end(r->signals);
	if (signal)
		r->signal = signal;
}

int run_guest(const struct run_options *o, bool stdout_closed)
{
	struct run r = {.o = o, .deadline_ms = -1};
	int status, err = 0;

	if (stdout_closed && console_is_stdio(&r))
		err = bis_fail(EBADF,
			       "standard output is closed, the console needs it (or --console null, pty, file=PATH)");
	if (!err)
		err = signals_start(&r.signals);
	if (!err)
		err = build(&r);
	if (!err)
		r.signal = signals_watch_machine(r.signals, r.machine);
	if (!err && !r.signal)
		err = enter_terminal(&r);
	if (!err && o->timeout_ms >= 0)
		r.deadline_ms = now_ms() + o->timeout_ms;
	if (!err && !r.signal)
		err = o->restore ? bis_machine_resume(r.machine) : bis_machine_start(r.machine);
	status = err ? message_error() : r.signal ? 0 : run_to_end(&r);
	if (!err && o->jit_stats)
		translations_summarise(r.machine);
	if (err || r.signal || status == RUN_STATUS_TIMEOUT)
		give_up_output(&r);
	tear_down(&r);
	if (r.signal)
		signals_die(r.signal);
	return status;
}
