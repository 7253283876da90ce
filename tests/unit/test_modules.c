/* Modules: placement and its messages, failing classes, the lifecycle, and coming and going under a running guest. */
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

#include "tests/unit/probe.h"

static const struct bis_module_class mmio_class = PROBE_CLASS("probe-m", 1);
static const struct bis_module_class native_class = PROBE_CLASS("probe-n", 1);
static const struct bis_module_class plain_class = PROBE_CLASS("probe", 0);

static struct bis_machine *modules_create(unsigned harts)
{
	const struct bis_module_class *classes[64] = {&mmio_class, &native_class, &plain_class};
	struct bis_machine *m;

	for (size_t i = 0; bis_builtin_modules[i] && i < 60; i++)
		classes[i + 3] = bis_builtin_modules[i];
	m = rig_create_with("rv64", harts, classes);
	rig_add(m, "riscv");
	probe_calls[0] = '\0';
	return m;
}

static size_t count_modules(struct bis_machine *m)
{
	size_t n = 0;

	while (bis_machine_module(m, n))
		n++;
	return n;
}

/* --- Specifications --- */

static void every_bad_specification_is_named(void **state)
{
	static const struct {
		const char *spec;
		int err;
		const char *words;
	} bad[] = {
		{"prboe", -ENOENT, "unknown module 'prboe' (did you mean 'probe'?)"},
		{"xyzzy", -ENOENT, "unknown module 'xyzzy'"},
		{"", -ENOENT, "unknown module ''"},
		{"probe-m", -EINVAL, "probe-m: needs at=ADDRESS"},
		{"probe-n", -EINVAL, "probe-n: needs slot=0..15"},
		{"probe-m,at=0x1000", -EEXIST, "'probe-m' at 0x1000 with 0x40 bytes overlaps 'first' at 0x1000"},
		{"probe-m,at=0xff8", -EEXIST, "overlaps 'first'"},
		{"probe-m,at=0x80000000", -EEXIST, "overlaps 'ram'"},
		{"probe-m,at=0x1044", -EINVAL, "at 0x1044 is not aligned to 8 bytes"},
		{"probe-m,at=0xffffffffffffffc8", -EINVAL, "goes beyond 2^64"},
		{"probe-m,at=0xfffffffffffffff8", -EINVAL, "goes beyond 2^64"},
		{"probe-n,slot=5", -EEXIST, "probe-n: slot 5 is taken by second"},
		{"probe-n,slot=16", -EINVAL, "probe-n: slot=16: expected a number from 0 to 0xf"},
		{"probe-m,at=", -EINVAL, "probe-m: at=: expected a number"},
		{"probe-m,at=here", -EINVAL, "probe-m: at=here: expected a number"},
		{"probe-m,at=0x2000z", -EINVAL, "at=0x2000z: expected a number"},
		{"probe-m,at=-4096", -EINVAL, "at=-4096: expected a number"},
		{"probe-m,at= -4096", -EINVAL, "at= -4096: expected a number"},
		{"probe-m,at=0x10000000000000000", -EINVAL, "expected a number"},
		{"probe-m,at=0x2000,irq=1024", -EINVAL, "irq=1024: expected a number from 0 to 0x3ff"},
		{"probe-m,at=0x2000,irq=1000", -EINVAL, "irq=1000: plic has inputs 1 to"},
		{"probe-m,at=0x2000,irq=9", -EEXIST, "irq=9 is taken by first"},
		{"probe,name=first", -EEXIST, "there is a module named 'first' already"},
		{"probe,name=", -EINVAL, "name=: expected 1 to 127 characters without '/'"},
		{"probe,name=a/b", -EINVAL, "name=a/b: expected 1 to 127 characters"},
		{"probe,valu=3", -EINVAL, "did you mean 'value'?"},
		{"probe,value=many", -EINVAL, "option 'value' is 'many', expected a number"},
		{"probe,fail=later", -EINVAL, "expected one of never|create|attach|start"},
		{"probe,fail=create", -EIO, "probe: fails to be created"},
		{"probe,fail=attach", -EIO, "probe: fails to attach"},
		{"probe-m,at=0x2000,fail=attach", -EIO, "probe-m: fails to attach"},
		{"probe-n,slot=6,fail=attach", -EIO, "probe-n: fails to attach"},
		{"riscv", -EEXIST, "have an instruction set already: riscv"},
		{"plic,at=0x30000000", -EEXIST, "an interrupt controller of kind 'plic' already"},
	};
	struct bis_machine *m = modules_create(1);
	struct bis_module *mod = NULL;
	size_t before;

	(void)state;
	rig_add(m, "plic,at=0xc000000");
	rig_add(m, "probe-m,at=0x1000,irq=9,name=first");
	rig_add(m, "probe-n,slot=5,name=second");
	before = count_modules(m);
	for (size_t i = 0; i < BIS_ARRAY_SIZE(bad); i++) {
		assert_fails(bis_machine_add(m, bad[i].spec, &mod), bad[i].err, bad[i].words);
		assert_null(mod);
		assert_int_equal(count_modules(m), before);
		assert_int_equal(probes_alive, 2);
	}
	/* Nothing of the failed ones is in the way. */
	rig_add(m, "probe-m,at=0x2000,irq=10");
	rig_add(m, "probe-n,slot=6");
	bis_machine_destroy(m);
	assert_int_equal(probes_alive, 0);
}

