/*
 * Virtio console (virtio 1.2, section 5.3) of one port over a character device. Input goes to the driver as it comes
 * and the driver has buffers for it; output that finds the character device full stays in the driver's queue until
 * there is room. Runs with the device lock held, on a hart's thread or, when the character device has news, on the
 * controller thread; it has no threads of its own, and its chains live only during a call.
 */
#include <errno.h>
#include <stdlib.h>

#include <biscuit/chardev.h>

#include "modules/modules.h"
#include "modules/virtio/virtio.h"

enum { RECEIVE, TRANSMIT, QUEUES };

#define F_SIZE	      (UINT64_C(1) << 0)
#define F_EMERG_WRITE (UINT64_C(1) << 2)

/* Section 5.3.4. The terminal's size is 0 while nobody knows it. */
struct config {
	uint16_t columns, rows;
	uint32_t max_nr_ports, emerg_wr;
};

enum { CONFIG_EMERG_WR = 8 };

/*
 * What one call may move before other devices get their turn, in bytes; a chain counts as some. The queues go on in a
 * timer's call.
 */
#define BUDGET	   (256 * 1024)
#define CHAIN_COST 64

struct vconsole {
	struct virtio virtio;
	struct bis_chardev *chardev;
	struct bis_timer *timer;
	struct config config;
	uint64_t sent; /* bytes of the next chain of TRANSMIT that are sent already */
	bool paused;
	bool serving; /* a call that comes back through the character device is made up for by the first one */
	bool again;
};

static const struct bis_field vconsole_fields[] = {
	VIRTIO_FIELDS(struct vconsole, virtio),
	BIS_FIELD(struct vconsole, config.columns, U16, BIS_FIELD_READONLY, "columns of the terminal; 0: not known"),
	BIS_FIELD(struct vconsole, config.rows, U16, BIS_FIELD_READONLY, "rows of the terminal"),
	BIS_FIELD(struct vconsole, sent, U64, 0, "bytes of the next chain of queue 1 that are sent already"),
	BIS_FIELD_END,
};

static const struct bis_option vconsole_options[] = {
	{"chardev", BIS_OPTION_TEXT, "console", NULL, "name of the character device behind it"},
	{0},
};

/* Moves waiting input into the chain. */
static size_t fill(struct vconsole *c, struct virtio_chain *chain)
{
	uint8_t buf[4096];
	size_t total = 0;

	while (chain->writable) {
		size_t n = chain->writable < sizeof(buf) ? (size_t)chain->writable : sizeof(buf);

		n = bis_chardev_read(c->chardev, buf, n);
		if (n == 0)
			break;
		total += virtio_write(chain, buf, n);
	}
	return total;
}

static void receive(struct vconsole *c, size_t *budget)
{
	struct virtio_chain chain;

	while (*budget && bis_chardev_readable(c->chardev) && virtio_pop(&c->virtio, RECEIVE, &chain)) {
		size_t cost = fill(c, &chain) + CHAIN_COST;

		virtio_push(&chain);
		*budget -= cost < *budget ? cost : *budget;
	}
	virtio_signal(&c->virtio, RECEIVE);
}

/* Sends what is left of the chain; false if it must wait for room, or for the next turn. */
static bool drain(struct vconsole *c, struct virtio_chain *chain, size_t *budget)
{
	uint8_t buf[4096];

	while (chain->readable) {
		size_t room = bis_chardev_room(c->chardev);
		size_t n = room < sizeof(buf) ? room : sizeof(buf);

		n = n < *budget ? n : *budget;
		if (n == 0)
			return false;
		n = virtio_read(chain, buf, n);
		if (n == 0)
			return true;
		bis_chardev_write(c->chardev, buf, n);
		c->sent += n;
		*budget -= n;
	}
	return true;
}

static void transmit(struct vconsole *c, size_t *budget)
{
	struct virtio_chain chain;

	while (*budget && bis_chardev_room(c->chardev) && virtio_pop(&c->virtio, TRANSMIT, &chain)) {
		virtio_skip(&chain, c->sent);
		if (!drain(c, &chain, budget)) {
			virtio_unpop(&chain);
			break;
		}
		virtio_push(&chain);
		c->sent = 0;
		*budget -= CHAIN_COST < *budget ? CHAIN_COST : *budget;
	}
	virtio_signal(&c->virtio, TRANSMIT);
}

static void serve(struct vconsole *c)
{
	size_t budget = BUDGET;

	c->again = true;
	if (c->serving || c->paused)
		return;
	c->serving = true;
	while (c->again && budget) {
		c->again = false;
		receive(c, &budget);
		transmit(c, &budget);
	}
	c->serving = false;
	if (!budget)
		bis_timer_set(c->timer, 0);
}

