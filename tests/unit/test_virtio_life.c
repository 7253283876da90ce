/* Virtio over MMIO: the device configuration, interrupts, the lifecycle of the module, the log. */
#include <pthread.h>

#include "tests/unit/virtio_fake.h"

#define QUEUE 8u /* entries */

/* --- Device configuration --- */

static void the_configuration_is_read_in_any_width(void **state)
{
	struct virtio_test *t = *state;

	assert_int_equal(vrig_config(t->r, 3, 1), 0x04);
	assert_int_equal(vrig_config(t->r, 2, 2), 0x0403);
	assert_int_equal(vrig_config(t->r, 4, 4), 0x08070605);
	assert_int_equal(vrig_config(t->r, 0, 8), 0x0807060504030201);
	assert_int_equal(vrig_config(t->r, 8, 8), 0x0c0b0a09);
	assert_int_equal(vrig_config(t->r, FAKE_CONFIG, 4), 0);
	assert_int_equal(vrig_config(t->r, 0xf8, 8), 0);
	assert_int_equal(vrig_config(t->r, 0xff, 1), 0);
}

static void the_configuration_is_written_through_the_device(void **state)
{
	struct virtio_test *t = *state;

	vrig_set_config(t->r, 5, 1, 0xaa);
	assert_int_equal(t->f->off, 5);
	assert_int_equal(t->f->size, 1);
	assert_int_equal(t->f->value, 0xaa);
	vrig_set_config(t->r, 8, 4, 0x12345678);
	assert_int_equal(t->f->value, 0x12345678);
	assert_int_equal(t->f->writes, 2);
	/* Eight bytes are two fields of four. */
	vrig_set_config(t->r, 0, 8, UINT64_C(0x1111111122222222));
	assert_int_equal(t->f->writes, 4);
	assert_int_equal(t->f->off, 4);
	assert_int_equal(t->f->size, 4);
	assert_int_equal(t->f->value, 0x11111111);
	/* Beyond the end nothing happens. */
	vrig_set_config(t->r, 8, 8, 1);
	vrig_set_config(t->r, FAKE_CONFIG, 4, 1);
	vrig_set_config(t->r, 0xff, 1, 1);
	assert_int_equal(t->f->writes, 4);
	assert_int_equal(vrig_config(t->r, 0, 1), 1);
}

static void a_changed_configuration_is_told(void **state)
{
	struct virtio_test *t = *state;
	uint32_t before = vrig_rd(t->r, VRIG_CONFIG_GENERATION);

	virtio_config_changed(t->v);
	assert_int_equal(vrig_rd(t->r, VRIG_CONFIG_GENERATION), before + 1);
	assert_false(vrig_irq(t->r));
	vrig_start(t->r, 0, 1, QUEUE);
	virtio_config_changed(t->v);
	assert_int_equal(vrig_rd(t->r, VRIG_CONFIG_GENERATION), before + 2);
	assert_true(vrig_irq(t->r));
	assert_int_equal(vrig_ack(t->r), 2);
	assert_false(vrig_irq(t->r));
}

/* --- Interrupts --- */

static void the_line_is_high_until_all_is_acknowledged(void **state)
{
	struct virtio_test *t = *state;
	struct virtio_chain c;

	vrig_start(t->r, 0, 1, QUEUE);
	vrig_submit(t->r, 0, VRIG_OUT(RIG_DATA, 1));
	assert_int_equal(virtio_pop(t->v, 0, &c), 1);
	virtio_push(&c);
	virtio_signal(t->v, 0);
	virtio_config_changed(t->v);
	assert_int_equal(vrig_rd(t->r, VRIG_INTERRUPT_STATUS), 3);
	vrig_wr(t->r, VRIG_INTERRUPT_ACK, 0xfffffffc);
	assert_int_equal(vrig_rd(t->r, VRIG_INTERRUPT_STATUS), 3);
	vrig_wr(t->r, VRIG_INTERRUPT_ACK, 2);
	assert_int_equal(vrig_rd(t->r, VRIG_INTERRUPT_STATUS), 1);
	assert_true(vrig_irq(t->r));
	vrig_wr(t->r, VRIG_INTERRUPT_ACK, 1);
	assert_false(vrig_irq(t->r));
}

/* Interrupts from a worker race with acknowledgements: the line never disagrees with the register for long. */
static void *interrupter(void *arg)
{
	for (unsigned i = 0; i < 20000; i++)
		virtio_config_changed(arg);
	return NULL;
}

