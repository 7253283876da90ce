/*
 * A step that takes long, and others who want to look at the machine meanwhile, or to end it. Counters, too, are looked
 * at while harts count. What is a data race here is seen by a build with ThreadSanitizer.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include <biscuit/debug.h>
#include <biscuit/snapshot.h>

#include "tests/unit/rig.h"

#define FOREVER UINT64_C(1000000000000)

struct fixture {
	struct bis_machine *m;
	struct bis_listener *listener;
	pthread_t thread;
	bool stepping;	   /* there is the thread */
	atomic_int result; /* of the step; 1: it goes on */
	enum bis_event_kind last;
};

/* Hart 0 counts in a0, hart 1 in a1. */
static const uint32_t count_both[] = {BNE(A2, ZERO, 12), ADDI(A0, A0, 1), J(-4), ADDI(A1, A1, 1), J(-4)};

static void heard(void *arg, const struct bis_event *event)
{
	struct fixture *f = arg;

	f->last = event->kind;
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	f->m = rig_create("rv64", 2);
	rig_add(f->m, "finisher,at=0x100000");
	rig_start_paused(f->m);
	RIG_LOAD(f->m, RIG_CODE, count_both);
	for (unsigned i = 0; i < 2; i++) {
		struct bis_hart *h = bis_machine_hart(f->m, i);

		bis_hart_set_pc(h, RIG_CODE);
		bis_hart_set_reg(h, A0, 0);
		bis_hart_set_reg(h, A1, 0);
		bis_hart_set_reg(h, A2, i);
	}
	assert_ok(bis_listener_create(f->m, heard, f, &f->listener));
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	if (f->stepping) {
		bis_machine_end_step(f->m);
		pthread_join(f->thread, NULL);
	}
	bis_listener_destroy(f->m, f->listener);
	bis_machine_destroy(f->m);
	free(f);
	return 0;
}

/* --- On another thread --- */

static void *step_long(void *arg)
{
	struct fixture *f = arg;

	atomic_store(&f->result, bis_machine_step(f->m, FOREVER));
	return NULL;
}

static void begin_with(struct fixture *f, void *(*step)(void *arg))
{
	atomic_store(&f->result, 1);
	assert_int_equal(pthread_create(&f->thread, NULL, step, f), 0);
	f->stepping = true;
	rig_wait_for(bis_machine_state(f->m) == BIS_RUNNING || atomic_load(&f->result) != 1);
}

static void begin(struct fixture *f)
{
	begin_with(f, step_long);
}

static void join(struct fixture *f)
{
	assert_int_equal(pthread_join(f->thread, NULL), 0);
	f->stepping = false;
	assert_int_equal(atomic_load(&f->result), 0);
}

/* The step ends without an error, and the machine is paused. */
static void ends(struct fixture *f, enum bis_event_kind event)
{
	join(f);
	assert_int_equal(bis_machine_state(f->m), BIS_PAUSED);
	assert_int_equal(f->last, event);
}

/* --- Tests --- */

static int take_count(void *arg)
{
	struct fixture *f = arg;

	return (int)bis_hart_reg(bis_machine_hart(f->m, 1), A1);
}

static void others_look_while_it_is_under_way(void **state)
{
	struct fixture *f = *state;
	int first;

	begin(f);
	first = bis_machine_at_safepoint(f->m, take_count, f);
	rig_wait_for(bis_machine_at_safepoint(f->m, take_count, f) > first);
	assert_int_equal(bis_machine_state(f->m), BIS_RUNNING);
	assert_int_equal(atomic_load(&f->result), 1);
	assert_fails(bis_machine_step(f->m, 1), -EINVAL, "paused");
	assert_fails(bis_machine_resume(f->m), -EINVAL, "paused");
	assert_ok(bis_machine_pause(f->m));
	ends(f, BIS_EVENT_PAUSED);
}

struct onlooker {
	struct fixture *f;
	pthread_t thread;
	atomic_bool enough;
};

static void *look_on(void *arg)
{
	struct onlooker *o = arg;

	while (!atomic_load(&o->enough))
		(void)bis_machine_at_safepoint(o->f->m, take_count, o->f);
	return NULL;
}

static void steps_are_exact_under_the_eyes_of_others(void **state)
{
	struct onlooker o = {.f = *state};
	struct bis_machine *m = o.f->m;

	assert_int_equal(pthread_create(&o.thread, NULL, look_on, &o), 0);
	for (uint64_t count = 1; count < 100000; count = count * 3 + 1) {
		uint64_t before = bis_hart_instret(bis_machine_hart(m, 1));

		assert_ok(bis_machine_step(m, count));
		assert_int_equal(bis_hart_instret(bis_machine_hart(m, 1)), before + count);
	}
	atomic_store(&o.enough, true);
	pthread_join(o.thread, NULL);
	assert_int_equal(o.f->last, BIS_EVENT_STEPPED);
}

