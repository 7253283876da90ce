/*
 * Going on, stepping and stopping over the gdb remote protocol. A step is done at once, on this thread; whatever runs
 * freely ends with an event, which the listener puts into the inbox.
 */
#include <errno.h>
#include <stdlib.h>

#include "frontend/gdb/session.h"

enum { SIGNAL_INTERRUPT = 2, SIGNAL_TRAP = 5 };

/* --- Stop replies --- */

/* pc, sp and fp, so that gdb need not ask for them. */
static int put_registers(void *arg)
{
	static const unsigned numbers[] = {GDB_REG_PC, 2, 8};
	struct gdb_session *s = arg;

	for (size_t i = 0; i < BIS_ARRAY_SIZE(numbers); i++) {
		uint64_t value;
		unsigned size;

		if (gdb_register_get(gdb_hart(s), numbers[i], &value, &size))
			continue;
		gdb_put(&s->out, "%02x:", numbers[i]);
		gdb_put_value(&s->out, value, size);
		gdb_put(&s->out, ";");
	}
	return 0;
}

/* What of the client's own the event was; nothing for what others have set. */
static void put_reason(struct gdb_session *s, const struct bis_event *e)
{
	static const char *const watches[] = {"watch", "rwatch", "awatch"};
	const struct gdb_point *p = NULL;

	for (unsigned i = 0; i < s->n_points; i++)
		if (s->points[i].id == e->id)
			p = &s->points[i];
	if (!p)
		return;
	if (p->type >= 2)
		/* The access may begin below the bytes that are watched. */
		gdb_put(&s->out, "%s:%llx;", watches[p->type - 2],
			(unsigned long long)(e->value > p->address ? e->value : p->address));
	else if (p->type == 0 && s->reports_swbreak)
		gdb_put(&s->out, "swbreak:;");
	else if (p->type == 1 && s->reports_hwbreak)
		gdb_put(&s->out, "hwbreak:;");
}

static void send_stop(struct gdb_session *s, int signal, const struct bis_event *e)
{
	struct gdb_out *o = gdb_answer(s);

	gdb_put(o, "T%02xthread:%x;", signal, s->hart + 1);
	if (e && e->kind == BIS_EVENT_BREAK)
		put_reason(s, e);
	(void)bis_machine_at_safepoint(s->m, put_registers, s);
	gdb_send(s);
}

static void send_end(struct gdb_session *s, int status)
{
	gdb_put(gdb_answer(s), "W%02x", (unsigned)status & 0xff);
	gdb_send(s);
}

/* A breakpoint that the client has not set says in words what it was. */
static void say_break(struct gdb_session *s, const struct bis_event *e)
{
	char text[1100], what[1024];
	struct bis_break b;
	unsigned id;
	int len;

	for (unsigned i = 0; i < s->n_points; i++)
		if (s->points[i].id == e->id)
			return;
	for (size_t i = 0; !bis_break_get(s->m, i, &id, &b); i++) {
		if (id != e->id || id == s->wait_id)
			continue;
		debug_break_format(s->d, &b, what, sizeof(what));
		len = snprintf(text, sizeof(text), "breakpoint %u: %s\n", id, what);
		gdb_say(s, text, (size_t)len < sizeof(text) ? (size_t)len : sizeof(text) - 1);
	}
}

void gdb_end_wait(struct gdb_session *s)
{
	if (s->wait_id && bis_break_remove(s->m, s->wait_id))
		s->wait_id = 0; /* it was hit, and is gone */
	s->wait_id = 0;
}

/* The machine stands still, and the client hears of it. */
static void tell_stop(struct gdb_session *s, const struct bis_event *e)
{
	bool by_break = e->kind == BIS_EVENT_BREAK, pause = e->kind == BIS_EVENT_PAUSED;

	if (by_break) {
		s->hart = e->hart;
		say_break(s, e);
	}
	gdb_end_wait(s);
	s->running = s->interrupted = false;
	send_stop(s, pause ? SIGNAL_INTERRUPT : SIGNAL_TRAP, e);
}

