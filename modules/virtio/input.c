/*
 * Virtio input (virtio 1.2, section 5.8): a keyboard, a mouse and a tablet, one row of a table each. Events of the host
 * (<biscuit/input.h>) go to the driver as it has buffers for them, and wait in a queue otherwise. When that is full
 * events are lost, but the driver never has a wrong picture for long: behind what it had waiting it is told that some
 * are missing (SYN_DROPPED), then of every key that is no longer as it last heard, and where the pointer is. Runs with
 * the device lock held, on the thread that sends the event, a hart's or the controller thread.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <biscuit/input.h>

#include "modules/modules.h"
#include "modules/virtio/input.h"
#include "modules/virtio/virtio.h"

enum { EVENTS, STATUS, QUEUES };

#define WAITING_MAX 256 /* events that wait for buffers */
#define TURN_MAX    64	/* status buffers taken at a time */
#define NOTCH	    120 /* parts of a wheel's notch */

/* Section 5.8.5. */
enum { CONFIG_SELECT, CONFIG_SUBSEL, CONFIG_SIZE, CONFIG_DATA = 8, CONFIG_END = CONFIG_DATA + INPUT_DATA_MAX };

/* Section 5.8.6. */
struct event {
	uint16_t type, code;
	uint32_t value;
};

/* What the driver is still to be told behind events that were lost. */
enum lost {
	LOST_NOTHING,
	LOST_TELL,  /* that there were some */
	LOST_END,   /* nothing else that belongs to them */
	LOST_STATE, /* how things are now */
};

struct input {
	struct virtio virtio;
	const struct input_kind *kind;
	struct bis_input_ops ops;
	struct bis_timer *more;
	uint8_t config[CONFIG_END]; /* lock of virtio */
	bool attached;
	bool paused;

	struct event waiting[WAITING_MAX];
	uint32_t first, count;	       /* of them */
	uint32_t lost;		       /* enum lost */
	uint8_t down[INPUT_CODES / 8]; /* keys that are pressed */
	uint8_t told[INPUT_CODES / 8]; /* keys that the driver knows of as pressed */
	int32_t x, y;		       /* of the pointer; -1: it has not been anywhere */
	int32_t told_x, told_y;	       /* where the driver knows it to be */
	int32_t wheel_x, wheel_y;      /* parts of a notch not told of yet */

	uint32_t leds; /* bits that the driver has set */
	uint64_t delivered, dropped;
	struct virtio_chain chain; /* the one in hand */
};

static const struct bis_field input_fields[] = {
	VIRTIO_FIELDS(struct input, virtio),
	BIS_FIELD(struct input, leds, U32, BIS_FIELD_HEX | BIS_FIELD_READONLY,
		  "lights that the driver has on: 1 NumLock, 2 CapsLock, 4 ScrollLock"),
	BIS_FIELD(struct input, count, U32, BIS_FIELD_READONLY | BIS_FIELD_DERIVED, "events that wait for buffers"),
	BIS_FIELD(struct input, delivered, U64, BIS_FIELD_COUNTER, "events given to the driver so far"),
	BIS_FIELD(struct input, dropped, U64, BIS_FIELD_COUNTER, "events lost so far, as the driver gave no buffers"),
	BIS_FIELD_END,
};

/* --- Configuration --- */

static void input_write_config(void *self, uint32_t off, unsigned size, uint32_t value)
{
	struct input *in = self;

	virtio_lock(&in->virtio);
	for (unsigned i = 0; i < size && off + i <= CONFIG_SUBSEL; i++)
		in->config[off + i] = (uint8_t)(value >> (8 * i));
	in->config[CONFIG_SIZE] = input_answer(in->kind, bis_module_name(in->virtio.module), in->config[CONFIG_SELECT],
					       in->config[CONFIG_SUBSEL], in->config + CONFIG_DATA);
	virtio_unlock(&in->virtio);
}

/* --- Events on their way to the driver --- */

static bool has(const uint8_t *set, unsigned code)
{
	return set[code / 8] >> code % 8 & 1;
}

static void change(uint8_t *set, unsigned code, bool on)
{
	if (on)
		set[code / 8] = (uint8_t)(set[code / 8] | (1u << code % 8));
	else
		set[code / 8] = (uint8_t)(set[code / 8] & ~(1u << code % 8));
}

/* A key that is not as the driver knows it; INPUT_CODES: none. */
static unsigned first_difference(const struct input *in)
{
	unsigned at = 0;

	while (at < INPUT_CODES / 8 && in->down[at] == in->told[at])
		at++;
	return at < INPUT_CODES / 8 ? at * 8 + (unsigned)__builtin_ctz(in->down[at] ^ in->told[at]) : INPUT_CODES;
}

