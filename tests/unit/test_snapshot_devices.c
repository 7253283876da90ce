/*
 * Snapshots of the devices of the board: what a guest sees of them is as it was, and values that no device ever has are
 * refused before they can do harm.
 */
#include <biscuit/chardev.h>

#include "modules/device/native.h"
#include "src/memory/bus_internal.h"
#include "tests/unit/net_fake.h"
#include "tests/unit/snapshot_rig.h"

#define PLIC	 UINT64_C(0xc000000)
#define CLINT	 UINT64_C(0x2000000)
#define RTC	 UINT64_C(0x101000)
#define UART	 UINT64_C(0x10000000)
#define VIRTIO	 UINT64_C(0x10001000)
#define UART_IRQ 10

enum { RBR = 0, IER = 1, FCR = 2, LCR = 3, MCR = 4, SCR = 7 };

static struct bis_machine *board(void)
{
	struct bis_machine_config cfg = {
		.ram_size = RIG_RAM_SIZE, .harts = 2, .isa = "rv64", .classes = bis_builtin_modules};
	struct bis_machine *m = NULL;

	assert_ok(bis_machine_create(&cfg, &m));
	assert_ok(bis_board_virt(m));
	rig_add(m, "sbi");
	rig_add(m, "htif,tohost=0x80700000,fromhost=0x80700008");
	return m;
}

static uint64_t rd(struct bis_machine *m, uint64_t pa, unsigned size)
{
	uint64_t value = 0;

	assert_int_equal(bis_bus_read(m->bus, pa, size, &value), BIS_BUS_OK);
	return value;
}

static void wr(struct bis_machine *m, uint64_t pa, unsigned size, uint64_t value)
{
	assert_int_equal(bis_bus_write(m->bus, pa, size, value), BIS_BUS_OK);
}

/* Saves and restores with one byte of a field changed. */
static void refused(struct bis_machine *m, const char *module, const char *field, unsigned at, uint8_t value,
		    const char *words)
{
	struct snap s = snap_take(m);

	assert_ok(snap_try(&s));
	snap_field(&s, module, field)[at] = value;
	assert_fails(snap_try(&s), -EINVAL, words);
	snap_free(&s);
}

/* --- The board --- */

static void what_a_guest_sees_of_the_board_is_as_it_was(void **state)
{
	static const struct {
		uint64_t pa;
		unsigned size;
		uint64_t value;
	} registers[] = {
		{PLIC + 4 * UART_IRQ, 4, 5},
		{PLIC + 0x2000, 4, 1 << UART_IRQ},
		{PLIC + 0x200000, 4, 2},
		{PLIC + 0x2100, 4, 0x40},
		{CLINT + 4, 4, 1},
		{CLINT + 0x4000, 8, UINT64_C(0x123456789abcdef)},
		{CLINT + 0x4008, 8, 0xfedcba98},
		{UART + IER, 1, 0x5},
		{UART + LCR, 1, 0x1b},
		{UART + SCR, 1, 0xa5},
		{RTC + 0x0c, 4, 0x7fffffff},
		{RTC + 0x08, 4, 5},
		{RTC + 0x10, 4, 1},
	};
	struct bis_machine *m = board();
	uint64_t plic_pending;

	(void)state;
	snap_pause(m);
	for (size_t i = 0; i < BIS_ARRAY_SIZE(registers); i++)
		wr(m, registers[i].pa, registers[i].size, registers[i].value);
	wr(m, UART + MCR, 1, 0x10); /* loop back */
	for (unsigned i = 0; i < 5; i++)
		wr(m, UART + RBR, 1, 0x40 + i);
	plic_pending = rd(m, PLIC + 0x1000, 4);
	assert_int_equal(plic_pending, 1 << UART_IRQ);
	m = snap_move(m);
	assert_ok(bis_machine_resume(m));
	for (size_t i = 0; i < BIS_ARRAY_SIZE(registers); i++)
		assert_int_equal(rd(m, registers[i].pa, registers[i].size), registers[i].value);
	assert_int_equal(rd(m, PLIC + 0x1000, 4), plic_pending);
	assert_int_equal(rd(m, PLIC + 0x200004, 4), UART_IRQ);
	for (unsigned i = 0; i < 5; i++)
		assert_int_equal(rd(m, UART + RBR, 1), 0x40 + i);
	/* The line is low now, and the claim is still to be completed. */
	wr(m, PLIC + 0x200004, 4, UART_IRQ);
	assert_int_equal(rd(m, PLIC + 0x200004, 4), 0);
	bis_machine_destroy(m);
}

