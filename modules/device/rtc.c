/*
 * Goldfish real-time clock (registers: docs/devices.md, "Real-time clock"): the wall clock in nanoseconds and an alarm.
 * Time is the host's CLOCK_REALTIME, so that it is right after a pause; under the virtual clock, or with option base,
 * it starts at a fixed moment and goes on with machine time. Registers are served on a hart's thread, the timer fires
 * on the controller thread, both with the device lock held. The module owns its timer.
 */
#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include <biscuit/machine.h>
#include <biscuit/module.h>

#include "modules/modules.h"

#define NS_PER_S UINT64_C(1000000000)
/* Wall clock and machine time part ways when the host is set or suspended: an alarm is looked at so often. */
#define LOOK_AGAIN_NS NS_PER_S

enum {
	RTC_TIME_LOW = 0x00, /* read: also keeps the upper half for TIME_HIGH */
	RTC_TIME_HIGH = 0x04,
	RTC_ALARM_LOW = 0x08, /* write: sets the alarm */
	RTC_ALARM_HIGH = 0x0c,
	RTC_IRQ_ENABLED = 0x10,
	RTC_CLEAR_ALARM = 0x14,
	RTC_ALARM_STATUS = 0x18,
	RTC_CLEAR_INTERRUPT = 0x1c,
	RTC_SIZE = 0x1000,
};

struct rtc {
	struct bis_module *mod;
	struct bis_irq *irq;
	struct bis_timer *timer;
	bool fixed;    /* time is `base` + machine time */
	uint64_t base; /* ns since 1970 */

	uint64_t offset;     /* what the guest has added by setting the time, modulo 2^64 */
	uint32_t time_high;  /* kept by the last read of TIME_LOW */
	uint32_t set_high;   /* last written to TIME_HIGH */
	bool high_set;	     /* and TIME_LOW has not been written since */
	uint32_t alarm_high; /* last written to ALARM_HIGH */
	uint64_t alarm;	     /* ns since 1970 */
	bool armed;
	bool pending;
	bool enabled;
};

static const struct bis_field rtc_fields[] = {
	BIS_FIELD(struct rtc, offset, U64, 0, "ns the guest has moved the clock by, modulo 2^64"),
	BIS_FIELD(struct rtc, time_high, U32, BIS_FIELD_HEX, "upper half kept by the last read of TIME_LOW"),
	BIS_FIELD(struct rtc, set_high, U32, BIS_FIELD_HEX, "last written to TIME_HIGH"),
	BIS_FIELD(struct rtc, high_set, BOOL, 0, "TIME_HIGH was written and TIME_LOW not yet"),
	BIS_FIELD(struct rtc, alarm_high, U32, BIS_FIELD_HEX, "last written to ALARM_HIGH"),
	BIS_FIELD(struct rtc, alarm, U64, 0, "moment of the alarm in ns since 1970"),
	BIS_FIELD(struct rtc, armed, BOOL, 0, "the alarm is set"),
	BIS_FIELD(struct rtc, pending, BOOL, 0, "the alarm has gone off and is not acknowledged"),
	BIS_FIELD(struct rtc, enabled, BOOL, 0, "the alarm interrupts"),
	BIS_FIELD_END,
};

static const struct bis_option rtc_options[] = {
	{"base", BIS_OPTION_U64, "1735689600", NULL,
	 "seconds since 1970 at start; given or under the virtual clock, time goes on with machine time from there"},
	{0},
};

static uint64_t now_ns(const struct rtc *r)
{
	struct timespec now;

	if (r->fixed)
		return r->base + bis_module_now(r->mod) + r->offset;
	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec + r->offset;
}

/* Lets a due alarm go off, waits for one that is not, and makes the interrupt line follow. */
static void update(struct rtc *r)
{
	uint64_t when = UINT64_MAX, now = now_ns(r);

	if (r->armed && now >= r->alarm) {
		r->armed = false;
		r->pending = true;
	}
	if (r->armed) {
		uint64_t machine = bis_module_now(r->mod), wait = r->alarm - now;

		if (!r->fixed && wait > LOOK_AGAIN_NS)
			wait = LOOK_AGAIN_NS;
		if (wait < UINT64_MAX - machine)
			when = machine + wait;
	}
	bis_timer_set(r->timer, when);
	bis_irq_set(r->irq, r->pending && r->enabled);
}

static void rtc_fire(void *self)
{
	update(self);
}

static uint32_t read_time_low(struct rtc *r)
{
	uint64_t now = now_ns(r);

	r->time_high = (uint32_t)(now >> 32);
	return (uint32_t)now;
}

static enum bis_bus_result rtc_read(void *self, uint64_t off, unsigned size, uint64_t *val)
{
	struct rtc *r = self;