/* The next event of those behind a loss; the last is a report. */
static struct event next_behind_loss(struct input *in)
{
	unsigned code;

	if (in->lost != LOST_STATE)
		return (struct event){EV_SYN, in->lost++ == LOST_TELL ? SYN_DROPPED : SYN_REPORT, 0};
	code = first_difference(in);
	if (code < INPUT_CODES)
		return (struct event){EV_KEY, (uint16_t)code, has(in->down, code)};
	if (in->x != in->told_x)
		return (struct event){EV_ABS, ABS_X, (uint32_t)in->x};
	if (in->y != in->told_y)
		return (struct event){EV_ABS, ABS_Y, (uint32_t)in->y};
	in->lost = LOST_NOTHING;
	return (struct event){EV_SYN, SYN_REPORT, 0};
}

static struct event next_event(struct input *in)
{
	struct event e;

	if (!in->count)
		return next_behind_loss(in);
	e = in->waiting[in->first];
	in->first = (in->first + 1) % WAITING_MAX;
	in->count--;
	return e;
}

/* What the driver knows when it has got the event. */
static void note_told(struct input *in, const struct event *e)
{
	if (e->type == EV_KEY)
		change(in->told, e->code, e->value);
	else if (e->type == EV_ABS && e->code == ABS_X)
		in->told_x = (int32_t)e->value;
	else if (e->type == EV_ABS)
		in->told_y = (int32_t)e->value;
}

/* Gives the driver what waits, as far as it has buffers. */
static void deliver(struct input *in)
{
	struct event e;

	if (in->paused)
		return;
	while ((in->count || in->lost) && virtio_pop(&in->virtio, EVENTS, &in->chain)) {
		if (in->chain.writable < sizeof(e)) {
			virtio_broken(&in->virtio, "a buffer without room for an event");
			break;
		}
		e = next_event(in);
		note_told(in, &e);
		virtio_write(&in->chain, &e, sizeof(e));
		virtio_push(&in->chain);
		in->delivered++;
	}
	virtio_signal(&in->virtio, EVENTS);
}

/* --- Events from the host --- */

/* A group of events while it is put into the queue. */
struct group {
	struct input *in;
	uint32_t added;
	bool full;
};

static void add(struct group *g, uint16_t type, uint16_t code, uint32_t value)
{
	struct input *in = g->in;

	g->full = g->full || in->lost || in->count == WAITING_MAX;
	if (g->full)
		return;
	in->waiting[(in->first + in->count++) % WAITING_MAX] = (struct event){type, code, value};
	g->added++;
}

/* Fine steps for those who know them, and whole notches. */
static void add_wheel(struct group *g, int32_t step, int32_t *left, uint16_t fine, uint16_t coarse)
{
	int64_t sum = (int64_t)*left + step;

	if (step == 0)
		return;
	add(g, EV_REL, fine, (uint32_t)step);
	if (sum / NOTCH)
		add(g, EV_REL, coarse, (uint32_t)(sum / NOTCH));
	*left = (int32_t)(sum % NOTCH);
}

static void add_relative(struct group *g, uint16_t code, int32_t step)
{
	if (step)
		add(g, EV_REL, code, (uint32_t)step);
}

static int32_t in_range(int32_t value)
{
	if (value < 0)
		return 0;
	return value < BIS_INPUT_RANGE ? value : BIS_INPUT_RANGE;
}

/* Repeated keys are the driver's own business (EV_REP). */
static void add_key(struct group *g, const struct bis_input_event *e)
{
	if (e->value > 1 || !input_has_code(g->in->kind, e->code))
		return;
	change(g->in->down, e->code, e->value);
	add(g, EV_KEY, e->code, e->value);
}

static void add_event(struct group *g, const struct bis_input_event *e)
{
	struct input *in = g->in;

	switch (e->kind) {
	case BIS_INPUT_KEY:
	case BIS_INPUT_BUTTON:
		add_key(g, e);
		break;
	case BIS_INPUT_ABSOLUTE:
		in->x = in_range(e->x);
		in->y = in_range(e->y);
		add(g, EV_ABS, ABS_X, (uint32_t)in->x);
		add(g, EV_ABS, ABS_Y, (uint32_t)in->y);
		break;
	case BIS_INPUT_RELATIVE:
		add_relative(g, REL_X, e->x);
		add_relative(g, REL_Y, e->y);
		break;
	case BIS_INPUT_WHEEL:
		add_wheel(g, e->x, &in->wheel_x, REL_HWHEEL_HI_RES, REL_HWHEEL);
		add_wheel(g, e->y, &in->wheel_y, REL_WHEEL_HI_RES, REL_WHEEL);
		break;
	default:
		break;
	}
}

