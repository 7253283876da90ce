/* The device controller: native registers and posted writes, interrupt lines from any thread, timers, watched
 * descriptors. */
#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "src/machine/machine_internal.h"
#include "tests/unit/probe.h"

/* --- An interrupt controller that only remembers --- */

enum { INPUTS = 600 };

struct chip {
	bool level[INPUTS + 1];
	unsigned changes;
};

static void chip_set_input(void *self, unsigned input, bool level)
{
	struct chip *c = self;

	assert_true(c->level[input] != level); /* only changes are told */
	c->level[input] = level;
	c->changes++;
}

static int chip_create(struct bis_module *mod, const struct bis_options *options, void **self)
{
	(void)mod;
	(void)options;
	*self = calloc(1, sizeof(struct chip));
	return *self ? 0 : -ENOMEM;
}

static int chip_attach(struct bis_module *mod, void *self)
{
	static const struct bis_irqchip_ops ops = {.inputs = INPUTS, .set_input = chip_set_input};

	(void)self;
	return bis_attach_irqchip(mod, "plic", &ops);
}

static const struct bis_module_class chip_class = {.abi = BIS_MODULE_ABI,
						   .name = "chip",
						   .summary = "remembers levels",
						   .create = chip_create,
						   .attach = chip_attach,
						   .destroy = free};

/* --- A module that leaves its timer and its watch to the core --- */

struct careless {
	struct bis_timer *timer;
	struct bis_watch *watch;
	int event;
	_Atomic unsigned fired, woken;
};

static void careless_fire(void *self)
{
	struct careless *c = self;

	atomic_fetch_add(&c->fired, 1);
}

static void careless_ready(void *self, unsigned events)
{
	struct careless *c = self;
	uint64_t count;

	if ((events & BIS_WATCH_IN) && read(c->event, &count, sizeof(count)) == (ssize_t)sizeof(count))
		atomic_fetch_add(&c->woken, (unsigned)count);
}

static int careless_create(struct bis_module *mod, const struct bis_options *options, void **self)
{
	struct careless *c = calloc(1, sizeof(*c));
	int err;

	(void)options;
	if (!c)
		return bis_fail(ENOMEM, "no memory");
	c->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	err = bis_timer_create(mod, careless_fire, &c->timer);
	if (!err)
		err = bis_watch_create(mod, c->event, careless_ready, &c->watch);
	if (err) {
		close(c->event);
		free(c);
		return err;
	}
	*self = c;
	return 0;
}

static void careless_destroy(void *self)
{
	struct careless *c = self;

	close(c->event);
	free(c);
}

static const struct bis_module_class careless_class = {.abi = BIS_MODULE_ABI,
						       .name = "careless",
						       .summary = "never destroys its timer",
						       .create = careless_create,
						       .destroy = careless_destroy};

static const struct bis_module_class native_class = PROBE_CLASS("probe-n", 0);
static const struct bis_module_class lines_class = PROBE_CLASS("probe", 8);
static const struct bis_module_class wide_class = PROBE_CLASS("probe-wide", 250);

static struct bis_machine *devctl_create(const char *isa)
{
	const struct bis_module_class *classes[64] = {&chip_class, &careless_class, &native_class, &lines_class,
						      &wide_class};
	struct bis_machine *m;

	for (size_t i = 0; bis_builtin_modules[i] && i < 26; i++)
		classes[i + 5] = bis_builtin_modules[i];
	m = rig_create_with(isa, 1, classes);
	rig_add(m, "riscv");
	return m;
}

/* --- Native registers --- */

enum { SLOT6 = 0x5f0, SLOT9 = 0x9c8 };

static void a_read_comes_after_all_posted_writes(void **state)
{
	static const uint32_t code[] = {
		CSRRWI(ZERO, SLOT6 + 1, 1), CSRRWI(ZERO, SLOT6 + 2, 2), CSRRWI(ZERO, SLOT6 + 1, 3),
		CSRRWI(ZERO, SLOT6 + 2, 4), CSRRWI(ZERO, SLOT6 + 2, 5), CSRR(A2, SLOT6 + 3),
	};
	struct bis_machine *m = devctl_create("rv64");
	struct probe *p = bis_module_self(rig_add(m, "probe-n,slot=6"));

	(void)state;
	RIG_LOAD(m, RIG_CODE, code);
	rig_start_paused(m);
	for (unsigned round = 1; round <= 50; round++) {
		rig_step_at(m, RIG_CODE, BIS_ARRAY_SIZE(code));
		assert_int_equal(rig_reg(m, A2), 5 * round);
		for (unsigned i = 0; i < 5; i++)
			assert_int_equal(p->last[5 * round - 5 + i], i + 1);
	}
	bis_machine_destroy(m);
}