static void instances_are_named_and_found(void **state)
{
	struct bis_machine *m = modules_create(1);
	struct bis_module *mod[4];
	uint64_t base, size;

	(void)state;
	mod[0] = rig_add(m, "probe");
	mod[1] = rig_add(m, "probe,value=8");
	mod[2] = rig_add(m, "probe-m,at=0x1000,name=mine,irq=4");
	mod[3] = rig_add(m, "probe-n,slot=0xf");
	assert_string_equal(bis_module_name(mod[0]), "probe");
	assert_string_equal(bis_module_name(mod[1]), "probe1");
	assert_ptr_equal(bis_machine_find(m, "mine"), mod[2]);
	assert_null(bis_machine_find(m, "probe-m"));
	assert_ptr_equal(bis_module_class_of(mod[2]), &mmio_class);
	assert_ptr_equal(bis_machine_find_class(m, "probe-n"), &native_class);
	assert_int_equal(((struct probe *)bis_module_self(mod[1]))->value, 8);
	assert_ok(bis_module_window(mod[2], 0, &base, &size));
	assert_int_equal(base, 0x1000);
	assert_int_equal(size, 64);
	assert_int_equal(bis_module_window(mod[2], 1, &base, &size), -ENOENT);
	assert_int_equal(bis_module_slot(mod[2]), -1);
	assert_int_equal(bis_module_slot(mod[3]), 15);
	assert_int_equal(bis_module_irq_input(mod[2], 0), 4);
	assert_int_equal(bis_module_irq_input(mod[3], 0), 0);
	assert_null(bis_module_irq(mod[0], 0));
	assert_non_null(bis_module_irq(mod[2], 0));
	assert_ok(bis_machine_remove(m, mod[0]));
	mod[0] = rig_add(m, "probe");
	assert_string_equal(bis_module_name(mod[0]), "probe");
	bis_machine_destroy(m);
}

static void attaching_has_its_time(void **state)
{
	static const struct bis_mmio_ops ops = {.size = 64, .min_access = 4, .max_access = 4};
	struct bis_machine *m = modules_create(1);
	struct bis_module *mod = rig_add(m, "probe-m,at=0x1000");

	(void)state;
	assert_fails(bis_attach_mmio(mod, &ops), -EPERM, "only inside attach()");
	assert_fails(bis_attach_trap(mod, UINT64_MAX, NULL), -EPERM, "only inside attach()");
	bis_machine_destroy(m);
}

/* --- Lifecycle --- */

static void the_lifecycle_is_called_in_order(void **state)
{
	struct bis_machine *m = modules_create(1);
	enum bis_stop_reason why;
	int status;

	(void)state;
	rig_add(m, "probe");
	assert_string_equal(probe_calls, "ca");
	rig_start_paused(m);
	assert_string_equal(probe_calls, "casp");
	assert_ok(bis_machine_step(m, 1)); /* devices live while harts execute */
	assert_string_equal(probe_calls, "casprp");
	assert_ok(bis_machine_reset(m));
	assert_ok(bis_machine_resume(m));
	assert_string_equal(probe_calls, "casprpRr");
	rig_add(m, "probe"); /* to a running machine */
	assert_string_equal(probe_calls, "casprpRrcas");
	assert_ok(bis_machine_remove(m, bis_machine_find(m, "probe1")));
	assert_string_equal(probe_calls, "casprpRrcasSd");
	bis_machine_request_stop(m, BIS_STOP_HOST, 0);
	assert_ok(bis_machine_join(m, RIG_DEADLINE_MS, &why, &status));
	assert_string_equal(probe_calls, "casprpRrcasSdS");
	bis_machine_destroy(m);
	assert_string_equal(probe_calls, "casprpRrcasSdSd");
}