static void the_line_follows_the_register_across_threads(void **state)
{
	struct virtio_test *t = *state;
	uint32_t before = vrig_rd(t->r, VRIG_CONFIG_GENERATION);
	pthread_t worker;

	vrig_start(t->r, 0, 1, QUEUE);
	assert_int_equal(pthread_create(&worker, NULL, interrupter, t->v), 0);
	while (vrig_rd(t->r, VRIG_CONFIG_GENERATION) - before < 20000)
		vrig_ack(t->r);
	pthread_join(worker, NULL);
	vrig_ack(t->r);
	assert_false(vrig_irq(t->r));
	virtio_config_changed(t->v);
	assert_true(vrig_irq(t->r));
}

static void a_device_may_find_its_driver_broken(void **state)
{
	struct virtio_test *t = *state;

	vrig_start(t->r, 0, 1, QUEUE);
	virtio_broken(t->v, "request %d is not one", 7);
	assert_true(vrig_needs_reset(t->r));
	assert_int_equal(vrig_ack(t->r), 2);
	virtio_broken(t->v, "again");
	assert_false(vrig_irq(t->r));
	vrig_start(t->r, 0, 1, QUEUE);
	assert_true(virtio_live(t->v));
}

/* --- Lifecycle --- */

static void reset_brings_everything_back(void **state)
{
	struct virtio_test *t = *state;
	struct virtio_chain c;

	vrig_start(t->r, FAKE_UPPER, 2, QUEUE);
	vrig_submit(t->r, 0, VRIG_OUT(RIG_DATA, 1));
	assert_int_equal(virtio_pop(t->v, 0, &c), 1);
	t->f->in_hand = &c;
	virtio_config_changed(t->v);
	t->f->quiesced = t->f->resets = 0;
	vrig_wr(t->r, VRIG_STATUS, 0);
	assert_int_equal(t->f->quiesced, 1);
	assert_int_equal(t->f->resets, 1);
	assert_int_equal(vrig_get16(t->r, t->r->q[0].used + 2), 0);
	assert_int_equal(vrig_rd(t->r, VRIG_STATUS), 0);
	assert_int_equal(vrig_rd(t->r, VRIG_INTERRUPT_STATUS), 0);
	assert_false(vrig_irq(t->r));
	for (unsigned q = 0; q < 2; q++) {
		vrig_wr(t->r, VRIG_QUEUE_SEL, q);
		assert_int_equal(vrig_rd(t->r, VRIG_QUEUE_READY), 0);
	}
}

static void the_machine_resets_pauses_and_resumes_it(void **state)
{
	struct virtio_test *t = *state;
	struct bis_machine *m = t->r->m;
	struct virtio_chain c;

	rig_add(m, "riscv");
	rig_start_paused(m);
	assert_ok(bis_machine_resume(m));
	vrig_start(t->r, 0, 1, QUEUE);
	vrig_submit(t->r, 0, VRIG_OUT(RIG_DATA, 1));
	assert_int_equal(virtio_pop(t->v, 0, &c), 1);
	/* What a worker has in hand is given back at a pause, and what comes meanwhile is seen at the resume. */
	t->f->in_hand = &c;
	assert_ok(bis_machine_pause(m));
	assert_null(t->f->in_hand);
	assert_true(vrig_used(t->r, 0, NULL, NULL));
	assert_true(vrig_irq(t->r));
	vrig_submit(t->r, 0, VRIG_OUT(RIG_DATA, 1));
	assert_int_equal(t->f->notified[0], 0);
	assert_ok(bis_machine_resume(m));
	assert_int_equal(t->f->notified[0], 1);
	assert_true(vrig_irq(t->r));
	assert_ok(bis_machine_reset(m));
	assert_int_equal(vrig_rd(t->r, VRIG_STATUS), 0);
	assert_false(vrig_irq(t->r));
	vrig_start(t->r, 0, 1, QUEUE);
	assert_ok(bis_machine_remove(m, t->r->mod));
}

/*
 * A device that takes what there is and is then kept from another look, by a pause or while another queue goes out of
 * use: the driver is asked to notify of the next chain all the same.
 */