/* Nobody reads: the controller's thread carries them out by itself. */
static void posted_writes_need_no_read(void **state)
{
	static const uint32_t code[] = {CSRRWI(ZERO, SLOT6 + 1, 1), SPIN};
	struct bis_machine *m = devctl_create("rv64");
	struct probe *p = bis_module_self(rig_add(m, "probe-n,slot=6"));
	unsigned seen = 0;

	(void)state;
	RIG_LOAD(m, RIG_CODE, code);
	assert_ok(bis_machine_start(m));
	while (!seen) {
		bis_machine_lock_devices(m);
		seen = p->n_last;
		bis_machine_unlock_devices(m);
		sched_yield();
	}
	assert_int_equal(p->last[0], 1);
	bis_machine_destroy(m);
}

/* With the device lock held, the controller's thread cannot empty the ring: it overflows into the caller. */
static void a_full_ring_keeps_the_order(void **state)
{
	struct bis_machine *m = devctl_create("rv64");
	struct probe *p = bis_module_self(rig_add(m, "probe-n,slot=6"));

	(void)state;
	bis_machine_lock_devices(m);
	for (unsigned i = 0; i < 299; i++)
		bis_devctl_write(m, 6, 1 + i % 2, i);
	assert_in_range(p->n_last, 1, 298); /* some still wait */
	bis_devctl_write(m, 6, 0, 77);	    /* not posted: behind them all */
	assert_int_equal(p->n_last, 299);
	assert_int_equal(p->value, 77);
	for (unsigned i = 0; i < 299; i++)
		assert_int_equal(p->last[i], i);
	bis_machine_unlock_devices(m);
	bis_machine_destroy(m);
}

static void posted_writes_go_with_their_device(void **state)
{
	struct bis_machine *m = devctl_create("rv64");
	struct bis_module *leaves = rig_add(m, "probe-n,slot=6");
	struct probe *stays = bis_module_self(rig_add(m, "probe-n,slot=9"));

	(void)state;
	bis_machine_lock_control(m); /* which comes before the device lock, and removing takes it */
	bis_machine_lock_devices(m);
	for (unsigned i = 0; i < 40; i++) {
		bis_devctl_write(m, 6, 1, i);
		bis_devctl_write(m, 9, 1, i);
	}
	assert_ok(bis_machine_remove(m, leaves));
	assert_int_equal(bis_devctl_read(m, 9, 3), 40);
	for (unsigned i = 0; i < 40; i++)
		assert_int_equal(stays->last[i], i);
	bis_machine_unlock_devices(m);
	bis_machine_unlock_control(m);
	bis_machine_destroy(m);
}

static void the_core_answers_the_identity_register(void **state)
{
	static const uint32_t code[] = {CSRW(SLOT9 + 7, A3), CSRR(A2, SLOT9 + 7), CSRR(A4, SLOT6 + 7)};
	struct bis_machine *m = devctl_create("rv64");
	struct probe *p = bis_module_self(rig_add(m, "probe-n,slot=9"));

	(void)state;
	RIG_LOAD(m, RIG_CODE, code);
	rig_start_paused(m);
	bis_hart_set_reg(rig_hart(m), A3, UINT64_MAX);
	bis_hart_set_reg(rig_hart(m), A4, UINT64_MAX);
	rig_step_at(m, RIG_CODE, 3);
	assert_int_equal(rig_reg(m, A2), bis_devcsr_identity("probe-n", 3));
	assert_int_equal(rig_reg(m, A2) & 0xff, 3);
	assert_int_equal(rig_reg(m, A4), 0); /* an empty slot */
	assert_int_equal(p->n_last, 0);
	bis_machine_destroy(m);
}

static void user_mode_has_no_native_registers(void **state)
{
	static const uint32_t code[] = {CSRR(A2, SLOT6)};
	struct bis_machine *m = devctl_create("rv64");

	(void)state;
	rig_add(m, "probe-n,slot=6,value=9");
	RIG_LOAD(m, RIG_CODE, code);
	rig_start_paused(m);
	rig_set_csr(m, CSR_PMPADDR0, UINT64_MAX);
	rig_set_csr(m, CSR_PMPCFG0, 0x1f);
	rig_set_csr(m, CSR_MTVEC, RIG_SPIN);
	bis_hart_set_priv(rig_hart(m), BIS_PRIV_S);
	rig_step_at(m, RIG_CODE, 1);
	assert_int_equal(rig_reg(m, A2), 9);
	bis_hart_set_priv(rig_hart(m), BIS_PRIV_U);
	rig_step_at(m, RIG_CODE, 1);
	assert_int_equal(rig_csr(m, CSR_MCAUSE), BIS_CAUSE_ILLEGAL);
	bis_machine_destroy(m);
}