static void native_devices_are_as_they_were(void **state)
{
	struct bis_machine *m = board();

	(void)state;
	snap_pause(m);
	bis_devctl_write(m, CONSOLE_SLOT, CONSOLE_ADDRESS, 0x80100000);
	bis_devctl_write(m, CONSOLE_SLOT, CONSOLE_WRITE, 65537);
	bis_devctl_write(m, CLOCK_SLOT, CLOCK_ALARM, UINT64_C(1) << 50);
	bis_devctl_write(m, CLOCK_SLOT, CLOCK_HIGH, 7);
	bis_devctl_write(m, MODCTL_SLOT, MODCTL_SELECT, MODCTL_SELECT_HARTS);
	m = snap_move(m);
	assert_int_equal(bis_devctl_read(m, CONSOLE_SLOT, CONSOLE_ADDRESS), 0x80100000);
	assert_int_equal((bis_devctl_read(m, CONSOLE_SLOT, NATIVE_STATUS) & NATIVE_STATUS_ERROR_MASK) >>
				 NATIVE_STATUS_ERROR_SHIFT,
			 NATIVE_ERROR_TOO_BIG);
	assert_int_equal(bis_devctl_read(m, CLOCK_SLOT, CLOCK_ALARM), UINT64_C(1) << 50);
	bis_devctl_write(m, CLOCK_SLOT, CLOCK_ALARM, 1);
	assert_int_equal(bis_devctl_read(m, CLOCK_SLOT, CLOCK_ALARM), UINT64_C(7) << 32 | 1);
	assert_int_equal(bis_devctl_read(m, MODCTL_SLOT, MODCTL_INFO), 2);
	bis_machine_destroy(m);
}

static void values_that_no_device_has_are_refused(void **state)
{
	struct bis_machine *m = board();

	(void)state;
	snap_pause(m);
	refused(m, "uart0", "loop_count", 0, 17, "17 bytes in a FIFO of 16");
	refused(m, "htif", "interval", 7, 1, "looks every");
	bis_machine_destroy(m);
}

static void constants_are_compared_and_never_set(void **state)
{
	struct bis_machine *m = board(), *other;
	struct bis_snapshot *open;
	struct bis_machine_config cfg = {
		.ram_size = RIG_RAM_SIZE, .harts = 2, .isa = "rv64", .classes = bis_builtin_modules};
	struct snap s = snap_take(m);
	size_t len = 0;
	uint8_t *data;

	(void)state;
	snap_write(&s, snap_path());
	assert_ok(bis_snapshot_open(snap_path(), &open));
	assert_ok(bis_machine_create(&cfg, &other));
	rig_add(other, "riscv");
	rig_add(other, "plic,at=0xc000000,sources=64");
	rig_add(other, "clint,at=0x3000000");
	rig_add(other, "goldfish-rtc,at=0x101000,irq=12");
	rig_add(other, "console,slot=5");
	assert_fails(bis_snapshot_restore(open, other), -EINVAL, "sources of plic is 64, and was 96");
	assert_non_null(strstr(bis_error_message(), "clint is at 0x3000000, and was at 0x2000000"));
	assert_non_null(strstr(bis_error_message(), "goldfish-rtc has irq 12, and had 11"));
	assert_non_null(strstr(bis_error_message(), "console is in slot 5, and was in 1"));
	bis_snapshot_close(open);
	bis_machine_destroy(other);
	/* Not even the constant of a module may be said to be another one than it can be. */
	data = snap_record(&s, SNAPSHOT_MODULE, "plic", &len, NULL);
	data[len - 1] = 0xff;
	assert_fails(snap_try(&s), -EINVAL, "sources of plic");
	snap_free(&s);
	bis_machine_destroy(m);
}

/* --- Requests of a guest for modules --- */