void gdb_tell_reason(struct gdb_session *s)
{
	bool ended;
	int status;

	pthread_mutex_lock(&s->inbox.lock);
	ended = s->inbox.ended;
	status = s->inbox.status;
	pthread_mutex_unlock(&s->inbox.lock);
	if (ended || bis_machine_state(s->m) == BIS_STOPPED)
		send_end(s, status);
	else
		send_stop(s, SIGNAL_TRAP, NULL);
}

bool gdb_session_events(struct gdb_session *s, bool late)
{
	struct gdb_inbox *in = &s->inbox;
	struct bis_event event;
	bool stopped, ended, wait;
	int status;

	if (!s->running)
		return false;
	pthread_mutex_lock(&in->lock);
	stopped = in->stopped;
	ended = in->ended;
	event = in->event;
	status = in->status;
	wait = stopped && !ended && event.kind != BIS_EVENT_BREAK && !s->interrupted && !late;
	if (!wait)
		in->stopped = false;
	pthread_mutex_unlock(&in->lock);
	if (wait)
		return true;
	if (ended) {
		s->running = false;
		send_end(s, status);
	} else if (stopped) {
		tell_stop(s, &event);
	}
	return false;
}

void gdb_interrupt(struct gdb_session *s)
{
	if (!s->running)
		return;
	s->interrupted = true;
	if (bis_machine_state(s->m) == BIS_RUNNING && bis_machine_pause(s->m))
		return; /* it comes to rest by itself: its event follows */
	(void)gdb_session_events(s, true);
	if (s->running && bis_machine_state(s->m) == BIS_PAUSED)
		tell_stop(s, &(struct bis_event){.kind = BIS_EVENT_PAUSED});
}

/* --- Going on --- */

static void forget_stop(struct gdb_session *s)
{
	pthread_mutex_lock(&s->inbox.lock);
	s->inbox.stopped = false;
	pthread_mutex_unlock(&s->inbox.lock);
}

/* The harts run freely until something stops them. A machine that runs already is what the client wants. */
static void run(struct gdb_session *s, uint64_t harts)
{
	int err = 0;

	forget_stop(s);
	s->running = true;
	s->answered = true;
	if (bis_machine_state(s->m) == BIS_PAUSED)
		err = bis_machine_resume_harts(s->m, harts);
	if (err && bis_machine_state(s->m) == BIS_PAUSED) {
		s->running = false;
		gdb_error(s, err);
	}
	(void)gdb_session_events(s, false);
}

/* What a step changes, if it does anything. */
struct place {
	struct bis_hart *h;
	uint64_t pc, instret, traps;
};

static int take_place(void *arg)
{
	struct place *p = arg;
	struct bis_hart_counters c;

	bis_hart_counters(p->h, &c);
	p->pc = bis_hart_pc(p->h);
	p->instret = c.instret;
	for (size_t i = 0; i < BIS_ARRAY_SIZE(c.traps); i++)
		p->traps += c.traps[i] + c.interrupts[i];
	return 0;
}

/* Others may have let the machine go on. */
static struct place place_of(const struct gdb_session *s, struct bis_hart *h)
{
	struct place p = {.h = h};

	(void)bis_machine_at_safepoint(s->m, take_place, &p);
	return p;
}

/* A hart that sleeps or is halted does nothing until something wakes it: then it stops after one instruction. */
static int wait_for_step(struct gdb_session *s, const struct gdb_motion *v, uint64_t instret)
{
	struct bis_break b = {
		.kind = BIS_BREAK_INSTRET, .harts = 1u << v->stepper, .address = instret + 1, .once = true};
	int err = bis_break_add(s->m, &b, &s->wait_id);

	if (!err)
		run(s, v->step | v->go);
	return err;
}

static bool in_range(const struct gdb_motion *v, uint64_t pc)
{
	return pc >= v->range_start && pc < v->range_end;
}

/* Steps until the stepper has left its range. */
static int step(struct gdb_session *s, const struct gdb_motion *v, struct bis_event *event)
{
	struct bis_hart *h = bis_machine_hart(s->m, v->stepper);
	struct place before, after;
	bool ended;
	int err;

	do {
		before = place_of(s, h);
		forget_stop(s);
		err = bis_machine_step_once(s->m, v->step | v->go);
		if (err)
			return err;
		pthread_mutex_lock(&s->inbox.lock);
		*event = s->inbox.event;
		ended = s->inbox.ended;
		s->inbox.stopped = false;
		pthread_mutex_unlock(&s->inbox.lock);
		after = place_of(s, h);
		if (event->kind == BIS_EVENT_BREAK || ended)
			return 0;
		if (after.pc == before.pc && after.instret == before.instret && after.traps == before.traps)
			return wait_for_step(s, v, after.instret);
	} while (in_range(v, after.pc) && !(s->link.waiting && s->link.waiting(s->link.arg)));
	return 0;
}