/* A machine destroyed while it runs stops its modules first. */
static void what_was_started_is_stopped(void **state)
{
	struct bis_machine *m = modules_create(1);

	(void)state;
	rig_add(m, "probe");
	rig_set32(m, RIG_CODE, SPIN);
	assert_ok(bis_machine_start(m));
	bis_machine_destroy(m);
	assert_string_equal(probe_calls, "casSd");
}

/* One module refuses to start: the machine does not, the others are stopped again, and it works without that one. */
static void a_module_that_does_not_start_stops_no_other(void **state)
{
	struct bis_machine *m = modules_create(1);
	struct bis_module *bad;

	(void)state;
	rig_add(m, "probe");
	bad = rig_add(m, "probe,fail=start");
	rig_set32(m, RIG_CODE, SPIN);
	assert_fails(bis_machine_start(m), -EIO, "fails to start");
	assert_int_equal(bis_machine_state(m), BIS_CREATED);
	assert_string_equal(probe_calls, "cacassS");
	assert_ok(bis_machine_remove(m, bad));
	assert_ok(bis_machine_start(m));
	assert_string_equal(probe_calls, "cacassSds");
	assert_fails(bis_machine_add(m, "probe,fail=start", NULL), -EIO, "fails to start");
	assert_int_equal(probes_alive, 1);
	bis_machine_destroy(m);
	assert_int_equal(probes_alive, 0);
}

static void what_is_in_use_stays(void **state)
{
	struct bis_machine *m = modules_create(1);
	struct bis_module *plic = rig_add(m, "plic,at=0xc000000"), *user = rig_add(m, "probe-m,at=0x1000,irq=5");

	(void)state;
	assert_fails(bis_machine_remove(m, plic), -EBUSY, "plic is in use: the interrupt line of probe-m");
	assert_ok(bis_machine_remove(m, user));
	assert_ok(bis_machine_remove(m, plic));
	rig_set32(m, RIG_CODE, SPIN);
	assert_ok(bis_machine_start(m));
	assert_fails(bis_machine_remove(m, bis_machine_find(m, "riscv")), -EBUSY, "the harts execute its instructions");
	assert_int_equal(bis_machine_state(m), BIS_RUNNING);
	bis_machine_destroy(m);
}

/* A line that is high is told to a controller that comes later. */
static void lines_are_wired_in_any_order(void **state)
{
	struct bis_machine *m = modules_create(1);
	struct bis_module *user = rig_add(m, "probe-m,at=0x1000,irq=5"), *plic;
	static const uint32_t pending[] = {LW(A2, 0, A4), SPIN};

	(void)state;
	bis_irq_set(bis_module_irq(user, 0), true);
	plic = rig_add(m, "plic,at=0xc000000");
	assert_non_null(plic);
	RIG_LOAD(m, RIG_CODE, pending);
	rig_start_paused(m);
	bis_hart_set_reg(rig_hart(m), A4, 0xc001000); /* pending bits of sources 0 to 31 */
	rig_step_at(m, RIG_CODE, 1);
	assert_int_equal(rig_reg(m, A2), 1 << 5);
	bis_irq_set(bis_module_irq(user, 0), false);
	bis_machine_destroy(m);
}

/* --- Coming and going while the guest uses it --- */

enum { HARTS = 3, SEEN = 0x1000 };

/*
 * Accesses the device for ever. Each round is counted in memory of the hart's own: at 0 where the device was there, at
 * 8 where it was not; at 16 is what came instead: the cause of the trap, which skips the instruction, or the value of
 * an empty slot's register. A slot tells by its identity register.
 */
static const uint32_t hammer_mmio[] = {LW(T0, 0, A4), SW(T0, 0, A4), ADDI(S0, S0, 1), SD(S0, 0, A3), J(-16)};
static const uint32_t hammer_native[] = {
	CSRR(T0, 0x5f0), CSRW(0x5f1, T0), CSRR(T1, 0x5f7), BEQ(T1, ZERO, 16), ADDI(S0, S0, 1), SD(S0, 0, A3),
	J(-24),		 ADDI(S1, S1, 1), SD(T0, 16, A3),  SD(S1, 8, A3),     J(-40),
};
static const uint32_t count_trap[] = {
	CSRR(T1, CSR_MCAUSE), SD(T1, 16, A3),  ADDI(S1, S1, 1),	   SD(S1, 8, A3),
	CSRR(T1, CSR_MEPC),   ADDI(T1, T1, 4), CSRW(CSR_MEPC, T1), MRET,
};