static void a_module_that_was_asked_for_comes_after_the_restore(void **state)
{
	struct bis_machine_config cfg = {
		.ram_size = RIG_RAM_SIZE, .isa = "rv64", .classes = bis_builtin_modules, .allow_guest_modules = true};
	static const char spec[] = "clock,slot=9,name=late";
	struct bis_machine *m = NULL;
	struct bis_snapshot *s;
	enum bis_stop_reason why;
	int status;

	(void)state;
	assert_ok(bis_machine_create(&cfg, &m));
	rig_add(m, "riscv");
	rig_add(m, "modctl,slot=0");
	snap_pause(m);
	RIG_LOAD(m, RIG_DATA, spec);
	/* Nobody waits in bis_machine_join yet, so it is not added. */
	bis_devctl_write(m, MODCTL_SLOT, MODCTL_REQUEST, RIG_DATA);
	assert_true(bis_devctl_read(m, MODCTL_SLOT, NATIVE_STATUS) & NATIVE_STATUS_BUSY);
	assert_ok(bis_snapshot_save(m, snap_path(), NULL));
	bis_machine_destroy(m);
	/* Where guests may have no modules, it is told so. */
	m = snap_restore();
	assert_int_equal((bis_devctl_read(m, MODCTL_SLOT, NATIVE_STATUS) & NATIVE_STATUS_ERROR_MASK) >>
				 NATIVE_STATUS_ERROR_SHIFT,
			 NATIVE_ERROR_DENIED);
	bis_machine_destroy(m);
	assert_ok(bis_machine_create(&cfg, &m));
	rig_add(m, "riscv");
	rig_add(m, "modctl,slot=0");
	snap_pause(m);
	RIG_LOAD(m, RIG_DATA, spec);
	bis_devctl_write(m, MODCTL_SLOT, MODCTL_REQUEST, RIG_DATA);
	assert_ok(bis_snapshot_save(m, snap_path(), NULL));
	bis_machine_destroy(m);
	assert_ok(bis_machine_create(&cfg, &m));
	rig_add(m, "riscv");
	rig_add(m, "modctl,slot=0");
	assert_ok(bis_snapshot_open(snap_path(), &s));
	assert_ok(bis_snapshot_restore(s, m));
	bis_snapshot_close(s);
	unlink(snap_path());
	assert_true(bis_devctl_read(m, MODCTL_SLOT, NATIVE_STATUS) & NATIVE_STATUS_BUSY);
	assert_int_equal(bis_machine_join(m, 0, &why, &status), -ETIMEDOUT);
	assert_non_null(bis_machine_find(m, "late"));
	assert_false(bis_devctl_read(m, MODCTL_SLOT, NATIVE_STATUS) & NATIVE_STATUS_BUSY);
	bis_machine_destroy(m);
}

/* --- Consoles --- */

struct sink {
	char text[256];
	size_t len, room;
};

static size_t sink_write(void *self, const uint8_t *buf, size_t len)
{
	struct sink *s = self;
	size_t n = len < s->room ? len : s->room;

	assert_true(n < sizeof(s->text) - s->len);
	memcpy(s->text + s->len, buf, n);
	s->len += n;
	s->room -= n;
	return n;
}

static struct bis_chardev *plug(struct bis_machine *m, struct sink *s)
{
	static const struct bis_chardev_ops ops = {.write = sink_write};
	struct bis_chardev *c;

	bis_machine_lock_devices(m);
	assert_ok(bis_chardev_create(m, "console", &ops, s, &c));
	bis_machine_unlock_devices(m);
	return c;
}

static void bytes_under_way_arrive_once(void **state)
{
	struct sink before = {.room = 3}, after = {.room = 100};
	struct bis_machine *m = board();
	struct bis_snapshot *s;
	struct bis_chardev *c;

	(void)state;
	c = plug(m, &before);
	snap_pause(m);
	for (const char *p = "output"; *p; p++)
		wr(m, UART + RBR, 1, (uint8_t)*p);
	bis_machine_lock_devices(m);
	assert_int_equal(bis_chardev_input(c, (const uint8_t *)"typed ", 6), 6);
	bis_machine_unlock_devices(m);
	assert_ok(bis_snapshot_save(m, snap_path(), NULL));
	bis_machine_destroy(m);
	assert_string_equal(before.text, "out");

	assert_ok(bis_snapshot_open(snap_path(), &s));
	m = snap_make(s);
	c = plug(m, &after);
	bis_machine_lock_devices(m);
	assert_int_equal(bis_chardev_input(c, (const uint8_t *)"early", 5), 5);
	bis_machine_unlock_devices(m);
	assert_ok(bis_snapshot_restore(s, m));
	bis_snapshot_close(s);
	unlink(snap_path());
	assert_string_equal(after.text, "put");
	assert_ok(bis_machine_resume(m));
	for (const char *p = "typed early"; *p; p++)
		assert_int_equal(rd(m, UART + RBR, 1), *p);
	wr(m, UART + RBR, 1, '!');
	assert_string_equal(after.text, "put!");
	bis_machine_destroy(m);
}