static void no_queue_is_forgotten_when_the_device_was_quiet(void **state)
{
	struct virtio_test *t = *state;
	struct bis_machine *m = t->r->m;
	struct virtio_chain c;
	uint64_t event;

	rig_add(m, "riscv");
	rig_start_paused(m);
	assert_ok(bis_machine_resume(m));
	vrig_start(t->r, VIRTIO_F_EVENT_IDX, 2, QUEUE);
	event = t->r->q[0].used + 4 + QUEUE * 8;
	for (uint16_t taken = 1; taken < 4; taken++) {
		vrig_submit(t->r, 0, VRIG_OUT(RIG_DATA, 1));
		assert_int_equal(virtio_pop(t->v, 0, &c), 1);
		assert_int_not_equal(vrig_get16(t->r, event), taken);
		if (taken == 3) {
			vrig_wr(t->r, VRIG_QUEUE_SEL, 1);
			vrig_wr(t->r, VRIG_QUEUE_READY, 0);
		} else {
			assert_ok(bis_machine_pause(m));
			assert_ok(bis_machine_resume(m));
		}
		assert_int_equal(vrig_get16(t->r, event), taken);
	}
	assert_int_equal(t->f->notified[0], 0);
}

/* --- The log --- */

struct log {
	char last[512];
	unsigned lines;
};

static void keep_line(void *arg, enum bis_log_level level, const char *module, const char *message)
{
	struct log *log = arg;

	(void)level;
	snprintf(log->last, sizeof(log->last), "%s: %s", module, message);
	log->lines++;
}

/* The log names the device and the rule, and a driver that breaks rules all day does not fill it. */
static void broken_rules_are_logged_but_not_without_end(void **state)
{
	static const struct bis_module_class *const classes[] = {&virtio_fake_class, NULL};
	struct log log = {.lines = 0};
	struct bis_machine_config cfg = {
		.ram_size = 0x10000, .classes = classes, .log = keep_line, .log_arg = &log, .log_level = BIS_LOG_WARN};
	struct vrig r = {.next = BIS_RAM_BASE};

	(void)state;
	assert_ok(bis_machine_create(&cfg, &r.m));
	r.mod = rig_add(r.m, "virtio-fake,at=0x10001000,irq=1,name=disk7");
	vrig_start(&r, 0, 0, 0);
	vrig_notify(&r, 99);
	assert_int_equal(log.lines, 1);
	assert_non_null(strstr(log.last, "disk7: "));
	assert_non_null(strstr(log.last, "queue 99"));
	vrig_notify(&r, 98);
	assert_int_equal(log.lines, 1);
	for (unsigned i = 0; i < 1000; i++) {
		vrig_start(&r, 0, 0, 0);
		vrig_notify(&r, 99);
	}
	assert_in_range(log.lines, 2, 500);
	bis_machine_destroy(r.m);
}

/* --- A class that is built wrongly --- */

struct misplaced {
	uint64_t first;
	struct virtio virtio;
};

static int misplaced_create(struct bis_module *mod, const struct bis_options *options, void **self)
{
	static const struct virtio_ops ops = {.device_id = 1, .queues = 1, .notify = virtio_fake_notify};
	struct misplaced *b = calloc(1, sizeof(*b));

	(void)options;
	virtio_init(&b->virtio, mod, &ops, b, NULL);
	*self = b;
	return 0;
}

static int misplaced_attach(struct bis_module *mod, void *self)
{
	struct misplaced *b = self;

	(void)mod;
	return virtio_attach(&b->virtio);
}

static void the_transport_comes_first_in_a_devices_state(void **state)
{
	static const struct bis_module_class class = {
		.abi = BIS_MODULE_ABI,
		.irqs = 1,
		.name = "misplaced",
		.summary = "struct virtio in the wrong place",
		.create = misplaced_create,
		.attach = misplaced_attach,
		.destroy = free,
	};
	static const struct bis_module_class *const classes[] = {&class, NULL};
	struct bis_machine *m = rig_create_with("rv64", 1, classes);
	struct bis_module *mod;

	(void)state;
	assert_fails(bis_machine_add(m, "misplaced,at=0x10001000", &mod), -EINVAL, "first member");
	bis_machine_destroy(m);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, virtio_test_setup, virtio_test_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_configuration_is_read_in_any_width),
		TEST(the_configuration_is_written_through_the_device),
		TEST(a_changed_configuration_is_told),
		TEST(the_line_is_high_until_all_is_acknowledged),
		TEST(the_line_follows_the_register_across_threads),
		TEST(a_device_may_find_its_driver_broken),
		TEST(reset_brings_everything_back),
		TEST(the_machine_resets_pauses_and_resumes_it),
		TEST(no_queue_is_forgotten_when_the_device_was_quiet),
		cmocka_unit_test(broken_rules_are_logged_but_not_without_end),
		cmocka_unit_test(the_transport_comes_first_in_a_devices_state),
	};

	return cmocka_run_group_tests_name("virtio-life", tests, NULL, NULL);
}