static void start_hammering(struct bis_machine *m, const uint32_t *code, size_t size)
{
	rig_write(m, RIG_CODE, code, size);
	RIG_LOAD(m, RIG_CODE + 0x1000, count_trap);
	rig_start_paused(m);
	for (unsigned i = 0; i < HARTS; i++) {
		struct bis_hart *h = bis_machine_hart(m, i);

		bis_hart_set_pc(h, RIG_CODE);
		bis_hart_set_reg(h, A3, RIG_DATA + SEEN * i);
		bis_hart_set_reg(h, A4, 0x20000000);
		assert_ok(bis_hart_csr_set(h, CSR_MTVEC, RIG_CODE + 0x1000));
	}
	assert_ok(bis_machine_resume(m));
}

static uint64_t seen(struct bis_machine *m, unsigned hart, unsigned what)
{
	return rig_get64(m, RIG_DATA + SEEN * hart + what);
}

static void hammer(const uint32_t *code, size_t size, const char *spec, const uint64_t *instead)
{
	struct bis_machine *m = modules_create(HARTS);

	start_hammering(m, code, size);
	for (unsigned round = 0; round < 25; round++) {
		uint64_t missing[HARTS];
		struct bis_module *mod;
		struct probe *p;

		for (unsigned i = 0; i < HARTS; i++) {
			uint64_t before = seen(m, i, 8);

			rig_wait_for(seen(m, i, 8) > before); /* it is not there */
			assert_in_set(seen(m, i, 16), instead, 2);
		}
		mod = rig_add(m, spec);
		p = bis_module_self(mod);
		rig_wait_for(atomic_load(&p->reads) > 50);
		assert_ok(bis_machine_remove(m, mod));
		assert_int_equal(probes_alive, 0);
		for (unsigned i = 0; i < HARTS; i++)
			missing[i] = seen(m, i, 8);
		for (unsigned i = 0; i < HARTS; i++)
			rig_wait_for(seen(m, i, 8) > missing[i]);
	}
	bis_machine_destroy(m);
}

static void a_window_comes_and_goes_under_load(void **state)
{
	static const uint64_t causes[] = {BIS_CAUSE_LOAD_ACCESS, BIS_CAUSE_STORE_ACCESS};

	(void)state;
	hammer(hammer_mmio, sizeof(hammer_mmio), "probe-m,at=0x20000000", causes);
}

static void a_slot_comes_and_goes_under_load(void **state)
{
	static const uint64_t values[] = {0, 7}; /* 7: it went between the reads of value and identity */

	(void)state;
	hammer(hammer_native, sizeof(hammer_native), "probe-n,slot=6", values);
}

/* The machine may be destroyed while every hart is inside the device. */
static void a_machine_goes_under_load(void **state)
{
	(void)state;
	for (unsigned round = 0; round < 10; round++) {
		struct bis_machine *m = modules_create(HARTS);
		struct probe *p = bis_module_self(rig_add(m, "probe-m,at=0x20000000"));

		start_hammering(m, hammer_mmio, sizeof(hammer_mmio));
		rig_wait_for(atomic_load(&p->reads) > 50);
		bis_machine_destroy(m);
		assert_int_equal(probes_alive, 0);
	}
}

/* --- The built-in classes --- */

/* What stands for a required option. */
static const char *value_of(const struct bis_module_class *class, const struct bis_option *o, const char *file)
{
	if (o->type != BIS_OPTION_TEXT)
		return "0x80001000";
	if (!strcmp(class->name, "share"))
		return "."; /* a directory */
	return strcmp(o->name, "share") ? file : "kept";
}