static void vconsole_timer(void *self)
{
	serve(self);
}

/* Tells the driver of the terminal's size when it is another than it was told before. */
static void set_size(struct vconsole *c)
{
	unsigned columns, rows;
	bool same;

	if (c->paused)
		return;
	bis_chardev_size(c->chardev, &columns, &rows);
	columns = columns < UINT16_MAX ? columns : UINT16_MAX;
	rows = rows < UINT16_MAX ? rows : UINT16_MAX;
	virtio_lock(&c->virtio);
	same = c->config.columns == columns && c->config.rows == rows;
	c->config.columns = (uint16_t)columns;
	c->config.rows = (uint16_t)rows;
	virtio_unlock(&c->virtio);
	if (!same)
		virtio_config_changed(&c->virtio);
}

static void vconsole_chardev(void *arg)
{
	set_size(arg);
	serve(arg);
}

/* --- Virtio --- */

static void vconsole_notify(void *self, unsigned queue)
{
	(void)queue;
	serve(self);
}

static void vconsole_write_config(void *self, uint32_t off, unsigned size, uint32_t value)
{
	struct vconsole *c = self;
	uint8_t byte = (uint8_t)value;

	(void)size;
	if (off == CONFIG_EMERG_WR)
		bis_chardev_write(c->chardev, &byte, 1);
}

/* A queue that is out of use takes its half-sent chain along. */
static void vconsole_quiesce(void *self)
{
	struct vconsole *c = self;

	virtio_lock(&c->virtio);
	if (!c->virtio.ready[TRANSMIT])
		c->sent = 0;
	virtio_unlock(&c->virtio);
}

static const struct virtio_ops vconsole_ops = {
	.device_id = VIRTIO_ID_CONSOLE,
	.queues = QUEUES,
	.features = F_SIZE | F_EMERG_WRITE,
	.config_size = sizeof(struct config),
	.notify = vconsole_notify,
	.write_config = vconsole_write_config,
	.quiesce = vconsole_quiesce,
};

/* --- Lifecycle --- */

static void vconsole_pause(void *self)
{
	struct vconsole *c = self;

	c->paused = true;
	virtio_pause(&c->virtio);
}

static void vconsole_resume(void *self)
{
	struct vconsole *c = self;

	c->paused = false;
	set_size(c);
	virtio_resume(&c->virtio);
}

static int vconsole_check(void *self)
{
	return virtio_check(self);
}

static void vconsole_reset(void *self)
{
	struct vconsole *c = self;

	virtio_reset(&c->virtio);
}

static int vconsole_create(struct bis_module *mod, const struct bis_options *options, void **self)
{
	struct vconsole *c = calloc(1, sizeof(*c));
	int err;

	if (!c)
		return bis_fail(ENOMEM, "no memory for %s", bis_module_name(mod));
	err = bis_chardev_open(bis_module_machine(mod), bis_option_text(options, "chardev"), &c->chardev);
	if (!err)
		err = bis_chardev_attach(c->chardev, vconsole_chardev, c);
	if (err) {
		free(c);
		return err;
	}
	virtio_init(&c->virtio, mod, &vconsole_ops, c, &c->config);
	set_size(c);
	*self = c;
	return 0;
}

static int vconsole_attach(struct bis_module *mod, void *self)
{
	struct vconsole *c = self;
	int err = bis_timer_create(mod, vconsole_timer, &c->timer);

	return err ? err : virtio_attach(&c->virtio);
}

static void vconsole_destroy(void *self)
{
	struct vconsole *c = self;

	bis_chardev_detach(c->chardev, c);
	virtio_fini(&c->virtio);
	if (c->timer)
		bis_timer_destroy(c->timer);
	free(c);
}

static void vconsole_dt(void *self, struct bis_dt *dt)
{
	struct vconsole *c = self;

	virtio_dt(&c->virtio, dt);
}

const struct bis_module_class bis_virtio_console_class = {
	.abi = BIS_MODULE_ABI,
	.version = 1,
	.migratable = true,
	.irqs = 1,
	.name = "virtio-console",
	.summary = "virtio console on a character device",
	.options = vconsole_options,
	.fields = vconsole_fields,
	.create = vconsole_create,
	.attach = vconsole_attach,
	.pause = vconsole_pause,
	.resume = vconsole_resume,
	.reset = vconsole_reset,
	.destroy = vconsole_destroy,
	.check = vconsole_check,
	.dt_name = "virtio_mmio",
	.dt = vconsole_dt,
};