	(void)size;
	switch (off) {
	case RTC_TIME_LOW:
		*val = read_time_low(r);
		break;
	case RTC_TIME_HIGH:
		*val = r->time_high;
		break;
	case RTC_ALARM_LOW:
		*val = (uint32_t)r->alarm;
		break;
	case RTC_ALARM_HIGH:
		*val = (uint32_t)(r->alarm >> 32);
		break;
	case RTC_IRQ_ENABLED:
		*val = r->enabled;
		break;
	case RTC_ALARM_STATUS:
		*val = r->armed;
		break;
	default:
		*val = 0;
		break;
	}
	return BIS_BUS_OK;
}

static void set_time(struct rtc *r, uint64_t to)
{
	r->offset += to - now_ns(r);
}

/*
 * Each half counts as soon as it is written. Writing the lower one takes the upper half written before it, even if the
 * clock has carried into that in the meantime.
 */
static void write_time_high(struct rtc *r, uint32_t high)
{
	r->set_high = high;
	r->high_set = true;
	set_time(r, (uint64_t)high << 32 | (uint32_t)now_ns(r));
}

static void write_time_low(struct rtc *r, uint32_t low)
{
	uint64_t high = r->high_set ? r->set_high : now_ns(r) >> 32;

	r->high_set = false;
	set_time(r, high << 32 | low);
}

static enum bis_bus_result rtc_write(void *self, uint64_t off, unsigned size, uint64_t val)
{
	struct rtc *r = self;

	(void)size;
	switch (off) {
	case RTC_TIME_LOW:
		write_time_low(r, (uint32_t)val);
		break;
	case RTC_TIME_HIGH:
		write_time_high(r, (uint32_t)val);
		break;
	case RTC_ALARM_LOW:
		r->alarm = (uint64_t)r->alarm_high << 32 | (uint32_t)val;
		r->armed = true;
		break;
	case RTC_ALARM_HIGH:
		r->alarm_high = (uint32_t)val;
		break;
	case RTC_IRQ_ENABLED:
		r->enabled = val & 1;
		break;
	case RTC_CLEAR_ALARM:
		r->armed = false;
		break;
	case RTC_CLEAR_INTERRUPT:
		r->pending = false;
		break;
	default:
		break;
	}
	update(r);
	return BIS_BUS_OK;
}

static void rtc_reset(void *self)
{
	struct rtc *r = self;

	*r = (struct rtc){.mod = r->mod, .irq = r->irq, .timer = r->timer, .fixed = r->fixed, .base = r->base};
	update(r);
}

static void rtc_resume(void *self)
{
	update(self);
}

static int rtc_create(struct bis_module *mod, const struct bis_options *options, void **self)
{
	uint64_t base = bis_option_u64(options, "base");
	struct rtc *r;

	if (base > UINT64_MAX / NS_PER_S)
		return bis_fail(EINVAL, "%s: base=%llu lies beyond the clock's last second, %llu", bis_module_name(mod),
				(unsigned long long)base, (unsigned long long)(UINT64_MAX / NS_PER_S));
	r = calloc(1, sizeof(*r));
	if (!r)
		return bis_fail(ENOMEM, "no memory for %s", bis_module_name(mod));
	r->mod = mod;
	r->irq = bis_module_irq(mod, 0);
	r->fixed = bis_option_given(options, "base") || bis_machine_clock(bis_module_machine(mod)) == BIS_CLOCK_VIRTUAL;
	r->base = base * NS_PER_S;
	*self = r;
	return 0;
}

static int rtc_attach(struct bis_module *mod, void *self)
{
	static const struct bis_mmio_ops ops = {
		.size = RTC_SIZE, .min_access = 4, .max_access = 4, .read = rtc_read, .write = rtc_write};
	struct rtc *r = self;
	int err = bis_timer_create(mod, rtc_fire, &r->timer);

	return err ? err : bis_attach_mmio(mod, &ops);
}

static void rtc_destroy(void *self)
{
	struct rtc *r = self;

	if (r->timer)
		bis_timer_destroy(r->timer);
	free(r);
}

static void rtc_dt(void *self, struct bis_dt *dt)
{
	(void)self;
	bis_dt_string(dt, "compatible", "google,goldfish-rtc");
}

const struct bis_module_class bis_rtc_class = {
	.abi = BIS_MODULE_ABI,
	.version = 1,
	.migratable = true,
	.irqs = 1,
	.name = "goldfish-rtc",
	.summary = "goldfish real-time clock: wall clock and alarm",
	.options = rtc_options,
	.fields = rtc_fields,
	.create = rtc_create,
	.attach = rtc_attach,
	.resume = rtc_resume,
	.reset = rtc_reset,
	.destroy = rtc_destroy,
	.dt_name = "rtc",
	.dt = rtc_dt,
};