static bool input_in_use(void *self)
{
	struct input *in = self;
	bool used;

	virtio_lock(&in->virtio);
	used = (in->virtio.status & VIRTIO_STATUS_DRIVER_OK) && !(in->virtio.status & VIRTIO_STATUS_NEEDS_RESET) &&
	       in->virtio.ready[EVENTS];
	virtio_unlock(&in->virtio);
	return used;
}

/* All of the events and their report, or none of them. */
static size_t input_take(void *self, const struct bis_input_event *events, size_t count)
{
	struct input *in = self;
	struct group g = {.in = in};

	for (size_t i = 0; i < count; i++)
		add_event(&g, &events[i]);
	if (g.added || g.full)
		add(&g, EV_SYN, SYN_REPORT, 0);
	if (g.full) {
		in->count -= g.added;
		in->dropped += count;
		in->lost = in->lost ? in->lost : LOST_TELL;
	}
	deliver(in);
	return g.full ? 0 : count;
}

/* Of keys, each with a report of its own. Nobody need wait to move a pointer, of which the latest place is enough. */
static size_t input_room(void *self)
{
	const struct input *in = self;

	return in->lost ? 0 : (WAITING_MAX - in->count) / 2;
}

/* --- Virtio --- */

/* Lights are all that a driver may set. */
static void take_status(struct input *in)
{
	struct event e;

	while (virtio_read(&in->chain, &e, sizeof(e)) == sizeof(e)) {
		if (e.type != EV_LED || e.code >= LEDS)
			continue;
		in->leds = e.value ? in->leds | (1u << e.code) : in->leds & ~(1u << e.code);
	}
	virtio_push(&in->chain);
}

static void serve_status(struct input *in)
{
	unsigned left = TURN_MAX;

	while (left && virtio_pop(&in->virtio, STATUS, &in->chain)) {
		take_status(in);
		left--;
	}
	virtio_signal(&in->virtio, STATUS);
	if (!left)
		bis_timer_set(in->more, 0);
}

/* What is left when the machine pauses is looked at when it goes on. */
static void input_more(void *self)
{
	struct input *in = self;

	if (!in->paused)
		serve_status(in);
}

static void input_notify(void *self, unsigned queue)
{
	struct input *in = self;

	if (queue == EVENTS)
		deliver(in);
	else
		serve_status(in);
}

/* A new driver knows of nothing. */
static void input_driver_reset(void *self)
{
	struct input *in = self;

	in->first = in->count = 0;
	in->lost = LOST_NOTHING;
	memset(in->down, 0, sizeof(in->down));
	memset(in->told, 0, sizeof(in->told));
	in->x = in->y = in->told_x = in->told_y = -1;
	in->wheel_x = in->wheel_y = 0;
	in->leds = 0;
	virtio_lock(&in->virtio);
	memset(in->config, 0, sizeof(in->config));
	virtio_unlock(&in->virtio);
}

static const struct virtio_ops input_virtio_ops = {
	.device_id = VIRTIO_ID_INPUT,
	.queues = QUEUES,
	.config_size = CONFIG_END,
	.notify = input_notify,
	.write_config = input_write_config,
	.reset = input_driver_reset,
};

/* --- Snapshots --- */

struct saved {
	uint8_t select, subsel, padding[2];
	uint32_t count; /* events, which follow */
	uint32_t lost;
	int32_t x, y, told_x, told_y, wheel_x, wheel_y;
	uint8_t told[INPUT_CODES / 8];
};

static int input_save(void *self, void (*put)(void *arg, const void *data, size_t len), void *arg)
{
	const struct input *in = self;
	struct saved saved = {
		.select = in->config[CONFIG_SELECT],
		.subsel = in->config[CONFIG_SUBSEL],
		.count = in->count,
		.lost = in->lost,
		.x = in->x,
		.y = in->y,
		.told_x = in->told_x,
		.told_y = in->told_y,
		.wheel_x = in->wheel_x,
		.wheel_y = in->wheel_y,
	};

	memcpy(saved.told, in->told, sizeof(saved.told));
	put(arg, &saved, sizeof(saved));
	for (uint32_t i = 0; i < in->count; i++)
		put(arg, &in->waiting[(in->first + i) % WAITING_MAX], sizeof(in->waiting[0]));
	return 0;
}

static bool restore_waiting(struct input *in, const void *data, size_t len, uint32_t count)
{
	if (count > WAITING_MAX || len != count * sizeof(in->waiting[0]))
		return false;
	memcpy(in->waiting, data, len);
	in->count = count;
	for (uint32_t i = 0; i < count; i++)
		if (in->waiting[i].type == EV_KEY && in->waiting[i].code >= INPUT_CODES)
			return false;
	return true;
}