/* Every class comes and goes, before the machine runs and while it does; leak checkers watch. */
static void every_built_in_class_comes_and_goes(void **state)
{
	struct bis_machine *m = modules_create(2);
	char file[] = "./test_modules.XXXXXX";
	int fd = mkstemp(file);

	(void)state;
	assert_true(fd >= 0);
	rig_add(m, "share,path=.,name=kept");
	rig_set32(m, RIG_CODE, SPIN);
	for (unsigned running = 0; running < 2; running++) {
		for (size_t i = 0; bis_builtin_modules[i]; i++) {
			const struct bis_module_class *class = bis_builtin_modules[i];
			char spec[128];

			if (!strcmp(class->name, "riscv") || !strcmp(class->name, "net-tap"))
				continue; /* there already as long as harts run; changes the host */
			snprintf(spec, sizeof(spec), "%s,at=0x30000000,slot=%d%s", class->name,
				 strcmp(class->name, "modctl") ? 9 : 0,
				 strcmp(class->name, "magicfs") ? "" : ",window=1M");
			for (const struct bis_option *o = class->options; o && o->name; o++)
				if (!o->def) /* the required ones: files and addresses */
					strcat(strcat(strcat(strcat(spec, ","), o->name), "="),
					       value_of(class, o, file));
			assert_int_equal(ftruncate(fd, 8192), 0);
			for (unsigned round = 0; round < 3; round++)
				assert_ok(bis_machine_remove(m, rig_add(m, spec)));
		}
		if (!running)
			assert_ok(bis_machine_start(m));
	}
	bis_machine_destroy(m);
	close(fd);
	unlink(file);
}

/* --- A worker that lives as long as its device --- */

static void *raise_line(void *arg)
{
	bis_irq_set(arg, true);
	return NULL;
}

/* Its last interrupt comes while the device is being destroyed, on another thread. */
static void destroy_with_worker(void *self)
{
	pthread_t worker;

	assert_int_equal(pthread_create(&worker, NULL, raise_line, bis_module_irq(self, 0)), 0);
	assert_int_equal(pthread_join(worker, NULL), 0);
}

static int create_with_worker(struct bis_module *mod, const struct bis_options *options, void **self)
{
	(void)options;
	*self = mod;
	return 0;
}

static const struct bis_module_class worker_class = {.abi = BIS_MODULE_ABI,
						     .name = "worker",
						     .summary = "interrupts while it goes",
						     .irqs = 1,
						     .create = create_with_worker,
						     .destroy = destroy_with_worker};

/* Memory checkers watch what the controller thread makes of it. */
static void an_interrupt_of_a_device_that_goes_is_forgotten(void **state)
{
	static const struct bis_module_class *const classes[] = {&bis_riscv_class, &worker_class, NULL};
	struct bis_machine *m = rig_create_with("rv64", 1, classes);

	(void)state;
	rig_add(m, "riscv");
	rig_start_paused(m);
	assert_ok(bis_machine_resume(m));
	for (unsigned i = 0; i < 100; i++)
		assert_ok(bis_machine_remove(m, rig_add(m, "worker")));
	bis_machine_destroy(m);
}

/* --- Wishes of the guest --- */

static void note_result(void *arg, int result)
{
	*(int *)arg = result;
}

static void a_wish_is_carried_out_by_the_control_thread(void **state)
{
	struct bis_machine *m = modules_create(1);
	enum bis_stop_reason why;
	int first = 1, second = 1, status;

	(void)state;
	rig_set32(m, RIG_CODE, SPIN);
	assert_ok(bis_machine_start(m));
	assert_ok(bis_machine_request_add(m, "probe-m,at=0x1000", note_result, &first));
	assert_fails(bis_machine_request_add(m, "probe", note_result, &second), -EAGAIN,
		     "another module is being added");
	assert_int_equal(bis_machine_join(m, 0, &why, &status), -ETIMEDOUT);
	assert_int_equal(first, 0);
	assert_non_null(bis_machine_find(m, "probe-m"));
	assert_ok(bis_machine_request_add(m, "probe-m,at=0x1000", note_result, &second));
	assert_int_equal(bis_machine_join(m, 0, &why, &status), -ETIMEDOUT);
	assert_int_equal(second, -EEXIST);
	bis_machine_destroy(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_bad_specification_is_named),
		cmocka_unit_test(instances_are_named_and_found),
		cmocka_unit_test(attaching_has_its_time),
		cmocka_unit_test(the_lifecycle_is_called_in_order),
		cmocka_unit_test(what_was_started_is_stopped),
		cmocka_unit_test(a_module_that_does_not_start_stops_no_other),
		cmocka_unit_test(what_is_in_use_stays),
		cmocka_unit_test(lines_are_wired_in_any_order),
		cmocka_unit_test(a_window_comes_and_goes_under_load),
		cmocka_unit_test(a_slot_comes_and_goes_under_load),
		cmocka_unit_test(a_machine_goes_under_load),
		cmocka_unit_test(every_built_in_class_comes_and_goes),
		cmocka_unit_test(an_interrupt_of_a_device_that_goes_is_forgotten),
		cmocka_unit_test(a_wish_is_carried_out_by_the_control_thread),
	};

	return cmocka_run_group_tests_name("modules", tests, NULL, NULL);
}
