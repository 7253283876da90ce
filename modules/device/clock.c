/*
 * Native clock (slot 2, docs/devices.md): machine time, wall clock and an alarm. Registers are served on a hart's
 * thread, the timer fires on the controller thread, both with the device lock held. The module owns its timer.
 */
#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include <biscuit/module.h>

#include "modules/device/native.h"
#include "modules/modules.h"

#define NS_PER_S UINT64_C(1000000000)

struct clock_device {
	struct bis_module *mod;
	struct bis_irq *irq;
	struct bis_timer *timer;
	uint64_t alarm; /* machine time in ns; 0 = none */
	bool gone_off;
	struct native_high high;
};

static const struct bis_field clock_fields[] = {
	BIS_FIELD(struct clock_device, alarm, U64, 0, "machine time of the alarm in ns, 0 = none"),
	BIS_FIELD(struct clock_device, gone_off, BOOL, 0, "the alarm has gone off and is not acknowledged"),
	NATIVE_HIGH_FIELDS(struct clock_device, high),
	BIS_FIELD_END,
};

/* Lets a due alarm go off, waits for one that is not, and makes the interrupt line follow. */
static void update(struct clock_device *c)
{
	if (c->alarm && bis_module_now(c->mod) >= c->alarm) {
		c->alarm = 0;
		c->gone_off = true;
	}
	bis_timer_set(c->timer, c->alarm ? c->alarm : UINT64_MAX);
	bis_irq_set(c->irq, c->gone_off);
}

static void clock_fire(void *self)
{
	update(self);
}

static void set_alarm(struct clock_device *c, uint64_t when)
{
	c->alarm = when;
	c->gone_off = false;
	update(c);
}

static uint64_t wall_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

static uint64_t resolution_ns(void)
{
	struct timespec step;

	clock_getres(CLOCK_MONOTONIC, &step);
	return (uint64_t)step.tv_sec * NS_PER_S + (uint64_t)step.tv_nsec;
}

static uint64_t time_left(const struct clock_device *c)
{
	uint64_t now = bis_module_now(c->mod);

	return c->alarm > now ? c->alarm - now : 0;
}

/* `delay` ns from now; never 0, which would mean no alarm, and never beyond the last value. */
static uint64_t after(const struct clock_device *c, uint64_t delay)
{
	uint64_t now = bis_module_now(c->mod);

	if (delay > UINT64_MAX - now)
		return UINT64_MAX;
	return now + delay ? now + delay : 1;
}

static uint64_t clock_read(void *self, unsigned reg)
{
	struct clock_device *c = self;

	switch (reg) {
	case CLOCK_NOW:
		return native_wide_read(&c->high, bis_module_now(c->mod));
	case CLOCK_WALL:
		return native_wide_read(&c->high, wall_ns());
	case CLOCK_ALARM:
		return native_wide_read(&c->high, c->alarm);
	case CLOCK_RESOLUTION:
		return resolution_ns();
	case CLOCK_DELAY:
		return native_wide_read(&c->high, time_left(c));
	case CLOCK_HIGH:
		return c->high.read;
	case NATIVE_STATUS:
		return native_status(false, c->gone_off, NATIVE_ERROR_NONE, 0);
	default:
		return 0;
	}
}

static void clock_write(void *self, unsigned reg, uint64_t val)
{
	struct clock_device *c = self;

	switch (reg) {
	case CLOCK_ALARM:
		set_alarm(c, native_wide_write(&c->high, val));
		break;
	case CLOCK_DELAY:
		set_alarm(c, after(c, native_wide_write(&c->high, val)));
		break;
	case CLOCK_HIGH:
		c->high.write = (uint32_t)val;
		break;
	case NATIVE_STATUS:
		if (val & NATIVE_STATUS_INTERRUPT) {
			c->gone_off = false;
			update(c);
		}
		break;
	default:
		break;
	}
}

static void clock_reset(void *self)
{
	struct clock_device *c = self;

	c->high = (struct native_high){0};
	set_alarm(c, 0);
}

static void clock_resume(void *self)
{
	update(self);
}

static int clock_create(struct bis_module *mod, const struct bis_options *options, void **self)
{
	struct clock_device *c = calloc(1, sizeof(*c));

	(void)options;
	if (!c)
		return bis_fail(ENOMEM, "no memory for %s", bis_module_name(mod));
	c->mod = mod;
	c->irq = bis_module_irq(mod, 0);
	*self = c;
	return 0;
}

static int clock_attach(struct bis_module *mod, void *self)
{
	static const struct bis_devcsr_ops registers = {.read = clock_read, .write = clock_write};
	struct clock_device *c = self;
	int err = bis_timer_create(mod, clock_fire, &c->timer);

	return err ? err : bis_attach_devcsr(mod, &registers);
}

static void clock_destroy(void *self)
{
	struct clock_device *c = self;

	if (c->timer)
		bis_timer_destroy(c->timer);
	free(c);
}

const struct bis_module_class bis_clock_class = {
	.abi = BIS_MODULE_ABI,
	.version = CLOCK_VERSION,
	.migratable = true,
	.irqs = 1,
	.name = "clock",
	.summary = "native clock: machine time, wall clock and alarm",
	.fields = clock_fields,
	.create = clock_create,
	.attach = clock_attach,
	.resume = clock_resume,
	.reset = clock_reset,
	.destroy = clock_destroy,
};