/* The keys that were pressed then are not pressed now: the driver is told, behind what was waiting for it. */
static int input_restore(void *self, const void *data, size_t len)
{
	struct input *in = self;
	struct saved saved;

	input_driver_reset(in);
	if (len >= sizeof(saved))
		memcpy(&saved, data, sizeof(saved));
	if (len < sizeof(saved) || saved.lost > LOST_STATE || saved.wheel_x <= -NOTCH || saved.wheel_x >= NOTCH ||
	    saved.wheel_y <= -NOTCH || saved.wheel_y >= NOTCH ||
	    !restore_waiting(in, (const uint8_t *)data + sizeof(saved), len - sizeof(saved), saved.count)) {
		in->count = 0;
		return bis_fail(EINVAL, "%s: the saved state makes no sense", bis_module_name(in->virtio.module));
	}
	in->x = saved.x;
	in->y = saved.y;
	in->told_x = saved.told_x;
	in->told_y = saved.told_y;
	in->wheel_x = saved.wheel_x;
	in->wheel_y = saved.wheel_y;
	memcpy(in->told, saved.told, sizeof(in->told));
	in->lost = saved.lost;
	if (!saved.lost && (saved.count || first_difference(in) < INPUT_CODES))
		in->lost = LOST_STATE;
	input_write_config(in, CONFIG_SELECT, 2, saved.select | (uint32_t)saved.subsel << 8);
	return 0;
}

/* --- Lifecycle --- */

static void input_pause(void *self)
{
	struct input *in = self;

	in->paused = true;
	virtio_pause(&in->virtio);
}

static void input_resume(void *self)
{
	struct input *in = self;

	in->paused = false;
	virtio_resume(&in->virtio);
}

static void input_reset(void *self)
{
	struct input *in = self;

	virtio_reset(&in->virtio);
}

static int input_check(void *self)
{
	struct input *in = self;

	if (in->leds >> LEDS)
		return bis_fail(EINVAL, "%s: lights 0x%" PRIx32 " that it does not have",
				bis_module_name(in->virtio.module), in->leds);
	return virtio_check(&in->virtio);
}

static int input_create(struct bis_module *mod, const struct bis_options *options, void **self)
{
	struct input *in = calloc(1, sizeof(*in));

	(void)options;
	if (!in)
		return bis_fail(ENOMEM, "no memory for %s", bis_module_name(mod));
	in->kind = input_kind_find(bis_module_class_of(mod)->name);
	in->ops = (struct bis_input_ops){
		.kinds = in->kind->takes,
		.in_use = input_in_use,
		.take = input_take,
		.room = input_is_keyboard(in->kind) ? input_room : NULL,
	};
	virtio_init(&in->virtio, mod, &input_virtio_ops, in, in->config);
	input_driver_reset(in);
	*self = in;
	return 0;
}

static int input_attach(struct bis_module *mod, void *self)
{
	struct input *in = self;
	int err = bis_timer_create(mod, input_more, &in->more);

	if (!err)
		err = bis_input_attach(bis_module_machine(mod), &in->ops, in);
	if (!err) {
		in->attached = true;
		err = virtio_attach(&in->virtio);
	}
	return err;
}

static void input_destroy(void *self)
{
	struct input *in = self;

	if (in->attached)
		bis_input_detach(bis_module_machine(in->virtio.module), in);
	virtio_fini(&in->virtio);
	if (in->more)
		bis_timer_destroy(in->more);
	free(in);
}

static void input_dt(void *self, struct bis_dt *dt)
{
	struct input *in = self;

	virtio_dt(&in->virtio, dt);
}

#define INPUT_CLASS(name_, summary_)                                                                                   \
	{                                                                                                              \
		.abi = BIS_MODULE_ABI, .version = 1, .migratable = true, .irqs = 1, .name = (name_),                   \
		.summary = (summary_), .fields = input_fields, .create = input_create, .attach = input_attach,         \
		.pause = input_pause, .resume = input_resume, .reset = input_reset, .destroy = input_destroy,          \
		.check = input_check, .save = input_save, .restore = input_restore, .dt_name = "virtio_mmio",          \
		.dt = input_dt                                                                                         \
	}

const struct bis_module_class bis_virtio_keyboard_class = INPUT_CLASS("virtio-keyboard", "virtio input: a keyboard");
const struct bis_module_class bis_virtio_mouse_class =
	INPUT_CLASS("virtio-mouse", "virtio input: a mouse, which tells how far it moved");
const struct bis_module_class bis_virtio_tablet_class =
	INPUT_CLASS("virtio-tablet", "virtio input: a pointer, which tells where it is");