static void a_narrow_hart_sees_low_halves(void **state)
{
	static const uint32_t code[] = {CSRRW(A2, SLOT6, A3), CSRRSI(A4, SLOT6, 16), CSRRCI(A5, SLOT6, 3)};
	struct bis_machine *m = devctl_create("rv32");
	struct probe *p = bis_module_self(rig_add(m, "probe-n,slot=6,value=0x1122334455667788"));

	(void)state;
	RIG_LOAD(m, RIG_CODE, code);
	rig_start_paused(m);
	bis_hart_set_reg(rig_hart(m), A3, 0xffffff03);
	rig_step_at(m, RIG_CODE, 3);
	assert_int_equal(rig_reg(m, A2), 0x55667788);
	assert_int_equal(rig_reg(m, A4), 0xffffff03);
	assert_int_equal(rig_reg(m, A5), 0xffffff13);
	assert_int_equal(p->value, 0xffffff10);
	bis_machine_destroy(m);
}

/* --- Interrupt lines --- */

static void *raise_line(void *line)
{
	bis_irq_set(line, true);
	return NULL;
}

static bool chip_level(struct bis_machine *m, const struct chip *c, unsigned input)
{
	bool level;

	bis_machine_lock_devices(m);
	level = c->level[input];
	bis_machine_unlock_devices(m);
	return level;
}

/* The thread ends although the lock it would need is taken: the ring carries the change. */
static void a_worker_never_waits_to_raise_a_line(void **state)
{
	struct bis_machine *m = devctl_create("rv64");
	struct chip *c = bis_module_self(rig_add(m, "chip"));
	struct bis_irq *line = bis_module_irq(rig_add(m, "probe,irq=3"), 0);
	pthread_t worker;

	(void)state;
	bis_machine_lock_devices(m);
	assert_int_equal(pthread_create(&worker, NULL, raise_line, line), 0);
	assert_int_equal(pthread_join(worker, NULL), 0);
	assert_true(bis_irq_level(line));
	assert_false(c->level[3]);
	bis_machine_unlock_devices(m);
	rig_wait_for(chip_level(m, c, 3));
	/* With the lock held by the caller itself, it is told at once. */
	bis_machine_lock_devices(m);
	bis_irq_set(line, false);
	assert_false(c->level[3]);
	bis_machine_unlock_devices(m);
	bis_irq_set(NULL, true);
	bis_machine_destroy(m);
}

enum { TOGGLES = 4001 };

static void *toggle_line(void *line)
{
	for (unsigned i = 0; i < TOGGLES; i++)
		bis_irq_set(line, i % 2 == 0);
	return NULL;
}

/* Threads race with each other and with the lock; in the end every level is the one set last. */
static void the_last_level_always_arrives(void **state)
{
	struct bis_machine *m = devctl_create("rv64");
	struct chip *c = bis_module_self(rig_add(m, "chip"));
	struct bis_module *mod = rig_add(m, "probe,irq=8");
	pthread_t worker[4];

	(void)state;
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&worker[i], NULL, toggle_line, bis_module_irq(mod, 2 * i)), 0);
	for (unsigned i = 0; i < 2000; i++) {
		bis_machine_lock_devices(m);
		sched_yield();
		bis_machine_unlock_devices(m);
	}
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(pthread_join(worker[i], NULL), 0);
	for (unsigned i = 0; i < 8; i++)
		rig_wait_for(chip_level(m, c, 8 + i) == (i % 2 == 0));
	assert_ok(bis_machine_remove(m, mod)); /* lowers its lines */
	for (unsigned i = 0; i < 8; i++)
		assert_false(chip_level(m, c, 8 + i));
	bis_machine_destroy(m);
}

static void *raise_all(void *arg)
{
	struct bis_module *const *mod = arg;

	for (unsigned i = 0; i < 250; i++) {
		bis_irq_set(bis_module_irq(mod[0], i), true);
		bis_irq_set(bis_module_irq(mod[1], i), true);
	}
	return NULL;
}