static void move(struct gdb_session *s, const struct gdb_motion *v)
{
	struct bis_event event = {.kind = BIS_EVENT_STEPPED};
	int err = 0;

	if (bis_machine_state(s->m) == BIS_STOPPED) {
		gdb_tell_reason(s);
		return;
	}
	if (!v->step) {
		run(s, v->go);
		return;
	}
	if (bis_machine_state(s->m) == BIS_RUNNING && bis_machine_pause(s->m))
		err = bis_machine_state(s->m) == BIS_PAUSED ? 0 : -EBUSY;
	s->hart = v->stepper;
	if (!err)
		err = step(s, v, &event);
	if (err)
		gdb_error(s, err);
	else if (!s->running && !s->answered)
		tell_stop(s, &event);
}

/* --- Packets --- */

/* One action of vCont: what it does, to which of the harts that no action has named yet. */
static bool take_action(struct gdb_session *s, struct gdb_text *t, struct gdb_motion *v, uint64_t *left)
{
	uint64_t ignored, harts = *left;
	char letter = t->at < t->end ? *t->at : '\0';
	int thread = -1;

	if (!letter || !strchr("cCsStr", letter))
		return false;
	t->at++;
	if ((letter == 'C' || letter == 'S') && !gdb_take_hex(t, &ignored))
		return false;
	if (letter == 'r' &&
	    (!gdb_take_hex(t, &v->range_start) || !gdb_take_char(t, ',') || !gdb_take_hex(t, &v->range_end)))
		return false;
	if (gdb_take_char(t, ':') && !gdb_take_thread(s, t, &thread))
		return false;
	if (thread > 0)
		harts &= UINT64_C(1) << (thread - 1);
	*left &= ~harts;
	if (letter == 'c' || letter == 'C')
		v->go |= harts;
	else if (letter != 't')
		v->step |= harts;
	return true;
}

void gdb_vcont(struct gdb_session *s, struct gdb_text *t)
{
	uint64_t left = (UINT64_C(1) << bis_machine_harts(s->m)) - 1;
	struct gdb_motion v = {0};
	bool good;

	do
		good = take_action(s, t, &v, &left);
	while (good && gdb_take_char(t, ';'));
	if (!good || !gdb_at_end(t) || (!v.step && !v.go)) {
		gdb_error(s, EINVAL);
		return;
	}
	while (v.step && !(v.step >> v.stepper & 1))
		v.stepper++;
	move(s, &v);
}

struct jump {
	struct bis_hart *h;
	uint64_t pc;
};

static int set_pc(void *arg)
{
	struct jump *j = arg;

	bis_hart_set_pc(j->h, j->pc);
	return 0;
}

void gdb_old_motion(struct gdb_session *s, struct gdb_text *t, bool do_step, bool has_signal)
{
	uint64_t all = (UINT64_C(1) << bis_machine_harts(s->m)) - 1, ignored;
	unsigned hart = s->motion_all ? s->hart : s->motion_hart;
	struct jump jump = {.h = bis_machine_hart(s->m, hart)};
	struct gdb_motion v = {.go = s->motion_all ? all : UINT64_C(1) << hart, .stepper = hart};
	bool good = !has_signal || gdb_take_hex(t, &ignored), jumps = false;

	if (good && !gdb_at_end(t)) {
		jumps = true;
		good = (!has_signal || gdb_take_char(t, ';')) && gdb_take_hex(t, &jump.pc) && gdb_at_end(t);
	}
	if (!good) {
		gdb_error(s, EINVAL);
		return;
	}
	if (jumps)
		(void)bis_machine_at_safepoint(s->m, set_pc, &jump);
	if (do_step) {
		v.step = UINT64_C(1) << hart;
		v.go &= ~v.step;
	}
	move(s, &v);
}