static void back_ends_may_be_others(void **state)
{
	struct bis_machine *m = board();
	struct bis_snapshot *s;
	size_t backends = 0;

	(void)state;
	rig_add(m, "chardev-null");
	rig_add(m, "chardev-file,path=/dev/null,chardev=second");
	snap_pause(m);
	assert_ok(bis_snapshot_save(m, snap_path(), NULL));
	bis_machine_destroy(m);
	assert_ok(bis_snapshot_open(snap_path(), &s));
	for (size_t i = 0; bis_snapshot_module(s, i); i++)
		backends += bis_snapshot_is_backend(s, i);
	assert_int_equal(backends, 2);
	m = board();
	rig_add(m, "chardev-pty,name=another");
	assert_ok(bis_snapshot_restore(s, m));
	bis_snapshot_close(s);
	unlink(snap_path());
	bis_machine_destroy(m);
}

static void a_terminal_keeps_what_nobody_has_read(void **state)
{
	struct bis_machine *m = board();
	char text[64] = "", got[16] = "";
	struct bis_module *pty;
	int fd;

	(void)state;
	rig_add(m, "chardev-pty");
	snap_pause(m);
	for (const char *p = "unread"; *p; p++)
		wr(m, UART + RBR, 1, (uint8_t)*p);
	m = snap_move(m);
	pty = bis_machine_find(m, "chardev-pty");
	bis_field_format(bis_field_find(bis_module_class_of(pty)->fields, "path"), bis_module_self(pty), text,
			 sizeof(text));
	fd = open(text, O_RDWR | O_NOCTTY);
	assert_true(fd >= 0);
	for (size_t n = 0; n < 6;) {
		ssize_t part = read(fd, got + n, 6 - n);

		assert_true(part > 0);
		n += (size_t)part;
	}
	assert_string_equal(got, "unread");
	close(fd);
	bis_machine_destroy(m);
}

/* --- Virtio, by the rings alone --- */

static struct bis_machine *with_virtio(const char *spec)
{
	struct bis_machine *m = board();
	char text[128];

	snprintf(text, sizeof(text), "%s,at=0x10001000,irq=1", spec);
	rig_add(m, text);
	snap_pause(m);
	return m;
}

/* A driver that has got as far as DRIVER_OK, with queue 0 of 8 entries at RIG_DATA. */
static void bring_up(struct bis_machine *m, uint32_t features)
{
	const struct {
		unsigned reg;
		uint32_t value;
	} writes[] = {{0x70, 1},  {0x70, 3},
		      {0x24, 0},  {0x20, features},
		      {0x24, 1},  {0x20, 1},
		      {0x70, 11}, {0x30, 0},
		      {0x38, 8},  {0x80, RIG_DATA},
		      {0x84, 0},  {0x90, RIG_DATA + 4096},
		      {0x94, 0},  {0xa0, RIG_DATA + 8192},
		      {0xa4, 0},  {0x44, 1},
		      {0x70, 15}};

	for (size_t i = 0; i < BIS_ARRAY_SIZE(writes); i++)
		wr(m, VIRTIO + writes[i].reg, 4, writes[i].value);
	assert_int_equal(rd(m, VIRTIO + 0x70, 4), 15);
}

static void *raise_line(void *line)
{
	bis_irq_set(line, true);
	return NULL;
}

static void an_interrupt_that_its_controller_has_not_heard_of_arrives(void **state)
{
	struct bis_machine *m = with_virtio("virtio-rng");
	pthread_t other;

	(void)state;
	bis_machine_lock_control(m);
	bis_machine_lock_devices(m);
	assert_int_equal(pthread_create(&other, NULL, raise_line, bis_module_irq(bis_machine_find(m, "virtio-rng"), 0)),
			 0);
	pthread_join(other, NULL);
	assert_int_equal(rd(m, PLIC + 0x1000, 4), 0);
	assert_ok(bis_snapshot_save(m, snap_path(), NULL));
	bis_machine_unlock_devices(m);
	bis_machine_unlock_control(m);
	bis_machine_destroy(m);
	m = snap_restore();
	assert_int_equal(rd(m, PLIC + 0x1000, 4), 1 << 1);
	bis_machine_destroy(m);
}