/* More lines change than the ring holds. */
static void no_line_is_lost_when_all_change_at_once(void **state)
{
	struct bis_machine *m = devctl_create("rv64");
	struct chip *c = bis_module_self(rig_add(m, "chip"));
	struct bis_module *mod[2] = {rig_add(m, "probe-wide,irq=1"), rig_add(m, "probe-wide,irq=301")};
	pthread_t worker;

	(void)state;
	bis_machine_lock_devices(m);
	assert_int_equal(pthread_create(&worker, NULL, raise_all, mod), 0);
	assert_int_equal(pthread_join(worker, NULL), 0);
	assert_int_equal(c->changes, 0);
	bis_machine_unlock_devices(m);
	for (unsigned i = 0; i < 250; i++) {
		rig_wait_for(chip_level(m, c, 1 + i));
		rig_wait_for(chip_level(m, c, 301 + i));
	}
	bis_machine_destroy(m);
}

/* --- Timers and watches --- */

static void a_timer_fires_once_at_its_machine_time(void **state)
{
	struct bis_machine *m = devctl_create("rv64");
	struct careless *c = bis_module_self(rig_add(m, "careless"));
	uint64_t due;

	(void)state;
	rig_start_paused(m);
	due = bis_machine_now(m) + 2000000;
	bis_timer_set(c->timer, due);
	rig_wait_for(rig_now_ms() % 5 == 0); /* host time does not count */
	assert_int_equal(atomic_load(&c->fired), 0);
	assert_ok(bis_machine_resume(m));
	rig_wait_for(atomic_load(&c->fired) == 1);
	assert_true(bis_machine_now(m) >= due);
	bis_timer_set(c->timer, bis_machine_now(m) + 3600 * UINT64_C(1000000000));
	bis_timer_set(c->timer, 0); /* replaces the hour, and is due */
	rig_wait_for(atomic_load(&c->fired) == 2);
	bis_timer_set(c->timer, UINT64_MAX);
	bis_machine_destroy(m);
}

static void a_watch_reports_what_is_wanted(void **state)
{
	struct bis_machine *m = devctl_create("rv64");
	struct careless *c = bis_module_self(rig_add(m, "careless"));
	uint64_t one = 1;

	(void)state;
	assert_int_equal(write(c->event, &one, sizeof(one)), sizeof(one));
	assert_int_equal(atomic_load(&c->woken), 0); /* nothing asked for yet */
	bis_watch_set(c->watch, BIS_WATCH_IN);
	for (unsigned i = 1; i <= 5; i++) {
		rig_wait_for(atomic_load(&c->woken) == i);
		assert_int_equal(write(c->event, &one, sizeof(one)), sizeof(one));
	}
	rig_wait_for(atomic_load(&c->woken) == 6);
	bis_machine_destroy(m);
}

/* A module goes with its timer armed and its descriptor ready: nobody is called, nothing is left. */
static void timers_and_watches_go_with_their_module(void **state)
{
	struct bis_machine *m = devctl_create("rv64");
	uint64_t one = 1;

	(void)state;
	rig_set32(m, RIG_CODE, SPIN);
	assert_ok(bis_machine_start(m));
	for (unsigned i = 0; i < 50; i++) {
		struct bis_module *mod = rig_add(m, "careless");
		struct careless *c = bis_module_self(mod);

		bis_watch_set(c->watch, BIS_WATCH_IN);
		bis_timer_set(c->timer, bis_machine_now(m) + 50000 * i);
		assert_int_equal(write(c->event, &one, sizeof(one)), sizeof(one));
		assert_ok(bis_machine_remove(m, mod));
	}
	rig_add(m, "careless");
	bis_machine_destroy(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_read_comes_after_all_posted_writes),
		cmocka_unit_test(posted_writes_need_no_read),
		cmocka_unit_test(a_full_ring_keeps_the_order),
		cmocka_unit_test(posted_writes_go_with_their_device),
		cmocka_unit_test(the_core_answers_the_identity_register),
		cmocka_unit_test(user_mode_has_no_native_registers),
		cmocka_unit_test(a_narrow_hart_sees_low_halves),
		cmocka_unit_test(a_worker_never_waits_to_raise_a_line),
		cmocka_unit_test(the_last_level_always_arrives),
		cmocka_unit_test(no_line_is_lost_when_all_change_at_once),
		cmocka_unit_test(a_timer_fires_once_at_its_machine_time),
		cmocka_unit_test(a_watch_reports_what_is_wanted),
		cmocka_unit_test(timers_and_watches_go_with_their_module),
	};

	return cmocka_run_group_tests_name("devctl", tests, NULL, NULL);
}