static void a_request_for_a_pause_ends_it(void **state)
{
	struct fixture *f = *state;
	enum bis_stop_reason why;
	int status;

	begin(f);
	bis_machine_request_pause(f->m);
	ends(f, BIS_EVENT_PAUSED);
	/* The pause that was asked for has come: it does not come again. */
	assert_ok(bis_machine_resume(f->m));
	assert_int_equal(bis_machine_join(f->m, 5, &why, &status), -ETIMEDOUT);
	assert_int_equal(bis_machine_state(f->m), BIS_RUNNING);
}

static void it_can_be_told_to_end(void **state)
{
	struct fixture *f = *state;

	bis_machine_end_step(f->m); /* there is none */
	begin(f);
	bis_machine_end_step(f->m);
	ends(f, BIS_EVENT_STEPPED);
	assert_ok(bis_machine_resume(f->m));
	bis_machine_end_step(f->m);
	assert_int_equal(bis_machine_state(f->m), BIS_RUNNING);
}

/* Also for whoever has taken the control lock before. */
static void *step_with_lock(void *arg)
{
	struct fixture *f = arg;

	bis_machine_lock_control(f->m);
	step_long(f);
	bis_machine_unlock_control(f->m);
	return NULL;
}

static void requests_end_it(void **state)
{
	struct fixture *f = *state;
	enum bis_stop_reason why;
	int status;

	begin(f);
	bis_machine_request_reset(f->m);
	assert_ok(bis_machine_join(f->m, RIG_DEADLINE_MS, &why, &status));
	assert_int_equal(why, BIS_STOP_RESET_REQUEST);
	join(f);
	assert_int_equal(bis_machine_state(f->m), BIS_PAUSED);

	begin_with(f, step_with_lock);
	bis_machine_request_stop(f->m, BIS_STOP_HOST, 3);
	assert_ok(bis_machine_join(f->m, RIG_DEADLINE_MS, &why, &status));
	assert_int_equal(status, 3);
	join(f);
	assert_int_equal(bis_machine_state(f->m), BIS_STOPPED);
}

static void a_breakpoint_ends_it_with_nobody_to_join(void **state)
{
	struct fixture *f = *state;
	struct bis_break b = {.kind = BIS_BREAK_INSTRET, .harts = 1}, seen;
	unsigned id;

	b.address = bis_hart_instret(rig_hart(f->m)) + 5000;
	assert_ok(bis_break_add(f->m, &b, &id));
	begin(f);
	ends(f, BIS_EVENT_BREAK);
	assert_int_equal(bis_hart_instret(rig_hart(f->m)), b.address);
	assert_ok(bis_break_get(f->m, 0, &id, &seen));
	assert_int_equal(seen.hits, 1);
}

/* Counters and breakpoints are looked at while harts run and blocks come and go. */
static void counters_of_a_running_machine(void **state)
{
	struct fixture *f = *state;
	struct bis_break b = {.kind = BIS_BREAK_PC, .address = RIG_CODE + 0x800}, seen;
	struct bis_hart_counters c = {0};
	unsigned id;

	begin(f);
	for (int i = 0; i < 50 || c.blocks_translated < 2; i++) {
		assert_ok(bis_break_add(f->m, &b, &id));
		bis_hart_counters(rig_hart(f->m), &c);
		assert_ok(bis_break_get(f->m, 0, &id, &seen));
		assert_ok(bis_break_remove(f->m, id));
	}
	b.address = RIG_CODE + 4;
	b.n_conditions = 1;
	b.conditions[0] = (struct bis_condition){.where = A0, .compare = BIS_ABOVE_OR_EQUAL, .value = 100};
	assert_ok(bis_break_add(f->m, &b, &id));
	while (bis_machine_state(f->m) == BIS_RUNNING)
		assert_ok(bis_break_get(f->m, 0, &id, &seen));
	ends(f, BIS_EVENT_BREAK);
	assert_ok(bis_break_get(f->m, 0, &id, &seen));
	assert_int_equal(seen.hits, 1);
}

/* A snapshot is of that moment, and the step goes on afterwards: nothing but time has passed for it. */
static void a_snapshot_does_not_end_it(void **state)
{
	struct fixture *f = *state;
	FILE *file = tmpfile();
	int err;

	begin(f);
	err = bis_snapshot_write(f->m, fileno(file), NULL);
	fclose(file);
	assert_int_equal(bis_machine_state(f->m), BIS_RUNNING);
	assert_int_equal(atomic_load(&f->result), 1);
	assert_ok(bis_machine_pause(f->m));
	ends(f, BIS_EVENT_PAUSED);
	if (err)
		skip(); /* built without zstd */
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(others_look_while_it_is_under_way),
		T(steps_are_exact_under_the_eyes_of_others),
		T(a_request_for_a_pause_ends_it),
		T(it_can_be_told_to_end),
		T(requests_end_it),
		T(a_breakpoint_ends_it_with_nobody_to_join),
		T(counters_of_a_running_machine),
		T(a_snapshot_does_not_end_it),
	};

	return cmocka_run_group_tests_name("steps", tests, NULL, NULL);
}