static void rings_that_cannot_be_are_refused(void **state)
{
	struct bis_machine *m = with_virtio("virtio-rng");

	(void)state;
	bring_up(m, 0);
	refused(m, "virtio-rng", "virtio.size", 0, 7, "queue 0: its size");
	refused(m, "virtio-rng", "virtio.size", 1, 8, "queue 0: its size");
	refused(m, "virtio-rng", "virtio.desc", 7, 1, "queue 0: a part of it is not in RAM");
	refused(m, "virtio-rng", "virtio.used", 0, 1, "queue 0: a part of it is misaligned");
	refused(m, "virtio-rng", "virtio.ready", 3, 1, "a queue is ready that does not exist");
	refused(m, "virtio-rng", "virtio.accepted", 7, 0x80, "features that it does not offer");
	refused(m, "virtio-rng", "virtio.status", 0, 4, "without having agreed on features");
	bis_machine_destroy(m);
	m = with_virtio("virtio-balloon");
	refused(m, "virtio-balloon", "config.num_pages", 3, 1, "a target of");
	bis_machine_destroy(m);
}

/* --- Networks --- */

#define F_STATUS (1u << 16)

static bool link_is_up(struct bis_machine *m)
{
	return rd(m, VIRTIO + 0x106, 2) & 1;
}

static void set_cable(struct bis_machine *m, const char *verb)
{
	struct bis_module *net = bis_machine_find(m, "virtio-net");
	char reply[16];

	bis_machine_lock_devices(m);
	assert_ok(bis_module_class_of(net)->ctl(bis_module_self(net), verb, reply, sizeof(reply)));
	bis_machine_unlock_devices(m);
}

static struct bis_machine *restore_net(const char *name, struct net_back **back)
{
	struct bis_snapshot *s;
	struct bis_machine *m;

	assert_ok(bis_snapshot_open(snap_path(), &s));
	m = snap_make(s);
	*back = net_back_plug(m, name, 0);
	assert_ok(bis_snapshot_restore(s, m));
	bis_snapshot_close(s);
	unlink(snap_path());
	return m;
}

static void a_pulled_cable_stays_pulled(void **state)
{
	struct bis_machine *m = with_virtio("virtio-net");
	struct net_back *back = net_back_plug(m, "net0", 0);

	(void)state;
	bring_up(m, F_STATUS);
	assert_true(link_is_up(m));
	set_cable(m, "link down");
	assert_false(link_is_up(m));
	assert_ok(bis_snapshot_save(m, snap_path(), NULL));
	bis_machine_destroy(m);
	free(back);
	m = restore_net("net0", &back);
	assert_false(link_is_up(m));
	set_cable(m, "link up");
	assert_true(link_is_up(m));
	bis_machine_destroy(m);
	free(back);
}

static void the_driver_hears_that_its_network_is_gone(void **state)
{
	struct bis_machine *m = with_virtio("virtio-net");
	struct net_back *back = net_back_plug(m, "net0", 0);

	(void)state;
	bring_up(m, F_STATUS);
	wr(m, VIRTIO + 0x64, 4, 3);
	assert_ok(bis_snapshot_save(m, snap_path(), NULL));
	bis_machine_destroy(m);
	free(back);
	m = restore_net("another", &back);
	assert_false(link_is_up(m));
	assert_int_equal(rd(m, VIRTIO + 0x60, 4), 2);
	assert_true(bis_irq_level(bis_module_irq(bis_machine_find(m, "virtio-net"), 0)));
	bis_machine_destroy(m);
	free(back);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_a_guest_sees_of_the_board_is_as_it_was),
		cmocka_unit_test(native_devices_are_as_they_were),
		cmocka_unit_test(values_that_no_device_has_are_refused),
		cmocka_unit_test(constants_are_compared_and_never_set),
		cmocka_unit_test(a_module_that_was_asked_for_comes_after_the_restore),
		cmocka_unit_test(bytes_under_way_arrive_once),
		cmocka_unit_test(back_ends_may_be_others),
		cmocka_unit_test(a_terminal_keeps_what_nobody_has_read),
		cmocka_unit_test(an_interrupt_that_its_controller_has_not_heard_of_arrives),
		cmocka_unit_test(rings_that_cannot_be_are_refused),
		cmocka_unit_test(a_pulled_cable_stays_pulled),
		cmocka_unit_test(the_driver_hears_that_its_network_is_gone),
	};

	return cmocka_run_group_tests_name("snapshot_devices", tests, NULL, NULL);
}
